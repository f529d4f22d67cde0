//! The resize queue's sending end.

use std::time::Duration;

use futures_util::future::{Either, select};
use std::pin::pin;
use thumbnail_core::job::Message;
use thumbnail_core::ports::{JobQueue, StoreError};
use worker::{Delay, Queue, QueueContentType, RawMessageBuilder};

use super::store_error;

/// A send that takes longer is given up; the job's alarm sends again. One has been seen to hang for 57 s.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

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
        // Text, because objects are changed on their way through JavaScript.
        let raw = RawMessageBuilder::new(message.encode().into())
            .build_with_content_type(QueueContentType::Text);
        let send = pin!(self.queue.send_raw(raw));
        match select(send, pin!(Delay::from(SEND_TIMEOUT))).await {
            Either::Left((sent, _)) => sent.map_err(|e| store_error(&e)),
            Either::Right(_) => Err(StoreError::Transient(
                "the queue did not answer in time".into(),
            )),
        }
    }
}
