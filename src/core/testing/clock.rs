//! Clocks: every place has its own, and they differ by some seconds.

use std::cell::Cell;

use super::World;
use super::executor::pause;
use crate::ports::{Clock, Timer};
use crate::timestamp::Timestamp;

/// The clock of wherever requests arrive. Objects use the world's own.
#[derive(Debug, Default)]
pub(super) struct Skew {
    ahead_secs: Cell<u64>,
    behind_secs: Cell<u64>,
}

/// A clock that is wrong by its skew.
pub(super) struct EdgeClock<'a>(pub &'a World);

impl Skew {
    /// Up to `most_secs` ahead or behind, as `chosen` says.
    pub fn set(&self, chosen: u64, most_secs: u64) {
        let (ahead, by) = (chosen % 2, chosen / 2 % (most_secs + 1));
        self.ahead_secs.set(ahead * by);
        self.behind_secs.set((1 - ahead) * by);
    }
}

/// Nothing waits by itself: whoever sleeps lets the time pass for all.
impl Timer for World {
    async fn sleep(&self, millis: u64) {
        if self.is_simulated() {
            return pause().await;
        }
        self.advance_secs(millis.div_ceil(1_000));
    }
}

impl Clock for EdgeClock<'_> {
    fn now(&self) -> Timestamp {
        let skew = &self.0.inner.skew;
        let now = self.0.now().plus_secs(skew.ahead_secs.get());
        now.minus_secs(skew.behind_secs.get())
    }
}
