//! Uploads are refused before they are read while the queue cannot keep up.

use crate::api::{Problem, ProblemKind};
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

    /// Whether this request has to ask for the backlog. Those that come while it does go by the old
    /// one: a crowd that asks all at once is held up by its own questions.
    pub fn is_due(&mut self, now: Timestamp) -> bool {
        let due = now.millis_since(self.checked_at) >= CHECK_SECS * 1_000;
        if due {
            self.checked_at = now;
        }
        due
    }

    /// Notes the backlog. A queue that does not tell counts as empty.
    pub fn note(&mut self, backlog: Option<u64>) {
        self.backlog = backlog.unwrap_or(0);
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
    fn one_of_a_crowd_asks_for_the_backlog() {
        let mut gate = Gate::CLEAR;
        let now = Timestamp::from_millis(1_000_000);
        assert!(gate.is_due(now) && !gate.is_due(now));
        gate.note(Some(10));
        assert!(gate.admit(now, 9).is_err());
        assert!(!gate.is_due(now.plus_secs(CHECK_SECS - 1)));
        assert!(gate.is_due(now.plus_secs(CHECK_SECS)));
        gate.note(None);
        assert!(gate.admit(now, 9).is_ok());
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
