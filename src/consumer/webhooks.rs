//! The webhook queue. A message is settled when its attempt has begun: a receiver that is slow to answer
//! holds up neither the messages beside it nor those behind it.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use thumbnail_core::job::Outcome;
use thumbnail_core::ports::Clock;
use thumbnail_core::service::deliver::{Attempt, WebhookSender};
use thumbnail_core::service::ongoing::Ongoing;
use worker::{Context, MessageBatch, MessageExt};

use super::{body, settle};
use crate::app::App;
use crate::platform::{HttpReceivers, JobClient, WorkerClock};
use crate::telemetry;

/// What the platform leaves an attempt when its batch is over; `WEBHOOK_TIMEOUT_SECS` is at most 25.
const LEFT_SECS: u32 = 30;

/// The most attempts that outlast their batches in an instance: of up to 20 KB each, twice, some 4 MB.
const MOST_ONGOING: usize = 100;

thread_local! {
    static ONGOING: Ongoing = const { Ongoing::new(MOST_ONGOING) };
}

/// Begins the deliveries that the messages ask for. Attempts outlast their batch where there is room
/// for them in the instance; others are waited for.
pub async fn deliver(batch: &MessageBatch<String>, app: &App, context: &Context) {
    let timeout = Duration::from_secs(app.config.webhooks.timeout_secs.into());
    let courier = &WebhookSender {
        ledger: &app.jobs,
        receivers: &HttpReceivers { timeout },
    };
    join_all(batch.raw_iter().map(|message| async move {
        let text = body(&message);
        let (outcome, attempt) = courier.begin(&text).await;
        let fields = json!({
            "message": message.id(),
            "body": text,
            "outcome": format!("{outcome:?}"),
        });
        settle(&message, &outcome, &fields);
        let Some(attempt) = attempt else {
            return;
        };
        let attempt = run(attempt, app.jobs.clone(), timeout, text);
        match ONGOING.with(|ongoing| ongoing.begin(WorkerClock.now(), LEFT_SECS)) {
            Some(place) => context.wait_until(async move {
                attempt.await;
                ONGOING.with(|ongoing| ongoing.end(place));
            }),
            None => attempt.await,
        }
    }))
    .await;
}

async fn run(attempt: Attempt, jobs: JobClient, timeout: Duration, text: String) {
    let courier = WebhookSender {
        ledger: &jobs,
        receivers: &HttpReceivers { timeout },
    };
    let delivered = courier.run(attempt).await;
    // What the receiver is called stays out of the log: its address may hold a secret.
    let fields = json!({ "body": text, "answer": format!("{:?}", delivered.answer) });
    if delivered.gave_up {
        telemetry::alert("webhook_given_up", &fields);
    } else {
        telemetry::log("webhook_attempt", &fields);
    }
}

/// Drops messages that the queue gave up. Their jobs send new ones by themselves.
pub fn bury(batch: &MessageBatch<String>) {
    for message in batch.raw_iter() {
        let outcome = Outcome::Discard {
            reason: "the queue gave up delivering the message".into(),
        };
        let fields =
            json!({ "message": message.id(), "dead": true, "outcome": format!("{outcome:?}") });
        settle(&message, &outcome, &fields);
    }
}
