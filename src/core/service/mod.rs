//! The use cases, over ports. The order of effects lives here and nowhere else.
//!
//! `upload` reads an upload with its options, `accept` stores it and begins the job; `admission` lets it in where
//! the `budget` of the instance has room for it, and `drain` reads what a refusal leaves unread;
//! `job` carries out what the ledger decided, `process` makes the
//! thumbnails within the `memory` of its instance, `overload` keeps uploads off a queue that cannot keep up, `serve` answers reads with `image`, `change` deletes and tries again, `sweep` clears up what a crash left,
//! `pace` tells a slow queue from a lost message,
//! `list` answers from the index of jobs, which `reindex` keeps true;
//! `wait` and `waiters` let a request wait for the end of a job,
//! `ready` asks every binding.

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
pub mod pace;
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
