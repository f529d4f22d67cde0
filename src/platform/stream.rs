//! Request bodies as chunks.

use bytes::Bytes;
use futures_channel::mpsc;
use futures_util::{SinkExt, Stream, StreamExt};
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

/// A body as a stream that may cross threads, which the form parser asks for, and the future that fills it.
///
/// The channel has no room: nothing is read before it is wanted.
pub fn pump(
    mut body: RequestChunks,
) -> (
    impl Stream<Item = Result<Bytes, ChunkError>> + Send,
    impl Future<Output = ()>,
) {
    let (mut sender, receiver) = mpsc::channel(0);
    let fill = async move {
        while let Some(chunk) = body.next().await.transpose() {
            if sender.send(chunk.map(Bytes::from)).await.is_err() {
                break;
            }
        }
    };
    (receiver, fill)
}
