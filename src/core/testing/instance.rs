//! The origin's instance: all attempts run in it at the same time, and share its memory and its end.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;

use super::executor::Actor;
use super::{Picture, Sabotage, World};
use crate::keys::JobId;
use crate::service::memory::{LEASE_SECS, Memory};
use thumbnail_pipeline::Limits;

/// What an instance has: 96 MiB, as the linker says it to wasm, less the code's own data and stack.
const INSTANCE_BYTES: u64 = 92 << 20;

/// What an instance holds, and what is known of the images that come to it.
#[derive(Default)]
pub(super) struct Instance {
    memory: OnceCell<Memory>,
    held_bytes: Cell<u64>,
    uploads: RefCell<BTreeMap<JobId, (Picture, u64)>>,
    deaths: Cell<u32>,
}

/// Memory that an image takes while it is made.
pub(super) struct Held {
    world: World,
    bytes: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        let held = &self.world.inner.instance.held_bytes;
        held.set(held.get().saturating_sub(self.bytes));
    }
}

impl World {
    /// The memory that attempts share.
    pub fn memory(&self) -> &Memory {
        self.inner.instance.memory.get_or_init(|| {
            let lease_secs = if self.sabotaged(Sabotage::EternalLease) {
                u32::MAX
            } else {
                LEASE_SECS
            };
            Memory::new(Limits::default().max_memory_bytes, lease_secs)
        })
    }

    /// Notes what an image is, and what making its thumbnails takes.
    pub(super) fn uploads(&self, id: JobId, picture: Picture, bytes: u64) {
        let mut uploads = self.inner.instance.uploads.borrow_mut();
        uploads.insert(id, (picture, bytes));
    }

    /// Whether several images are made at the same time.
    pub(super) fn is_crowded(&self) -> bool {
        self.inner.instance.uploads.borrow().len() > 1
    }

    /// What the image of a job is, and what making its thumbnails takes.
    pub(super) fn uploaded(&self, id: JobId) -> Option<(Picture, u64)> {
        self.inner.instance.uploads.borrow().get(&id).copied()
    }

    /// Holds memory. An instance that has no more dies, and never returns.
    pub(super) async fn hold(&self, bytes: u64) -> Held {
        let held = &self.inner.instance.held_bytes;
        held.set(held.get() + bytes);
        if held.get() > INSTANCE_BYTES {
            self.die(true).await;
        }
        Held {
            world: self.clone(),
            bytes,
        }
    }

    /// Everything that runs in the origin ends, and the next message comes to a new instance.
    pub(super) fn reset_instance(&self) {
        let instance = &self.inner.instance;
        instance.deaths.set(instance.deaths.get() + 1);
        self.inner.executor.kill_all(Actor::Origin);
        instance.held_bytes.set(0);
        self.memory().clear();
    }

    /// One invocation is cancelled: the platform forgets it, with all that it holds.
    pub(super) fn cancel_invocation(&self, task: usize) {
        let held = &self.inner.instance.held_bytes;
        let before = held.get();
        self.memory().leak(|| self.inner.executor.kill(task));
        held.set(before);
    }

    /// How often the origin's instance died.
    pub(super) fn deaths(&self) -> u32 {
        self.inner.instance.deaths.get()
    }
}
