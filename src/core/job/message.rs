//! What travels on the queues: ids, never bytes.

use serde::{Deserialize, Serialize};

use crate::keys::JobId;

/// Asks for an attempt at a job. A hint only: the job's record decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The job.
    pub job: JobId,
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

#[derive(Serialize, Deserialize)]
struct Wire {
    v: u32,
    job: JobId,
}

#[derive(Serialize, Deserialize)]
struct WebhookWire {
    v: u32,
    job: JobId,
    event: u64,
}

/// The body of a message is of no version that this build reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a message of this queue: {0}")]
pub struct Undecodable(String);

impl Message {
    /// The JSON text that is sent.
    pub fn encode(&self) -> String {
        serde_json::json!({ "v": VERSION, "job": self.job }).to_string()
    }

    /// Reads what [`Message::encode`] wrote.
    pub fn decode(text: &str) -> Result<Self, Undecodable> {
        let wire: Wire = serde_json::from_str(text).map_err(|e| Undecodable(e.to_string()))?;
        if wire.v != VERSION {
            return Err(Undecodable(format!("version {} is not {VERSION}", wire.v)));
        }
        Ok(Self { job: wire.job })
    }
}

impl WebhookMessage {
    /// The JSON text that is sent.
    pub fn encode(&self) -> String {
        serde_json::json!({ "v": VERSION, "job": self.job, "event": self.event }).to_string()
    }

    /// Reads what [`WebhookMessage::encode`] wrote.
    pub fn decode(text: &str) -> Result<Self, Undecodable> {
        let wire: WebhookWire =
            serde_json::from_str(text).map_err(|e| Undecodable(e.to_string()))?;
        if wire.v != VERSION {
            return Err(Undecodable(format!("version {} is not {VERSION}", wire.v)));
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
            "\u{0}",
        ] {
            assert!(Message::decode(text).is_err(), "{text:?}");
            assert!(WebhookMessage::decode(text).is_err(), "{text:?}");
        }
    }
}
