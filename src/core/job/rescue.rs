//! What a job does by itself when its alarm goes off: tell its end again, try an intent again,
//! expire, and send its message again where nobody answered.
//!
//! Every pause doubles up to a cap, and messages are counted: a job that nobody takes fails, and
//! says so. A message behind many others is not lost: where the queue is known to be long, the job
//! waits as long as the cap, so that a backlog does not grow by its own rescues.

use super::failure::{Failure, FailureKind};
use super::ledger::{Decision, FollowUp, fail, intend, moved};
use super::outcome::backoff_secs;
use super::policy::{DEFER_CAP_SECS, DEFER_SECS, Policy};
use super::record::{Intent, Record};
use super::state::{Event, State};
use crate::timestamp::Timestamp;

/// What is known of the queue when an alarm goes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    /// Short, or nothing is known.
    Short,
    /// So long that a message may wait for hours.
    Long,
}

pub(super) fn alarm(mut record: Record, now: Timestamp, policy: &Policy, queue: Queue) -> Decision {
    if record.tell_at.is_some() {
        record.tell_at = Some(now.plus_secs(pause_secs(&record, now, policy)));
    }
    if record.intent.is_none() && record.has_outlived(now) {
        return intend(record, Intent::Expire, now, policy);
    }
    if record.due_at.is_some_and(|due| now < due) {
        // Storing the record again arms the alarm for its time.
        return Decision::recorded(record, FollowUp::Nothing);
    }
    if let Some(intent) = record.intent.clone() {
        return intend(record, intent, now, policy);
    }
    if matches!(record.state, State::Cancelled | State::Expired) {
        return intend(record, Intent::Purge, now, policy);
    }
    if record.phase().is_final() {
        record.due_at = record.expires_at;
        return Decision::recorded(record, FollowUp::Nothing);
    }
    if queue == Queue::Long && record.may_wait(now, policy) {
        let secs = pause_secs(&record, now, policy);
        record.due_at = Some(now.plus_secs(secs));
        return Decision::recorded(record, FollowUp::Nothing);
    }
    rescue(record, now, policy)
}

/// Sends the message of a job again that nobody answered, unless that was tried often enough.
pub(super) fn rescue(mut record: Record, now: Timestamp, policy: &Policy) -> Decision {
    if record.phase() == State::Processing {
        if let Some(failure) = lose(&mut record, policy) {
            return fail(record, failure, now, policy);
        }
        if !moved(&mut record, Event::Retry, now) {
            return Decision::rejected(&record);
        }
    }
    if record.parked {
        return send_counted(record, now, policy);
    }
    if record.sends >= policy.max_sends {
        let detail = format!("no consumer took the job after {} messages", record.sends);
        return fail(
            record,
            Failure::new(FailureKind::NeverProcessed, detail),
            now,
            policy,
        );
    }
    send(record, now, policy)
}

/// Counts an attempt that never came back. Returns why the job has to end, if it has to.
///
/// What kills an instance takes all with it that runs there: only an attempt beside which nothing
/// ran says something about its image.
pub(super) fn lose(record: &mut Record, policy: &Policy) -> Option<Failure> {
    record.lost_attempts += 1;
    record.lost_alone += u32::from(record.alone);
    record.deferrals = 0;
    if record.lost_alone >= policy.max_lost_attempts {
        let detail = format!(
            "{} attempts at this image never came back, and nothing else ran beside them",
            record.lost_alone
        );
        return Some(Failure::new(FailureKind::Poison, detail));
    }
    let tried = record.lost_attempts + record.faults;
    (tried >= policy.max_attempts).then(|| {
        let lost = record.lost_attempts;
        let detail = format!("gave up after {tried} attempts, of which {lost} never came back");
        Failure::new(FailureKind::PlatformFault, detail)
    })
}

/// Takes back a message whose attempt did not fit beside what else ran in its instance.
pub(super) fn defer(
    mut record: Record,
    attempt: Option<u32>,
    planned_bytes: Option<u64>,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    let runs = record.phase() == State::Processing;
    let current = attempt.map_or(!runs, |attempt| runs && attempt == record.attempts);
    // Parked already: another message of the same job was taken back.
    if record.intent.is_some() || record.phase().is_final() || record.parked || !current {
        return Decision::stop(&record);
    }
    if runs {
        if !moved(&mut record, Event::Retry, now) {
            return Decision::rejected(&record);
        }
        record.attempts -= 1;
    }
    record.planned_bytes = planned_bytes.or(record.planned_bytes);
    record.deferrals += 1;
    let secs = backoff_secs(
        record.deferrals,
        DEFER_SECS,
        DEFER_CAP_SECS,
        jitter(&record),
    );
    park(record, now, secs.min(policy.rescue_cap_secs))
}

/// Takes a message that the queue gave up.
pub(super) fn dead_letter(mut record: Record, now: Timestamp, policy: &Policy) -> Decision {
    if record.parked && record.is_untried() && record.intent.is_none() {
        return Decision::stop(&record);
    }
    if !record.is_untried() || record.intent.is_some() || record.sends >= policy.max_sends {
        let detail = "the queue gave up delivering the job's message";
        return fail(
            record,
            Failure::new(FailureKind::DeadLetter, detail),
            now,
            policy,
        );
    }
    // No attempt has begun: nothing is known against the job.
    record.sends += 1;
    let (base, cap) = (policy.rescue_secs, policy.rescue_cap_secs);
    let secs = backoff_secs(record.sends, base, cap, jitter(&record));
    park(record, now, secs)
}

/// Lets the alarm send the next message. Nothing that a client can see has changed.
fn park(mut record: Record, now: Timestamp, secs: u32) -> Decision {
    record.parked = true;
    record.due_at = Some(now.plus_secs(secs.into()));
    Decision::recorded(record, FollowUp::Nothing)
}

/// Sends the job's message, with the alarm set for the case that nobody answers it.
pub(super) fn send(mut record: Record, now: Timestamp, policy: &Policy) -> Decision {
    record.sends += 1;
    record.revision += 1;
    send_counted(record, now, policy)
}

fn send_counted(mut record: Record, now: Timestamp, policy: &Policy) -> Decision {
    record.parked = false;
    record.updated_at = now;
    let pause = backoff_secs(
        record.sends,
        policy.rescue_secs,
        policy.rescue_cap_secs,
        jitter(&record),
    );
    record.due_at = Some(now.plus_secs(pause.into()));
    Decision::recorded(record, FollowUp::Send)
}

impl Record {
    /// Whether a message of this job may still be in the queue, and it is too early to send another
    /// one if that queue is long.
    pub fn may_wait(&self, now: Timestamp, policy: &Policy) -> bool {
        let sent =
            matches!(self.phase(), State::Pending | State::Retrying) && self.intent.is_none();
        let sent = sent && !self.parked;
        let due = self.due_at.is_some_and(|due| due <= now);
        sent && due && now.millis_since(self.updated_at) < u64::from(policy.rescue_cap_secs) * 1_000
    }
}

/// As long as it has been since the last change, so that pauses double; within bounds.
fn pause_secs(record: &Record, now: Timestamp, policy: &Policy) -> u64 {
    let cap = u64::from(policy.rescue_cap_secs);
    let since = now.millis_since(record.updated_at) / 1_000;
    since.clamp(u64::from(policy.retry_secs).min(cap), cap)
}

/// Different for each job and send, the same on each replay (FNV-1a over the id).
pub(super) fn jitter(record: &Record) -> u32 {
    let id = record.id.to_string();
    let hash = id.bytes().fold(2_166_136_261_u32, |h, b| {
        (h ^ u32::from(b)).wrapping_mul(16_777_619)
    });
    hash.wrapping_add(record.sends.wrapping_mul(0x9e37_79b9))
        .wrapping_add(record.attempts)
}
