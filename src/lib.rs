//! The edge-thumbnails Workers: two builds of one package, each a feature of it.
//!
//! The **edge** (`wrangler.toml`) takes `fetch` and `scheduled` and holds the Durable Objects `Job` and `IdempotencyKey`;
//! the **origin** (`wrangler.origin.toml`) takes `queue`. Only the origin has decoders.
//!
//! `handlers` answer requests, `objects` are the Durable Objects, `consumer` handles messages, `platform` adapts
//! bindings to the ports of `thumbnail_core`, `app` puts them together. What is decided is decided in the core.

#![cfg_attr(
    not(all(feature = "edge", feature = "origin")),
    allow(
        dead_code,
        reason = "adapters serve both Workers, and the linker drops what one does not call; lints see both at once"
    )
)]

mod app;
mod bindings;
#[cfg(feature = "origin")]
mod consumer;
#[cfg(feature = "edge")]
mod handlers;
#[cfg(feature = "edge")]
mod objects;
mod platform;
#[cfg(feature = "edge")]
mod sweeper;
mod telemetry;

#[cfg(feature = "edge")]
pub use objects::{IdempotencyKey, Job};

use worker::event;

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[cfg(feature = "edge")]
#[event(fetch)]
async fn fetch(
    request: worker::Request,
    env: worker::Env,
    context: worker::Context,
) -> worker::Result<worker::Response> {
    handlers::handle(request, env, context).await
}

#[cfg(feature = "edge")]
#[event(scheduled)]
async fn scheduled(
    event: worker::ScheduledEvent,
    env: worker::Env,
    _context: worker::ScheduleContext,
) {
    sweeper::sweep(&env, event.schedule()).await;
}

// An `Err` from here would panic and reset the instance: every fault is told message by message.
#[cfg(feature = "origin")]
#[event(queue)]
async fn queue(
    batch: worker::MessageBatch<String>,
    env: worker::Env,
    context: worker::Context,
) -> worker::Result<()> {
    consumer::consume(&batch, &env, &context).await;
    Ok(())
}
