//! Lossless images and alpha channels, decoded by `image-webp`.
//!
//! It is given a file made up around the compressed data, so that both come out as RGBA of four bytes per pixel
//! and without the copies that it makes for other layouts.

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use super::codes::table_bytes;
use crate::decode::buffer::try_filled;
use crate::{ImageFormat, PipelineError};

/// The RIFF header and that of its only chunk.
pub const HEADER_BYTES: usize = 20;
/// The same with the header of a lossless image, which alpha channels do without.
pub const ALPHA_HEADER_BYTES: usize = HEADER_BYTES + 5;

/// The most that the tables of all codes may take in an image of any size.
const MAX_TABLE_BYTES: u64 = 8 << 20;
/// What every image may have of it, and a byte more for each pixel: at 100x100, the slowest encoding of libwebp
/// has a sixth of that, and at 1000x800 less than a half.
const FREE_TABLE_BYTES: u64 = 256 << 10;
/// A cache of 2,048 colors, and what the decoder has besides.
const SMALL_BYTES: u64 = 16 << 10;

/// What decoding takes for every pixel beside the compressed data:
/// the pixels, and up to a sixteenth of that for each of two transforms and the map of entropy codes.
pub fn peak_bytes(size: (u32, u32)) -> u64 {
    let pixels = u64::from(size.0) * u64::from(size.1);
    pixels * 5 + max_table_bytes(size) + SMALL_BYTES
}

/// The most that the tables of all codes may take.
fn max_table_bytes((width, height): (u32, u32)) -> u64 {
    let pixels = u64::from(width) * u64::from(height);
    (FREE_TABLE_BYTES + pixels).min(MAX_TABLE_BYTES)
}

/// Decodes an image whose data begin after [`HEADER_BYTES`] bytes for a header that is written here.
/// Of the data, the first five bytes are replaced, too.
pub fn decode(mut file: Vec<u8>, (width, height): (u32, u32)) -> Result<Vec<u8>, PipelineError> {
    if file.len() < ALPHA_HEADER_BYTES {
        return Err(truncated());
    }
    let chunk_len = (file.len() - HEADER_BYTES) as u32;
    file[..4].copy_from_slice(b"RIFF");
    file[4..8].copy_from_slice(&(chunk_len.saturating_add(12)).to_le_bytes());
    file[8..16].copy_from_slice(b"WEBPVP8L");
    file[16..20].copy_from_slice(&chunk_len.to_le_bytes());
    file[20] = 0x2f;
    // The flag for alpha is always set: RGBA is what the decoder works in.
    let fields = (width - 1) | ((height - 1) << 14) | (1 << 28);
    file[21..25].copy_from_slice(&fields.to_le_bytes());
    let most = max_table_bytes((width, height));
    if table_bytes(&file[ALPHA_HEADER_BYTES..], (width, height), most) > most {
        let detail = format!(
            "more than {} KiB of tables for its prefix codes",
            most >> 10
        );
        return Err(PipelineError::unsupported(ImageFormat::WebP, detail));
    }
    let mut pixels = try_filled(width as usize * height as usize * 4, 0)?;
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|error| translate(&error))?;
    decoder
        .read_image(&mut pixels)
        .map_err(|error| translate(&error))?;
    Ok(pixels)
}

fn truncated() -> PipelineError {
    PipelineError::truncated(ImageFormat::WebP, "it ends within its lossless image")
}

fn translate(error: &DecodingError) -> PipelineError {
    match error {
        DecodingError::IoError(_) | DecodingError::BitStreamError => truncated(),
        other => PipelineError::malformed(ImageFormat::WebP, other.to_string()),
    }
}
