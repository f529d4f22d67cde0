//! Adapters: one binding call per method, types and errors translated, nothing decided.

pub mod job_object;
pub mod key_object;

mod clock;
mod d1;
mod disconnect;
mod feeds;
mod job_client;
mod job_listeners;
mod job_platform;
mod key_client;
mod kv;
mod memory;
mod payload;
mod queue;
mod r2;
mod r2_stream;
mod receivers;
mod record_storage;
mod sources;
mod stream;
mod time_box;
mod timings;

pub use clock::WorkerClock;
pub use d1::D1Index;
pub use disconnect::Disconnect;
pub use feeds::{Feeds, News};
pub use job_client::{JobClient, Listening};
pub use job_listeners::JobListeners;
pub use job_platform::JobPlatform;
pub use key_client::KeyClient;
pub use kv::KvStatus;
pub use memory::memory_high_water;
pub use payload::Payload;
pub use queue::{EventQueue, ResizeQueue};
pub use r2::{R2Body, R2Store};
pub use receivers::HttpReceivers;
pub use sources::HttpSources;
pub use stream::RequestBody;
use time_box::time_boxed;
pub use timings::Timings;

use thumbnail_core::ports::StoreError;
use worker::WebSocket;

/// What a binding threw, sorted by whether another try makes sense.
///
/// Bindings tell their faults by text only: an overload is recognised by it, all else may pass.
fn store_error(error: &worker::Error) -> StoreError {
    let text = error.to_string();
    if text.contains("overloaded") || text.contains("Too Many Requests") {
        StoreError::Overloaded(text)
    } else {
        StoreError::Transient(text)
    }
}

/// Closes a socket, if it is not closed already.
pub fn close(socket: &WebSocket, code: u16, reason: &str) {
    let _ = socket.close(Some(code), Some(reason));
}
