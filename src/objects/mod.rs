//! The Durable Objects: entry points of their own, one instance per job and per idempotency key.

mod idempotency_key;
mod job;
mod job_listeners;
mod job_platform;
mod record_storage;

pub use idempotency_key::IdempotencyKey;
pub use job::Job;
