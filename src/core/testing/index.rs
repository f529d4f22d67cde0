//! D1: consistent, and only as true as what is written into it.

use super::World;
use super::fault::Kind;
use crate::job::{Record, State};
use crate::keys::JobId;
use crate::ports::{IndexEntry, JobIndex, StoreError};
use crate::timestamp::Timestamp;

/// How old a job is, in seconds, while a sweep looks for its row, whatever its clock says.
const SEEN_SECS: (u64, u64) = (17 * 60, 2 * 3_600);

/// How far a sweep's clock is from a job's, at most, and some.
const SKEWS_SECS: u64 = 2 * 60;

/// A row, and when it is to be compared with its job.
pub(super) type Row = (Record, Timestamp);

impl World {
    /// What the index says of a job.
    pub fn indexed(&self, id: JobId) -> Option<Record> {
        let rows = self.inner.rows.borrow();
        rows.get(&id).map(|(record, _)| record.clone())
    }

    /// The jobs that have a row.
    pub fn indexed_jobs(&self) -> Vec<JobId> {
        self.inner.rows.borrow().keys().copied().collect()
    }

    /// When the next row is to be compared with its job.
    pub(super) fn next_check(&self) -> Option<Timestamp> {
        let rows = self.inner.rows.borrow();
        rows.values().map(|(_, check_at)| *check_at).min()
    }

    /// After a sweep that had an answer about each row and came to its end, a row says what its job says, and each job has one.
    pub(super) fn check_index(&self) {
        let swept_at = self.inner.reindexed_at.get();
        let rows = self.inner.rows.borrow();
        for record in self.inner.records.borrow().values() {
            let begun_at = record.id.created_at();
            let seen = begun_at.plus_secs(SEEN_SECS.0)..begun_at.plus_secs(SEEN_SECS.1);
            match rows.get(&record.id) {
                Some((row, check_at))
                    if row.revision < record.revision && *check_at <= swept_at =>
                {
                    self.violate(|| format!("the index stays behind: {row:?}, {record:?}"));
                }
                None if seen.contains(&swept_at) && rested(record, swept_at) => {
                    self.violate(|| format!("the index misses a job: {record:?}"));
                }
                _ => {}
            }
        }
    }

    /// Whether nothing leads to a job for now: its alarm is dead, its last row was lost, and the row that is
    /// there is not due yet. A sweep asks such a job within a week, or when it expires.
    pub(super) fn is_out_of_sight(&self, job: &Record) -> bool {
        let rows = self.inner.rows.borrow();
        let misled = rows.get(&job.id).is_some_and(|(row, check_at)| {
            row.revision < job.revision && *check_at > self.inner.reindexed_at.get()
        });
        misled && self.has_dead_alarm(job)
    }

    fn upsert(&self, record: Record, check_at: Timestamp) {
        let mut rows = self.inner.rows.borrow_mut();
        let known = rows.get(&record.id);
        if known.is_none_or(|(known, _)| record.revision >= known.revision) {
            rows.insert(record.id, (record, check_at));
        }
    }
}

/// Whether nothing was going on when a sweep began. In the middle of a deletion, with the source gone and
/// no tombstone yet, R2 has nothing by which it could find the job; the next sweep does.
fn rested(record: &Record, swept_at: Timestamp) -> bool {
    record.intent.is_none() && record.updated_at.plus_secs(SKEWS_SECS) < swept_at
}

impl JobIndex for World {
    async fn put(&self, record: &Record, check_at: Timestamp) -> Result<(), StoreError> {
        let (world, record) = (self.clone(), self.stored_form(record)?);
        let put = move || world.upsert(record, check_at);
        self.change("d1.put", Kind::SlowWrite, put).await
    }

    async fn delete(&self, id: JobId) -> Result<(), StoreError> {
        let world = self.clone();
        let delete = move || {
            world.inner.rows.borrow_mut().remove(&id);
        };
        self.change("d1.delete", Kind::SlowWrite, delete).await
    }

    async fn page(
        &self,
        owner: &str,
        state: Option<State>,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<IndexEntry>, StoreError> {
        let fits = |record: &&Record| {
            record.owner == owner
                && state.is_none_or(|state| record.state == state)
                && before.is_none_or(|before| record.id < before)
        };
        let entry = |record: &Record| IndexEntry {
            id: record.id,
            record: Some(record.clone()),
        };
        let page = || {
            let rows = self.inner.rows.borrow();
            let newest_first = rows.values().rev().map(|(record, _)| record);
            newest_first.filter(fits).take(limit).map(entry).collect()
        };
        self.ask("d1.page", page).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<JobId>, StoreError> {
        let due = || {
            let rows = self.inner.rows.borrow();
            let rows = rows.iter().map(|(id, (_, check_at))| (*check_at, *id));
            let mut due: Vec<_> = rows.filter(|(check_at, _)| *check_at <= now).collect();
            due.sort_unstable();
            due.into_iter().map(|(_, id)| id).take(limit).collect()
        };
        self.ask("d1.due", due).await
    }

    async fn postpone(&self, ids: &[JobId], check_at: Timestamp) -> Result<(), StoreError> {
        let (world, ids) = (self.clone(), ids.to_vec());
        let postpone = move || {
            let mut rows = world.inner.rows.borrow_mut();
            for (id, (_, at)) in rows.iter_mut() {
                if ids.contains(id) {
                    *at = check_at;
                }
            }
        };
        self.change("d1.postpone", Kind::Write, postpone).await
    }

    async fn missing(&self, ids: &[JobId]) -> Result<Vec<JobId>, StoreError> {
        let missing = || {
            let rows = self.inner.rows.borrow();
            let missing = ids.iter().filter(|id| !rows.contains_key(id));
            missing.copied().collect()
        };
        self.ask("d1.missing", missing).await
    }
}
