//! What holds of every job whatever has happened to it: once it has settled, when it is over, and
//! when nothing is left to happen.

use super::witness::Seen;
use super::{Picture, World};
use crate::job::FailureKind;
use crate::job::{Message, Record, State};
use crate::keys::{JobId, source_key, thumbnail_key};
use crate::object::ObjectMeta;
use crate::timestamp::Timestamp;

/// Alarms per run of a job, at the most: one for each message and each attempt, one for its end, its
/// expiry and its burial, and what their repeats add.
const MAX_RINGS: u32 = 120;

/// How often an attempt is put off at the most: a reservation that nobody gives back ends after a
/// quarter of an hour, and others wait as well.
const MAX_DEFERRALS: u32 = 60;

/// And per event that somebody is told of: two for each attempt.
const MAX_EVENT_RINGS: u32 = 20;

impl World {
    /// Long after the upload, before the expiry: everything has ended, and everything agrees. Jobs that are
    /// out of sight have until their expiry.
    pub(super) fn check_settled(&self) {
        let records = self.inner.records.borrow();
        for record in records.values().filter(|r| !self.is_out_of_sight(r)) {
            let (state, revision) = (record.state, record.revision);
            let waits = record.intent.is_some() || record.tell_at.is_some();
            if !record.phase().is_final() || waits {
                self.violate(|| format!("not settled: {record:?}"));
            }
            let copied = self.copy(record.id).map(|copy| copy.revision);
            if copied != Some(revision) {
                self.violate(|| {
                    format!("KV has revision {copied:?} of {revision}, which is {state:?}")
                });
            }
            let made = self.thumbnails(record);
            if (made == record.variants.len()) != (state == State::Done) {
                self.violate(|| format!("{made} thumbnails of a job that is {state:?}"));
            }
            if state == State::Done && !self.policy.keep_sources && self.has_source(record) {
                self.violate(|| "the source of a job stays that was to be deleted".into());
            }
        }
    }

    /// When a job is over, R2 has nothing of it any more.
    pub(super) fn check_buried(&self, record: &Record) {
        let over = matches!(record.state, State::Cancelled | State::Expired);
        if over && (self.has_source(record) || self.thumbnails(record) > 0) {
            self.violate(|| format!("R2 keeps something of a job that is {:?}", record.state));
        }
    }

    /// In the end, nothing is left anywhere, and nobody waits for anything.
    pub(super) fn check_rest(&self) {
        let rest = (
            self.object_keys(),
            self.records().len(),
            self.copied().len(),
            self.indexed_jobs().len(),
        );
        if !(rest.0.is_empty() && rest.1 == 0 && rest.2 == 0 && rest.3 == 0) {
            self.violate(|| format!("something stays for ever: {rest:?}"));
        }
        let left = self.inner.executor.len();
        if left > 0 {
            self.violate(|| format!("{left} tasks hang"));
        }
    }

    /// No job has made more work than it may, whatever was done to it.
    pub(super) fn check_work(&self) {
        let jobs = self.inner.witness.jobs.borrow();
        for seen in jobs.values() {
            let runs = seen.reruns + seen.extends + 1;
            if seen.deferrals > runs * MAX_DEFERRALS {
                self.violate(|| format!("put off {} times", seen.deferrals));
            }
            if seen.messages > runs * self.policy.max_sends + seen.deferrals {
                self.violate(|| format!("{} messages", seen.messages));
            }
            let most = runs * MAX_RINGS + 2 * seen.deferrals + self.owed_events() * MAX_EVENT_RINGS;
            if self.most_rings() > most {
                self.violate(|| format!("{} alarms", self.most_rings()));
            }
        }
    }

    pub(super) fn count_message(&self, text: &str) {
        if let Ok(Message { job, .. }) = Message::decode(text) {
            self.observe(job, |seen| seen.messages += 1);
        }
    }

    /// The messages of the job that most were sent of.
    pub(super) fn most_messages(&self) -> u32 {
        let jobs = self.inner.witness.jobs.borrow();
        jobs.values().map(|seen| seen.messages).max().unwrap_or(0)
    }

    /// What became of each upload: its image, why it failed, and its attempts.
    pub(super) fn ends(&self) -> Vec<(Picture, Option<FailureKind>, u32)> {
        let jobs = self.inner.witness.jobs.borrow();
        let end = |(id, seen): (&JobId, &Seen)| {
            let (picture, _) = self.uploaded(*id)?;
            Some((picture, seen.failure.clone(), seen.attempts))
        };
        jobs.iter().filter_map(end).collect()
    }

    /// When a job may be tried again.
    pub(super) fn rerun_at(&self, id: JobId) -> Option<Timestamp> {
        let records = self.inner.records.borrow();
        records.get(&id).and_then(|record| record.rerun_at)
    }

    /// How often the job that was put off most often was put off.
    pub(super) fn most_deferrals(&self) -> u32 {
        let jobs = self.inner.witness.jobs.borrow();
        jobs.values().map(|seen| seen.deferrals).max().unwrap_or(0)
    }

    pub(super) fn failure_kind(&self) -> Option<FailureKind> {
        self.inner.witness.failure.borrow().clone()
    }

    /// Seconds from the first state of any job to the first `done`.
    pub(super) fn done_secs(&self) -> Option<u64> {
        let history = self.inner.witness.history.borrow();
        let done = history.iter().find(|m| m.state == Some(State::Done))?;
        Some(done.at.millis_since(history.first()?.at) / 1_000)
    }

    fn has_source(&self, record: &Record) -> bool {
        let objects = self.inner.objects.borrow();
        objects.contains_key(&source_key(record.id))
    }

    fn thumbnails(&self, record: &Record) -> usize {
        let objects = self.inner.objects.borrow();
        let made = record.files().filter(|file| {
            let object = objects.get(&thumbnail_key(file));
            object.is_some_and(|(_, meta, _)| matches!(meta, ObjectMeta::Thumbnail { .. }))
        });
        made.count()
    }
}
