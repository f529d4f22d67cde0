//! Messages of the queues, one after the other: an instance never decodes two pictures at a time.

use serde_json::json;
use thumbnail_core::job::Outcome;
use thumbnail_core::service::process::Processor;
use thumbnail_core::service::render::Pipeline;
use worker::{Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, RawMessage};

use crate::app::App;
use crate::bindings::RESIZE_DEAD_QUEUE;
use crate::platform::memory_high_water;
use crate::telemetry;

/// The pause before messages are delivered again where the Worker itself is set up wrongly.
const MISCONFIGURED_RETRY_SECS: u32 = 60;

/// Handles every message of a batch and says for each what is to become of it.
pub async fn consume(batch: &MessageBatch<String>, env: &Env) {
    let app = match App::from_env(env) {
        Ok(app) => app,
        Err(error) => {
            telemetry::alert("misconfigured", &json!({ "error": error.to_string() }));
            batch.retry_all_with_options(&delay(MISCONFIGURED_RETRY_SECS));
            return;
        }
    };
    let processor = Processor {
        objects: &app.objects,
        ledger: &app.jobs,
        renderer: Pipeline,
        limits: app.config.limits,
        memory_high_water,
    };
    let dead = batch.queue() == RESIZE_DEAD_QUEUE;
    for message in batch.raw_iter() {
        // A body that is not text is undecodable like any other nonsense.
        let body = message.body().as_string().unwrap_or_default();
        let outcome = if dead {
            processor.bury(&body).await
        } else {
            processor.process(&body).await
        };
        settle(&message, &outcome, dead);
    }
}

fn settle(message: &RawMessage, outcome: &Outcome, dead: bool) {
    let fields =
        json!({ "message": message.id(), "dead": dead, "outcome": format!("{outcome:?}") });
    match outcome {
        Outcome::Complete => message.ack(),
        Outcome::Retry { after_secs } => message.retry_with_options(&delay(*after_secs)),
        Outcome::Discard { .. } => {
            message.ack();
            telemetry::alert("message_discarded", &fields);
            return;
        }
    }
    telemetry::log("message", &fields);
}

fn delay(secs: u32) -> worker::QueueRetryOptions {
    QueueRetryOptionsBuilder::new()
        .with_delay_seconds(secs)
        .build()
}
