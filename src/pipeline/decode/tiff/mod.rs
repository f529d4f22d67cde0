//! TIFF: strips and tiles, without compression or with LZW, Deflate or `PackBits`.
//!
//! Chunks may lie anywhere, so the compressed file is held from a page's first one to its last one.
//! Of the pixels, only one row of chunks is held.
#![allow(
    clippy::cast_possible_truncation,
    reason = "samples are masked and scaled to what they are stored in"
)]

#[cfg(feature = "decode")]
mod decoder;
mod header;
mod ifd;
mod layout;
#[cfg(feature = "decode")]
mod samples;
#[cfg(feature = "decode")]
mod unpack;

use std::borrow::Cow;

use crate::{ImageFormat, PipelineError};

#[cfg(feature = "decode")]
pub use decoder::TiffDecoder;
pub use header::{TiffColor, TiffHeader, read_header, read_page_header, read_page_parts};

fn malformed(detail: impl Into<Cow<'static, str>>) -> PipelineError {
    PipelineError::malformed(ImageFormat::Tiff, detail)
}
