//! The use cases, over ports. The order of effects lives here and nowhere else.
//!
//! - Uploads: `upload` reads one with its options, `fetch` from an address; `accept` and `intake` store it and begin
//!   the job; `idempotent_upload` does so once; `body`, `header` and `metadata` are what they read by.
//! - What gets in: `admission` within the `budget` of the instance, `overload` while the queue keeps up; `drain` reads
//!   what a refusal leaves unread.
//! - Attempts: `process` makes thumbnails within the `memory` of its instance, by `render`.
//! - Jobs: `job` carries out what the ledger decided, `waiters` lets a request wait for it; `key` does the same for
//!   idempotency keys.
//! - Reads: `serve`, `thumbnail_reply`, `wait`, `list`, `ready`.
//! - Changes: `change` cancels and retries, `extend` makes another size; `deliver` and `ongoing` send webhooks.
//! - Upkeep: `sweep` clears up what a crash left, `reindex` keeps the index true; `null_store` stores nothing.

pub mod accept;
pub mod admission;
pub mod body;
pub mod budget;
pub mod change;
pub mod deliver;
pub mod drain;
pub mod extend;
pub mod fetch;
pub mod header;
pub mod idempotent_upload;
mod intake;
pub mod job;
pub mod key;
pub mod list;
#[cfg(feature = "decode")]
pub mod memory;
mod metadata;
mod null_store;
pub mod ongoing;
pub mod overload;
#[cfg(feature = "decode")]
pub mod process;
pub mod ready;
pub mod reindex;
#[cfg(feature = "decode")]
pub mod render;
pub mod serve;
pub mod sweep;
mod thumbnail_reply;
pub mod upload;
pub mod wait;
pub mod waiters;
