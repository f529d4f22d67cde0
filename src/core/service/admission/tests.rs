//! Tests of `admission`.

use std::cell::Cell;
use std::task::{Context, Poll, Waker};

use futures_util::future::{join, join_all};

use super::*;

const MIB: usize = 1 << 20;

/// A clock that goes on when everybody sleeps.
#[derive(Default)]
struct Clockwork {
    millis: Cell<u64>,
    sleepers: RefCell<Vec<(u64, Waker)>>,
}

impl Clock for Clockwork {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.get())
    }
}

impl Timer for Clockwork {
    async fn sleep(&self, millis: u64) {
        let until = self.millis.get() + millis;
        std::future::poll_fn(|context| {
            if self.millis.get() >= until {
                return Poll::Ready(());
            }
            let sleeper = (until, context.waker().clone());
            self.sleepers.borrow_mut().push(sleeper);
            Poll::Pending
        })
        .await;
    }
}

impl Clockwork {
    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            let sleepers = self.sleepers.take();
            let next = sleepers.iter().map(|(until, _)| *until).min();
            self.millis.set(next.expect("somebody sleeps"));
            for (_, waker) in sleepers {
                waker.wake();
            }
        }
    }
}

/// Chunks of so many bytes, each after so many milliseconds.
struct Sender<'a> {
    clock: &'a Clockwork,
    chunks: Vec<(u64, usize)>,
    read: &'a Cell<usize>,
}

impl Chunks for Sender<'_> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        if self.chunks.is_empty() {
            return Ok(None);
        }
        let (millis, bytes) = self.chunks[0];
        self.clock.sleep(millis).await;
        self.chunks.remove(0);
        self.read.set(self.read.get() + bytes);
        Ok(Some(vec![0; bytes]))
    }
}

/// An instance whose uploads are of 5 MiB and hold as much; three of them fit.
struct Instance {
    clock: Clockwork,
    budget: RefCell<Budget>,
}

impl Instance {
    fn new() -> Self {
        Self {
            clock: Clockwork::default(),
            budget: RefCell::new(Budget::new(26 * MIB as u64)),
        }
    }

    /// Uploads; returns when it ended, or why it did not, and how much of it was read.
    async fn upload(&self, chunks: &[(u64, usize)]) -> (Result<u64, Problem>, usize) {
        let read = Cell::new(0);
        let sender = Sender {
            clock: &self.clock,
            chunks: chunks.to_vec(),
            read: &read,
        };
        let admission = Admission::new(&self.budget, &self.clock);
        let result = async {
            let declared = Some(5 * MIB as u64);
            let mut body = admission.place(sender, declared, 5 * MIB).await?;
            while body.next().await?.is_some() {}
            Ok(self.clock.millis.get())
        };
        (result.await, read.get())
    }

    fn held(&self) -> u64 {
        self.budget.borrow().held_bytes()
    }
}

#[test]
fn what_does_not_fit_waits_unread_and_goes_in_its_turn() {
    let instance = Instance::new();
    let uploads = (0..9).map(|_| instance.upload(&[(1_000, MIB), (1_000, MIB)]));
    let ended = instance.clock.run(join_all(uploads));
    let secs: Vec<u64> = ended
        .iter()
        .map(|(ended, _)| ended.as_ref().unwrap() / 1_000)
        .collect();
    assert_eq!(secs, [2, 2, 2, 4, 4, 4, 6, 6, 6]);
    assert_eq!(instance.held(), 0);
}

#[test]
fn who_waits_for_too_long_is_told_when_to_come_again_and_was_not_read() {
    let instance = Instance::new();
    let slow: Vec<_> = (0..20).map(|_| (1_000, 100_000)).collect();
    let uploads = (0..4).map(|_| instance.upload(&slow));
    let mut ended = instance.clock.run(join_all(uploads));
    let (refused, read) = ended.pop().unwrap();
    let problem = refused.unwrap_err();
    assert_eq!((problem.status, problem.retry_after_secs), (503, Some(3)));
    assert!(problem.detail.contains("within 10 s"), "{problem}");
    assert_eq!(read, 0);
    assert!(ended.iter().all(|(ended, _)| ended.is_ok()));
    assert_eq!(instance.held(), 0);
}

#[test]
fn who_stalls_loses_the_place_only_while_others_wait() {
    let stall = [(0, MIB), (60_000, MIB)];
    for (others, holds) in [(2, true), (3, false)] {
        let instance = Instance::new();
        let late = async {
            instance.clock.sleep(5_000).await;
            let slow: Vec<_> = (0..20).map(|_| (1_000, 100_000)).collect();
            join_all((0..others).map(|_| instance.upload(&slow))).await
        };
        let (stalled, late) = instance.clock.run(join(instance.upload(&stall), late));
        assert_eq!(stalled.0.is_ok(), holds, "{others}");
        assert!(late.iter().all(|(ended, _)| ended.is_ok()), "{others}");
        if let Err(problem) = stalled.0 {
            assert_eq!((problem.status, problem.retry_after_secs), (503, Some(3)));
            assert!(problem.detail.contains("sent 0 bytes in 10 s"), "{problem}");
        }
    }
}

#[test]
fn who_sends_slowly_but_enough_keeps_the_place() {
    let instance = Instance::new();
    let enough: Vec<_> = (0..30).map(|_| (1_000, 17 << 10)).collect();
    let slow = join_all((0..3).map(|_| instance.upload(&enough)));
    let (slow, late) = instance.clock.run(join(slow, instance.upload(&enough)));
    assert!(slow.iter().all(|(ended, _)| ended.is_ok()));
    assert_eq!(late.0.unwrap_err().status, 503);
}

#[test]
fn a_request_that_is_never_heard_of_again_frees_its_place() {
    let instance = Instance::new();
    for _ in 0..3 {
        let admission = Admission::new(&instance.budget, &instance.clock);
        let place = admission.place((), None, 5 * MIB);
        std::mem::forget(instance.clock.run(place));
    }
    let upload = || instance.clock.run(instance.upload(&[(0, MIB)])).0;
    assert_eq!(upload().unwrap_err().status, 503);
    assert_eq!(upload().unwrap_err().status, 503);
    assert!(upload().is_ok(), "30 s have passed");
}

#[test]
fn what_is_not_held_any_more_makes_room() {
    let instance = Instance::new();
    let streamed = Admission::new(&instance.budget, &instance.clock);
    let place = streamed.place((), None, 15 * MIB);
    let _place = instance.clock.run(place).ok().unwrap();
    streamed.release_held();
    assert_eq!(instance.held(), 4 * CHUNK);
    assert!(instance.clock.run(instance.upload(&[(0, MIB)])).0.is_ok());
}
