//! The use cases, over ports. The order of effects lives here and nowhere else.
//!
//! `accept` takes an upload, `job` carries out what the ledger decided, `process` makes the
//! thumbnails, `serve` answers reads, `sweep` clears up what a crash left.

pub mod accept;
mod header;
pub mod job;
pub mod process;
pub mod serve;
pub mod sweep;
