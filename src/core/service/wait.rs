//! `Prefer: wait`: the job itself says when it has ended; nothing is polled.

use crate::job::{Record, Verdict};
use crate::keys::JobId;
use crate::ports::{Clock, JobWatch};

/// How often a job is asked: its object may be reset while it holds the answer back.
const ASKS: u32 = 2;

/// The job when it has ended, or as it is after `secs`; `None` where it does not exist or does not answer.
pub async fn wait_for_end(
    jobs: &impl JobWatch,
    clock: &impl Clock,
    id: JobId,
    secs: u32,
) -> Option<Record> {
    let until = clock.now().plus_secs(secs.into());
    for _ in 0..ASKS {
        let left_millis = until.millis_since(clock.now());
        if left_millis == 0 {
            break;
        }
        match jobs.ended(id, left_millis).await {
            Ok(Verdict::Found { record }) => return Some(*record),
            Ok(_) => return None,
            Err(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::ports::StoreError;
    use crate::timestamp::Timestamp;

    /// A job that answers as planned, each time after 4 seconds.
    struct Planned {
        now: Cell<u64>,
        answers: RefCell<Vec<Result<Verdict, StoreError>>>,
        asked_millis: RefCell<Vec<u64>>,
    }

    impl Clock for Planned {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.now.get())
        }
    }

    impl JobWatch for Planned {
        async fn ended(&self, _: JobId, millis: u64) -> Result<Verdict, StoreError> {
            self.asked_millis.borrow_mut().push(millis);
            self.now.set(self.now.get() + 4_000);
            self.answers.borrow_mut().remove(0)
        }
    }

    fn wait(secs: u32, answers: Vec<Result<Verdict, StoreError>>) -> Vec<u64> {
        let planned = Planned {
            now: Cell::new(0),
            answers: RefCell::new(answers),
            asked_millis: RefCell::default(),
        };
        let id = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa".parse().unwrap();
        let mut waiting = pin!(wait_for_end(&planned, &planned, id, secs));
        let Poll::Ready(found) = waiting
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("nothing in it waits");
        };
        assert!(found.is_none());
        planned.asked_millis.take()
    }

    #[test]
    fn a_job_that_was_reset_is_asked_once_more_for_the_rest_of_the_time() {
        let lost = || Err(StoreError::Transient("reset".into()));
        assert_eq!(wait(10, vec![lost(), lost()]), [10_000, 6_000]);
        assert_eq!(wait(3, vec![lost()]), [3_000]);
        assert_eq!(
            wait(10, vec![lost(), Ok(Verdict::Unknown)]),
            [10_000, 6_000]
        );
        assert_eq!(wait(10, vec![Ok(Verdict::Unknown)]), [10_000]);
        assert_eq!(wait(0, vec![]), [0; 0]);
    }
}
