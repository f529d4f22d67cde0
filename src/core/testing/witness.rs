//! What clients saw of each job, and whether it can all be true.

use crate::job::FailureKind;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::World;
use super::clients::LATER;
use super::queue::Line;
use super::simulation::MAX_SKEW_SECS;
use crate::job::{Record, State};
use crate::keys::JobId;
use crate::ports::Clock;
use crate::timestamp::Timestamp;

/// A platform, or a service, that is broken on purpose: what a simulation must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// A put under a condition forgets its condition.
    BlindPut,
    /// The message goes out before the record is stored.
    SendFirst,
    /// No alarm sends a message again, and no sweep wakes a job.
    NoRescue,
    /// Messages are acknowledged as they are delivered.
    AckFirst,
    /// The consumer writes copies too.
    TwoWriters,
    /// Whatever a receiver answers, or does not, counts as its thanks.
    BlindCourier,
    /// The message that asks for a delivery is sent once: the job forgets when to send it again, so
    /// that neither an alarm nor a sweep looks after it.
    OneMessage,
    /// An instance takes whatever comes.
    NoBudget,
    /// What an invocation that was cancelled had reserved is never free again.
    EternalLease,
    /// Every lost attempt counts as if nothing had run beside it.
    SharedBlame,
}

/// What an answer says about one thumbnail, or about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// 200, with the thumbnail's tag.
    Served(String),
    /// 409, or an open state.
    Waiting,
    /// The job's failure.
    Failed,
    /// The status `done`.
    Done,
    /// 410, or the status `cancelled` or `expired`.
    Gone,
    /// 404.
    Missing,
    /// The platform failed: it says nothing about the job.
    Nothing,
}

/// What was seen of a job, up to some moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    accepted: bool,
    expires_at: Timestamp,
    gone: bool,
    done: bool,
    deletes: u32,
    pub(super) reruns: u32,
    pub(super) extends: u32,
    /// As for reruns.
    open_extends: u32,
    /// Reruns that were not answered: they may still come to be.
    open_reruns: u32,
    pub(super) messages: u32,
    pub(super) deferrals: u32,
    pub(super) attempts: u32,
    pub(super) failure: Option<FailureKind>,
    served: BTreeMap<usize, String>,
    /// By file, and for the job as a whole: how many reruns had been asked for by then.
    failed: BTreeMap<Option<usize>, u32>,
    tick: usize,
    at: Timestamp,
}

impl Seen {
    /// How often what a file is of was asked for.
    fn runs(&self, file: Option<usize>) -> u32 {
        if file == Some(LATER) {
            self.extends
        } else {
            self.reruns
        }
    }

    /// Whether nothing that was asked for may still come to be.
    fn is_settled(&self, file: Option<usize>) -> bool {
        if file == Some(LATER) {
            self.open_extends == 0
        } else {
            self.open_reruns == 0
        }
    }
}

/// What a job was, and from when on.
pub(super) struct Moment {
    id: JobId,
    tick: usize,
    pub(super) at: Timestamp,
    pub(super) state: Option<State>,
}

/// Sees everything.
#[derive(Default)]
pub(super) struct Witness {
    pub(super) jobs: RefCell<BTreeMap<JobId, Seen>>,
    pub(super) history: RefCell<Vec<Moment>>,
    /// Why a job failed last.
    pub(super) failure: RefCell<Option<FailureKind>>,
    violation: RefCell<Option<String>>,
    pub(super) sabotage: Cell<Option<Sabotage>>,
    /// An effect came late: copies may fall back.
    pub(super) delayed: Cell<bool>,
    pub(super) tick: Cell<usize>,
}

impl World {
    pub(super) fn is_blind(&self) -> bool {
        self.sabotaged(Sabotage::BlindPut)
    }

    pub(super) fn sabotaged(&self, sabotage: Sabotage) -> bool {
        self.inner.witness.sabotage.get() == Some(sabotage)
    }

    pub(super) async fn before_save(&self, record: &Record) {
        let sends = |r: &Record| r.sends;
        let known = self.inner.records.borrow().get(&record.id).map_or(0, sends);
        if self.sabotaged(Sabotage::SendFirst) && record.sends > known {
            self.enqueue(Line::Resize, record.message().encode());
            self.pause().await;
        }
    }

    /// Notes the first thing that cannot be.
    pub(super) fn violate(&self, what: impl FnOnce() -> String) {
        let mut violation = self.inner.witness.violation.borrow_mut();
        violation.get_or_insert_with(what);
    }

    pub(super) fn violation(&self) -> Option<String> {
        self.inner.witness.violation.borrow().clone()
    }

    pub(super) fn seen(&self, id: JobId) -> Seen {
        let jobs = self.inner.witness.jobs.borrow();
        let mut seen = jobs.get(&id).cloned().unwrap_or_default();
        seen.tick = self.inner.witness.tick.get();
        seen.at = self.now();
        seen
    }

    pub(super) fn observe(&self, id: JobId, change: impl FnOnce(&mut Seen)) {
        let mut jobs = self.inner.witness.jobs.borrow_mut();
        change(jobs.entry(id).or_default());
    }

    pub(super) fn accepted(&self, record: &Record) {
        self.observe(record.id, |seen| {
            seen.accepted = true;
            seen.expires_at = record.expires_at.unwrap_or_default();
        });
    }

    /// Jobs that were answered with 202.
    pub(super) fn accepted_jobs(&self) -> Vec<(JobId, Timestamp)> {
        let jobs = self.inner.witness.jobs.borrow();
        let accepted = jobs.iter().filter(|(_, seen)| seen.accepted);
        accepted.map(|(id, seen)| (*id, seen.expires_at)).collect()
    }

    pub(super) fn asked_to_delete(&self, id: JobId) {
        self.observe(id, |seen| seen.deletes += 1);
    }

    pub(super) fn asked_to_rerun(&self, id: JobId) {
        self.observe(id, |seen| {
            seen.reruns += 1;
            seen.open_reruns += 1;
        });
    }

    /// A rerun was taken, or refused: nothing of it follows.
    pub(super) fn answered_rerun(&self, id: JobId) {
        self.observe(id, |seen| seen.open_reruns -= 1);
    }

    pub(super) fn asked_to_extend(&self, id: JobId) {
        self.observe(id, |seen| {
            seen.extends += 1;
            seen.open_extends += 1;
        });
    }

    /// An extension was taken, or refused: nothing more of it follows.
    pub(super) fn answered_extend(&self, id: JobId) {
        self.observe(id, |seen| seen.open_extends -= 1);
    }

    /// A job's record is being stored.
    pub(super) fn note(&self, record: &Record) {
        let id = record.id;
        let known = self.inner.records.borrow().get(&id).cloned();
        let seen = self.seen(id);
        let runs = seen.reruns + seen.extends + 1;
        let policy = self.policy;
        let most = runs * (policy.max_attempts + policy.max_lost_attempts);
        if record.attempts > most || record.sends > policy.max_sends {
            self.violate(|| format!("unbounded work: {record:?}"));
        }
        if let Some(known) = known {
            let again = known.state == State::Failed && record.state == State::Pending;
            let over = matches!(record.state, State::Cancelled | State::Expired);
            let ends = known.state.is_final() && known.state != record.state;
            if ends && !over && !(again && seen.reruns > 0) {
                self.violate(|| format!("{:?} became {:?}", known.state, record.state));
            }
            let kept = record.thumbnails.starts_with(&known.thumbnails);
            if known.state == State::Done && record.state == State::Done && !kept {
                self.violate(|| format!("a thumbnail was forgotten: {record:?}"));
            }
            let deferred = record.deferrals > known.deferrals;
            self.observe(id, |seen| seen.deferrals += u32::from(deferred));
            if known.state == record.state {
                if known.extension.is_some() {
                    self.owes(record);
                }
                return;
            }
        }
        self.observe(id, |seen| {
            seen.attempts = record.attempts;
            seen.failure = record.failure.as_ref().map(|f| f.kind.clone());
        });
        if let Some(failure) = &record.failure {
            *self.inner.witness.failure.borrow_mut() = Some(failure.kind.clone());
        }
        self.check_buried(record);
        self.owes(record);
        self.moment(id, Some(record.state));
    }

    pub(super) fn moment(&self, id: JobId, state: Option<State>) {
        let (tick, at) = (self.inner.witness.tick.get(), self.now());
        let moment = Moment {
            id,
            tick,
            at,
            state,
        };
        self.inner.witness.history.borrow_mut().push(moment);
    }

    /// Every state that any job was in, in this order.
    pub(super) fn states(&self) -> Vec<State> {
        let history = self.inner.witness.history.borrow();
        history.iter().filter_map(|moment| moment.state).collect()
    }

    /// Whether a job was in one of some states at some time since `tick`.
    fn was_since(&self, id: JobId, tick: usize, fits: impl Fn(Option<State>) -> bool) -> bool {
        let history = self.inner.witness.history.borrow();
        let mut before = None;
        for moment in history.iter().filter(|moment| moment.id == id) {
            if moment.tick >= tick && (fits(before) || fits(moment.state)) {
                return true;
            }
            before = moment.state;
        }
        fits(before)
    }

    fn was_forgotten(&self, id: JobId) -> bool {
        let history = self.inner.witness.history.borrow();
        let tombstone = u64::from(self.policy.tombstone_secs);
        let over = |state| matches!(state, Some(State::Cancelled | State::Expired));
        let mut moments = history.iter().filter(|moment| moment.id == id);
        moments.any(|m| over(m.state) && m.at.plus_secs(tombstone) <= self.now())
    }

    /// A message was thrown away because its job does not exist.
    pub(super) fn discarded(&self, id: JobId) {
        if !self.was_forgotten(id) {
            self.violate(|| "a message came before its job".into());
        }
    }

    /// A copy is being written.
    pub(super) fn check_copy(&self, id: JobId, copy: Option<&Record>) {
        let excused = self.inner.witness.delayed.get() || self.sabotaged(Sabotage::TwoWriters);
        if excused || !self.is_simulated() {
            return;
        }
        let copies = self.inner.copies.borrow();
        let last = copies.get(&id).and_then(|writes| writes.last());
        let (Some(copy), Some((_, last))) = (copy, last) else {
            return;
        };
        match last {
            Some(last) if last.revision > copy.revision => {
                self.violate(|| format!("a copy fell back to {:?}", copy.state));
            }
            None => self.violate(|| "a copy came back after its end".into()),
            _ => {}
        }
    }

    /// An answer about one file (or the job) to a request that began when `before` was known.
    pub(super) fn answered(&self, id: JobId, file: Option<usize>, before: &Seen, answer: &Answer) {
        let now = self.seen(id);
        if let Some(what) = self.contradiction(id, file, before, &now, answer) {
            self.violate(|| format!("{what}: {answer:?} about {file:?} after {before:?}"));
        }
        self.observe(id, |seen| match answer {
            Answer::Served(tag) => {
                seen.served.insert(file.unwrap_or(0), tag.clone());
            }
            Answer::Failed if before.is_settled(file) => {
                seen.failed.insert(file, before.runs(file));
            }
            Answer::Done => seen.done = true,
            Answer::Gone => seen.gone = true,
            Answer::Failed | Answer::Waiting | Answer::Missing | Answer::Nothing => {}
        });
    }

    fn contradiction(
        &self,
        id: JobId,
        file: Option<usize>,
        before: &Seen,
        now: &Seen,
        answer: &Answer,
    ) -> Option<&'static str> {
        let was = |state| self.was_since(id, before.tick, |s| s == Some(state));
        let later = file == Some(LATER);
        let failed = before.failed.get(&file) == Some(&now.runs(file));
        let done = before.done && !later;
        let served = file.is_some_and(|f| before.served.contains_key(&f));
        let lives = self.now().plus_secs(MAX_SKEW_SECS) < now.expires_at;
        let there = served && now.reruns == 0 && now.deletes == 0 && lives;
        let gone =
            before.gone && !matches!(answer, Answer::Gone | Answer::Missing | Answer::Nothing);
        // By the clock of whoever answers, which may be ahead.
        let over = now.deletes > 0 || self.now().plus_secs(MAX_SKEW_SECS) >= now.expires_at;
        let expired_at = before.expires_at.plus_secs(MAX_SKEW_SECS);
        let expired = before.accepted && before.at >= expired_at;
        match answer {
            _ if gone => Some("back from the dead"),
            Answer::Served(_) | Answer::Waiting | Answer::Failed | Answer::Done if expired => {
                Some("expired, and not gone")
            }
            Answer::Served(_) if failed => Some("served after it failed"),
            Answer::Served(tag)
                if file
                    .and_then(|f| now.served.get(&f))
                    .is_some_and(|t| t != tag) =>
            {
                Some("other bytes than before")
            }
            Answer::Waiting if there || done || failed => Some("waiting after its end"),
            Answer::Failed if there || done => Some("failed after it was done"),
            Answer::Failed if !later && !was(State::Failed) => Some("not true: never failed"),
            Answer::Done if !was(State::Done) => Some("not true: never done"),
            Answer::Gone if !over => Some("gone, and nobody asked for it"),
            Answer::Missing if before.accepted && !self.was_forgotten(id) => {
                Some("an accepted job is unknown")
            }
            _ => None,
        }
    }
}
