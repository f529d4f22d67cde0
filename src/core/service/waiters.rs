//! Requests that wait for the end of a job. They live in memory: a reset loses them, and they ask again.

use std::cell::RefCell;

use futures_channel::oneshot::{Receiver, Sender, channel};

use crate::job::Record;

/// Those who wait at one job.
#[derive(Default)]
pub struct Waiters {
    senders: RefCell<Vec<Sender<Record>>>,
}

impl Waiters {
    /// Waits from now on; dropping the receiver ends it.
    pub fn wait(&self) -> Receiver<Record> {
        let (sender, receiver) = channel();
        self.senders.borrow_mut().push(sender);
        receiver
    }

    /// How many wait.
    pub fn count(&self) -> usize {
        let mut senders = self.senders.borrow_mut();
        senders.retain(|sender| !sender.is_canceled());
        senders.len()
    }

    /// Ends all waiting if the job has ended, with all that was asked for later.
    pub fn tell(&self, record: &Record) {
        if record.is_settled() {
            for sender in self.senders.take() {
                // Whoever has gone needs no answer.
                let _ = sender.send(record.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::job::record::{ANONYMOUS, Source};
    use crate::job::{NewJob, State};
    use thumbnail_pipeline::ImageFormat;

    fn record(state: State) -> Record {
        let new = NewJob {
            id: "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa".parse().unwrap(),
            owner: ANONYMOUS.into(),
            source: Source {
                filename: None,
                format: ImageFormat::Png,
                width: None,
                height: None,
                bytes: 70,
                sha256: String::new(),
            },
            variants: Vec::new(),
            planned_bytes: None,
            expires_at: None,
            webhook: None,
        };
        Record {
            state,
            ..Record::new(new, Timestamp::from_millis(1))
        }
    }

    #[test]
    fn only_the_end_wakes_and_who_has_gone_does_not_count() {
        let waiters = Waiters::default();
        let (mut first, second) = (waiters.wait(), waiters.wait());
        assert_eq!(waiters.count(), 2);
        drop(second);
        assert_eq!(waiters.count(), 1);
        waiters.tell(&record(State::Processing));
        assert_eq!(first.try_recv(), Ok(None));
        waiters.tell(&record(State::Failed));
        assert_eq!(first.try_recv().unwrap().unwrap().state, State::Failed);
        assert_eq!(waiters.count(), 0);
    }
}
