//! What the services need of the platform. The adapters implement it and decide nothing.

#![expect(
    async_fn_in_trait,
    reason = "a Worker has one thread; nothing here is ever sent to another"
)]

use crate::idempotency::{KeyCommand, KeyRecord, KeyVerdict};
use crate::job::webhook::{Answer, WebhookRequest};
use crate::job::{Command, Message, Record, State, Verdict, WebhookMessage};
use crate::keys::JobId;
use crate::object::ObjectMeta;
use crate::outbound::Destination;
use crate::pace::Pace;
use crate::range::ByteRange;
use crate::signature::Secrets;
use crate::timestamp::Timestamp;

pub use crate::transfer::{ChunkError, Chunks, FetchError, StoreError};

/// What is known of a stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Length in bytes.
    pub bytes: u64,
    /// Entity tag without quotes.
    pub etag: String,
    /// When it was stored.
    pub modified: Timestamp,
    /// What it is.
    pub meta: ObjectMeta,
}

/// Objects by key: R2. Strongly consistent.
pub trait ObjectStore {
    /// The bytes of an object, not yet read.
    type Body: Chunks;
    /// An upload in parts.
    type Upload: ObjectUpload;
    /// An upload as one stream.
    type Stream: ObjectStream;

    /// Stores an object in one piece, in place of what is there.
    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        meta: ObjectMeta,
    ) -> Result<ObjectInfo, StoreError>;
    /// Stores an object in one piece, unless there is one: `None` then. Decided once, by the store.
    async fn put_new(
        &self,
        key: &str,
        bytes: Vec<u8>,
        meta: ObjectMeta,
    ) -> Result<Option<ObjectInfo>, StoreError>;
    /// Begins an upload in parts; nothing is stored before it completes.
    async fn begin_upload(&self, key: &str, meta: ObjectMeta) -> Result<Self::Upload, StoreError>;
    /// Begins an object of `bytes` that are still to come; nothing is stored before it completes.
    async fn begin_stream(
        &self,
        key: &str,
        bytes: u64,
        meta: ObjectMeta,
    ) -> Result<Self::Stream, StoreError>;
    /// What is known of an object, or `None` where there is none.
    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError>;
    /// An object with its bytes, or `None` where there is none.
    async fn get(&self, key: &str) -> Result<Option<(ObjectInfo, Self::Body)>, StoreError>;
    /// An object with some of its bytes, which it must have; its description is of the whole.
    async fn get_range(
        &self,
        key: &str,
        range: ByteRange,
    ) -> Result<Option<(ObjectInfo, Self::Body)>, StoreError>;
    /// Deletes an object; that there is none is no error.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
    /// The keys with a prefix that come after `start_after`, in order, up to one page of them.
    async fn list(&self, prefix: &str, start_after: &str) -> Result<Vec<String>, StoreError>;
}

/// An upload in parts of equal size (but the last).
pub trait ObjectUpload {
    /// Adds the next part.
    async fn part(&mut self, bytes: Vec<u8>) -> Result<(), StoreError>;
    /// Makes the object visible.
    async fn complete(self) -> Result<ObjectInfo, StoreError>;
    /// Throws the parts away.
    async fn abort(self) -> Result<(), StoreError>;
}

/// An object that is stored while its bytes arrive. Dropped before its end, it is none.
pub trait ObjectStream {
    /// Adds bytes. Returns when they are on their way, so that no more than these are held.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError>;
    /// Makes the object visible, if as many bytes came as were declared, and returns their SHA-256:
    /// the platform takes it for less than we can.
    async fn complete(self) -> Result<[u8; 32], StoreError>;
    /// Ends it without an object.
    async fn abort(self);
}

/// The jobs themselves, seen from outside: one Durable Object each.
pub trait JobLedger {
    /// Gives a job a command and returns its verdict.
    async fn call(&self, id: JobId, command: Command) -> Result<Verdict, StoreError>;
}

/// Jobs that say when they have ended.
pub trait JobWatch {
    /// The job once it has ended, or as it is after so many milliseconds. A reset of the job is an error.
    async fn ended(&self, id: JobId, millis: u64) -> Result<Verdict, StoreError>;
}

/// Those who are told of a job's changes as they happen.
pub trait Listeners {
    /// Tells everybody about the record that was just stored. Waits for nobody.
    fn tell(&self, record: &Record);
}

/// What remembers the idempotency keys of uploads, seen from outside: one Durable Object each.
pub trait KeyLedger {
    /// Gives a key a command and returns its verdict.
    async fn call(&self, name: &str, command: KeyCommand) -> Result<KeyVerdict, StoreError>;
}

/// What a key keeps: the storage of its Durable Object, strongly consistent and alone.
pub trait KeyStorage {
    /// The record, or `None` where nothing is remembered.
    async fn load(&self) -> Result<Option<KeyRecord>, StoreError>;
    /// Stores the record and sets the alarm to its `due_at`, both or neither.
    async fn save(&self, record: &KeyRecord) -> Result<(), StoreError>;
    /// Deletes everything, the alarm too.
    async fn erase(&self) -> Result<(), StoreError>;
}

/// Copies of records for cheap reads: KV. Stale by a minute or more, absent at times.
pub trait StatusCache {
    /// The copy of a record.
    async fn get(&self, id: JobId) -> Result<Option<Record>, StoreError>;
    /// Stores a copy, to be forgotten at `until`, which is an hour away at least (`None`: never). Only
    /// the job itself calls it. Returns within a few seconds, one way or the other.
    async fn put(&self, record: &Record, until: Option<Timestamp>) -> Result<(), StoreError>;
    /// Deletes the copy. Only the job itself calls it.
    async fn delete(&self, id: JobId) -> Result<(), StoreError>;
}

/// A job as the index has it.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexEntry {
    /// The job.
    pub id: JobId,
    /// Its record; absent where another version of the service has stored it.
    pub record: Option<Record>,
}

/// The index of jobs for listings: D1. Consistent, behind the jobs by a moment, or by more where a
/// write was lost; the sweep makes up for that.
pub trait JobIndex {
    /// Stores a job's row unless a newer one is there; at `check_at` it is to be compared with the job.
    async fn put(&self, record: &Record, check_at: Timestamp) -> Result<(), StoreError>;
    /// Deletes a job's row; that there is none is no error.
    async fn delete(&self, id: JobId) -> Result<(), StoreError>;
    /// An owner's jobs, the newest first: those in a state (none: in any) that are older than `before`.
    async fn page(
        &self,
        owner: &str,
        state: Option<State>,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<IndexEntry>, StoreError>;
    /// Jobs whose row is to be compared with them by now, the most overdue first.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<JobId>, StoreError>;
    /// Has the rows of some jobs compared with them at another time.
    async fn postpone(&self, ids: &[JobId], check_at: Timestamp) -> Result<(), StoreError>;
    /// Those of some jobs that have no row.
    async fn missing(&self, ids: &[JobId]) -> Result<Vec<JobId>, StoreError>;
}

/// The resize queue: at least once, in any order, seldom never.
pub trait JobQueue {
    /// Sends a message. Returns within a few seconds, one way or the other.
    async fn send(&self, message: &Message) -> Result<(), StoreError>;
    /// How many messages wait, where the platform tells. Returns within a few seconds.
    async fn backlog(&self) -> Result<Option<u64>, StoreError>;
}

/// The webhook queue: as the resize queue.
pub trait WebhookQueue {
    /// Sends a message. Returns within a few seconds, one way or the other.
    async fn send(&self, message: &WebhookMessage) -> Result<(), StoreError>;
}

/// What a server answers.
pub struct SourceAnswer<B> {
    /// The HTTP status.
    pub status: u16,
    /// Where it leads, for a redirect.
    pub location: Option<String>,
    /// Its body, not yet read.
    pub body: B,
}

/// Servers that have images.
pub trait Sources {
    /// The body of an answer.
    type Body: Chunks;

    /// Asks for what is at an address. Follows no redirect; neither the answer nor any piece of it is
    /// waited for longer than a server has.
    async fn get(&self, from: &Destination) -> Result<SourceAnswer<Self::Body>, FetchError>;
}

/// Requests to the receivers of webhooks.
pub trait Receivers {
    /// Sends a request and returns what the receiver answers, or why it does not. Follows no
    /// redirect, reads no body, and returns within the time that a receiver has.
    async fn post(&self, request: &WebhookRequest) -> Answer;
}

/// What a job keeps: the storage of its Durable Object, strongly consistent and alone.
pub trait JobStorage {
    /// The record, or `None` where the job does not exist.
    async fn load(&self) -> Result<Option<Record>, StoreError>;
    /// Stores the record and sets the alarm to its [`Record::alarm_at`] (none: no alarm), both or neither.
    async fn save(&self, record: &Record) -> Result<(), StoreError>;
    /// Deletes everything, the alarm too.
    async fn erase(&self) -> Result<(), StoreError>;
}

/// The time.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// What waits.
pub trait Timer {
    /// Sleeps for so many milliseconds, or a little longer.
    async fn sleep(&self, millis: u64);
}

/// What a job acts on.
pub trait Platform {
    /// Sources and thumbnails.
    fn objects(&self) -> &impl ObjectStore;
    /// The copies; a job is the only writer of its own.
    fn status(&self) -> &impl StatusCache;
    /// The index of jobs; a job writes its own row, the sweep those that were missed.
    fn index(&self) -> &impl JobIndex;
    /// The resize queue.
    fn queue(&self) -> &impl JobQueue;
    /// The webhook queue.
    fn webhooks(&self) -> &impl WebhookQueue;
    /// What webhooks are signed with, where they can be.
    fn secrets(&self) -> Option<&Secrets>;
    /// What the URLs in events begin with, where the configuration says it.
    fn public_origin(&self) -> Option<&str>;
    /// The time.
    fn clock(&self) -> &impl Clock;
    /// What this instance knows of the resize queue.
    fn pace(&self) -> &Pace;
    /// Those who want to be told.
    fn listeners(&self) -> &impl Listeners;
}
