//! Bindings that only the edge has.

use worker::{Env, Result};

use crate::bindings;
use crate::platform::{D1Index, KeyClient, KvStatus, ResizeQueue, Timings};

/// The idempotency keys.
pub fn keys(env: &Env) -> Result<KeyClient> {
    Ok(KeyClient::new(
        env.durable_object(bindings::IDEMPOTENCY_KEY)?,
    ))
}

/// Copies of records.
pub fn status(env: &Env, timings: Timings) -> Result<KvStatus> {
    Ok(KvStatus::new(env.kv(bindings::STATUS)?, timings))
}

/// The index of jobs.
pub fn index(env: &Env) -> Result<D1Index> {
    Ok(D1Index::new(env.d1(bindings::DB)?))
}

/// The resize queue's sending end.
pub fn queue(env: &Env) -> Result<ResizeQueue> {
    Ok(ResizeQueue::new(env.queue(bindings::RESIZE_QUEUE)?))
}
