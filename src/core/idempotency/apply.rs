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
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus_secs(secs)
    }

    fn claim(token: &str) -> KeyCommand {
        KeyCommand::Claim {
            token: token.into(),
        }
    }

    fn commit(token: &str) -> KeyCommand {
        KeyCommand::Commit {
            token: token.into(),
            fingerprint: format!("of {token}"),
            files: Vec::new(),
        }
    }

    fn answer(token: &str, body: &str) -> KeyCommand {
        answer_of(202, token, body)
    }

    fn answer_of(status: u16, token: &str, body: &str) -> KeyCommand {
        KeyCommand::Answer {
            token: token.into(),
            answer: Answer {
                status,
                body: body.into(),
                location: None,
                link: None,
            },
        }
    }

    fn release(token: &str) -> KeyCommand {
        KeyCommand::Release {
            token: token.into(),
        }
    }

    /// Runs commands at their times and returns the last verdict's word.
    fn run(steps: &[(u64, KeyCommand)]) -> String {
        let mut record = None;
        let mut last = KeyVerdict::Lost;
        for (secs, command) in steps {
            let decision = apply(record, command.clone(), at(*secs), DAY);
            record = decision.record;
            last = decision.verdict;
        }
        match last {
            KeyVerdict::Answered {
                fingerprint,
                answer,
            } => format!("answered {} {fingerprint}", answer.body),
            KeyVerdict::Committed { token, .. } => format!("committed by {token}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_key_goes_from_hand_to_hand_only_when_it_is_free() {
        let lease = LEASE_SECS;
        for (steps, want) in [
            (vec![(0, claim("a"))], "Proceed"),
            (vec![(0, claim("a")), (1, claim("a"))], "Proceed"),
            (vec![(0, claim("a")), (lease - 1, claim("b"))], "InFlight"),
            (
                vec![(0, claim("a")), (9, claim("a")), (lease, claim("b"))],
                "InFlight",
            ),
            (
                vec![(0, claim("a")), (9, claim("a")), (lease + 9, claim("b"))],
                "Proceed",
            ),
            (vec![(0, claim("a")), (lease, claim("b"))], "Proceed"),
            (
                vec![(0, claim("a")), (1, release("a")), (2, claim("b"))],
                "Proceed",
            ),
            (
                vec![(0, claim("a")), (1, release("b")), (2, claim("b"))],
                "InFlight",
            ),
            (vec![(0, claim("a")), (1, commit("b"))], "Lost"),
            (vec![(0, claim("a")), (lease, commit("a"))], "Lost"),
            (
                vec![(0, claim("a")), (lease, claim("b")), (lease, commit("a"))],
                "Lost",
            ),
            (
                vec![(0, claim("a")), (1, commit("a")), (1, commit("a"))],
                "Taken",
            ),
            (
                vec![(0, claim("a")), (1, commit("a")), (2, claim("b"))],
                "committed by a",
            ),
            (
                vec![
                    (0, claim("a")),
                    (1, commit("a")),
                    (2, release("a")),
                    (3, claim("b")),
                ],
                "Proceed",
            ),
            (
                vec![(0, claim("a")), (1, answer("a", "x")), (2, claim("b"))],
                "InFlight",
            ),
            (vec![(0, commit("a"))], "Lost"),
            (vec![(0, answer("a", "x"))], "Lost"),
        ] {
            assert_eq!(run(&steps), want, "{steps:?}");
        }
    }

    #[test]
    fn the_first_answer_is_the_one_that_is_repeated() {
        let answered = [
            (0, claim("a")),
            (1, commit("a")),
            (2, answer("a", "first")),
            (3, answer("a", "second")),
        ];
        for (secs, want) in [
            (4, "answered first of a"),
            (DAY, "answered first of a"),
            (DAY + 1, "Proceed"),
        ] {
            let steps = [&answered[..], &[(secs, claim("b"))]].concat();
            assert_eq!(run(&steps), want, "{secs}");
        }
    }

    #[test]
    fn the_answer_of_whoever_waited_replaces_the_first_one_once() {
        let begun = [(0, claim("a")), (1, commit("a")), (2, answer("a", "began"))];
        for (more, want) in [
            (vec![answer_of(201, "a", "ended")], "answered ended of a"),
            (
                vec![answer_of(422, "a", "failed"), answer_of(201, "a", "ended")],
                "answered failed of a",
            ),
            (
                vec![answer_of(201, "a", "ended"), answer("a", "began")],
                "answered ended of a",
            ),
            (vec![answer_of(201, "b", "other")], "answered began of a"),
        ] {
            let more = more.into_iter().map(|command| (3, command)).collect();
            let steps = [begun.to_vec(), more, vec![(4, claim("c"))]].concat();
            assert_eq!(run(&steps), want, "{steps:?}");
        }
    }

    #[test]
    fn the_alarm_forgets_what_is_due_and_nothing_else() {
        let claimed = apply(None, claim("a"), at(0), DAY).record;
        for (secs, kept) in [(LEASE_SECS - 1, true), (LEASE_SECS, false)] {
            let decision = apply(claimed.clone(), KeyCommand::Alarm, at(secs), DAY);
            assert_eq!(decision.record.is_some(), kept, "{secs}");
        }
    }
}
