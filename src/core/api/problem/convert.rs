//! How faults of other modules look to a client.

use super::{FieldError, Problem, ProblemKind};
use crate::job::{Failure, FailureKind};
use crate::transfer::{ChunkError, FetchError, StoreError};
use thumbnail_pipeline::PipelineError;

/// How a fault of an image looks to the client that uploads it, or asks for its thumbnail.
impl From<&PipelineError> for Problem {
    fn from(error: &PipelineError) -> Self {
        if let PipelineError::Options(wrong) = error {
            return Self::invalid(vec![FieldError::new(wrong.field(), wrong.to_string())]);
        }
        let failure = Failure::from(error);
        Self::new((&failure.kind).into(), failure.detail)
    }
}

impl From<&FailureKind> for ProblemKind {
    fn from(kind: &FailureKind) -> Self {
        match kind {
            FailureKind::NotAnImage => Self::NotAnImage,
            FailureKind::DamagedImage => Self::DamagedImage,
            FailureKind::TruncatedImage => Self::TruncatedImage,
            FailureKind::UnsupportedImage => Self::UnsupportedImage,
            FailureKind::ImageTooLarge => Self::ImageTooLarge,
            FailureKind::ThumbnailTooLarge => Self::ThumbnailTooLarge,
            FailureKind::InvalidOption => Self::InvalidOption,
            FailureKind::SourceMissing => Self::SourceMissing,
            FailureKind::DeadLetter => Self::DeadLetter,
            FailureKind::PlatformFault => Self::PlatformFault,
            FailureKind::Poison => Self::Poison,
            FailureKind::NeverProcessed => Self::NeverProcessed,
            FailureKind::Internal | FailureKind::Later(_) => Self::Internal,
        }
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
