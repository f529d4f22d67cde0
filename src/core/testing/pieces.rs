//! Bytes in chunks.

use crate::ports::{ChunkError, Chunks};

/// Bytes in chunks of a given size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    size: usize,
    breaks_at: Option<usize>,
}

impl Pieces {
    /// `bytes` in chunks of `size`.
    pub fn new(bytes: impl Into<Vec<u8>>, size: usize) -> Self {
        Self {
            bytes: bytes.into(),
            at: 0,
            size,
            breaks_at: None,
        }
    }

    /// Breaks off after `len` bytes.
    #[must_use]
    pub fn breaking_at(mut self, len: usize) -> Self {
        self.breaks_at = Some(len);
        self
    }

    /// How many bytes were taken.
    pub fn taken(&self) -> usize {
        self.at
    }
}

impl Chunks for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        if self.breaks_at.is_some_and(|at| self.at >= at) {
            return Err(ChunkError::Aborted("broke off on purpose".into()));
        }
        let end = (self.at + self.size).min(self.bytes.len());
        let chunk = self.bytes[self.at..end].to_vec();
        self.at = end;
        Ok((!chunk.is_empty()).then_some(chunk))
    }
}
