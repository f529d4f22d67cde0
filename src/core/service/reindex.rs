//! The part of the sweep that looks at the jobs whose row in the index is due: it makes the row what
//! the job says, removes those of no job, and wakes jobs whose alarm is overdue, of any age.
//!
//! A job writes its own row after each change, and nothing waits for that. Each row says when it is
//! to be compared with its job: soon after the job's next step by its own clock, when a row that
//! is still there has missed something, or its job's alarm has. Rows that were never written are
//! found by what R2 holds, see `sweep`. All of it may be done twice, and at the same time.

use crate::job::{Command, Record, Verdict};
use crate::keys::JobId;
use crate::ports::{Clock, JobIndex, JobLedger, StoreError};
use crate::service::sweep::{MAX_RUN_SECS, wake};
use crate::timestamp::Timestamp;

/// How long after a job's next step its row is compared with it.
const GRACE_SECS: u64 = 10 * 60;

/// After how long a row is compared with its job whatever happens: a change that no clock announces,
/// a deletion, may have been missed.
const LONGEST_SECS: u64 = 7 * 86_400;

/// After how long a job that did not answer is asked again: others have their turn meanwhile.
const UNANSWERED_SECS: u64 = 3_600;

/// The most jobs that one sweep asks: 700,000 a day. A million of them have to be asked in a week.
const MAX_CHECKS: usize = 2_500;

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reindexed {
    /// Rows that were compared with their jobs.
    pub checked: u32,
    /// Rows of jobs that do not exist, deleted.
    pub removed: u32,
    /// Jobs whose alarm was overdue, woken.
    pub woken: u32,
    /// Jobs that did not answer, or could not be woken: asked again after an hour.
    pub unanswered: u32,
    /// Whether each row that was due had its turn.
    pub ended: bool,
}

/// When a row is to be compared with its job.
pub fn check_at(record: &Record, now: Timestamp) -> Timestamp {
    let latest = now.plus_secs(LONGEST_SECS);
    let step = record.alarm_at().map_or(latest, |at| at.min(latest));
    step.max(now).plus_secs(GRACE_SECS)
}

/// Compares with their jobs the rows whose time has come.
pub async fn reindex(
    ledger: &impl JobLedger,
    index: &impl JobIndex,
    clock: &impl Clock,
) -> Result<Reindexed, StoreError> {
    let began_at = clock.now();
    let mut done = Reindexed::default();
    let mut unanswered = Vec::new();
    let due = index.due(began_at, MAX_CHECKS).await?;
    done.ended = due.len() < MAX_CHECKS;
    for id in due {
        // The next run begins with those that are left: they are the most overdue then.
        if clock.now().millis_since(began_at) > MAX_RUN_SECS * 1_000 {
            done.ended = false;
            break;
        }
        if !compare(id, ledger, index, clock, &mut done).await? {
            unanswered.push(id);
        }
    }
    done.unanswered = u32::try_from(unanswered.len()).unwrap_or(u32::MAX);
    if !unanswered.is_empty() {
        let later = clock.now().plus_secs(UNANSWERED_SECS);
        index.postpone(&unanswered, later).await?;
    }
    Ok(done)
}

/// Compares one row with its job; returns whether the job answered, and was woken where that is due.
async fn compare(
    id: JobId,
    ledger: &impl JobLedger,
    index: &impl JobIndex,
    clock: &impl Clock,
    done: &mut Reindexed,
) -> Result<bool, StoreError> {
    done.checked += 1;
    match ledger.call(id, Command::Get).await {
        Ok(Verdict::Found { record }) => {
            let now = clock.now();
            index.put(&record, check_at(&record, now)).await?;
            let woken = wake(ledger, &record, now).await;
            done.woken += u32::from(matches!(woken, Ok(true)));
            Ok(woken.is_ok())
        }
        Ok(_) => {
            index.delete(id).await?;
            done.removed += 1;
            Ok(true)
        }
        Err(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::NewJob;
    use crate::job::record::{ANONYMOUS, Source};
    use thumbnail_pipeline::ImageFormat;

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
}
