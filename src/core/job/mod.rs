//! What a job is and how it moves.
//!
//! `state` says which steps exist, `record` what is remembered of a job, `failure` why it failed,
//! `ledger` decides about every `command` that reaches it, as patiently as `policy` says,
//! `rescue` about what a job does by itself,
//! `expiry` about what its time is over for,
//! `extension` makes more thumbnails of a job that is done,
//! `webhook` is what its receiver is told, `delivery` decides about that, `outbox` joins the two,
//! `message` is what travels on the queue, `outcome` what a consumer makes of a delivery.

pub mod command;
mod delivery;
pub mod expiry;
pub mod extension;
pub mod failure;
pub mod ledger;
pub mod message;
mod outbox;
pub mod outcome;
pub mod policy;
pub mod record;
mod rescue;
pub mod state;
pub mod webhook;

pub use command::{Command, Finish, NewJob, Verdict};
pub use failure::{Failure, FailureKind};
pub use ledger::{Decision, FollowUp};
pub use message::{Message, WebhookMessage};
pub use outbox::advance;
pub use outcome::{Outcome, backoff_secs};
pub use policy::{Policy, Schedule};
pub use record::{Extension, Intent, Record, Refused, Source, Thumbnail};
pub use state::{Event, State};
pub use webhook::{Webhook, WebhookCommand};
