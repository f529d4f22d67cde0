//! Why a job failed.

use serde::{Deserialize, Serialize};
use thumbnail_pipeline::{LimitError, PipelineError};

/// Why a job failed, for its owner to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// What happened, with the numbers.
    pub detail: String,
}

/// A kind of failure. It is stored as the slug of its problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The bytes are not an image in a known format.
    NotAnImage,
    /// The image breaks the rules of its format.
    DamagedImage,
    /// The image ends early.
    TruncatedImage,
    /// The format, or a feature of it, is not decoded.
    UnsupportedImage,
    /// The image has more pixels, or takes more memory or work, than allowed.
    ImageTooLarge,
    /// The thumbnail has a longer file, or takes more memory, than allowed.
    ThumbnailTooLarge,
    /// An option does not fit the image.
    InvalidOption,
    /// The uploaded file is no longer stored.
    SourceMissing,
    /// The queue gave the job's message up.
    DeadLetter,
    /// The platform failed at each attempt.
    PlatformFault,
    /// The image kills whoever decodes it.
    Poison,
    /// No consumer took the job.
    NeverProcessed,
    /// A fault of the service.
    Internal,
    /// What a later version has stored, as it stands there.
    #[serde(untagged)]
    Later(String),
}

impl Failure {
    /// A failure with its numbers.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { kind, detail }
    }

    /// Whether another attempt may do better: the platform's faults pass, those of a file stay.
    pub fn may_pass(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::DeadLetter | FailureKind::PlatformFault | FailureKind::NeverProcessed
        )
    }
}

impl From<&PipelineError> for Failure {
    fn from(error: &PipelineError) -> Self {
        let kind = match error {
            PipelineError::UnknownFormat => FailureKind::NotAnImage,
            PipelineError::Malformed { .. } => FailureKind::DamagedImage,
            PipelineError::Truncated { .. } => FailureKind::TruncatedImage,
            PipelineError::Unsupported { .. } | PipelineError::Refused(_) => {
                FailureKind::UnsupportedImage
            }
            PipelineError::Limit(
                LimitError::ThumbnailMemory { .. } | LimitError::OutputBytes { .. },
            ) => FailureKind::ThumbnailTooLarge,
            PipelineError::Limit(_) => FailureKind::ImageTooLarge,
            PipelineError::Options(_) => FailureKind::InvalidOption,
            _ => FailureKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_the_slug() {
        let failure = Failure::new(FailureKind::PlatformFault, "R2 failed");
        let stored = r#"{"kind":"platform-fault","detail":"R2 failed"}"#;
        assert_eq!(serde_json::to_string(&failure).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Failure>(stored).unwrap(), failure);
    }

    #[test]
    fn what_a_later_version_has_stored_stays_as_it_is() {
        let stored = r#"{"kind":"out-of-luck","detail":"x"}"#;
        let failure: Failure = serde_json::from_str(stored).unwrap();
        assert_eq!(failure.kind, FailureKind::Later("out-of-luck".into()));
        assert_eq!(serde_json::to_string(&failure).unwrap(), stored);
    }
}
