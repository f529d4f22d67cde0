//! The resize queue. The platform may run several invocations in one instance: together they decode
//! no more images than its memory holds.

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::{Value, json};
use thumbnail_core::Config;
use thumbnail_core::job::Outcome;
use thumbnail_core::service::memory::{LEASE_SECS, Memory};
use thumbnail_core::service::process::Processor;
use thumbnail_core::service::render::Pipeline;
use worker::{MessageBatch, MessageExt, RawMessage};

use super::{body, settle};
use crate::app::App;
use crate::platform::{JobClient, R2Store, WorkerClock, memory_high_water};

/// Makes the thumbnails that the messages ask for.
pub async fn process(batch: &MessageBatch<String>, app: &App) {
    let memory = memory(&app.config);
    let processor = processor(app, &memory);
    for message in batch.raw_iter() {
        let outcome = processor.process(&body(&message)).await;
        settle(&message, &outcome, &fields(&message, false, &outcome));
    }
}

/// Marks the jobs whose messages were given up.
pub async fn bury(batch: &MessageBatch<String>, app: &App) {
    let memory = memory(&app.config);
    let processor = processor(app, &memory);
    for message in batch.raw_iter() {
        let outcome = processor.bury(&body(&message)).await;
        settle(&message, &outcome, &fields(&message, true, &outcome));
    }
}

thread_local! {
    /// Of this instance.
    static MEMORY: OnceCell<Rc<Memory>> = const { OnceCell::new() };
}

/// What all invocations in this instance share: as much as one attempt may take, 64 of the 96 MiB that
/// wasm has. The rest is for the code, its stack, and what the allocator cannot use.
fn memory(config: &Config) -> Rc<Memory> {
    let new = || Rc::new(Memory::new(config.limits.max_memory_bytes, LEASE_SECS));
    MEMORY.with(|memory| memory.get_or_init(new).clone())
}

fn processor<'a>(
    app: &'a App,
    memory: &'a Memory,
) -> Processor<'a, R2Store, JobClient, WorkerClock, Pipeline> {
    Processor {
        objects: &app.objects,
        ledger: &app.jobs,
        clock: &WorkerClock,
        memory,
        renderer: Pipeline,
        limits: app.config.limits,
        memory_high_water,
    }
}

fn fields(message: &RawMessage, dead: bool, outcome: &Outcome) -> Value {
    json!({ "message": message.id(), "dead": dead, "outcome": format!("{outcome:?}") })
}
