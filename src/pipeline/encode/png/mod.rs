//! PNG: the smallest of its color types that loses nothing.

mod chunks;
mod filter;
mod rows;

pub use rows::{PngColor, PngRows};

use super::super::geometry::Size;
use super::super::pixmap::Pixmap;
use super::super::{LimitError, PipelineError};
use super::buffer;
use super::palette::{Indexed, index};

/// Encodes as palette where there are at most 256 colors and that is smaller,
/// otherwise as gray, gray with alpha, RGB or RGBA.
pub(super) fn encode(pixmap: &Pixmap, max_bytes: u64) -> Result<Vec<u8>, PipelineError> {
    let Some(indexed) = index(pixels(pixmap), 256) else {
        return encode_direct(pixmap, max_bytes);
    };
    let room = longest(pixmap.size(), 1).min(max_bytes);
    let small = fitting(encode_indexed(pixmap, &indexed, room))?;
    drop(indexed);
    // No longer than the other one, or it is given up.
    let most = small.as_ref().map_or(max_bytes, |small| small.len() as u64);
    match (fitting(encode_direct(pixmap, most))?, small) {
        (Some(file), _) | (None, Some(file)) => Ok(file),
        (None, None) => encode_direct(pixmap, max_bytes),
    }
}

/// The most bytes of a file: what does not become smaller is stored (RFC 1951, 3.2.4), with a
/// filter for each row and five bytes for each block of 31 KiB.
pub(super) fn longest(size: Size, channels: u64) -> u64 {
    let row = u64::from(size.width()) * channels + 1;
    u64::from(size.height()) * row * 65 / 64 + (2 << 10)
}

/// A file, or `None` where it is longer than allowed.
fn fitting(file: Result<Vec<u8>, PipelineError>) -> Result<Option<Vec<u8>>, PipelineError> {
    match file {
        Ok(file) => Ok(Some(file)),
        Err(PipelineError::Limit(LimitError::OutputBytes { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

fn pixels(pixmap: &Pixmap) -> impl ExactSizeIterator<Item = [u8; 4]> + Clone {
    let data = pixmap.data().chunks_exact(pixmap.channels());
    data.map(|pixel| match *pixel {
        [r, g, b, a] => [r, g, b, a],
        [r, g, b] => [r, g, b, 255],
        // A pixmap has three channels or four.
        _ => [0; 4],
    })
}

fn encode_direct(pixmap: &Pixmap, max_bytes: u64) -> Result<Vec<u8>, PipelineError> {
    let is_gray = pixels(pixmap).all(|[r, g, b, _]| r == g && g == b);
    let is_opaque = pixels(pixmap).all(|[.., a]| a == 255);
    let color = PngColor::new(is_gray, is_opaque);
    let mut file = PngRows::new(pixmap.size(), color, max_bytes)?;
    let channels = pixmap.channels();
    let mut packed = buffer(pixmap.width() as usize * color.channels())?;
    for row in pixmap
        .data()
        .chunks_exact(pixmap.width() as usize * channels)
    {
        if channels == color.channels() {
            file.push(row)?;
        } else {
            packed.clear();
            for pixel in row.chunks_exact(channels) {
                let alpha = pixel.get(3).copied().unwrap_or(255);
                match color {
                    PngColor::Gray => packed.push(pixel[0]),
                    PngColor::GrayAlpha => packed.extend([pixel[0], alpha]),
                    PngColor::Rgb | PngColor::Rgba => packed.extend(&pixel[..3]),
                }
            }
            file.push(&packed)?;
        }
    }
    file.finish()
}

fn encode_indexed(
    pixmap: &Pixmap,
    indexed: &Indexed,
    max_bytes: u64,
) -> Result<Vec<u8>, PipelineError> {
    let bits: u8 = match indexed.colors.len() {
        0..=2 => 1,
        3..=4 => 2,
        5..=16 => 4,
        _ => 8,
    };
    let colors: Vec<u8> = indexed
        .colors
        .iter()
        .flat_map(|color| [color[0], color[1], color[2]])
        .collect();
    let alpha = indexed.colors.iter().map(|color| color[3]);
    let alpha: Vec<u8> = alpha.take_while(|alpha| *alpha < 255).collect();
    let mut file = PngRows::indexed(pixmap.size(), bits, &colors, &alpha, max_bytes)?;
    let width = pixmap.width() as usize;
    let per_byte = usize::from(8 / bits);
    let mut packed = buffer(width.div_ceil(per_byte))?;
    for row in indexed.pixels.chunks_exact(width) {
        packed.clear();
        for group in row.chunks(per_byte) {
            let mut byte = 0u8;
            for (place, index) in (1u8..).zip(group) {
                byte |= index << (8 - bits * place);
            }
            packed.push(byte);
        }
        file.push(&packed)?;
    }
    file.finish()
}
