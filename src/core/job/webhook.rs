//! A job's webhook: what is to be told, what was told, and when it is told next.
//!
//! The job is the outbox. An event is noted in the record by the save that ends the job; the message
//! that asks for its delivery is a hint, sent again until somebody takes it. Each attempt is begun
//! and reported here, so that no two run at a time and the pauses between them are kept.

use serde::{Deserialize, Serialize};

use super::command::Verdict;
use super::record::{Record, is_zero};
use super::state::State;
use crate::timestamp::Timestamp;

/// How many deliveries the log holds.
const MAX_DELIVERIES: usize = 10;

/// The most bytes of an error that are kept.
const MAX_ERROR_BYTES: usize = 200;

/// Where a job's events go, and how far they got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    /// The receiver. It may hold secrets: never shown nor logged as a whole.
    pub url: String,
    /// The service's origin as the upload knew it, for URLs where the configuration names none: an
    /// event is told when no request is at hand that could say another, and its URLs must be absolute.
    pub base: String,
    /// Whether the receiver wants no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// How often a client had events delivered again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub redeliveries: u32,
    /// When that may be done again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeliver_at: Option<Timestamp>,
    /// What is to be told, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<WebhookEvent>,
    /// The last deliveries, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<Delivery>,
}

/// The end of a job, to be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookEvent {
    /// How far it got.
    pub stage: Stage,
    /// Attempts begun.
    pub attempts: u32,
    /// Steps of the schedule taken.
    pub step: u32,
    /// Messages sent for the next attempt.
    pub sends: u32,
    /// When something is to be done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// The job as it was then: the same is told at each attempt.
    pub job: Box<Record>,
}

/// How far an event got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its time has not come.
    Waiting,
    /// A message asks for its delivery.
    Sent,
    /// An attempt is under way.
    Underway,
    /// The receiver has it.
    Delivered,
    /// Every attempt failed.
    GivenUp,
    /// The receiver does not want it.
    Unwanted,
}

/// One attempt at an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// When it ended.
    pub at: Timestamp,
    /// The state that was told.
    pub state: State,
    /// Counts from 1.
    pub attempt: u32,
    /// What the receiver answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// The receiver answered.
    Status {
        /// The HTTP status.
        status: u16,
        /// The pause that it asks for, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_secs: Option<u32>,
    },
    /// It did not.
    Error {
        /// Why.
        error: String,
    },
}

/// What is asked of a job about its webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "webhook")]
pub enum WebhookCommand {
    /// A consumer wants to begin an attempt at an event.
    Deliver {
        /// Which one.
        event: u64,
    },
    /// The attempt has ended.
    Report {
        /// Which event.
        event: u64,
        /// The attempt.
        attempt: u32,
        /// How it ended.
        answer: Answer,
    },
    /// The client wants everything delivered that was not, or else the last event once more.
    Redeliver,
}

/// A signed request that tells an event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRequest {
    /// Where it goes.
    pub url: String,
    /// `webhook-id`
    pub id: String,
    /// `webhook-timestamp`, in seconds since 1970
    pub timestamp: u64,
    /// `webhook-signature`
    pub signature: String,
    /// The body, JSON.
    pub body: String,
}

/// Shows its id only: the rest is for the receiver alone.
impl std::fmt::Debug for WebhookRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookRequest({})", self.id)
    }
}

impl Answer {
    /// The answer without an address that may hold secrets: whoever reports a fault may repeat it.
    #[must_use]
    pub fn without(self, url: &str) -> Self {
        match self {
            Self::Error { error } => Self::Error {
                error: error.replace(url, "the receiver"),
            },
            status @ Self::Status { .. } => status,
        }
    }
}

impl Stage {
    /// Whether nothing will be done about it by itself.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Delivered | Self::GivenUp | Self::Unwanted)
    }
}

impl Webhook {
    /// A receiver of whatever will happen.
    pub fn new(url: String, base: String) -> Self {
        Self {
            url,
            base,
            disabled: false,
            redeliveries: 0,
            redeliver_at: None,
            events: Vec::new(),
            deliveries: Vec::new(),
        }
    }

    /// When something is to be done about an event.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.events.iter().filter_map(|event| event.due_at).min()
    }

    /// Whether an event is still to be told.
    pub fn is_waiting(&self) -> bool {
        self.events.iter().any(|event| !event.stage.is_over())
    }

    /// An event by its number.
    pub fn event(&self, number: u64) -> Option<&WebhookEvent> {
        self.events.iter().find(|event| event.number() == number)
    }

    pub(super) fn event_mut(&mut self, number: u64) -> Option<&mut WebhookEvent> {
        let mut events = self.events.iter_mut();
        events.find(|event| event.number() == number)
    }

    pub(super) fn log(&mut self, delivery: Delivery) {
        if self.deliveries.len() >= MAX_DELIVERIES {
            self.deliveries.remove(0);
        }
        self.deliveries.push(delivery);
    }
}

impl WebhookEvent {
    /// Tells it from all others of its job, and rises: the revision of its job.
    pub fn number(&self) -> u64 {
        self.job.revision
    }

    /// The `webhook-id`: the same at each attempt, and of no other event.
    ///
    /// It is made of what the end is, not of the revision: an end whose record was lost with the power
    /// comes about once more with another revision, and is the same end to whoever was told.
    pub fn id(&self) -> String {
        let Record {
            id,
            state,
            reruns,
            extensions,
            ..
        } = &*self.job;
        format!("msg_{id}_{}_{reruns}_{extensions}", state.name())
    }

    pub(super) fn failed(&self, at: Timestamp, error: &str) -> Delivery {
        Delivery {
            at,
            state: self.job.state,
            attempt: self.attempts,
            status: None,
            error: Some(shortened(error)),
        }
    }
}

pub(super) fn shortened(text: &str) -> String {
    let mut end = text.len().min(MAX_ERROR_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

impl Verdict {
    /// Whether an event was given up by what this tells.
    pub fn gave_up(&self, number: u64) -> bool {
        let Self::Recorded { record, .. } = self else {
            return false;
        };
        let event = record.webhook.as_ref().and_then(|w| w.event(number));
        event.is_some_and(|event| event.stage == Stage::GivenUp)
    }
}
