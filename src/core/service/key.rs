//! A key's own side: commands in, decisions stored.

use crate::idempotency::{KeyCommand, KeyVerdict, apply};
use crate::ports::{Clock, KeyStorage, StoreError};

/// One key: what runs inside its Durable Object.
pub struct KeyService<S, C> {
    storage: S,
    clock: C,
    retention_secs: u64,
}

impl<S: KeyStorage, C: Clock> KeyService<S, C> {
    /// A key over its storage; its answer is kept for `retention_secs`.
    pub fn new(storage: S, clock: C, retention_secs: u64) -> Self {
        Self {
            storage,
            clock,
            retention_secs,
        }
    }

    /// Takes a command to its end. Repeating it is harmless.
    pub async fn handle(&self, command: KeyCommand) -> Result<KeyVerdict, StoreError> {
        let before = self.storage.load().await?;
        let decision = apply(
            before.clone(),
            command,
            self.clock.now(),
            self.retention_secs,
        );
        match &decision.record {
            // An alarm that came too early has to be set again.
            Some(record) => self.storage.save(record).await?,
            None if before.is_some() => self.storage.erase().await?,
            None => {}
        }
        Ok(decision.verdict)
    }
}
