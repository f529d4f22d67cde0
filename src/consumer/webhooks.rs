//! The webhook queue. A message is settled when its attempt has begun: a receiver that is slow to answer
//! holds up neither the messages beside it nor those behind it.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use thumbnail_core::job::Outcome;
use thumbnail_core::service::deliver::{Attempt, Courier};
use worker::{Context, MessageBatch, MessageExt};

use super::{body, settle};
use crate::app::App;
use crate::platform::{HttpReceivers, JobClient};
use crate::telemetry;

/// What attempts go on with when their batch is over.
struct Deliverer {
    app: App,
    receivers: HttpReceivers,
}

impl Deliverer {
    fn courier(&self) -> Courier<'_, JobClient, HttpReceivers> {
        Courier {
            ledger: &self.app.jobs,
            receivers: &self.receivers,
        }
    }

    async fn attempt(&self, id: String, text: String, attempt: Attempt) {
        let delivered = self.courier().attempt(attempt).await;
        // What the receiver is called stays out of the log: its address may hold a secret.
        let fields = json!({
            "message": id,
            "body": text,
            "outcome": format!("{:?}", delivered.outcome),
            "answer": format!("{:?}", delivered.answer),
        });
        if delivered.gave_up {
            telemetry::alert("webhook_given_up", &fields);
        }
        telemetry::log("message", &fields);
    }
}

/// Begins to deliver the events that the messages name. Attempts end after their batch, for which the
/// platform leaves 30 s: `WEBHOOK_TIMEOUT_SECS` is at most 25.
pub async fn deliver(batch: &MessageBatch<String>, app: App, context: &Context) {
    let timeout = Duration::from_secs(app.config.webhooks.timeout_secs.into());
    let receivers = HttpReceivers { timeout };
    let deliverer = &Rc::new(Deliverer { app, receivers });
    join_all(batch.raw_iter().map(|message| async move {
        let text = body(&message);
        match deliverer.courier().begin(&text).await {
            Ok(attempt) => {
                message.ack();
                let (deliverer, id) = (Rc::clone(deliverer), message.id());
                context.wait_until(async move { deliverer.attempt(id, text, attempt).await });
            }
            Err(outcome) => {
                let fields = json!({
                    "message": message.id(),
                    "body": text,
                    "outcome": format!("{outcome:?}"),
                });
                settle(&message, &outcome, &fields);
            }
        }
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
