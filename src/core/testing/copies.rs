//! KV: a read may be minutes behind, or miss what is there; the last write to arrive stays.

use super::World;
use crate::job::Record;
use crate::keys::JobId;
use crate::ports::{StatusCache, StoreError};
use crate::timestamp::Timestamp;

/// How far a read may be behind, in seconds.
const MAX_LAG_SECS: u64 = 180;

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
        let (lag, miss) = {
            let mut random = self.inner.random.borrow_mut();
            let lag = if random.once_in(2) {
                0
            } else {
                random.below(MAX_LAG_SECS)
            };
            (lag, random.once_in(8))
        };
        let at = self.inner.now.get().minus_secs(lag);
        let copies = self.inner.copies.borrow();
        let arrived = copies.get(&id)?.iter().rev().find(|(time, _)| *time <= at);
        arrived.filter(|_| !miss)?.1.clone()
    }
}

impl StatusCache for World {
    async fn get(&self, id: JobId) -> Result<Option<Record>, StoreError> {
        self.ask("kv.get", || self.found(id)).await
    }

    async fn put(&self, record: &Record) -> Result<(), StoreError> {
        let (world, record) = (self.clone(), self.stored_form(record)?);
        let put = move || world.write(record.id, Some(record));
        self.change("kv.put", put).await
    }

    async fn delete(&self, id: JobId) -> Result<(), StoreError> {
        let world = self.clone();
        self.change("kv.delete", move || world.write(id, None))
            .await
    }
}
