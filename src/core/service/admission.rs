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
mod tests;
