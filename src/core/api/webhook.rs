//! What a webhook's receiver gets: `{ type, timestamp, data }`, signed as Standard Webhooks has it.

use std::time::SystemTime;

use serde::Serialize;
use url::Url;

use super::document::StatusDocument;
use crate::job::State;
use crate::job::webhook::{Delivery, Stage, Webhook, WebhookEvent, WebhookRequest};
use crate::signature::Secrets;
use crate::timestamp::Timestamp;

#[derive(Serialize)]
struct Payload<'a> {
    r#type: &'static str,
    timestamp: String,
    data: StatusDocument<'a>,
}

/// The request that tells an event, as it is signed now, with URLs at `base`. Its body is the same at
/// each attempt.
pub fn compose(
    webhook: &Webhook,
    event: &WebhookEvent,
    base: &str,
    now: Timestamp,
    secrets: &Secrets,
) -> WebhookRequest {
    let payload = Payload {
        r#type: event_type(event.job.state),
        timestamp: event.job.updated_at.to_string(),
        data: StatusDocument::new(&event.job, base),
    };
    let body = serde_json::to_string(&payload).unwrap_or_default();
    let (id, timestamp) = (event.id(), now.as_millis() / 1_000);
    WebhookRequest {
        url: webhook.url.clone(),
        signature: secrets.sign(&id, timestamp, &body),
        id,
        timestamp,
        body,
    }
}

/// The type of the event that a job came to a state.
const fn event_type(state: State) -> &'static str {
    match state {
        State::Done => "thumbnail.done",
        State::Failed => "thumbnail.failed",
        State::Cancelled => "thumbnail.cancelled",
        State::Expired => "thumbnail.expired",
        // Nobody is told of these.
        State::Pending | State::Processing | State::Retrying => "thumbnail.open",
    }
}

/// The pause that `Retry-After` asks for (RFC 9110, section 10.2.3), in seconds: a number of them, or a
/// date in any of its three forms. What is neither is ignored.
pub fn retry_after_secs(text: &str, now: Timestamp) -> Option<u32> {
    let text = text.trim();
    if let Ok(secs) = text.parse() {
        return Some(secs);
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let at = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let secs = at.as_secs().saturating_sub(now.as_millis() / 1_000);
    Some(u32::try_from(secs).unwrap_or(u32::MAX))
}

/// A job's webhook as its clients see it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookDocument<'a> {
    /// Scheme and host only: what follows may be a secret.
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deliveries: Vec<DeliveryDocument<'a>>,
}

/// An attempt at an event as clients see it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryDocument<'a> {
    at: String,
    r#type: &'static str,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> WebhookDocument<'a> {
    /// The document of a webhook.
    pub fn new(webhook: &'a Webhook) -> Self {
        let origin = |url: Url| url.origin().ascii_serialization();
        let next = webhook.events.iter().filter(|e| e.stage == Stage::Waiting);
        let next_attempt_at = next.filter_map(|event| event.due_at).min();
        Self {
            url: Url::parse(&webhook.url).map(origin).unwrap_or_default(),
            status: status(webhook),
            next_attempt_at: next_attempt_at.map(|at| at.to_string()),
            deliveries: webhook
                .deliveries
                .iter()
                .map(DeliveryDocument::new)
                .collect(),
        }
    }
}

impl<'a> DeliveryDocument<'a> {
    fn new(delivery: &'a Delivery) -> Self {
        Self {
            at: delivery.at.to_string(),
            r#type: event_type(delivery.state),
            attempt: delivery.attempt,
            status: delivery.status,
            error: delivery.error.as_deref(),
        }
    }
}

/// How the last event fares; absent while nothing has happened.
fn status(webhook: &Webhook) -> Option<&'static str> {
    let last = webhook.events.last()?;
    if webhook.is_waiting() {
        return Some("waiting");
    }
    Some(match last.stage {
        Stage::GivenUp => "given_up",
        Stage::Unwanted => "unwanted",
        _ => "delivered",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::record::{Source, Thumbnail};
    use crate::job::{Failure, FailureKind};
    use crate::job::{NewJob, Record};
    use thumbnail_pipeline::{ImageFormat, Options, OutputFormat, Variant};

    const URL: &str = "https://example.com/T0/path?token=secret";

    /// The largest document that there is: 16 thumbnails with the longest names.
    fn largest() -> Record {
        let name = |n: usize| format!("{n:0>32}");
        let now = Timestamp::from_millis(1_795_428_000_000);
        let new = NewJob {
            id: "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa".parse().unwrap(),
            owner: "anonymous".into(),
            source: Source {
                filename: Some("\u{1}".repeat(255)),
                format: ImageFormat::Jpeg,
                width: Some(1_000_000),
                height: Some(400),
                bytes: 33_554_432,
                sha256: "0".repeat(64),
            },
            variants: (0..16)
                .map(|n| Variant {
                    name: name(n),
                    options: Options::default(),
                })
                .collect(),
            planned_bytes: None,
            expires_at: Some(now),
            webhook: Some(Webhook::new(
                URL.into(),
                format!("https://{}.example", "a".repeat(200)),
            )),
        };
        let mut record = Record::new(new, now);
        record.state = State::Done;
        record.thumbnails = (0..16)
            .map(|n| Thumbnail {
                name: name(n),
                format: OutputFormat::Jpeg,
                width: 4_096,
                height: 4_096,
                bytes: 16_777_216,
                etag: "0".repeat(64),
            })
            .collect();
        record.thumbhash = Some("0".repeat(40));
        record.failure = Some(Failure {
            kind: FailureKind::Internal,
            detail: "x".repeat(500),
        });
        record
    }

    fn event(record: &Record) -> WebhookEvent {
        WebhookEvent {
            stage: Stage::Underway,
            attempts: 1,
            step: 1,
            sends: 1,
            due_at: None,
            job: Box::new(Record {
                webhook: None,
                ..record.clone()
            }),
        }
    }

    fn secrets() -> Secrets {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
        let var = |name: &str| (name == "WEBHOOK_SECRET").then(|| secret.clone());
        Secrets::parse(var).unwrap().unwrap()
    }

    #[test]
    fn a_pause_is_a_number_or_a_date() {
        // The example of RFC 9110: 784,111,777 s.
        let now = Timestamp::from_millis(784_111_700_000);
        for (text, secs) in [
            (" 120 ", Some(120)),
            ("0", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(77)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(77)),
            ("Sun Nov  6 08:49:37 1994", Some(77)),
            ("Sat, 05 Nov 1994 08:49:37 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(u32::MAX)),
            ("-1", None),
            ("1.5", None),
            ("99999999999", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after_secs(text, now), secs, "{text:?}");
        }
    }

    #[test]
    fn the_largest_event_stays_below_20_kb_and_is_the_same_each_time() {
        let record = largest();
        let webhook = record.webhook.clone().unwrap();
        let now = Timestamp::from_millis(1_795_428_009_999);
        let base = "https://thumbs.example";
        let request = compose(&webhook, &event(&record), base, now, &secrets());
        assert!(request.body.len() < 20_000, "{}", request.body.len());
        assert_eq!(
            (request.url.as_str(), request.timestamp),
            (URL, 1_795_428_009)
        );
        let later = compose(
            &webhook,
            &event(&record),
            base,
            now.plus_secs(9),
            &secrets(),
        );
        assert_eq!((&request.body, &request.id), (&later.body, &later.id));
        assert_ne!(request.signature, later.signature);
        let value: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(value["type"], "thumbnail.done");
        assert_eq!(value["timestamp"], "2026-11-23T10:00:00.000Z");
        assert_eq!(value["data"]["status"], "done");
        assert!(value["data"].get("webhook").is_none());
    }

    #[test]
    fn no_document_shows_more_of_a_receiver_than_its_origin() {
        let mut record = largest();
        let event = event(&record);
        record.webhook.as_mut().unwrap().events.push(event);
        let document = StatusDocument::new(&record, "https://thumbs.example");
        let text = serde_json::to_string(&document).unwrap();
        assert!(text.contains(r#""webhook":{"url":"https://example.com","status":"waiting"}"#));
        assert!(!text.contains("secret") && !text.contains("/T0/"), "{text}");
        let request = compose(
            record.webhook.as_ref().unwrap(),
            record.webhook.as_ref().unwrap().events.first().unwrap(),
            "https://thumbs.example",
            Timestamp::default(),
            &secrets(),
        );
        let shown = format!("{request:?}");
        assert!(
            !shown.contains("secret") && !shown.contains("v1,"),
            "{shown}"
        );
    }
}
