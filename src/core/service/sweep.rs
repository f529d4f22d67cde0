//! The net below the nets: what a crash left, and jobs whose alarm died. Idempotent, and bounded.
//!
//! Keys of sources sort by the time of their upload, so each sweep reads only a window of it:
//! young enough not to read everything, old enough that no upload is still on its way.

use crate::job::{Command, Record, Verdict};
use crate::keys::{JobId, SOURCE_PREFIX, job_of_source, source_key, source_key_before};
use crate::ports::{Clock, JobLedger, ObjectStore, StoreError};

/// Sources younger than this may belong to an upload that has not created its job yet:
/// it takes [`MAX_UPLOAD_SECS`](super::body::MAX_UPLOAD_SECS) at the most.
const YOUNGEST_SECS: u64 = 15 * 60;

/// Sources older than this were looked at by some twenty sweeps before.
const OLDEST_SECS: u64 = 2 * 60 * 60;

/// How late an alarm may be before it counts as dead. The platform may delay one by a minute.
const LATE_MILLIS: u64 = 5 * 60_000;

/// What a sweep did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sources that were looked at.
    pub seen: u32,
    /// Sources without a job, deleted.
    pub orphans: u32,
    /// Jobs whose alarm was overdue, woken.
    pub woken: u32,
}

/// Looks once at every source in the window.
pub async fn sweep(
    objects: &impl ObjectStore,
    ledger: &impl JobLedger,
    clock: &impl Clock,
) -> Result<Swept, StoreError> {
    let now = clock.now();
    let end = source_key_before(now.minus_secs(YOUNGEST_SECS));
    let mut after = source_key_before(now.minus_secs(OLDEST_SECS));
    let mut swept = Swept::default();
    loop {
        let page = objects.list(SOURCE_PREFIX, &after).await?;
        let Some(last) = page.last() else {
            return Ok(swept);
        };
        after.clone_from(last);
        for id in page
            .iter()
            .filter(|key| **key < end)
            .filter_map(|key| job_of_source(key))
        {
            swept.seen += 1;
            match ledger.call(id, Command::Get).await? {
                Verdict::Unknown => {
                    objects.delete(&source_key(id)).await?;
                    swept.orphans += 1;
                }
                Verdict::Found { record } if is_overdue(&record, now.as_millis()) => {
                    wake(ledger, id).await?;
                    swept.woken += 1;
                }
                _ => {}
            }
        }
        if after >= end {
            return Ok(swept);
        }
    }
}

fn is_overdue(record: &Record, now_millis: u64) -> bool {
    record
        .due_at
        .is_some_and(|due| now_millis.saturating_sub(due.as_millis()) > LATE_MILLIS)
}

async fn wake(ledger: &impl JobLedger, id: JobId) -> Result<(), StoreError> {
    ledger.call(id, Command::Alarm).await.map(|_| ())
}
