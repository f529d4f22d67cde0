//! What reaches a job, and what it answers.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::record::{Intent, Record, Source, Thumbnail, VERSION};
use super::state::State;
use super::webhook::{Webhook, WebhookCommand, WebhookRequest};
use crate::keys::JobId;
use crate::timestamp::Timestamp;
use crate::transfer::StoreError;
use thumbnail_pipeline::Variant;

/// What reaches a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// An upload was stored: begin the job. Repeating it changes nothing.
    Create(Box<NewJob>),
    /// A consumer wants to begin an attempt.
    Start {
        /// Whether nothing else will run in its instance. An older origin does not know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alone: Option<bool>,
    },
    /// What the attempt takes does not fit beside what else runs in the instance: send the message
    /// again later. The message that asked for it is acknowledged.
    Defer {
        /// The attempt that has begun, if one has: it is not counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<u32>,
        /// What the attempt takes, where it turned out to be more than was known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        planned_bytes: Option<u64>,
    },
    /// The attempt stored every thumbnail.
    Finish(Box<Finish>),
    /// The file is at fault.
    Fail {
        /// Why.
        failure: Failure,
        /// The attempt that found it.
        #[serde(default)]
        attempt: Option<u32>,
    },
    /// The platform is at fault.
    Retry {
        /// The attempt that came back.
        attempt: u32,
        /// What failed, for the log and the record if it was the last attempt.
        reason: String,
    },
    /// The queue gave the job's message up.
    DeadLetter,
    /// The client calls it off, or deletes what was made.
    Cancel,
    /// The client wants a failed job tried again.
    Rerun,
    /// The client wants more thumbnails of a job that is done. Repeating it changes nothing.
    Extend {
        /// Which ones.
        variants: Vec<Variant>,
        /// The most memory that making them takes, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        planned_bytes: Option<u64>,
    },
    /// The alarm went off.
    Alarm,
    /// The alarm went off, and the queue is known to be long.
    Wait,
    /// Everybody was told of this revision.
    Told {
        /// Which one.
        revision: u64,
    },
    /// An intent was carried out.
    Carried {
        /// Which one.
        intent: Intent,
        /// The thumbnails that were there after all.
        found: Vec<Thumbnail>,
    },
    /// It is about the job's webhook.
    Webhook(WebhookCommand),
    /// Read only.
    Get,
}

/// What an attempt made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finish {
    /// The thumbnails.
    pub thumbnails: Vec<Thumbnail>,
    /// Width of the source in pixels, as it is shown.
    pub source_width: u32,
    /// Height of the source in pixels, as it is shown.
    pub source_height: u32,
    /// A placeholder, Base64.
    pub thumbhash: String,
    /// The instance's memory high-water mark.
    pub peak_memory_bytes: Option<u64>,
    /// Whether the file was cut or damaged, so that parts of the image are missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

/// A job to begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewJob {
    /// The job.
    pub id: JobId,
    /// Who uploaded it.
    pub owner: String,
    /// What was uploaded.
    pub source: Source,
    /// What was asked for.
    pub variants: Vec<Variant>,
    /// The most memory that making it takes, where the header says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_bytes: Option<u64>,
    /// When everything of it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Who is told of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

/// What a job answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// Begin attempt `attempt`.
    Proceed {
        /// Counts from 1.
        attempt: u32,
        /// The job as it is now.
        record: Box<Record>,
    },
    /// Send this, as attempt `attempt` at the event.
    Deliver {
        /// Counts from 1.
        attempt: u32,
        /// What to send.
        request: Box<WebhookRequest>,
    },
    /// There is nothing to do for a consumer: ended, ending, or in other hands.
    Stop {
        /// Where the job stands.
        state: State,
    },
    /// The change was taken.
    Recorded {
        /// The job as it is now.
        record: Box<Record>,
        /// Whether the queue said that it is overloaded: the job waits for its alarm.
        #[serde(default)]
        overloaded: bool,
    },
    /// The change came too late, or does not fit: the job stays as it is.
    Rejected {
        /// Where the job stands.
        state: State,
    },
    /// The upload took so long that its source may have been swept: there is no job.
    TooLate,
    /// Come again.
    RetryAfter {
        /// Seconds from now.
        secs: u32,
    },
    /// The job, as it was asked for.
    Found {
        /// The job as it is now.
        record: Box<Record>,
    },
    /// The job has as many thumbnails as a job may have.
    Full,
    /// It was asked for as often as it may be.
    UsedUp {
        /// How often that is.
        most: u32,
    },
    /// A thumbnail that is asked for again cannot be made.
    Refused {
        /// Why.
        failure: Failure,
    },
    /// There is no such job.
    Unknown,
}

/// What is read of an answer that is not understood.
#[derive(Default, Deserialize)]
struct Begun {
    #[serde(default)]
    attempt: Option<u32>,
}

impl Verdict {
    /// Reads a job's answer. The job's build may be later than this one.
    pub fn decode(text: &str) -> Result<Self, StoreError> {
        match serde_json::from_str(text) {
            Ok(verdict) if !Self::is_later(&verdict) => Ok(verdict),
            _ => {
                let Begun { attempt } = serde_json::from_str(text).unwrap_or_default();
                Err(StoreError::Unreadable { attempt })
            }
        }
    }

    fn is_later(&self) -> bool {
        match self {
            Self::Proceed { record, .. }
            | Self::Recorded { record, .. }
            | Self::Found { record } => record.v > VERSION,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_told_by_an_older_origin_is_understood() {
        let text = r#"{"command":"fail","failure":{"kind":"damaged-image","detail":"x"}}"#;
        let command: Command = serde_json::from_str(text).unwrap();
        assert!(matches!(command, Command::Fail { attempt: None, .. }));
    }

    const RECORD: &str = r#"{"v":1,"id":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","owner":"anonymous","state":"processing","revision":2,"attempts":1,"lost_attempts":0,"faults":0,"sends":1,"created_at":1000,"updated_at":2000,"source":{"format":"png","bytes":70,"sha256":"00"},"variants":[]}"#;

    #[test]
    fn an_answer_of_a_later_build_is_understood_or_its_attempt_is_known() {
        let proceed = |record: &str| {
            let text =
                format!(r#"{{"verdict":"proceed","attempt":3,"new":[1],"record":{record}}}"#);
            Verdict::decode(&text)
        };
        let more = RECORD.replace("{\"v\":1,", "{\"v\":1,\"new\":{},");
        for record in [RECORD, &more] {
            let verdict = proceed(record).unwrap();
            assert!(matches!(verdict, Verdict::Proceed { attempt: 3, .. }));
        }
        for (known, later) in [
            ("\"v\":1", "\"v\":2"),
            ("png", "newest"),
            ("processing", "new"),
        ] {
            let lost = proceed(&RECORD.replace(known, later));
            assert_eq!(
                lost,
                Err(StoreError::Unreadable { attempt: Some(3) }),
                "{later}"
            );
        }
        for text in [r#"{"verdict":"new"}"#, "", "[]"] {
            let lost = Verdict::decode(text);
            assert_eq!(
                lost,
                Err(StoreError::Unreadable { attempt: None }),
                "{text}"
            );
        }
    }

    #[test]
    fn the_sent_form_of_an_attempts_beginning_stays() {
        for text in [
            r#"{"command":"start"}"#,
            r#"{"command":"start","alone":true}"#,
            r#"{"command":"defer"}"#,
            r#"{"command":"defer","attempt":1,"planned_bytes":5}"#,
        ] {
            let command: Command = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&command).unwrap(), text);
        }
    }
}
