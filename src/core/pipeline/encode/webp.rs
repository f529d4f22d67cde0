//! Lossless WebP.

use image_webp::{ColorType, WebPEncoder};

use super::super::PipelineError;
use super::super::pixmap::Pixmap;
use super::{buffer, too_large};

/// The longest side (14 bits, less one).
const MAX_SIDE: u32 = 16_383;

/// Encodes without loss; `quality` is for the lossy format.
pub(super) fn encode(pixmap: &Pixmap, _quality: u8) -> Result<Vec<u8>, PipelineError> {
    if pixmap.width().max(pixmap.height()) > MAX_SIDE {
        return Err(too_large(pixmap));
    }
    let color = if pixmap.has_alpha() {
        ColorType::Rgba8
    } else {
        ColorType::Rgb8
    };
    let mut bytes = buffer(pixmap.data().len() / 2)?;
    WebPEncoder::new(&mut bytes)
        .encode(pixmap.data(), pixmap.width(), pixmap.height(), color)
        .map_err(|error| PipelineError::Bug(error.to_string().into()))?;
    Ok(bytes)
}
