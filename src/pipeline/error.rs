//! What can go wrong with an image, sorted by whose fault it is.

use std::borrow::Cow;

use super::{ImageFormat, OptionsError, OutputFormat};

/// Why an image was not rendered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The bytes are of no known image format.
    #[error("the file is not an image in a known format")]
    UnknownFormat,
    /// The bytes break the rules of their format. The file's fault.
    #[error("the {format} file is damaged: {detail}")]
    Malformed {
        /// The format that the bytes claim to be.
        format: ImageFormat,
        /// What is wrong, with the numbers.
        detail: Cow<'static, str>,
    },
    /// The file ends before the image does. The file's fault.
    #[error("the {format} file ends early: {detail}")]
    Truncated {
        /// The format that the bytes claim to be.
        format: ImageFormat,
        /// How much of the image there is.
        detail: Cow<'static, str>,
    },
    /// A legal file that uses something we do not decode.
    #[error("the {format} file uses {feature}, which is not supported")]
    Unsupported {
        /// The format of the file.
        format: ImageFormat,
        /// The feature, named as its specification names it.
        feature: Cow<'static, str>,
    },
    /// A format that is recognized and not decoded: says so, and what to do instead.
    #[error("{0}")]
    Refused(&'static str),
    /// The image is larger, or more work, than the limits allow.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Something was asked for that cannot be. The caller's fault.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// A fault of ours: a state that the code holds impossible.
    #[error("internal error in the image pipeline: {0}")]
    Bug(Cow<'static, str>),
}

impl PipelineError {
    /// A [`PipelineError::Refused`] for a format that is recognized and not decoded.
    pub(super) fn refused(format: ImageFormat) -> Self {
        Self::Refused(format.refusal().unwrap_or("this format is not supported"))
    }

    /// A [`PipelineError::Malformed`] from a sentence.
    pub fn malformed(format: ImageFormat, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed {
            format,
            detail: detail.into(),
        }
    }

    /// A [`PipelineError::Truncated`] from a sentence.
    pub fn truncated(format: ImageFormat, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Truncated {
            format,
            detail: detail.into(),
        }
    }

    /// A [`PipelineError::Unsupported`] from the feature's name.
    pub fn unsupported(format: ImageFormat, feature: impl Into<Cow<'static, str>>) -> Self {
        Self::Unsupported {
            format,
            feature: feature.into(),
        }
    }
}

/// A limit that an image exceeds, with the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// Too many pixels in all.
    #[error("{width}x{height} is more than {max_pixels} pixels")]
    Pixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The most pixels allowed.
        max_pixels: u64,
    },
    /// One side is too long.
    #[error("{width}x{height} has a side of more than {max_side} pixels")]
    Side {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The longest side allowed, in pixels.
        max_side: u32,
    },
    /// Decoding would take more memory than the budget.
    #[error(
        "decoding {width}x{height} takes {need_bytes} bytes of memory, and {max_bytes} are available"
    )]
    Memory {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// What the format needs at its peak.
        need_bytes: u64,
        /// The budget.
        max_bytes: u64,
    },
    /// A thumbnail's file is longer than allowed.
    #[error("the {width}x{height} {format} has more than {max_bytes} bytes: ask for a smaller one, or for another format or quality", format = format.image_format())]
    OutputBytes {
        /// The format of the thumbnail.
        format: OutputFormat,
        /// Width of the thumbnail in pixels.
        width: u32,
        /// Height of the thumbnail in pixels.
        height: u32,
        /// The most bytes allowed.
        max_bytes: u64,
    },
    /// A thumbnail would take more memory than the budget, where its source alone does not.
    #[error(
        "the {width}x{height} {format} takes {need_bytes} bytes of memory, {total_bytes} with all else, and {max_bytes} are available: ask for a smaller one, or for a JPEG or a PNG",
        format = format.image_format()
    )]
    ThumbnailMemory {
        /// The format of the thumbnail.
        format: OutputFormat,
        /// Width of the thumbnail in pixels.
        width: u32,
        /// Height of the thumbnail in pixels.
        height: u32,
        /// What it needs at its peak.
        need_bytes: u64,
        /// What everything needs at its peak.
        total_bytes: u64,
        /// The budget.
        max_bytes: u64,
    },
    /// Making the thumbnails would take more time than a job may.
    #[error(
        "making these thumbnails of {width}x{height} takes about {need_ms} ms of work, and {max_ms} are allowed: ask for fewer or smaller ones, or send a smaller image"
    )]
    Work {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// What it takes, or has taken until now, in milliseconds of CPU.
        need_ms: u64,
        /// The most allowed.
        max_ms: u64,
    },
    /// The allocator had no room for a buffer that the budget allows.
    #[error("there is no memory for a buffer of {bytes} bytes")]
    Allocation {
        /// The size of the buffer.
        bytes: u64,
    },
    /// More of something in the file than we are willing to read.
    #[error("the file has more than {max} {what}")]
    Count {
        /// What is counted: scans, chunks, frames, …
        what: &'static str,
        /// The most allowed.
        max: u64,
    },
}
