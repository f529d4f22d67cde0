//! The webhook queue. The messages of a batch are handled at the same time: each waits for its
//! receiver, and a slow one must not hold the others up.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use thumbnail_core::job::Outcome;
use thumbnail_core::service::deliver::Courier;
use worker::{MessageBatch, MessageExt};

use super::{body, settle};
use crate::app::App;
use crate::platform::HttpReceivers;
use crate::telemetry;

/// Delivers the events that the messages name.
pub async fn deliver(batch: &MessageBatch<String>, app: &App) {
    let receivers = HttpReceivers {
        timeout: Duration::from_secs(app.config.webhooks.timeout_secs.into()),
    };
    let (ledger, receivers) = (&app.jobs, &receivers);
    let courier = &Courier { ledger, receivers };
    join_all(batch.raw_iter().map(|message| async move {
        let text = body(&message);
        let delivered = courier.deliver(&text).await;
        // What the receiver is called stays out of the log: its address may hold a secret.
        let fields = json!({
            "message": message.id(),
            "body": text,
            "outcome": format!("{:?}", delivered.outcome),
            "answer": format!("{:?}", delivered.answer),
        });
        if delivered.gave_up {
            telemetry::alert("webhook_given_up", &fields);
        }
        settle(&message, &delivered.outcome, &fields);
    }))
    .await;
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
