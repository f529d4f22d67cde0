//! The body of a request, bounded in bytes and in time whatever is in it.

use crate::ports::{ChunkError, Chunks, Clock};
use crate::timestamp::Timestamp;

/// How long an upload may take to arrive. Shorter than the age from which the sweep takes a source
/// without a job for an orphan, so that it never deletes one whose form is still arriving.
pub const MAX_UPLOAD_SECS: u64 = 10 * 60;

/// A body that ends with an error where it becomes too long, or takes too long.
pub struct BoundedBody<'a, B, C> {
    body: B,
    clock: &'a C,
    deadline: Timestamp,
    max_bytes: u64,
    seen_bytes: u64,
}

impl<'a, B: Chunks, C: Clock> BoundedBody<'a, B, C> {
    /// A body of at most `max_bytes`, from now on.
    pub fn new(body: B, max_bytes: u64, clock: &'a C) -> Self {
        Self {
            body,
            clock,
            deadline: clock.now().plus_secs(MAX_UPLOAD_SECS),
            max_bytes,
            seen_bytes: 0,
        }
    }
}

impl<B: Chunks, C: Clock> Chunks for BoundedBody<'_, B, C> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        let chunk = self.body.next().await?;
        self.seen_bytes += chunk.as_ref().map_or(0, Vec::len) as u64;
        if self.seen_bytes > self.max_bytes {
            let max_bytes = self.max_bytes;
            return Err(ChunkError::TooLong { max_bytes });
        }
        if self.clock.now() > self.deadline {
            let max_secs = MAX_UPLOAD_SECS;
            return Err(ChunkError::TooSlow { max_secs });
        }
        Ok(chunk)
    }
}
