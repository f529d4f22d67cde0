//! What a job acts on, from the bindings of the edge.

use thumbnail_core::ports::{Clock, JobQueue, ObjectStore, Platform, StatusCache};
use worker::{Env, Result};

use super::{KvStatus, R2Store, ResizeQueue, WorkerClock};
use crate::{app, bindings};

/// The adapters that a job needs.
pub struct JobPlatform {
    objects: R2Store,
    status: KvStatus,
    queue: ResizeQueue,
}

impl JobPlatform {
    /// From the bindings of the edge.
    pub fn from_env(env: &Env) -> Result<Self> {
        Ok(Self {
            objects: R2Store::new(env.bucket(bindings::IMAGES)?),
            status: app::status(env)?,
            queue: app::queue(env)?,
        })
    }
}

impl Platform for JobPlatform {
    fn objects(&self) -> &impl ObjectStore {
        &self.objects
    }

    fn status(&self) -> &impl StatusCache {
        &self.status
    }

    fn queue(&self) -> &impl JobQueue {
        &self.queue
    }

    fn clock(&self) -> &impl Clock {
        &WorkerClock
    }
}
