//! JPEG (ITU-T T.81 | ISO/IEC 10918-1): baseline, extended sequential and progressive, at 1/8, 1/4, 1/2 and 1/1.
//!
//! [`read_header`] reads up to the first scan; then [`JpegDecoder`] is fed the file:
//! `decoder` splits it into segments and scans, `picture` decides which scans are needed, `scan` walks the MCUs of a scan, and the blocks go
//! either straight into samples (`sequential`) or, if they come in several scans, into a `store` (`progressive`).
//!
//! What makes it fast: coefficients that a scale does not need are passed over several at a time (`huffman`),
//! and whole scans of them are not even parsed.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "samples, coefficients and table entries are cut to their width on purpose; sizes are at most 65535"
)]
#![allow(
    clippy::inline_always,
    reason = "the loop over MCUs must become one function, or the bit reader leaves its registers"
)]

mod bits;
#[cfg(feature = "decode")]
mod decoder;
mod header;
mod huffman;
mod idct;
mod join;
mod layout;
mod picture;
mod progressive;
mod rgb;
mod scan;
mod segments;
mod sequential;
mod store;
mod strips;

#[cfg(feature = "decode")]
pub use decoder::JpegDecoder;
pub use header::{ColorTransform, JpegComponent, JpegHeader, read_header};
pub use layout::BlockSize;
pub(crate) use segments::ZIGZAG;

use self::layout::Layout;
use super::RowSink;
use crate::{ImageFormat, LimitError, PipelineError};

const JPEG: ImageFormat = ImageFormat::Jpeg;

/// An allocation failed: `held_bytes` is what there was.
fn out_of_memory(layout: &Layout, need_bytes: u64, held_bytes: u64) -> PipelineError {
    PipelineError::Limit(LimitError::Memory {
        width: layout.width,
        height: layout.height,
        need_bytes,
        max_bytes: held_bytes,
    })
}
