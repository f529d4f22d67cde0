//! Uploads are refused before they are read while the queue cannot keep up.

use crate::api::{Problem, ProblemKind};
use crate::ports::{Clock, JobQueue};
use crate::timestamp::Timestamp;

/// How long uploads are refused after the queue said that it is overloaded.
const CLOSED_SECS: u64 = 30;

/// How often the backlog is asked for: it costs a call each time.
const CHECK_SECS: u64 = 10;

/// What one instance knows of the queue's load.
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    closed_until: Timestamp,
    checked_at: Timestamp,
    backlog: u64,
}

impl Gate {
    /// Nothing is known yet.
    pub const CLEAR: Self = Self {
        closed_until: Timestamp::from_millis(0),
        checked_at: Timestamp::from_millis(0),
        backlog: 0,
    };

    /// Notes that the queue refused a message for its load.
    pub fn close(&mut self, now: Timestamp) {
        self.closed_until = now.plus_secs(CLOSED_SECS);
    }

    /// The gate with a backlog that is recent. A queue that does not tell counts as empty.
    #[must_use]
    pub async fn refreshed(mut self, queue: &impl JobQueue, clock: &impl Clock) -> Self {
        let now = clock.now();
        if now.millis_since(self.checked_at) >= CHECK_SECS * 1_000 {
            self.backlog = queue.backlog().await.ok().flatten().unwrap_or(0);
            self.checked_at = now;
        }
        self
    }

    /// What both know: while one request asked for the backlog, another may have closed the gate.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        let newer = if self.checked_at >= other.checked_at {
            self
        } else {
            other
        };
        Self {
            closed_until: self.closed_until.max(other.closed_until),
            ..newer
        }
    }

    /// Lets an upload through, or says when to come again.
    pub fn admit(&self, now: Timestamp, max_backlog: u64) -> Result<(), Problem> {
        let busy = |detail: String, secs: u64| Problem {
            retry_after_secs: u32::try_from(secs).ok(),
            ..Problem::new(ProblemKind::Unavailable, detail)
        };
        if now < self.closed_until {
            let secs = self.closed_until.millis_since(now).div_ceil(1_000);
            return Err(busy(
                "the queue is overloaded; nothing was accepted".into(),
                secs,
            ));
        }
        if self.backlog > max_backlog {
            let detail = format!(
                "{} jobs wait, and {max_backlog} may; nothing was accepted",
                self.backlog
            );
            return Err(busy(detail, CHECK_SECS));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_gate_opens_again_by_itself() {
        let mut gate = Gate::CLEAR;
        let now = Timestamp::from_millis(1_000_000);
        assert!(gate.admit(now, 1).is_ok());
        gate.close(now);
        let problem = gate.admit(now.plus_secs(1), 1).unwrap_err();
        assert_eq!((problem.status, problem.retry_after_secs), (503, Some(29)));
        assert!(gate.admit(now.plus_secs(30), 1).is_ok());
    }

    #[test]
    fn a_gate_that_was_closed_meanwhile_stays_closed() {
        let now = Timestamp::from_millis(1_000_000);
        let checked = Gate {
            checked_at: now,
            backlog: 3,
            ..Gate::CLEAR
        };
        let mut closed = Gate::CLEAR;
        closed.close(now);
        for gate in [checked.joined(closed), closed.joined(checked)] {
            assert!(gate.admit(now, 9).is_err());
            assert_eq!((gate.backlog, gate.checked_at), (3, now));
        }
    }

    #[test]
    fn a_long_backlog_refuses_with_its_numbers() {
        let gate = Gate {
            backlog: 7,
            ..Gate::CLEAR
        };
        assert!(gate.admit(Timestamp::default(), 7).is_ok());
        let problem = gate.admit(Timestamp::default(), 6).unwrap_err();
        assert!(problem.detail.contains("7 jobs wait, and 6 may"));
    }
}
