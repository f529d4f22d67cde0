//! KV: the last write to arrive stays. A reader's place keeps what it has read for minutes, whether that
//! was there or not, and may have read it from a copy that is minutes old itself.

use super::World;
use super::fault::Kind;
use crate::job::Record;
use crate::keys::JobId;
use crate::ports::{StatusCache, StoreError};
use crate::timestamp::Timestamp;

/// How far what is read may be behind, in seconds.
const MAX_LAG_SECS: u64 = 120;

/// How long a place keeps what it has read, in seconds.
const KEPT_SECS: std::ops::Range<u64> = 60..300;

/// How many places there are to read at.
const PLACES: u64 = 2;

/// What a place has read, and until when it keeps it.
pub(super) type Cached = (Timestamp, Option<Record>);

/// What was written under a key, in the order of arrival.
pub(super) type Writes = Vec<(Timestamp, Option<Record>)>;

impl World {
    /// The copy in KV, as every reader will see it in the end.
    pub fn copy(&self, id: JobId) -> Option<Record> {
        let copies = self.inner.copies.borrow();
        copies.get(&id)?.last()?.1.clone()
    }

    /// The jobs that KV has a copy of.
    pub fn copied(&self) -> Vec<JobId> {
        let copies = self.inner.copies.borrow();
        let there = copies
            .iter()
            .filter(|(_, writes)| writes.last().is_some_and(|(_, record)| record.is_some()));
        there.map(|(id, _)| *id).collect()
    }

    fn write(&self, id: JobId, record: Option<Record>) {
        let now = self.inner.now.get();
        self.check_copy(id, record.as_ref());
        let mut copies = self.inner.copies.borrow_mut();
        copies.entry(id).or_default().push((now, record));
    }

    /// What a reader somewhere in the world finds.
    fn found(&self, id: JobId) -> Option<Record> {
        if !self.is_simulated() {
            return self.copy(id);
        }
        let now = self.inner.now.get();
        let mut random = self.inner.random.borrow_mut();
        let place = random.below(PLACES);
        let mut cached = self.inner.cached.borrow_mut();
        let kept = cached.get(&(place, id)).filter(|(until, _)| now < *until);
        if let Some((_, record)) = kept {
            return record.clone();
        }
        let fresh = random.once_in(2);
        let lag = random.below(MAX_LAG_SECS) * u64::from(!fresh);
        let record = self.copy_at(id, now.minus_secs(lag));
        let kept_secs = KEPT_SECS.start + random.below(KEPT_SECS.end - KEPT_SECS.start);
        cached.insert((place, id), (now.plus_secs(kept_secs), record.clone()));
        record
    }

    fn copy_at(&self, id: JobId, at: Timestamp) -> Option<Record> {
        let copies = self.inner.copies.borrow();
        let mut writes = copies.get(&id)?.iter().rev();
        writes.find(|(time, _)| *time <= at)?.1.clone()
    }
}

impl StatusCache for World {
    async fn get(&self, id: JobId) -> Result<Option<Record>, StoreError> {
        self.ask("kv.get", || self.found(id)).await
    }

    async fn put(&self, record: &Record, _: Option<Timestamp>) -> Result<(), StoreError> {
        let (world, record) = (self.clone(), self.stored_form(record)?);
        let put = move || world.write(record.id, Some(record));
        self.change("kv.put", Kind::SlowWrite, put).await
    }

    async fn delete(&self, id: JobId) -> Result<(), StoreError> {
        let world = self.clone();
        let delete = move || world.write(id, None);
        self.change("kv.delete", Kind::SlowWrite, delete).await
    }
}
