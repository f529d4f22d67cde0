//! The net below the nets: what belongs to no job, and jobs that the index does not know, of any age.
//!
//! Each run walks on through the bucket from where the last one stopped, and begins anew behind its
//! end; where it stopped stands in the bucket itself. It asks the jobs that have no row in the
//! index: the others are looked at when their row is due, see `reindex`. A run is bounded in work
//! and in time, not in the age of what it looks at, so that nothing is ever too old to be seen, and
//! a million jobs are walked through within an hour. All of it may be done twice, and at once.

use std::collections::BTreeSet;

use crate::job::policy::CREATE_WITHIN_SECS;
use crate::job::{Command, Record, Verdict};
use crate::keys::{JobId, SWEEP_CURSOR_KEY, job_of_key};
use crate::object::ObjectMeta;
use crate::ports::{Clock, JobIndex, JobLedger, ObjectStore, StoreError};
use crate::service::reindex::check_at;
use crate::timestamp::Timestamp;

/// Jobs younger than this are left to themselves: their upload, or their row, may be on its way.
const YOUNGEST_SECS: u64 = 15 * 60;

/// From this age on, what has no job will never have one: the job itself refuses to be created so
/// late. Five minutes lie between, for clocks that differ.
const ORPHAN_SECS: u64 = CREATE_WITHIN_SECS + 5 * 60;

/// How late an alarm may be before it counts as dead. The platform may delay one by a minute.
const LATE_MILLIS: u64 = 5 * 60_000;

/// The most pages of keys that a run reads, a thousand keys each.
const MAX_PAGES: u32 = 200;

/// The most jobs that a run asks. An invocation may send 10,000 requests: each job takes three of
/// them at most, and `reindex` has its share.
const MAX_ASKED: u32 = 1_500;

/// How long a run takes at most, in seconds. The next one comes after five minutes.
pub(super) const MAX_RUN_SECS: u64 = 120;

/// What a sweep did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Keys that were looked at.
    pub seen: u32,
    /// Jobs that were asked.
    pub asked: u32,
    /// Objects without a job, deleted.
    pub orphans: u32,
    /// Jobs whose alarm was overdue, woken.
    pub woken: u32,
    /// Rows that the index had not, added.
    pub added: u32,
    /// Jobs that did not answer, or could not be woken, and orphans that could not be deleted.
    pub failed: u32,
    /// Whether the walk began where the last one had stopped.
    pub resumed: bool,
    /// Whether the walk came to the end of the bucket.
    pub ended: bool,
}

/// Walks on through the bucket. One job that fails stops none of the others.
pub async fn sweep(
    objects: &impl ObjectStore,
    ledger: &impl JobLedger,
    index: &impl JobIndex,
    clock: &impl Clock,
) -> Result<Swept, StoreError> {
    let began_at = clock.now();
    let mut walk = Walk {
        objects,
        ledger,
        index,
        began_at,
        done: Swept::default(),
    };
    let start = walk.cursor().await?;
    walk.done.resumed = !start.is_empty();
    let mut after = start.clone();
    for _ in 0..MAX_PAGES {
        let page = objects.list("", &after).await?;
        let Some(last) = page.last() else {
            walk.done.ended = true;
            after.clear();
            break;
        };
        if !walk.look_through(&page, &mut after, clock).await {
            break;
        }
        after.clone_from(last);
    }
    if after.is_empty() && !start.is_empty() {
        objects.delete(SWEEP_CURSOR_KEY).await?;
    } else if after != start {
        let cursor = ObjectMeta::Cursor { after };
        objects.put(SWEEP_CURSOR_KEY, Vec::new(), cursor).await?;
    }
    Ok(walk.done)
}

struct Walk<'a, O, L, I> {
    objects: &'a O,
    ledger: &'a L,
    index: &'a I,
    began_at: Timestamp,
    done: Swept,
}

impl<O: ObjectStore, L: JobLedger, I: JobIndex> Walk<'_, O, L, I> {
    /// The key behind which the last run stopped; nothing at the beginning.
    async fn cursor(&self) -> Result<String, StoreError> {
        let info = self.objects.head(SWEEP_CURSOR_KEY).await?;
        Ok(match info.map(|info| info.meta) {
            Some(ObjectMeta::Cursor { after }) => after,
            _ => String::new(),
        })
    }

    /// Looks at each key of a page, and notes how far it came; returns whether it came to the end.
    async fn look_through(
        &mut self,
        page: &[String],
        after: &mut String,
        clock: &impl Clock,
    ) -> bool {
        let unlisted = self.unlisted(page).await;
        // The job that was asked last, and whether there is none.
        let mut asked: Option<(JobId, bool)> = None;
        for key in page {
            let id = job_of_key(key).filter(|id| unlisted.contains(id));
            if let Some(id) = id {
                let orphan = match asked.filter(|(known, _)| *known == id) {
                    Some((_, orphan)) => orphan,
                    None if self.is_over(clock) => return false,
                    None => self.is_orphan(id).await,
                };
                asked = Some((id, orphan));
                if orphan {
                    self.delete(key).await;
                }
            }
            self.done.seen += 1;
            after.clone_from(key);
        }
        !self.is_over(clock)
    }

    fn is_over(&self, clock: &impl Clock) -> bool {
        let late = clock.now().millis_since(self.began_at) > MAX_RUN_SECS * 1_000;
        late || self.done.asked >= MAX_ASKED
    }

    /// The jobs of a page that the index has no row of; all where it does not say.
    async fn unlisted(&self, page: &[String]) -> BTreeSet<JobId> {
        let old_enough = |id: &JobId| {
            let age_millis = self.began_at.millis_since(id.created_at());
            age_millis > YOUNGEST_SECS * 1_000
        };
        let ids: BTreeSet<JobId> = page.iter().filter_map(|key| job_of_key(key)).collect();
        let ids: Vec<JobId> = ids.into_iter().filter(old_enough).collect();
        if ids.is_empty() {
            return BTreeSet::new();
        }
        let missing = self.index.missing(&ids).await;
        missing.unwrap_or(ids).into_iter().collect()
    }

    /// Asks a job how it stands; returns whether there is none and never will be.
    async fn is_orphan(&mut self, id: JobId) -> bool {
        self.done.asked += 1;
        let age_millis = self.began_at.millis_since(id.created_at());
        match self.ledger.call(id, Command::Get).await {
            Ok(Verdict::Unknown) => return age_millis > ORPHAN_SECS * 1_000,
            Ok(Verdict::Found { record }) => {
                let row = self.index.put(&record, check_at(&record, self.began_at));
                self.done.added += u32::from(row.await.is_ok());
                match wake(self.ledger, &record, self.began_at).await {
                    Ok(woken) => self.done.woken += u32::from(woken),
                    Err(_) => self.done.failed += 1,
                }
            }
            _ => self.done.failed += 1,
        }
        false
    }

    async fn delete(&mut self, key: &str) {
        match self.objects.delete(key).await {
            Ok(()) => self.done.orphans += 1,
            Err(_) => self.done.failed += 1,
        }
    }
}

/// Wakes a job whose alarm is overdue; returns whether it was.
pub(super) async fn wake(
    ledger: &impl JobLedger,
    record: &Record,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let late = |at: Timestamp| now.millis_since(at) > LATE_MILLIS;
    if !record.alarm_at().is_some_and(late) {
        return Ok(false);
    }
    ledger.call(record.id, Command::Alarm).await.map(|_| true)
}
