//! The part of the sweep that keeps the index true: rows that are missing, behind, or of no job.
//!
//! A job writes its own row after each change, and nothing waits for that. Each row says when it is
//! to be compared with its job: soon after the job's next step by its own clock, when a row that
//! is still there has missed something. Rows that were never written are found by what R2 holds.
//! All of it may be done twice, and at the same time.

use std::collections::BTreeSet;

use crate::job::{Command, Record, Verdict};
use crate::keys::{JobId, SOURCE_PREFIX, THUMBNAIL_PREFIX, job_of_key, key_before};
use crate::ports::{Clock, JobIndex, JobLedger, ObjectStore, StoreError};
use crate::timestamp::Timestamp;

/// How long after a job's next step its row is compared with it.
const GRACE_SECS: u64 = 10 * 60;

/// After how long a row is compared with its job whatever happens: a change that no clock announces,
/// a deletion, may have been missed.
const LONGEST_SECS: u64 = 7 * 86_400;

/// The most jobs that one sweep asks.
const MAX_CHECKS: usize = 500;

/// The most pages of keys that one sweep reads in each window, up to a thousand keys each.
const MAX_PAGES: usize = 100;

/// Younger jobs have just written their row.
const YOUNGEST_SECS: u64 = 15 * 60;

/// How much of the past one window covers.
const WINDOW_SECS: u64 = 2 * 3_600;

/// How many windows lie in the past that is looked through, one more at each sweep: 32 days.
const WINDOWS: u64 = 32 * 12;

/// How often the sweep comes, to take another window each time.
const SWEEP_SECS: u64 = 5 * 60;

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reindexed {
    /// Rows that were compared with their jobs.
    pub checked: u32,
    /// Rows that were missing, written.
    pub added: u32,
    /// Rows of jobs that do not exist, deleted.
    pub removed: u32,
    /// Jobs that did not answer: asked again by the next sweep.
    pub unanswered: u32,
}

/// When a row is to be compared with its job.
pub fn check_at(record: &Record, now: Timestamp) -> Timestamp {
    let latest = now.plus_secs(LONGEST_SECS);
    let step = record.due_at.map_or(latest, |due| due.min(latest));
    step.max(now).plus_secs(GRACE_SECS)
}

/// Compares with their jobs the rows whose time has come, then adds those that are missing.
pub async fn reindex(
    objects: &impl ObjectStore,
    ledger: &impl JobLedger,
    index: &impl JobIndex,
    clock: &impl Clock,
) -> Result<Reindexed, StoreError> {
    let mut sweep = Sweep {
        objects,
        ledger,
        index,
        clock,
        done: Reindexed::default(),
        left: MAX_CHECKS,
    };
    for id in index.due(clock.now(), MAX_CHECKS).await? {
        sweep.check(id).await?;
    }
    for secs in [YOUNGEST_SECS, older_window(clock.now())] {
        for prefix in [SOURCE_PREFIX, THUMBNAIL_PREFIX] {
            sweep.look_through(prefix, secs).await?;
        }
    }
    Ok(sweep.done)
}

/// The age at which the window begins whose turn it is. Each has its turn within 32 hours; a job that
/// meanwhile moved on to one that had its turn before is seen in the next round.
fn older_window(now: Timestamp) -> u64 {
    let turn = now.as_millis() / 1_000 / SWEEP_SECS % WINDOWS;
    YOUNGEST_SECS + turn * WINDOW_SECS
}

struct Sweep<'a, O, L, I, C> {
    objects: &'a O,
    ledger: &'a L,
    index: &'a I,
    clock: &'a C,
    done: Reindexed,
    /// How many more missing rows may be written.
    left: usize,
}

impl<O: ObjectStore, L: JobLedger, I: JobIndex, C: Clock> Sweep<'_, O, L, I, C> {
    /// Makes a row what its job says.
    async fn check(&mut self, id: JobId) -> Result<(), StoreError> {
        self.done.checked += 1;
        match self.ask(id).await {
            Some(Verdict::Found { record }) => self.put(&record).await?,
            Some(_) => {
                self.index.delete(id).await?;
                self.done.removed += 1;
            }
            None => {}
        }
        Ok(())
    }

    /// Looks for jobs without a row among the keys that are `youngest_secs` old, or up to a window older.
    async fn look_through(&mut self, prefix: &str, youngest_secs: u64) -> Result<(), StoreError> {
        let youngest = self.clock.now().minus_secs(youngest_secs);
        let end = key_before(prefix, youngest);
        let mut after = key_before(prefix, youngest.minus_secs(WINDOW_SECS));
        for _ in 0..MAX_PAGES {
            let page = self.objects.list(prefix, &after).await?;
            let Some(last) = page.last() else {
                break;
            };
            after.clone_from(last);
            let keys = page.iter().filter(|key| **key < end);
            let ids: BTreeSet<JobId> = keys.filter_map(|key| job_of_key(key)).collect();
            self.add_missing(ids.into_iter().collect()).await?;
            if after >= end {
                break;
            }
        }
        Ok(())
    }

    async fn add_missing(&mut self, ids: Vec<JobId>) -> Result<(), StoreError> {
        if ids.is_empty() || self.left == 0 {
            return Ok(());
        }
        let mut missing = self.index.missing(&ids).await?;
        missing.truncate(self.left);
        self.left -= missing.len();
        for id in missing {
            // Without a job it is an orphan, or nearly forgotten: nothing to list.
            if let Some(Verdict::Found { record }) = self.ask(id).await {
                self.put(&record).await?;
                self.done.added += 1;
            }
        }
        Ok(())
    }

    /// What a job says. One that does not answer must not keep the others from their turn.
    async fn ask(&mut self, id: JobId) -> Option<Verdict> {
        let answer = self.ledger.call(id, Command::Get).await.ok();
        self.done.unanswered += u32::from(answer.is_none());
        answer
    }

    async fn put(&self, record: &Record) -> Result<(), StoreError> {
        let check_at = check_at(record, self.clock.now());
        self.index.put(record, check_at).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::NewJob;
    use crate::job::record::{ANONYMOUS, Source};
    use crate::pipeline::ImageFormat;

    fn record(due_at: Option<Timestamp>) -> Record {
        let new = NewJob {
            id: "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa".parse().unwrap(),
            owner: ANONYMOUS.into(),
            source: Source {
                filename: None,
                format: ImageFormat::Png,
                width: None,
                height: None,
                bytes: 1,
                sha256: String::new(),
            },
            variants: Vec::new(),
            planned_bytes: None,
            expires_at: None,
            webhook: None,
        };
        Record {
            due_at,
            ..Record::new(new, Timestamp::default())
        }
    }

    #[test]
    fn a_row_is_checked_after_the_next_step_and_within_a_week() {
        let now = Timestamp::from_millis(1_795_428_000_000);
        for (due_secs, want_secs) in [
            (Some(30), 30 + GRACE_SECS),
            (Some(30 * 86_400), LONGEST_SECS + GRACE_SECS),
            (None, LONGEST_SECS + GRACE_SECS),
        ] {
            let due_at = due_secs.map(|secs| now.plus_secs(secs));
            assert_eq!(check_at(&record(due_at), now), now.plus_secs(want_secs));
        }
        let overdue = record(Some(now.minus_secs(9_999)));
        assert_eq!(check_at(&overdue, now), now.plus_secs(GRACE_SECS));
    }

    #[test]
    fn every_window_of_a_month_has_its_turn() {
        let now = Timestamp::from_millis(1_795_428_000_000);
        let turns = (0..WINDOWS).map(|sweep| older_window(now.plus_secs(sweep * SWEEP_SECS)));
        let ages: BTreeSet<u64> = turns.collect();
        let all = (0..WINDOWS).map(|window| YOUNGEST_SECS + window * WINDOW_SECS);
        assert!(ages.into_iter().eq(all));
    }
}
