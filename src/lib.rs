//! The edge-thumbnails Worker: one build that is deployed twice.
//!
//! The **edge** (`wrangler.toml`) takes `fetch` and `scheduled` and holds the Durable Objects `Job` and `IdempotencyKey`;
//! the **origin** (`wrangler.origin.toml`) takes `queue`. Pixels are decoded in the origin only.
//!
//! `handlers` answer requests, `consumer` handles messages, `platform` adapts bindings to the ports
//! of `thumbnail_core`, `app` puts them together. What is decided is decided in the core.

mod app;
mod bindings;
mod consumer;
mod handlers;
mod platform;
mod sweeper;
mod telemetry;

pub use platform::job_object::Job;
pub use platform::key_object::IdempotencyKey;

use worker::{
    Context, Env, MessageBatch, Request, Response, Result, ScheduleContext, ScheduledEvent, event,
};

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    handlers::handle(request, env, context).await
}

#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    sweeper::sweep(&env, event.schedule()).await;
}

// An `Err` from here would panic and reset the instance: every fault is told message by message.
#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, context: Context) -> Result<()> {
    consumer::consume(&batch, &env, &context).await;
    Ok(())
}
