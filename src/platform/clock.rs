//! The time of the last I/O: a Worker's clock stands still while its code runs.

use thumbnail_core::Timestamp;
use thumbnail_core::ports::Clock;

/// The Worker's clock.
#[derive(Debug, Clone, Copy)]
pub struct WorkerClock;

impl Clock for WorkerClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(worker::Date::now().as_millis())
    }
}
