//! Configuration and adapters, put together once per event.

use thumbnail_core::Config;
use worker::{Env, Result};

use crate::bindings;
use crate::platform::{D1Index, JobClient, KeyClient, KvStatus, R2Store, ResizeQueue, Timings};

/// What the handlers of an event work with.
pub struct App {
    /// The configuration.
    pub config: Config,
    /// Sources and thumbnails.
    pub objects: R2Store,
    /// The jobs.
    pub jobs: JobClient,
    /// How long the bindings took.
    pub timings: Timings,
}

impl App {
    /// From the bindings that both Workers have.
    pub fn from_env(env: &Env) -> Result<Self> {
        let timings = Timings::default();
        Ok(Self {
            config: config(env)?,
            objects: R2Store::new(env.bucket(bindings::IMAGES)?, timings.clone()),
            jobs: JobClient::new(env.durable_object(bindings::JOB)?, timings.clone()),
            timings,
        })
    }
}

/// The configuration from `[vars]`. A variable that is empty is not set.
pub fn config(env: &Env) -> Result<Config> {
    let var = |name: &str| {
        let value = env.var(name).ok()?.to_string();
        (!value.is_empty()).then_some(value)
    };
    Config::parse(var).map_err(|error| worker::Error::RustError(error.to_string()))
}

/// The idempotency keys; only the edge has them.
pub fn keys(env: &Env) -> Result<KeyClient> {
    Ok(KeyClient::new(
        env.durable_object(bindings::IDEMPOTENCY_KEY)?,
    ))
}

/// Copies of records; only the edge has them.
pub fn status(env: &Env, timings: Timings) -> Result<KvStatus> {
    Ok(KvStatus::new(env.kv(bindings::STATUS)?, timings))
}

/// The index of jobs; only the edge has it.
pub fn index(env: &Env) -> Result<D1Index> {
    Ok(D1Index::new(env.d1(bindings::DB)?))
}

/// The resize queue's sending end; only the edge has it.
pub fn queue(env: &Env) -> Result<ResizeQueue> {
    Ok(ResizeQueue::new(env.queue(bindings::RESIZE_QUEUE)?))
}
