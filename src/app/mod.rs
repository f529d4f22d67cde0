//! Configuration and adapters, put together once per event.

#[cfg(feature = "edge")]
mod edge;

#[cfg(feature = "edge")]
pub use edge::{index, keys, queue, status};

use thumbnail_core::Config;
use worker::{Env, Result};

use crate::bindings;
use crate::platform::{JobClient, R2Store, Timings};

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
