//! How faults of other modules look to a client.

use super::{FieldError, Problem, ProblemKind};
use crate::ports::{ChunkError, FetchError, StoreError};
use thumbnail_pipeline::{LimitError, PipelineError};

/// How a fault of a picture looks to the client that uploads it, or asks for its thumbnail.
impl From<&PipelineError> for Problem {
    fn from(error: &PipelineError) -> Self {
        let kind = match error {
            PipelineError::UnknownFormat => ProblemKind::NotAnImage,
            PipelineError::Malformed { .. } => ProblemKind::DamagedImage,
            PipelineError::Truncated { .. } => ProblemKind::TruncatedImage,
            PipelineError::Unsupported { .. } | PipelineError::Refused(_) => {
                ProblemKind::UnsupportedImage
            }
            PipelineError::Limit(
                LimitError::ThumbnailMemory { .. } | LimitError::OutputBytes { .. },
            ) => ProblemKind::ThumbnailTooLarge,
            PipelineError::Limit(_) => ProblemKind::ImageTooLarge,
            PipelineError::Options(wrong) => {
                return Self::invalid(vec![FieldError::new(wrong.field(), wrong.to_string())]);
            }
            _ => ProblemKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        // What a binding said is for the log; a client can only wait.
        let secs = match error {
            StoreError::Overloaded(_) => 30,
            StoreError::Transient(_) | StoreError::Permanent(_) | StoreError::Unreadable { .. } => {
                5
            }
        };
        Self {
            retry_after_secs: Some(secs),
            ..Self::new(
                ProblemKind::Unavailable,
                "the service's storage did not answer; nothing was accepted",
            )
        }
    }
}

impl From<ChunkError> for Problem {
    fn from(error: ChunkError) -> Self {
        let kind = match error {
            ChunkError::Aborted(_) | ChunkError::TooSlow { .. } => ProblemKind::BrokenUpload,
            ChunkError::Malformed(_) => ProblemKind::MalformedForm,
            ChunkError::Fetch(FetchError::Refused(_)) => ProblemKind::FetchRefused,
            ChunkError::Fetch(FetchError::Failed(_)) => ProblemKind::FetchFailed,
            ChunkError::TooLong { .. } => ProblemKind::UploadTooLarge,
            ChunkError::Displaced(_) | ChunkError::NoMemory { .. } => {
                return Self::busy(format!("{error}; nothing was accepted"));
            }
        };
        Self::new(kind, error.to_string())
    }
}
