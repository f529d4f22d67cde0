//! The time of the last I/O: a Worker's clock stands still while its code runs.

use std::time::Duration;

use thumbnail_core::Timestamp;
use thumbnail_core::ports::{Clock, Timer};
use worker::Delay;

/// The Worker's clock.
#[derive(Debug, Clone, Copy)]
pub struct WorkerClock;

impl Clock for WorkerClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(worker::Date::now().as_millis())
    }
}

impl Timer for WorkerClock {
    async fn sleep(&self, millis: u64) {
        Delay::from(Duration::from_millis(millis)).await;
    }
}
