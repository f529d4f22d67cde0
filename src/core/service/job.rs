//! A job's own side: commands in, decisions stored, effects out.
//!
//! 1. load the record, decide, store what changed with its alarm: atomic, nothing else runs between
//! 2. copy the record to KV, before any message: a pending copy never follows a finished one
//! 3. send the message: if that fails, the alarm is already set and sends it later

use std::cell::Cell;

use futures_util::lock::Mutex;

use crate::job::ledger::decide;
use crate::job::{Command, Message, Timing, Verdict};
use crate::ports::{Clock, JobQueue, JobStorage, StatusCache, StoreError};

/// One job: what runs inside its Durable Object.
pub struct JobService<S, K, Q, C> {
    storage: S,
    status: K,
    queue: Q,
    clock: C,
    timing: Timing,
    /// Held while a copy is on its way to KV, so that an older one never lands after a newer one.
    publishing: Mutex<()>,
    /// The revision that KV is known to hold.
    published: Cell<u64>,
}

impl<S: JobStorage, K: StatusCache, Q: JobQueue, C: Clock> JobService<S, K, Q, C> {
    /// A job over its platform.
    pub fn new(storage: S, status: K, queue: Q, clock: C, timing: Timing) -> Self {
        Self {
            storage,
            status,
            queue,
            clock,
            timing,
            publishing: Mutex::new(()),
            published: Cell::new(0),
        }
    }

    /// Takes a command to its end. An error means that nothing was stored, or that it is not known.
    pub async fn handle(&self, command: Command) -> Result<Verdict, StoreError> {
        let record = self.storage.load().await?;
        let decision = decide(record, command, self.clock.now(), &self.timing);
        if let Some(record) = &decision.changed {
            self.storage.save(record).await?;
            self.publish().await;
            if decision.send {
                self.send(&Message { job: record.id }).await;
            }
        }
        Ok(decision.verdict)
    }

    /// Copies the record to KV as it is by now. A failure is no harm: readers of an old or missing
    /// copy ask the job itself.
    async fn publish(&self) {
        let _guard = self.publishing.lock().await;
        let Ok(Some(record)) = self.storage.load().await else {
            return;
        };
        if record.revision > self.published.get() && self.status.put(&record).await.is_ok() {
            self.published.set(record.revision);
        }
    }

    /// Sends the message. A failure is no harm: the alarm sends it again.
    async fn send(&self, message: &Message) {
        let _ = self.queue.send(message).await;
    }
}
