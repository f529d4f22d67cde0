//! What a job is and how it moves.
//!
//! `state` says which steps exist, `record` what is remembered of a job,
//! `ledger` decides about every command that reaches it, `message` is what travels on the queue,
//! `outcome` what a consumer makes of a delivery.

pub mod ledger;
pub mod message;
pub mod outcome;
pub mod record;
pub mod state;

pub use ledger::{Command, Decision, Timing, Verdict};
pub use message::Message;
pub use outcome::{Outcome, backoff_secs};
pub use record::{Record, Source, Thumbnail};
pub use state::{Event, State};
