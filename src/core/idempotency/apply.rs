//! Every decision about a key, as one pure function of its record, a command and the time.

use serde::{Deserialize, Serialize};

use super::record::{Answer, CommittedFile, KeyRecord, KeyState, VERSION};
use crate::timestamp::Timestamp;

/// How long a claim holds unless it is made again, as a request does while its upload arrives.
/// An isolate that dies meanwhile gives its key back by that.
pub const LEASE_SECS: u64 = 40;

/// What reaches a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum KeyCommand {
    /// A request came with it.
    Claim {
        /// The request's own name.
        token: String,
    },
    /// The request has stored its sources.
    Commit {
        /// The request's own name.
        token: String,
        /// What was sent.
        fingerprint: String,
        /// The files, in order.
        files: Vec<CommittedFile>,
    },
    /// The jobs have begun.
    Answer {
        /// The name of the request that committed them.
        token: String,
        /// What it is answered with.
        answer: Answer,
    },
    /// Nothing came of it.
    Release {
        /// The name of the request that holds it.
        token: String,
    },
    /// The alarm went off.
    Alarm,
}

/// What a key answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum KeyVerdict {
    /// The key is yours: read the upload.
    Proceed,
    /// Another request is reading an upload with it.
    InFlight,
    /// The jobs of an upload with it are to begin, or have begun.
    Committed {
        /// The name of the request that committed them.
        token: String,
        /// What was sent.
        fingerprint: String,
        /// The files, in order.
        files: Vec<CommittedFile>,
    },
    /// An upload with it was answered.
    Answered {
        /// What was sent.
        fingerprint: String,
        /// The answer.
        answer: Answer,
    },
    /// The change was taken.
    Taken,
    /// The change came too late: another request holds the key.
    Lost,
}

/// What follows from a command.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyDecision {
    /// What is remembered from now on, with `due_at` as the alarm; nothing if `None`.
    pub record: Option<KeyRecord>,
    /// What to answer.
    pub verdict: KeyVerdict,
}

/// Applies a command to what is remembered of a key. A key that was answered is kept for `retention_secs`.
pub fn apply(
    record: Option<KeyRecord>,
    command: KeyCommand,
    now: Timestamp,
    retention_secs: u64,
) -> KeyDecision {
    // The alarm may be late.
    let record = record.filter(|record| now < record.due_at);
    match command {
        KeyCommand::Claim { token } => claim(record, token, now),
        KeyCommand::Commit {
            token,
            fingerprint,
            files,
        } => step(record, &token, |record| match record.state {
            KeyState::Claimed => Some(KeyRecord {
                state: KeyState::Committed { fingerprint, files },
                due_at: now.plus_secs(retention_secs),
                ..record
            }),
            // The reply was lost, and the request asks again.
            _ => Some(record),
        }),
        KeyCommand::Answer { token, answer } => step(record, &token, |record| {
            let state = match record.state {
                KeyState::Committed { fingerprint, .. } => KeyState::Answered {
                    fingerprint,
                    answer,
                },
                // Whoever waited for the end has a later one.
                KeyState::Answered {
                    fingerprint,
                    answer: first,
                } if answer.is_final() && !first.is_final() => KeyState::Answered {
                    fingerprint,
                    answer,
                },
                // The first answer stays.
                other => other,
            };
            Some(KeyRecord { state, ..record })
        }),
        KeyCommand::Release { token } => step(record, &token, |_| None),
        KeyCommand::Alarm => KeyDecision {
            record,
            verdict: KeyVerdict::Taken,
        },
    }
}

fn claim(record: Option<KeyRecord>, token: String, now: Timestamp) -> KeyDecision {
    let Some(record) = record else {
        let record = KeyRecord {
            v: VERSION,
            token,
            state: KeyState::Claimed,
            due_at: now.plus_secs(LEASE_SECS),
        };
        return KeyDecision {
            record: Some(record),
            verdict: KeyVerdict::Proceed,
        };
    };
    if record.state == KeyState::Claimed && record.token == token {
        let due_at = now.plus_secs(LEASE_SECS);
        return KeyDecision {
            record: Some(KeyRecord { due_at, ..record }),
            verdict: KeyVerdict::Proceed,
        };
    }
    let verdict = match &record.state {
        KeyState::Claimed => KeyVerdict::InFlight,
        KeyState::Committed { fingerprint, files } => KeyVerdict::Committed {
            token: record.token.clone(),
            fingerprint: fingerprint.clone(),
            files: files.clone(),
        },
        KeyState::Answered {
            fingerprint,
            answer,
        } => KeyVerdict::Answered {
            fingerprint: fingerprint.clone(),
            answer: answer.clone(),
        },
    };
    KeyDecision {
        record: Some(record),
        verdict,
    }
}

/// A step of the request that holds the key.
fn step(
    record: Option<KeyRecord>,
    token: &str,
    next: impl FnOnce(KeyRecord) -> Option<KeyRecord>,
) -> KeyDecision {
    match record {
        Some(record) if record.token == token => KeyDecision {
            record: next(record),
            verdict: KeyVerdict::Taken,
        },
        record => KeyDecision {
            record,
            verdict: KeyVerdict::Lost,
        },
    }
}

#[cfg(test)]
mod tests;
