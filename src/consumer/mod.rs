//! Messages of the queues: one file per queue's consumer, and what all of them do with an outcome.

mod resize;
mod webhooks;

use serde_json::{Value, json};
use thumbnail_core::job::Outcome;
use worker::{Context, Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, RawMessage};

use crate::app::App;
use crate::bindings::{RESIZE_DEAD_QUEUE, WEBHOOKS, WEBHOOKS_DEAD};
use crate::telemetry;

/// The pause before messages are delivered again where the Worker itself is set up wrongly.
const MISCONFIGURED_RETRY_SECS: u32 = 60;

/// Handles every message of a batch and says for each what is to become of it.
pub async fn consume(batch: &MessageBatch<String>, env: &Env, context: &Context) {
    let app = match App::from_env(env) {
        Ok(app) => app,
        Err(error) => {
            telemetry::alert("misconfigured", &json!({ "error": error.to_string() }));
            batch.retry_all_with_options(&delay(MISCONFIGURED_RETRY_SECS));
            return;
        }
    };
    match batch.queue().as_str() {
        WEBHOOKS => webhooks::deliver(batch, &app, context).await,
        WEBHOOKS_DEAD => webhooks::bury(batch),
        RESIZE_DEAD_QUEUE => resize::bury(batch, &app).await,
        _ => resize::process(batch, &app).await,
    }
}

/// A body that is not text is undecodable like any other nonsense.
fn body(message: &RawMessage) -> String {
    message.body().as_string().unwrap_or_default()
}

fn settle(message: &RawMessage, outcome: &Outcome, fields: &Value) {
    match outcome {
        Outcome::Complete | Outcome::Deferred => message.ack(),
        Outcome::Retry { after_secs } => message.retry_with_options(&delay(*after_secs)),
        Outcome::Discard { .. } => {
            message.ack();
            telemetry::alert("message_discarded", fields);
            return;
        }
    }
    telemetry::log("message", fields);
}

fn delay(secs: u32) -> worker::QueueRetryOptions {
    QueueRetryOptionsBuilder::new()
        .with_delay_seconds(secs)
        .build()
}
