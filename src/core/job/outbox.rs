//! Every decision about a job, with what its webhook makes of it.
//!
//! The ledger decides; whatever it decides, an end that it comes to is noted for the webhook in the
//! same record, and messages that are due are marked as sent. What is stored is therefore never an
//! end without its event.

use super::command::{Command, Verdict};
use super::delivery::{note, post, postpone_purge};
use super::ledger::{self, Decision, FollowUp};
use super::message::WebhookMessage;
use super::policy::Policy;
use super::record::Record;
use crate::timestamp::Timestamp;

/// Applies a command to a record. Pure: the same arguments give the same decision, and the messages to
/// the webhook queue that go out once it is stored.
pub fn advance(
    record: Option<Record>,
    command: Command,
    now: Timestamp,
    policy: &Policy,
) -> (Decision, Vec<WebhookMessage>) {
    let before = record.as_ref().map(|record| record.state);
    let was_settled = record.as_ref().is_some_and(Record::is_settled);
    let record = record.map(|mut record| {
        postpone_purge(&mut record, now, policy);
        record
    });
    let mut decision = ledger::apply(record, command, now, policy);
    let mut messages = Vec::new();
    if decision.follow_up != FollowUp::Erase
        && let Some(record) = &mut decision.changed
    {
        let has_changed = !was_settled || before != Some(record.state);
        if record.is_settled() && has_changed {
            note(record, now, policy);
        }
        let job = record.id;
        let due = post(record, now, policy);
        messages.extend(due.into_iter().map(|event| WebhookMessage { job, event }));
        if let Verdict::Recorded { record: told, .. } = &mut decision.verdict {
            (**told).clone_from(record);
        }
    }
    (decision, messages)
}
