//! The platform-free heart of edge-thumbnails.
//!
//! Nothing in here knows a Worker, JavaScript, a clock or a source of randomness:
//! time, ids and bytes are arguments, so everything runs in native tests.
//!
//! `thumbnail_pipeline` turns bytes of an image into bytes of thumbnails and knows nothing of this.
//! `job` is the life of a job as pure functions, `api` the HTTP contract as plain data.
//! `service` puts them together over `ports`, which the Worker implements.

pub mod api;
pub mod config;
mod hex;
pub mod idempotency;
pub mod job;
pub mod keys;
pub mod object;
pub mod outbound;
pub mod pace;
pub mod ports;
pub mod range;
#[cfg(feature = "openapi")]
pub mod reference;
pub mod service;
pub mod signature;
#[cfg(feature = "testing")]
pub mod testing;
pub mod timestamp;
pub mod transfer;
pub mod version;

pub use config::Config;
pub use timestamp::Timestamp;
