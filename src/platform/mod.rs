//! Adapters: one binding call per method, types and errors translated, nothing decided.
//!
//! What only one of the two Workers has stands behind its feature.

pub mod job_client;

mod clock;
#[cfg(feature = "edge")]
mod d1;
#[cfg(feature = "edge")]
mod disconnect;
#[cfg(feature = "edge")]
mod feeds;
#[cfg(feature = "edge")]
mod key_client;
#[cfg(feature = "edge")]
mod kv;
mod memory;
#[cfg(feature = "edge")]
mod payload;
#[cfg(feature = "edge")]
mod queue;
mod r2;
mod r2_stream;
#[cfg(feature = "edge")]
pub mod random;
#[cfg(feature = "origin")]
mod receivers;
#[cfg(feature = "edge")]
mod sources;
#[cfg(feature = "edge")]
mod stream;
#[cfg(feature = "edge")]
mod time_box;
mod timings;

pub use clock::WorkerClock;
#[cfg(feature = "edge")]
pub use d1::D1Index;
#[cfg(feature = "edge")]
pub use disconnect::Disconnect;
#[cfg(feature = "edge")]
pub use feeds::{Feeds, News};
pub use job_client::JobClient;
#[cfg(feature = "edge")]
pub use job_client::Listening;
#[cfg(feature = "edge")]
pub use key_client::KeyClient;
#[cfg(feature = "edge")]
pub use kv::KvStatus;
pub use memory::memory_high_water;
#[cfg(feature = "edge")]
pub use payload::Payload;
#[cfg(feature = "edge")]
pub use queue::{EventQueue, ResizeQueue};
#[cfg(feature = "edge")]
pub use r2::R2Body;
pub use r2::R2Store;
#[cfg(feature = "origin")]
pub use receivers::HttpReceivers;
#[cfg(feature = "edge")]
pub use sources::HttpSources;
#[cfg(feature = "edge")]
pub use stream::RequestBody;
#[cfg(feature = "edge")]
use time_box::time_boxed;
pub use timings::Timings;

use thumbnail_core::ports::StoreError;
#[cfg(feature = "edge")]
use worker::WebSocket;

/// What a binding threw, sorted by whether another try makes sense.
///
/// Bindings tell their faults by text only: an overload is recognized by it, all else may pass.
pub fn store_error(error: &worker::Error) -> StoreError {
    let text = error.to_string();
    if text.contains("overloaded") || text.contains("Too Many Requests") {
        StoreError::Overloaded(text)
    } else {
        StoreError::Transient(text)
    }
}

/// Closes a socket, if it is not closed already.
#[cfg(feature = "edge")]
pub fn close(socket: &WebSocket, code: u16, reason: &str) {
    let _ = socket.close(Some(code), Some(reason));
}
