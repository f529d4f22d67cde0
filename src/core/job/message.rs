//! What travels on the queues: ids, never bytes.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use crate::keys::JobId;
use crate::version::version_of;

/// Asks for an attempt at a job. A hint only: the job's record decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The job.
    pub job: JobId,
    /// The most memory that the attempt takes. Unknown: as much as an instance has.
    pub planned_bytes: Option<u64>,
}

/// Asks for a delivery of an event to a job's webhook. A hint as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookMessage {
    /// The job.
    pub job: JobId,
    /// The event's number.
    pub event: u64,
}

const VERSION: u32 = 1;

/// The version of a [`Message`] that says what its attempt takes. The origin reads both, and is
/// deployed before the edge, which writes them.
const PLANNED_VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Wire {
    v: u32,
    job: JobId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    planned_bytes: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct WebhookWire {
    v: u32,
    job: JobId,
    event: u64,
}

/// Why a message cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// It is none.
    #[error("not a message of this queue: {0}")]
    Nonsense(String),
    /// A later build has sent it.
    #[error("version {0} of a message is later than this build reads")]
    Later(u64),
}

/// The pause before a message of a later build is delivered again, to that build perhaps.
const LATER_RETRY_SECS: u32 = 60;

impl From<Undecodable> for Outcome {
    fn from(error: Undecodable) -> Self {
        match error {
            Undecodable::Nonsense(_) => Self::Discard {
                reason: error.to_string(),
            },
            Undecodable::Later(_) => Self::Retry {
                after_secs: LATER_RETRY_SECS,
            },
        }
    }
}

/// Reads JSON of a version up to `known`.
fn read<T: DeserializeOwned>(text: &str, known: u32) -> Result<T, Undecodable> {
    match version_of(text) {
        Some(v) if v > known.into() => Err(Undecodable::Later(v)),
        _ => serde_json::from_str(text).map_err(|e| Undecodable::Nonsense(e.to_string())),
    }
}

impl Message {
    /// The JSON text that is sent: of the first version where nothing more is known.
    pub fn encode(&self) -> String {
        match self.planned_bytes {
            None => serde_json::json!({ "v": VERSION, "job": self.job }),
            Some(bytes) => {
                serde_json::json!({ "v": PLANNED_VERSION, "job": self.job, "planned_bytes": bytes })
            }
        }
        .to_string()
    }

    /// Reads what [`Message::encode`] wrote.
    pub fn decode(text: &str) -> Result<Self, Undecodable> {
        let wire: Wire = read(text, PLANNED_VERSION)?;
        let planned_bytes = match (wire.v, wire.planned_bytes) {
            (VERSION, _) => None,
            (PLANNED_VERSION, Some(bytes)) => Some(bytes),
            (v, _) => {
                let what = format!("version {v} without what belongs to it");
                return Err(Undecodable::Nonsense(what));
            }
        };
        let job = wire.job;
        Ok(Self { job, planned_bytes })
    }
}

impl WebhookMessage {
    /// The JSON text that is sent.
    pub fn encode(&self) -> String {
        serde_json::json!({ "v": VERSION, "job": self.job, "event": self.event }).to_string()
    }

    /// Reads what [`WebhookMessage::encode`] wrote.
    pub fn decode(text: &str) -> Result<Self, Undecodable> {
        let wire: WebhookWire = read(text, VERSION)?;
        if wire.v != VERSION {
            return Err(Undecodable::Nonsense(format!("version {}", wire.v)));
        }
        let (job, event) = (wire.job, wire.event);
        Ok(Self { job, event })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_stays() {
        let text = r#"{"job":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","v":1}"#;
        let message = Message::decode(text).unwrap();
        assert_eq!(message.encode(), text);
        assert_eq!(message.planned_bytes, None);
        let text = r#"{"job":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","planned_bytes":5,"v":2}"#;
        let message = Message::decode(text).unwrap();
        assert_eq!(message.encode(), text);
        assert_eq!(message.planned_bytes, Some(5));
        let text = r#"{"event":3,"job":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","v":1}"#;
        let message = WebhookMessage::decode(text).unwrap();
        assert_eq!(message.encode(), text);
    }

    #[test]
    fn anything_else_is_undecodable() {
        for text in [
            "",
            "null",
            "{}",
            r#"{"v":1}"#,
            r#"{"v":2,"job":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa"}"#,
            r#"{"v":0,"job":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","event":1}"#,
            "\u{0}",
        ] {
            let message = Message::decode(text).map(drop);
            assert!(matches!(message, Err(Undecodable::Nonsense(_))), "{text:?}");
            assert!(WebhookMessage::decode(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_message_of_a_later_build_is_kept_for_it() {
        let text = r#"{"v":3,"job":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","event":{"new":1}}"#;
        let (resize, webhook) = (Message::decode(text), WebhookMessage::decode(text));
        assert_eq!(resize.unwrap_err(), Undecodable::Later(3));
        assert_eq!(webhook.clone().unwrap_err(), Undecodable::Later(3));
        let outcome = Outcome::from(webhook.unwrap_err());
        assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    }
}
