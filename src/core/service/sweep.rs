//! The net below the nets: what a crash left, and jobs whose alarm died. Idempotent, and bounded.
//!
//! Keys of sources sort by the time of their upload, so each sweep reads only a window of it:
//! young enough not to read everything, old enough that no upload is still on its way.

use crate::job::policy::CREATE_WITHIN_SECS;
use crate::job::{Command, Record, Verdict};
use crate::keys::{JobId, SOURCE_PREFIX, job_of_key, key_before, source_key};
use crate::ports::{Clock, JobLedger, ObjectStore, StoreError};
use crate::timestamp::Timestamp;

/// Jobs younger than this are left to their alarms.
const YOUNGEST_SECS: u64 = 10 * 60;

/// From this age on, a source without a job will never have one: the job itself refuses to be
/// created so late. Five minutes lie between, for clocks that differ.
const ORPHAN_SECS: u64 = CREATE_WITHIN_SECS + 5 * 60;

/// Sources older than this were looked at by some forty sweeps before.
const OLDEST_SECS: u64 = 4 * 60 * 60;

/// How late an alarm may be before it counts as dead. The platform may delay one by a minute.
const LATE_MILLIS: u64 = 5 * 60_000;

/// How many jobs one sweep asks: an invocation may send 10,000 requests. The oldest come first, so
/// that with more than that in the window each is still looked at before it leaves it.
const MAX_SEEN: u32 = 4_000;

/// What a sweep did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sources that were looked at.
    pub seen: u32,
    /// Sources without a job, deleted.
    pub orphans: u32,
    /// Jobs whose alarm was overdue, woken.
    pub woken: u32,
    /// Jobs that did not answer, or could not be woken, and orphans that could not be deleted.
    pub failed: u32,
}

/// Looks once at every source in the window. One that fails stops none of the others.
pub async fn sweep(
    objects: &impl ObjectStore,
    ledger: &impl JobLedger,
    clock: &impl Clock,
) -> Result<Swept, StoreError> {
    let now = clock.now();
    let end = key_before(SOURCE_PREFIX, now.minus_secs(YOUNGEST_SECS));
    let mut after = key_before(SOURCE_PREFIX, now.minus_secs(OLDEST_SECS));
    let mut swept = Swept::default();
    while after < end && swept.seen < MAX_SEEN {
        let page = objects.list(SOURCE_PREFIX, &after).await?;
        let Some(last) = page.last() else {
            break;
        };
        after.clone_from(last);
        for id in page
            .iter()
            .filter(|key| **key < end)
            .filter_map(|key| job_of_key(key))
        {
            swept.seen += 1;
            match look(objects, ledger, id, now).await {
                Ok(Found::Nothing) => {}
                Ok(Found::Orphan) => swept.orphans += 1,
                Ok(Found::Overdue) => swept.woken += 1,
                Err(_) => swept.failed += 1,
            }
        }
    }
    Ok(swept)
}

/// What a source turned out to be.
enum Found {
    /// Nothing to do about it.
    Nothing,
    /// It has no job: it was deleted.
    Orphan,
    /// Its job's alarm was overdue: it was woken.
    Overdue,
}

async fn look(
    objects: &impl ObjectStore,
    ledger: &impl JobLedger,
    id: JobId,
    now: Timestamp,
) -> Result<Found, StoreError> {
    match ledger.call(id, Command::Get).await? {
        Verdict::Unknown if now.millis_since(id.created_at()) > ORPHAN_SECS * 1_000 => {
            objects.delete(&source_key(id)).await?;
            Ok(Found::Orphan)
        }
        Verdict::Found { record } if is_overdue(&record, now) => {
            ledger.call(id, Command::Alarm).await?;
            Ok(Found::Overdue)
        }
        _ => Ok(Found::Nothing),
    }
}

fn is_overdue(record: &Record, now: Timestamp) -> bool {
    let late = |at: Timestamp| now.millis_since(at) > LATE_MILLIS;
    record.alarm_at().is_some_and(late)
}
