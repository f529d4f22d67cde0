//! Lossless WebP.

use image_webp::{ColorType, EncodingError, WebPEncoder};

use super::super::pixmap::Pixmap;
use super::super::{OutputFormat, PipelineError};
use super::output::Output;
use super::too_large;

/// The longest side (14 bits, less one).
const MAX_SIDE: u32 = 16_383;

/// Encodes without loss.
pub(super) fn encode(pixmap: &Pixmap, max_bytes: u64) -> Result<Vec<u8>, PipelineError> {
    if pixmap.width().max(pixmap.height()) > MAX_SIDE {
        return Err(too_large(pixmap.size()));
    }
    let color = if pixmap.has_alpha() {
        ColorType::Rgba8
    } else {
        ColorType::Rgb8
    };
    let mut output = Output::new(max_bytes);
    let written =
        WebPEncoder::new(&mut output).encode(pixmap.data(), pixmap.width(), pixmap.height(), color);
    match written {
        Ok(()) | Err(EncodingError::IoError(_)) => output.finish(OutputFormat::WebP, pixmap.size()),
        Err(error) => Err(PipelineError::Bug(error.to_string().into())),
    }
}
