//! The resize queue, one message after the other: an instance never decodes two pictures at a time.

use serde_json::{Value, json};
use thumbnail_core::job::Outcome;
use thumbnail_core::service::process::Processor;
use thumbnail_core::service::render::Pipeline;
use worker::{MessageBatch, MessageExt, RawMessage};

use super::{body, settle};
use crate::app::App;
use crate::platform::{JobClient, R2Store, memory_high_water};

/// Makes the thumbnails that the messages ask for.
pub async fn process(batch: &MessageBatch<String>, app: &App) {
    let processor = processor(app);
    for message in batch.raw_iter() {
        let outcome = processor.process(&body(&message)).await;
        settle(&message, &outcome, &fields(&message, false, &outcome));
    }
}

/// Marks the jobs whose messages were given up.
pub async fn bury(batch: &MessageBatch<String>, app: &App) {
    let processor = processor(app);
    for message in batch.raw_iter() {
        let outcome = processor.bury(&body(&message)).await;
        settle(&message, &outcome, &fields(&message, true, &outcome));
    }
}

fn processor(app: &App) -> Processor<'_, R2Store, JobClient, Pipeline> {
    Processor {
        objects: &app.objects,
        ledger: &app.jobs,
        renderer: Pipeline,
        limits: app.config.limits,
        memory_high_water,
    }
}

fn fields(message: &RawMessage, dead: bool, outcome: &Outcome) -> Value {
    json!({ "message": message.id(), "dead": dead, "outcome": format!("{outcome:?}") })
}
