//! How far the queue is behind, as far as an instance can tell: for platforms that do not say how
//! many messages wait, and for queues that are slow rather than long.
//!
//! The jobs of one instance share it. It numbers the messages that they send, and counts the consumers
//! that come: a queue keeps roughly to its order, so that a message may still wait as long as fewer
//! consumers came than messages were sent before it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use crate::keys::JobId;
use crate::timestamp::Timestamp;

/// Consumers that have not come for so long have nothing to take, or have stopped.
const SILENT_SECS: u64 = 60;

/// The most jobs whose messages are remembered, a few hundred KiB. Of others nothing is known.
const MAX_JOBS: usize = 4_096;

/// What an instance knows of the queue. It lives in memory: a new instance knows nothing.
#[derive(Debug, Default)]
pub struct Pace {
    sent: Cell<u64>,
    came: Cell<u64>,
    came_at: Cell<Option<Timestamp>>,
    sent_at: Cell<Option<Timestamp>>,
    numbers: RefCell<BTreeMap<JobId, u64>>,
}

impl Pace {
    /// A job's message was sent.
    pub fn sent(&self, job: JobId, now: Timestamp) {
        let sent_at = self.sent_at.replace(Some(now));
        if !self.is_alive(now) && !is_recent(sent_at, now) {
            // Whatever was sent before is lost, or was taken unseen: this message is the next.
            self.came.set(self.sent.get());
        }
        let number = self.sent.get() + 1;
        self.sent.set(number);
        let mut numbers = self.numbers.borrow_mut();
        if numbers.len() >= MAX_JOBS {
            let came = self.came.get();
            numbers.retain(|_, number| *number > came);
        }
        if numbers.len() < MAX_JOBS {
            numbers.insert(job, number);
        }
    }

    /// A consumer came with a message, of this job if it changed anything.
    pub fn came(&self, job: Option<JobId>, now: Timestamp) {
        self.came.set(self.sent.get().min(self.came.get() + 1));
        self.came_at.set(Some(now));
        if let Some(job) = job {
            self.numbers.borrow_mut().remove(&job);
        }
    }

    /// Whether a job's message may still wait for its turn.
    pub fn may_wait(&self, job: JobId, now: Timestamp) -> bool {
        let numbers = self.numbers.borrow();
        let number = numbers.get(&job);
        self.is_alive(now) && number.is_some_and(|number| *number > self.came.get())
    }

    fn is_alive(&self, now: Timestamp) -> bool {
        is_recent(self.came_at.get(), now)
    }
}

fn is_recent(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| now.millis_since(at) <= SILENT_SECS * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus_secs(secs)
    }

    fn job(number: u8) -> JobId {
        JobId::new(at(0), [number; 10])
    }

    #[test]
    fn a_message_waits_its_turn_behind_a_slow_queue() {
        let pace = Pace::default();
        for number in 0..100 {
            pace.sent(job(number), at(0));
        }
        assert!(!pace.may_wait(job(99), at(0)), "no consumer was seen yet");
        for number in 0..99 {
            let now = at(u64::from(number) * 10);
            pace.came(Some(job(number)), now);
            assert!(pace.may_wait(job(99), now.plus_secs(SILENT_SECS)));
            assert!(!pace.may_wait(job(number), now));
        }
        // 99 came, and its own is the next: nothing says that it is lost before others come.
        pace.came(None, at(1_000));
        assert!(!pace.may_wait(job(99), at(1_000)));
    }

    #[test]
    fn a_lost_message_is_missed_when_later_ones_have_come() {
        let pace = Pace::default();
        pace.sent(job(1), at(0));
        pace.came(Some(job(1)), at(0));
        pace.sent(job(2), at(1));
        pace.sent(job(3), at(1));
        assert!(pace.may_wait(job(2), at(2)));
        pace.came(Some(job(3)), at(2));
        assert!(!pace.may_wait(job(2), at(2)));
    }

    #[test]
    fn nothing_is_known_where_nobody_comes() {
        let pace = Pace::default();
        pace.sent(job(1), at(0));
        pace.came(Some(job(1)), at(0));
        pace.sent(job(2), at(0));
        assert!(pace.may_wait(job(2), at(60)));
        assert!(!pace.may_wait(job(2), at(61)));
        // And what was lost then delays nobody later.
        pace.sent(job(3), at(100));
        pace.came(Some(job(3)), at(100));
        pace.sent(job(4), at(100));
        pace.came(Some(job(4)), at(100));
        assert_eq!(pace.came.get(), pace.sent.get());
    }
}
