//! Every decision about the events of a job's webhook.
//!
//! An event waits for its step of the schedule, is sent as a message, is taken by a consumer, and
//! comes back with the receiver's answer. Whatever is lost on the way, its `due_at` finds.

use super::command::Verdict;
use super::ledger::{Decision, FollowUp};
use super::outcome::backoff_secs;
use super::policy::{MAX_REDELIVERIES, Policy, REDELIVER_CAP_SECS, REDELIVER_SECS, TELL_SECS};
use super::record::{Intent, Record};
use super::state::State;
use super::webhook::{Answer, Delivery, Stage, Webhook, WebhookCommand, WebhookEvent, shortened};
use crate::timestamp::Timestamp;

/// How many events are held. The oldest gives way: only a client that has a job tried again and
/// again, and whose receiver answers to none of it, gets there.
const MAX_EVENTS: usize = 8;

/// The longest pause that a receiver may ask for: a day.
const MAX_RETRY_AFTER_SECS: u32 = 86_400;

/// The status with which a receiver wants no more events.
const GONE: u16 = 410;

/// Notes the end of a job that has just come to it, or that of thumbnails that were asked for later.
pub(super) fn note(record: &mut Record, now: Timestamp, policy: &Policy) {
    let Some(mut webhook) = record.webhook.take() else {
        return;
    };
    webhook.events.retain(|event| !event.stage.is_over());
    if webhook.events.len() >= MAX_EVENTS {
        let given_up = webhook.events.remove(0);
        webhook.log(given_up.failed(now, "given up for newer events"));
    }
    let mut event = WebhookEvent {
        stage: Stage::Waiting,
        attempts: 0,
        step: 0,
        sends: 0,
        due_at: None,
        job: Box::new(record.clone()),
    };
    if webhook.disabled {
        event.end(Stage::Unwanted);
    } else {
        event.wait(now, policy, 0);
    }
    webhook.events.push(event);
    record.webhook = Some(webhook);
}

/// Does what is due; returns the numbers of the events whose message is to be sent.
pub(super) fn post(record: &mut Record, now: Timestamp, policy: &Policy) -> Vec<u64> {
    let Some(webhook) = &mut record.webhook else {
        return Vec::new();
    };
    let (mut sent, mut failed) = (Vec::new(), Vec::new());
    let due = |event: &&mut WebhookEvent| event.due_at.is_some_and(|due| due <= now);
    for event in webhook.events.iter_mut().filter(due) {
        if event.stage == Stage::Underway {
            failed.push(event.failed(now, "the attempt never came back"));
            event.wait(now, policy, 0);
        } else if event.sends >= policy.max_sends {
            failed.push(event.failed(now, "no consumer took the event"));
            event.end(Stage::GivenUp);
        } else {
            event.send(now, policy);
            sent.push(event.number());
        }
    }
    for delivery in failed {
        webhook.log(delivery);
    }
    sent
}

impl WebhookEvent {
    fn end(&mut self, stage: Stage) {
        self.stage = stage;
        self.due_at = None;
    }

    /// Waits for the next step of the schedule, or gives up after its last.
    fn wait(&mut self, now: Timestamp, policy: &Policy, at_least_secs: u32) {
        let Some(secs) = policy.webhook_schedule.pause_secs(self.step) else {
            return self.end(Stage::GivenUp);
        };
        // A tenth more at the most, so that events which failed together do not come again together.
        let secs = secs + jitter(self) % (secs / 10 + 1);
        self.step += 1;
        self.sends = 0;
        self.stage = Stage::Waiting;
        self.due_at = Some(now.plus_secs(secs.max(at_least_secs).into()));
    }

    fn send(&mut self, now: Timestamp, policy: &Policy) {
        self.stage = Stage::Sent;
        self.sends += 1;
        let (base, cap) = (policy.rescue_secs, policy.rescue_cap_secs);
        let pause = backoff_secs(self.sends, base, cap, jitter(self));
        self.due_at = Some(now.plus_secs(pause.into()));
    }
}

/// A job that is to be forgotten stays as long as something of it is to be told.
pub(super) fn postpone_purge(record: &mut Record, now: Timestamp, policy: &Policy) {
    let over = matches!(record.state, State::Cancelled | State::Expired);
    let waiting = record.webhook.as_ref().is_some_and(Webhook::is_waiting);
    let due = record.due_at.is_some_and(|due| due <= now);
    if over && waiting && due && record.intent.is_none() {
        record.due_at = Some(now.plus_secs(policy.rescue_cap_secs.into()));
    }
}

/// Applies a command that is about the webhook.
pub(super) fn apply_webhook_command(
    record: Record,
    command: WebhookCommand,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    match command {
        WebhookCommand::Deliver { event } => deliver(record, event, now, policy),
        WebhookCommand::Report {
            event,
            attempt,
            answer,
        } => report(record, event, attempt, answer, now, policy),
        WebhookCommand::Redeliver => redeliver(record, now),
    }
}

fn deliver(mut record: Record, number: u64, now: Timestamp, policy: &Policy) -> Decision {
    let webhook = record.webhook.as_mut();
    let event = webhook.and_then(|webhook| webhook.event_mut(number));
    // A message that comes twice, or too early, finds nothing to do.
    let Some(event) = event.filter(|event| event.stage == Stage::Sent) else {
        return Decision::stop(&record);
    };
    event.stage = Stage::Underway;
    event.attempts += 1;
    event.due_at = Some(now.plus_secs(policy.webhook_lease_secs.into()));
    Decision::recorded(record, FollowUp::Deliver { event: number })
}

fn report(
    mut record: Record,
    number: u64,
    attempt: u32,
    answer: Answer,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    let Some(mut webhook) = record.webhook.take() else {
        return Decision::rejected(&record);
    };
    let taken = settle(&mut webhook, number, attempt, answer, now, policy);
    record.webhook = Some(webhook);
    if !taken {
        return Decision::rejected(&record);
    }
    changed(&mut record, now);
    Decision::recorded(record, FollowUp::Nothing)
}

/// Takes a report; false where it says nothing about what is going on.
fn settle(
    webhook: &mut Webhook,
    number: u64,
    attempt: u32,
    answer: Answer,
    now: Timestamp,
    policy: &Policy,
) -> bool {
    let Some(event) = webhook.event_mut(number) else {
        return false;
    };
    let (status, retry_after_secs, error) = match answer {
        Answer::Status {
            status,
            retry_after_secs,
        } => (Some(status), retry_after_secs, None),
        Answer::Error { error } => (None, None, Some(shortened(&error))),
    };
    let delivered = status.is_some_and(|status| (200..300).contains(&status));
    let current = event.stage == Stage::Underway && event.attempts == attempt;
    // A late success is one all the same: the receiver has it.
    if event.stage.is_over() || !(current || delivered) {
        return false;
    }
    if delivered {
        event.end(Stage::Delivered);
    } else {
        let at_least_secs = retry_after_secs.unwrap_or(0).min(MAX_RETRY_AFTER_SECS);
        event.wait(now, policy, at_least_secs);
    }
    let state = event.job.state;
    if status == Some(GONE) {
        webhook.disabled = true;
        for event in &mut webhook.events {
            if !event.stage.is_over() || event.number() == number {
                event.end(Stage::Unwanted);
            }
        }
    }
    webhook.log(Delivery {
        at: now,
        state,
        attempt,
        status,
        error,
    });
    true
}

fn redeliver(mut record: Record, now: Timestamp) -> Decision {
    let purged = record.intent == Some(Intent::Purge);
    let Some(webhook) = record
        .webhook
        .as_mut()
        .filter(|w| !purged && !w.events.is_empty())
    else {
        return Decision::rejected(&record);
    };
    if webhook.redeliveries >= MAX_REDELIVERIES {
        let most = MAX_REDELIVERIES;
        return Decision::answer(Verdict::UsedUp { most });
    }
    if let Some(early) = Decision::too_early(webhook.redeliver_at, now) {
        return early;
    }
    webhook.redeliveries += 1;
    let secs = backoff_secs(webhook.redeliveries, REDELIVER_SECS, REDELIVER_CAP_SECS, 0);
    webhook.redeliver_at = Some(now.plus_secs(secs.into()));
    webhook.disabled = false;
    let last = webhook.events.len() - 1;
    let all_delivered = webhook.events.iter().all(|e| e.stage == Stage::Delivered);
    for (index, event) in webhook.events.iter_mut().enumerate() {
        let again = event.stage != Stage::Delivered || (all_delivered && index == last);
        if again && event.stage != Stage::Underway {
            event.stage = Stage::Waiting;
            event.sends = 0;
            event.due_at = Some(now);
            // The first pause of the schedule is what is skipped.
            event.step = 1;
        }
    }
    changed(&mut record, now);
    Decision::recorded(record, FollowUp::Nothing)
}

/// Clients can see it: it is a revision, and told until everybody knows.
fn changed(record: &mut Record, now: Timestamp) {
    record.revision += 1;
    record.updated_at = now;
    record.tell_at = Some(now.plus_secs(TELL_SECS.into()));
}

/// Different for each event and attempt, the same on each replay (FNV-1a over the id).
fn jitter(event: &WebhookEvent) -> u32 {
    let hash = event.id().bytes().fold(2_166_136_261_u32, |h, b| {
        (h ^ u32::from(b)).wrapping_mul(16_777_619)
    });
    let turn = event.step.wrapping_mul(31).wrapping_add(event.sends);
    hash.wrapping_add(turn.wrapping_mul(0x9e37_79b9))
}

#[cfg(test)]
mod tests;
