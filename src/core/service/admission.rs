//! An upload's way through the [`Budget`] of its instance: it waits without reading, has its turn,
//! and loses its place where it sends too little while others wait.
//!
//! Who waits asks again after short sleeps of its own. A waker that another request calls would do
//! with less, but the platform cancels a request that waits for another one's I/O.

use std::cell::RefCell;
use std::pin::{Pin, pin};

use futures_util::future::{Either, select};

use crate::api::Problem;
use crate::ports::{ChunkError, Chunks, Clock, Timer};
use crate::service::body::MAX_UPLOAD_SECS;
use crate::service::budget::{Budget, Share};
use crate::timestamp::Timestamp;

/// The most bytes that a chunk of a request has.
pub const CHUNK_BYTES: usize = 64 << 10;

const CHUNK: u64 = CHUNK_BYTES as u64;

/// An upload of no more than this is a small one.
const SMALL_BYTES: u64 = 256 << 10;

/// How long an upload waits before it is refused.
const PATIENCE_SECS: u64 = 10;

/// How long it sleeps before it asks again: the longer, the more are ahead. Each time costs; with
/// forty that ask every 20 ms, those that have their turn get little done.
const ASK_MILLIS: u64 = 20;
const ASK_MILLIS_PER_AHEAD: u64 = 15;
const MAX_ASK_MILLIS: u64 = 500;

/// The least rate of a sender while others wait, and over how long it is measured.
const MIN_BYTES_PER_SEC: u64 = 16 << 10;
const RATE_SECS: usize = 10;

/// One upload, and the budget that it needs some of. Copies are the same upload.
#[derive(Debug)]
pub struct Admission<'a, C> {
    budget: &'a RefCell<Budget>,
    clock: &'a C,
    number: u64,
}

impl<C> Copy for Admission<'_, C> {}

impl<C> Clone for Admission<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

/// Some of the budget, until it is dropped.
pub struct Lease<'a> {
    budget: &'a RefCell<Budget>,
    share: Share,
    number: u64,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.budget.borrow_mut().leave(self.share, self.number);
    }
}

impl<'a, C: Clock + Timer> Admission<'a, C> {
    /// An upload that arrives now.
    pub fn new(budget: &'a RefCell<Budget>, clock: &'a C) -> Self {
        let number = budget.borrow_mut().arrive();
        Self {
            budget,
            clock,
            number,
        }
    }

    /// Waits for room to hold `held_bytes` of a body, and what arrives of it at a time: a chunk in
    /// JavaScript, a chunk here, and what an envelope keeps of it, in two copies while it is cut.
    pub async fn place<B>(
        &self,
        body: B,
        declared: Option<u64>,
        held_bytes: usize,
    ) -> Result<PacedBody<'a, B, C>, Problem> {
        let share = match declared {
            Some(bytes) if bytes <= SMALL_BYTES => Share::Small,
            _ => Share::Large,
        };
        let chunk = declared.map_or(CHUNK, |bytes| bytes.min(CHUNK));
        let lease = self.lease(share, held_bytes as u64 + 4 * chunk).await?;
        Ok(PacedBody::new(body, lease, self.clock))
    }

    /// Gives back the room for what is held of a body; what arrives still has its own.
    pub fn release_held(&self) {
        let mut budget = self.budget.borrow_mut();
        for share in [Share::Small, Share::Large] {
            budget.shrink(share, self.number, 4 * CHUNK);
        }
    }

    /// Waits until it is this upload's turn to store `bytes`, of which JavaScript makes a copy.
    pub async fn turn(&self, bytes: usize) -> Result<Lease<'a>, Problem> {
        self.lease(Share::Stored, bytes as u64).await
    }

    async fn lease(&self, share: Share, bytes: u64) -> Result<Lease<'a>, Problem> {
        let (budget, number) = (self.budget, self.number);
        let until = self.clock.now().plus_secs(PATIENCE_SECS);
        // From now on, so that whoever gives up leaves the queue.
        let lease = Lease {
            budget,
            share,
            number,
        };
        loop {
            let now = self.clock.now();
            if budget.borrow_mut().ask(share, number, bytes, now) {
                return Ok(lease);
            }
            if now >= until {
                return Err(full());
            }
            let ahead = budget.borrow().ahead(share, number) as u64;
            let pause = ASK_MILLIS + ASK_MILLIS_PER_AHEAD * ahead;
            self.clock.sleep(pause.min(MAX_ASK_MILLIS)).await;
        }
    }
}

fn full() -> Problem {
    Problem::busy(format!(
        "too many uploads arrive here at once: there was no room within {PATIENCE_SECS} s; \
         nothing was accepted"
    ))
}

/// The body of an upload that has its place. It ends with an error where it has lost it.
pub struct PacedBody<'a, B, C> {
    body: B,
    lease: Lease<'a>,
    clock: &'a C,
    /// When to look at the sender again: once a second.
    tick: Pin<Box<dyn Future<Output = ()> + 'a>>,
    deadline: Timestamp,
    /// How many bytes came in each of the last seconds; the newest one is still running.
    recent: Vec<u64>,
}

impl<'a, B, C: Clock + Timer> PacedBody<'a, B, C> {
    fn new(body: B, lease: Lease<'a>, clock: &'a C) -> Self {
        Self {
            body,
            lease,
            clock,
            tick: second(clock),
            deadline: clock.now().plus_secs(MAX_UPLOAD_SECS),
            recent: vec![0],
        }
    }
}

/// A future of its own, so that it goes on while chunks come and go.
fn second<'a>(clock: &'a impl Timer) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(clock.sleep(1_000))
}

impl Lease<'_> {
    /// Whether it goes on.
    fn renew(&self, now: Timestamp) -> Result<(), ChunkError> {
        let mut budget = self.budget.borrow_mut();
        if budget.renew(self.share, self.number, now) {
            return Ok(());
        }
        Err(ChunkError::Displaced("it stood still for too long".into()))
    }

    fn is_awaited(&self, now: Timestamp) -> bool {
        self.budget.borrow().is_awaited(self.share, now)
    }
}

/// Judges the sender by the last seconds in which it was waited for.
fn judge(recent: &mut Vec<u64>, lease: &Lease<'_>, now: Timestamp) -> Result<(), ChunkError> {
    let sent: u64 = recent.iter().sum();
    let (full, least) = (
        recent.len() >= RATE_SECS,
        MIN_BYTES_PER_SEC * RATE_SECS as u64,
    );
    if full && sent < least && lease.is_awaited(now) {
        let detail = format!(
            "it sent {sent} bytes in {RATE_SECS} s, and {least} are the least while others wait"
        );
        return Err(ChunkError::Displaced(detail));
    }
    if full {
        recent.remove(0);
    }
    recent.push(0);
    Ok(())
}

impl<B: Chunks, C: Clock + Timer> Chunks for PacedBody<'_, B, C> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        let mut next = pin!(self.body.next());
        let chunk = loop {
            match select(next.as_mut(), self.tick.as_mut()).await {
                Either::Left((chunk, _)) => break chunk?,
                Either::Right(((), _)) => {}
            }
            self.tick = second(self.clock);
            let now = self.clock.now();
            self.lease.renew(now)?;
            judge(&mut self.recent, &self.lease, now)?;
            if now > self.deadline {
                let max_secs = MAX_UPLOAD_SECS;
                return Err(ChunkError::TooSlow { max_secs });
            }
        };
        self.lease.renew(self.clock.now())?;
        if let (Some(chunk), Some(newest)) = (&chunk, self.recent.last_mut()) {
            *newest += chunk.len() as u64;
        }
        Ok(chunk)
    }
}

#[cfg(test)]
mod tests {
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
}
