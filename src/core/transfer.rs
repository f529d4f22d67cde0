//! Bytes that arrive in chunks, and what can go wrong with them and with the bindings.

#![expect(
    async_fn_in_trait,
    reason = "a Worker has one thread; nothing here is ever sent to another"
)]

/// A binding did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It may work later. The effect may have happened all the same: the reply can be what was lost.
    #[error("{0}")]
    Transient(String),
    /// The platform says that it is overloaded: come later, not at once.
    #[error("{0}")]
    Overloaded(String),
    /// It will not work however often it is tried.
    #[error("{0}")]
    Permanent(String),
    /// A job answered with what a later build knows. The attempt that it began, if it began one, has
    /// to be given back.
    #[error("the job answered with what only a later build knows")]
    Unreadable {
        /// The attempt.
        attempt: Option<u32>,
    },
}

/// Bytes that arrive in chunks.
pub trait Chunks {
    /// The next chunk, or `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError>;
}

/// Why no further chunk comes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// Whoever sends them has broken off.
    #[error("the transfer broke off: {0}")]
    Aborted(String),
    /// What is sent breaks the rules of its envelope.
    #[error("{0}")]
    Malformed(String),
    /// More than is taken.
    #[error("the request has more than {max_bytes} bytes")]
    TooLong {
        /// The most that is taken.
        max_bytes: u64,
    },
    /// It does not come from where it should be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It lost its place to others.
    #[error("the upload lost its place: {0}")]
    Displaced(String),
    /// There is no memory for it.
    #[error("there is no memory for {bytes} bytes")]
    NoMemory {
        /// What was asked for.
        bytes: usize,
    },
    /// It takes longer than is waited.
    #[error("the upload took longer than {max_secs} s")]
    TooSlow {
        /// The longest that is waited.
        max_secs: u64,
    },
}

/// Why an image does not come from the address that a client named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// What is there is no image for us: asking again changes nothing.
    #[error("the image could not be fetched: {0}")]
    Refused(String),
    /// Whoever has it does not answer as it should: it may later.
    #[error("the image could not be fetched: {0}")]
    Failed(String),
}
