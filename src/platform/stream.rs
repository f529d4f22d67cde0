//! Request bodies as chunks.

use futures_util::StreamExt;
use thumbnail_core::ports::{ChunkError, Chunks};
use worker::ByteStream;

/// The body of a request.
pub struct RequestChunks {
    stream: ByteStream,
}

impl RequestChunks {
    /// Over a body.
    pub fn new(stream: ByteStream) -> Self {
        Self { stream }
    }
}

impl Chunks for RequestChunks {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        self.stream
            .next()
            .await
            .transpose()
            .map_err(|e| ChunkError::Aborted(e.to_string()))
    }
}
