//! A platform in memory, for tests of whole flows: R2, KV, a queue, Durable Objects and a clock.
//!
//! Every operation can be told to fail before it takes effect, or after it: the reply is lost then.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::job::{Command, Message, Policy, Record, Verdict};
use crate::keys::JobId;
use crate::object::ObjectMeta;
use crate::ports::{
    ChunkError, Chunks, Clock, JobLedger, JobQueue, JobStorage, ObjectInfo, ObjectStore,
    ObjectUpload, StatusCache, StoreError,
};
use crate::service::job::{JobService, Platform};
use crate::timestamp::Timestamp;

/// When an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing happens.
    Before,
    /// It happens, and whoever asked does not learn of it.
    After,
}

/// What a plan says about an operation: its name, and how often operations ran before.
type Plan = Box<dyn FnMut(&str, usize) -> Option<Failure>>;

#[derive(Default)]
struct Inner {
    objects: RefCell<BTreeMap<String, (Vec<u8>, ObjectMeta)>>,
    copies: RefCell<BTreeMap<JobId, String>>,
    messages: RefCell<VecDeque<String>>,
    records: RefCell<BTreeMap<JobId, String>>,
    now: Cell<Timestamp>,
    operations: Cell<usize>,
    plan: RefCell<Option<Plan>>,
    log: RefCell<Vec<String>>,
}

/// The platform. Clones are the same one.
#[derive(Clone, Default)]
pub struct World {
    inner: Rc<Inner>,
    policy: Policy,
}

impl World {
    /// An empty platform at the time `now`.
    pub fn new(now: Timestamp, policy: Policy) -> Self {
        let world = Self {
            inner: Rc::default(),
            policy,
        };
        world.inner.now.set(now);
        world
    }

    /// Decides about the failure of every operation from now on.
    pub fn fail(&self, plan: impl FnMut(&str, usize) -> Option<Failure> + 'static) {
        *self.inner.plan.borrow_mut() = Some(Box::new(plan));
    }

    /// Ends all failures.
    pub fn heal(&self) {
        *self.inner.plan.borrow_mut() = None;
    }

    /// Lets time pass.
    pub fn advance_secs(&self, secs: u64) {
        self.inner.now.set(self.inner.now.get().plus_secs(secs));
    }

    /// Takes the next message out of the queue.
    pub fn next_message(&self) -> Option<String> {
        self.inner.messages.borrow_mut().pop_front()
    }

    /// Loses every message, as a local queue does at a restart.
    pub fn lose_messages(&self) {
        self.inner.messages.borrow_mut().clear();
    }

    /// The jobs whose alarm is due.
    pub fn due_alarms(&self) -> Vec<JobId> {
        let due = |record: &Record| record.due_at.is_some_and(|due| due <= self.now());
        self.records()
            .into_iter()
            .filter(due)
            .map(|record| record.id)
            .collect()
    }

    /// All records.
    pub fn records(&self) -> Vec<Record> {
        self.inner
            .records
            .borrow()
            .values()
            .filter_map(|text| serde_json::from_str(text).ok())
            .collect()
    }

    /// The copy in KV.
    pub fn copy(&self, id: JobId) -> Option<Record> {
        serde_json::from_str(self.inner.copies.borrow().get(&id)?).ok()
    }

    /// The keys of all objects.
    pub fn object_keys(&self) -> Vec<String> {
        self.inner.objects.borrow().keys().cloned().collect()
    }

    /// The bytes of an object.
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        self.inner
            .objects
            .borrow()
            .get(key)
            .map(|(bytes, _)| bytes.clone())
    }

    /// The names of all operations so far that took effect.
    pub fn log(&self) -> Vec<String> {
        self.inner.log.borrow().clone()
    }

    /// Runs an operation, unless the plan lets it fail before, or makes its reply fail.
    fn operation<T>(&self, name: &str, effect: impl FnOnce() -> T) -> Result<T, StoreError> {
        let count = self
            .inner
            .operations
            .replace(self.inner.operations.get() + 1);
        let failure = self
            .inner
            .plan
            .borrow_mut()
            .as_mut()
            .and_then(|plan| plan(name, count));
        let error = || StoreError::Transient(format!("{name} failed on purpose"));
        if failure == Some(Failure::Before) {
            return Err(error());
        }
        let value = effect();
        self.inner.log.borrow_mut().push(name.into());
        if failure == Some(Failure::After) {
            Err(error())
        } else {
            Ok(value)
        }
    }

    fn store(&self, key: &str, bytes: Vec<u8>, meta: ObjectMeta) -> ObjectInfo {
        let info = describe(&bytes, meta);
        self.inner
            .objects
            .borrow_mut()
            .insert(key.into(), (bytes, meta));
        info
    }
}

/// An object's description; its tag follows from its bytes (FNV-1a).
fn describe(bytes: &[u8], meta: ObjectMeta) -> ObjectInfo {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3)
    });
    ObjectInfo {
        bytes: bytes.len() as u64,
        etag: format!("{hash:016x}"),
        meta,
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.inner.now.get()
    }
}

/// Bytes in chunks of a given size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    size: usize,
    breaks_at: Option<usize>,
}

impl Pieces {
    /// `bytes` in chunks of `size`.
    pub fn new(bytes: impl Into<Vec<u8>>, size: usize) -> Self {
        Self {
            bytes: bytes.into(),
            at: 0,
            size,
            breaks_at: None,
        }
    }

    /// Breaks off after `len` bytes.
    #[must_use]
    pub fn breaking_at(mut self, len: usize) -> Self {
        self.breaks_at = Some(len);
        self
    }

    /// How many bytes were taken.
    pub fn taken(&self) -> usize {
        self.at
    }
}

impl Chunks for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        if self.breaks_at.is_some_and(|at| self.at >= at) {
            return Err(ChunkError::Aborted("broke off on purpose".into()));
        }
        let end = (self.at + self.size).min(self.bytes.len());
        let chunk = self.bytes[self.at..end].to_vec();
        self.at = end;
        Ok((!chunk.is_empty()).then_some(chunk))
    }
}

/// An upload in parts.
pub struct Parts {
    world: World,
    key: String,
    meta: ObjectMeta,
    stored: Vec<Vec<u8>>,
}

impl ObjectUpload for Parts {
    async fn part(&mut self, bytes: Vec<u8>) -> Result<(), StoreError> {
        let stored = &mut self.stored;
        self.world.operation("r2.part", || stored.push(bytes))
    }

    async fn complete(self) -> Result<ObjectInfo, StoreError> {
        let Self {
            world,
            key,
            meta,
            stored,
        } = &self;
        world.operation("r2.complete", || world.store(key, stored.concat(), *meta))
    }

    async fn abort(self) -> Result<(), StoreError> {
        self.world.operation("r2.abort", || ())
    }
}

impl ObjectStore for World {
    type Body = Pieces;
    type Upload = Parts;

    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        meta: ObjectMeta,
    ) -> Result<ObjectInfo, StoreError> {
        self.operation("r2.put", || self.store(key, bytes, meta))
    }

    async fn put_new(
        &self,
        key: &str,
        bytes: Vec<u8>,
        meta: ObjectMeta,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        self.operation("r2.put_new", || {
            let taken = self.inner.objects.borrow().contains_key(key);
            (!taken).then(|| self.store(key, bytes, meta))
        })
    }

    async fn begin_upload(&self, key: &str, meta: ObjectMeta) -> Result<Parts, StoreError> {
        let upload = || Parts {
            world: self.clone(),
            key: key.into(),
            meta,
            stored: Vec::new(),
        };
        self.operation("r2.begin", upload)
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        let objects = self.inner.objects.borrow();
        self.operation("r2.head", || {
            objects.get(key).map(|(bytes, meta)| describe(bytes, *meta))
        })
    }

    async fn get(&self, key: &str) -> Result<Option<(ObjectInfo, Pieces)>, StoreError> {
        let objects = self.inner.objects.borrow();
        self.operation("r2.get", || {
            objects
                .get(key)
                .map(|(bytes, meta)| (describe(bytes, *meta), Pieces::new(bytes.clone(), 4_096)))
        })
    }

    async fn list(&self, prefix: &str, start_after: &str) -> Result<Vec<String>, StoreError> {
        let page = |key: &String| key.starts_with(prefix) && key.as_str() > start_after;
        self.operation("r2.list", || {
            self.object_keys()
                .into_iter()
                .filter(page)
                .take(3)
                .collect()
        })
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.operation("r2.delete", || {
            self.inner.objects.borrow_mut().remove(key);
        })
    }
}

impl StatusCache for World {
    async fn get(&self, id: JobId) -> Result<Option<Record>, StoreError> {
        self.operation("kv.get", || self.copy(id))
    }

    async fn put(&self, record: &Record) -> Result<(), StoreError> {
        let text =
            serde_json::to_string(record).map_err(|e| StoreError::Permanent(e.to_string()))?;
        self.operation("kv.put", || {
            self.inner.copies.borrow_mut().insert(record.id, text);
        })
    }

    async fn delete(&self, id: JobId) -> Result<(), StoreError> {
        self.operation("kv.delete", || {
            self.inner.copies.borrow_mut().remove(&id);
        })
    }
}

impl JobQueue for World {
    async fn send(&self, message: &Message) -> Result<(), StoreError> {
        self.operation("queue.send", || {
            self.inner.messages.borrow_mut().push_back(message.encode());
        })
    }

    async fn backlog(&self) -> Result<Option<u64>, StoreError> {
        self.operation("queue.backlog", || {
            Some(self.inner.messages.borrow().len() as u64)
        })
    }
}

/// The storage of one job.
pub struct Storage {
    world: World,
    id: JobId,
}

impl JobStorage for Storage {
    async fn load(&self) -> Result<Option<Record>, StoreError> {
        let records = self.world.inner.records.borrow();
        let record = records
            .get(&self.id)
            .map(|text| serde_json::from_str(text))
            .transpose();
        record.map_err(|e| StoreError::Permanent(e.to_string()))
    }

    async fn save(&self, record: &Record) -> Result<(), StoreError> {
        let text =
            serde_json::to_string(record).map_err(|e| StoreError::Permanent(e.to_string()))?;
        self.world.operation("job.save", || {
            self.world.inner.records.borrow_mut().insert(self.id, text);
        })
    }

    async fn erase(&self) -> Result<(), StoreError> {
        self.world.operation("job.erase", || {
            self.world.inner.records.borrow_mut().remove(&self.id);
        })
    }
}

impl JobLedger for World {
    async fn call(&self, id: JobId, command: Command) -> Result<Verdict, StoreError> {
        let storage = Storage {
            world: self.clone(),
            id,
        };
        let platform = Platform {
            objects: self.clone(),
            status: self.clone(),
            queue: self.clone(),
            clock: self.clone(),
        };
        let job = JobService::new(storage, platform, self.policy);
        let verdict = job.handle(command).await;
        self.operation("job.call", || verdict)?
    }
}
