//! The sending ends of the queues.

use thumbnail_core::job::{Message, WebhookMessage};
use thumbnail_core::ports::{JobQueue, StoreError, WebhookQueue};
use wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Queue, QueueContentType, RawMessageBuilder, js_sys};

use super::{store_error, time_boxed};

/// The queue of deliveries to webhooks.
pub struct EventQueue {
    queue: Queue,
}

impl EventQueue {
    /// Over a queue.
    pub fn new(queue: Queue) -> Self {
        Self { queue }
    }
}

impl WebhookQueue for EventQueue {
    async fn send(&self, message: &WebhookMessage) -> Result<(), StoreError> {
        send(&self.queue, message.encode()).await
    }
}

async fn send(queue: &Queue, text: String) -> Result<(), StoreError> {
    // Text, because objects are changed on their way through JavaScript.
    let raw = RawMessageBuilder::new(text.into()).build_with_content_type(QueueContentType::Text);
    // If it is given up, the job's alarm sends again.
    time_boxed(async { queue.send_raw(raw).await.map_err(|e| store_error(&e)) }).await
}

/// The resize queue.
pub struct ResizeQueue {
    queue: Queue,
}

impl ResizeQueue {
    /// Over a queue.
    pub fn new(queue: Queue) -> Self {
        Self { queue }
    }
}

impl JobQueue for ResizeQueue {
    async fn send(&self, message: &Message) -> Result<(), StoreError> {
        send(&self.queue, message.encode()).await
    }

    async fn backlog(&self) -> Result<Option<u64>, StoreError> {
        // The binding has it, the worker crate does not yet.
        let queue: &JsValue = self.queue.as_ref();
        let metrics = js_sys::Reflect::get(queue, &"metrics".into()).ok();
        let Some(metrics) = metrics.and_then(|f| f.dyn_into::<js_sys::Function>().ok()) else {
            return Ok(None);
        };
        let failed = |e: JsValue| StoreError::Transient(format!("{e:?}"));
        let promise = js_sys::Promise::resolve(&metrics.call0(queue).map_err(failed)?);
        let answer = time_boxed(async { JsFuture::from(promise).await.map_err(failed) }).await?;
        let count = js_sys::Reflect::get(&answer, &"backlogCount".into()).map_err(failed)?;
        Ok(count.as_f64().map(whole))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and a count is neither negative nor near 2^64"
)]
fn whole(count: f64) -> u64 {
    count as u64
}
