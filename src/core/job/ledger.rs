//! Every decision about a job, as one pure function of its record, a command and the time.
//!
//! The Durable Object loads the record, asks [`apply`], stores what changed together with the
//! alarm, and only then lets the effects out: the copy in KV first, the message last.
//!
//! A job ends without a thumbnail in two steps. First the record notes the [`Intent`], which no
//! client can see; then R2 is made to agree (tombstones in place of thumbnails, so that an attempt
//! that is still out there can no longer store one); then the state changes. What a client has once
//! seen cancelled or failed is therefore never served afterwards, and a crash between the steps
//! leaves an intent for the alarm to carry out.

use super::command::{Command, Finish, Verdict};
use super::delivery;
use super::expiry::expire;
use super::extension::{extend, extended, refuse};
use super::failure::{Failure, FailureKind};
use super::outcome::backoff_secs;
use super::policy::{
    CREATE_WITHIN_SECS, MAX_POISON_RERUNS, MAX_RERUNS, POISON_RERUN_SECS, Policy, RERUN_CAP_SECS,
    RERUN_SECS, TELL_SECS,
};
use super::record::{Intent, Record, Thumbnail};
use super::rescue::{Queue, alarm, dead_letter, defer, jitter, lose, rescue, send};
use super::state::{Event, State};
use crate::keys::JobId;
use crate::timestamp::Timestamp;

/// What follows from a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The record to store, with `due_at` as the alarm. `None`: nothing changed.
    pub changed: Option<Record>,
    /// What happens once the record is stored.
    pub follow_up: FollowUp,
    /// What to answer.
    pub verdict: Verdict,
}

/// What happens once a record is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowUp {
    /// Nothing but the copy in KV.
    Nothing,
    /// The message is sent.
    Send,
    /// The record's intent is carried out.
    CarryOut,
    /// The request that tells an event is composed and answered with.
    Deliver {
        /// The event's number.
        event: u64,
    },
    /// The record itself is deleted.
    Erase,
}

impl Decision {
    pub(super) fn answer(verdict: Verdict) -> Self {
        Self {
            changed: None,
            follow_up: FollowUp::Nothing,
            verdict,
        }
    }

    pub(super) fn stop(record: &Record) -> Self {
        Self::answer(Verdict::Stop {
            state: record.state,
        })
    }

    pub(super) fn rejected(record: &Record) -> Self {
        Self::answer(Verdict::Rejected {
            state: record.state,
        })
    }

    /// The same, with another answer.
    fn answered(self, verdict: Verdict) -> Self {
        Self { verdict, ..self }
    }

    /// Asks to come again where something may not be done before `at`.
    pub(super) fn too_early(at: Option<Timestamp>, now: Timestamp) -> Option<Self> {
        let millis = at.filter(|at| now < *at)?.millis_since(now);
        let secs = u32::try_from(millis.div_ceil(1_000)).unwrap_or(u32::MAX);
        Some(Self::answer(Verdict::RetryAfter { secs }))
    }

    pub(super) fn recorded(record: Record, follow_up: FollowUp) -> Self {
        let verdict = Verdict::Recorded {
            record: Box::new(record.clone()),
            overloaded: false,
        };
        Self {
            changed: Some(record),
            follow_up,
            verdict,
        }
    }
}

/// Applies a command to a record, whatever its webhook makes of it. Pure: the same arguments give the same decision.
pub fn apply(
    record: Option<Record>,
    command: Command,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    let Some(record) = record else {
        return match command {
            Command::Create(new) if is_late(new.id, now) => Decision::answer(Verdict::TooLate),
            Command::Create(new) => send(Record::new(*new, now), now, policy),
            _ => Decision::answer(Verdict::Unknown),
        };
    };
    let state = State::Expired;
    match command {
        Command::Create(_) | Command::Get => Decision::answer(Verdict::Found {
            record: Box::new(record.as_of(now)),
        }),
        Command::Start { .. } | Command::Defer { .. } if record.has_outlived(now) => {
            expire(record, Verdict::Stop { state }, now, policy)
        }
        Command::Rerun | Command::Extend { .. } if record.has_outlived(now) => {
            expire(record, Verdict::Rejected { state }, now, policy)
        }
        Command::Start { alone } => start(record, alone, now, policy),
        Command::Defer {
            attempt,
            planned_bytes,
        } => defer(record, attempt, planned_bytes, now, policy),
        Command::Finish(made) => finished(record, *made, now),
        Command::Fail { failure, attempt } => {
            // An attempt at what was made long ago says nothing about what is made now.
            if record.extension.is_some() && attempt.is_some_and(|a| a != record.attempts) {
                return Decision::rejected(&record);
            }
            fail(record, failure, now, policy)
        }
        Command::Retry { attempt, reason } => retry(record, attempt, &reason, now, policy),
        Command::DeadLetter => dead_letter(record, now, policy),
        Command::Cancel => cancel(record, now, policy),
        Command::Rerun => rerun(record, now, policy),
        Command::Extend {
            variants,
            planned_bytes,
        } => extend(record, &variants, planned_bytes, now, policy),
        Command::Alarm => alarm(record, now, policy, Queue::Short),
        Command::Wait => alarm(record, now, policy, Queue::Long),
        Command::Told { revision } => told(record, revision),
        Command::Webhook(command) => delivery::apply_webhook_command(record, command, now, policy),
        Command::Carried { intent, found } => carried(record, &intent, found, now, policy),
    }
}

/// Whether the sweep may already take the source of a job for an orphan.
fn is_late(id: JobId, now: Timestamp) -> bool {
    now.millis_since(id.created_at()) > CREATE_WITHIN_SECS * 1_000
}

fn told(mut record: Record, revision: u64) -> Decision {
    if record.tell_at.is_none() || record.revision != revision {
        return Decision::stop(&record);
    }
    record.tell_at = None;
    Decision::recorded(record, FollowUp::Nothing)
}

fn start(mut record: Record, alone: Option<bool>, now: Timestamp, policy: &Policy) -> Decision {
    let lost = record.phase() == State::Processing;
    let leased = lost && record.due_at.is_some_and(|due| now < due);
    if record.intent.is_some() || record.phase().is_final() || leased {
        return Decision::stop(&record);
    }
    let stop = Verdict::Stop {
        state: record.state,
    };
    // Its message is older than the loss: the one that asks for an instance alone follows.
    if alone == Some(false) && (lost || record.wants_to_be_alone()) {
        return if lost {
            rescue(record, now, policy).answered(stop)
        } else {
            Decision::stop(&record)
        };
    }
    if let Some(failure) = lost.then(|| lose(&mut record, policy)).flatten() {
        return fail(record, failure, now, policy).answered(stop);
    }
    if !moved(&mut record, Event::Start, now) {
        return Decision::rejected(&record);
    }
    record.begin_attempt(now);
    record.alone = alone == Some(true);
    record.parked = false;
    record.due_at = Some(now.plus_secs(policy.lease_secs.into()));
    Decision {
        verdict: Verdict::Proceed {
            attempt: record.attempts,
            record: Box::new(record.clone()),
        },
        changed: Some(record),
        follow_up: FollowUp::Nothing,
    }
}

fn finished(record: Record, made: Finish, now: Timestamp) -> Decision {
    if record.intent.is_some() {
        return Decision::rejected(&record);
    }
    if record.extension.is_some() {
        // An attempt at what was made long ago may still come back.
        return if are_wanted(&made.thumbnails, &record) {
            // What is told of the job as a whole stays what its upload said.
            finish(record, made.thumbnails, now, |record| {
                record.incomplete |= made.incomplete;
            })
        } else {
            Decision::rejected(&record)
        };
    }
    finish(record, made.thumbnails, now, |record| {
        record.source.width = Some(made.source_width);
        record.source.height = Some(made.source_height);
        record.thumbhash = Some(made.thumbhash);
        let begun = record.timings.attempt_at;
        // With attempts that never came back, it could be one of those that did.
        let begun = begun.filter(|_| record.lost_attempts == 0);
        record.timings.processing_ms = begun.map(|begun| now.millis_since(begun));
        record.peak_memory_bytes = made.peak_memory_bytes;
        record.incomplete = made.incomplete;
    })
}

fn are_wanted(thumbnails: &[Thumbnail], record: &Record) -> bool {
    let names = thumbnails.iter().map(|thumbnail| thumbnail.name.as_str());
    names.eq(record.wanted_files().map(|file| file.variant))
}

fn finish(
    mut record: Record,
    thumbnails: Vec<Thumbnail>,
    now: Timestamp,
    change: impl FnOnce(&mut Record),
) -> Decision {
    if !moved(&mut record, Event::Finish, now) {
        return Decision::rejected(&record);
    }
    record.add(thumbnails);
    record.due_at = record.expires_at;
    change(&mut record);
    Decision::recorded(record, FollowUp::Nothing)
}

fn retry(
    mut record: Record,
    attempt: u32,
    reason: &str,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    // A report of an attempt that was replaced meanwhile says nothing about the one that runs.
    if record.intent.is_some() || record.phase() != State::Processing || attempt != record.attempts
    {
        return Decision::stop(&record);
    }
    record.faults += 1;
    record.deferrals = 0;
    let tried = record.faults + record.lost_attempts;
    if tried >= policy.max_attempts {
        let detail = format!("gave up after {tried} attempts: {reason}");
        return fail(
            record,
            Failure::new(FailureKind::PlatformFault, detail),
            now,
            policy,
        );
    }
    let secs = backoff_secs(
        record.faults,
        policy.retry_secs,
        policy.retry_cap_secs,
        jitter(&record),
    );
    if !moved(&mut record, Event::Retry, now) {
        return Decision::rejected(&record);
    }
    // The queue delivers again after `secs`; the alarm is the net below it.
    record.due_at = Some(now.plus_secs(u64::from(secs) + u64::from(policy.rescue_secs)));
    Decision {
        verdict: Verdict::RetryAfter { secs },
        ..Decision::recorded(record, FollowUp::Nothing)
    }
}

fn cancel(record: Record, now: Timestamp, policy: &Policy) -> Decision {
    match (record.state, &record.intent) {
        (State::Cancelled | State::Expired, _) | (_, Some(Intent::Purge)) => {
            Decision::rejected(&record)
        }
        // Nothing of it is to be served once this is answered, whichever of the two it was.
        (_, Some(Intent::Expire)) => intend(record, Intent::Expire, now, policy),
        _ => intend(record, Intent::Cancel, now, policy),
    }
}

fn rerun(mut record: Record, now: Timestamp, policy: &Policy) -> Decision {
    match (record.state, &record.intent) {
        (State::Failed, Some(Intent::Rerun)) => intend(record, Intent::Rerun, now, policy),
        (State::Failed, None) => {
            let most = if is_poison(&record) {
                MAX_POISON_RERUNS
            } else {
                MAX_RERUNS
            };
            if record.reruns >= most {
                return Decision::answer(Verdict::UsedUp { most });
            }
            if let Some(early) = Decision::too_early(record.rerun_at, now) {
                return early;
            }
            record.reruns += 1;
            intend(record, Intent::Rerun, now, policy)
        }
        _ => Decision::rejected(&record),
    }
}

fn is_poison(record: &Record) -> bool {
    let failure = record.failure.as_ref();
    failure.is_some_and(|failure| failure.kind == FailureKind::Poison)
}

/// When a job that fails now may be tried again.
fn rerun_at(record: &Record, now: Timestamp) -> Option<Timestamp> {
    let secs = match (is_poison(record), record.reruns) {
        (true, reruns) => backoff_secs(reruns + 1, POISON_RERUN_SECS, RERUN_CAP_SECS, 0),
        (false, 0) => return None,
        (false, reruns) => backoff_secs(reruns, RERUN_SECS, RERUN_CAP_SECS, 0),
    };
    Some(now.plus_secs(secs.into()))
}

pub(super) fn fail(record: Record, failure: Failure, now: Timestamp, policy: &Policy) -> Decision {
    if record.phase().is_final() || record.intent.is_some() {
        return Decision::rejected(&record);
    }
    intend(record, Intent::Fail { failure }, now, policy)
}

/// Notes what is to be done in R2. No client sees it before it is done.
pub(super) fn intend(
    mut record: Record,
    intent: Intent,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    if record.intent.as_ref() != Some(&intent) {
        record.tries = 0;
    }
    record.intent = Some(intent);
    record.tries += 1;
    // If carrying it out fails or is cut short, the alarm tries again.
    let pause = backoff_secs(
        record.tries,
        policy.retry_secs,
        policy.rescue_cap_secs,
        jitter(&record),
    );
    record.due_at = Some(now.plus_secs(pause.into()));
    Decision::recorded(record, FollowUp::CarryOut)
}

/// R2 agrees with the intent: now the state may change.
fn carried(
    mut record: Record,
    intent: &Intent,
    found: Vec<Thumbnail>,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    if record.intent.as_ref() != Some(intent) {
        // Another intent has replaced it, or it was carried out twice.
        return Decision::rejected(&record);
    }
    record.intent = None;
    record.tries = 0;
    let forget_at = now.plus_secs(policy.tombstone_secs.into());
    match intent {
        // Every thumbnail was stored by an attempt that could not say so: clients may have them.
        Intent::Fail { .. } if found.len() == record.wanted_files().count() => {
            finish(record, found, now, |_| {})
        }
        Intent::Fail { failure } if record.extension.is_some() => {
            refuse(record, failure, found, now)
        }
        Intent::Fail { failure } => ended(record, Event::Fail, now, |record| {
            record.failure = Some(failure.clone());
            record.rerun_at = rerun_at(record, now);
            record.thumbnails = found;
            record.due_at = record.expires_at;
        }),
        Intent::Cancel | Intent::Expire => {
            record.fold();
            let event = if *intent == Intent::Cancel {
                Event::Cancel
            } else {
                Event::Expire
            };
            ended(record, event, now, |record| record.bury(forget_at))
        }
        Intent::Extend { variants } => extended(record, variants.clone(), now, policy),
        Intent::Rerun => match record.state.apply(Event::Rerun) {
            Ok(state) => {
                record.reset(state);
                send(record, now, policy)
            }
            Err(_) => Decision::rejected(&record),
        },
        Intent::Purge => Decision::recorded(record, FollowUp::Erase),
    }
}

fn ended(
    mut record: Record,
    event: Event,
    now: Timestamp,
    change: impl FnOnce(&mut Record),
) -> Decision {
    if !moved(&mut record, event, now) {
        return Decision::rejected(&record);
    }
    change(&mut record);
    Decision::recorded(record, FollowUp::Nothing)
}

/// Takes a step, if it exists: everything that clients can see counts as a revision.
pub(super) fn moved(record: &mut Record, event: Event, now: Timestamp) -> bool {
    let Ok(state) = record.phase().apply(event) else {
        return false;
    };
    record.set_phase(state);
    record.alone = false;
    if state.is_final() {
        (record.deferrals, record.parked) = (0, false);
    }
    record.revision += 1;
    record.updated_at = now;
    // The end is told until everybody is known to have heard it: no later change will do it.
    record.tell_at = state.is_final().then_some(now.plus_secs(TELL_SECS.into()));
    true
}

#[cfg(test)]
mod tests;
