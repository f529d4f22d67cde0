//! Encoders: the pixels of a thumbnail in, a file out.
//!
//! Files hold pixels and nothing else: no metadata, no ICC profile (they are sRGB).
//! The same pixels and options give the same bytes.

mod gif;
mod jpeg;
mod memory;
mod output;
mod palette;
mod png;
mod row_file;
mod webp;

pub use jpeg::JpegColor;
pub use memory::{encoder_bytes, file_bytes};
pub use png::PngColor;
pub use row_file::{RowColor, RowFile};

use super::geometry::Size;
use super::limits::MAX_OUTPUT_BYTES;
use super::pixmap::Pixmap;
use super::{OutputFormat, PipelineError};

/// How a thumbnail is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodeOptions {
    /// The format.
    pub format: OutputFormat,
    /// Quality of lossy formats, 1…100. Default: 80.
    pub quality: u8,
    /// Whether a JPEG is written progressively. Default: false.
    pub progressive: bool,
    /// What shows through transparent pixels in a JPEG. Default: white.
    pub background: [u8; 3],
    /// The most bytes that the file may have; its room is reserved. Default: 24 MiB.
    pub max_bytes: u64,
}

impl EncodeOptions {
    /// The defaults for a format.
    pub const fn new(format: OutputFormat) -> Self {
        Self {
            format,
            quality: 80,
            progressive: false,
            background: [255; 3],
            max_bytes: MAX_OUTPUT_BYTES,
        }
    }
}

/// A file with a thumbnail in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: OutputFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Encodes a thumbnail.
pub fn encode(pixmap: &Pixmap, options: &EncodeOptions) -> Result<Encoded, PipelineError> {
    let options = &EncodeOptions {
        max_bytes: file_bytes(pixmap.size(), pixmap.channels() as u64, options),
        ..*options
    };
    let bytes = match options.format {
        OutputFormat::Jpeg => jpeg::encode(pixmap, options),
        OutputFormat::Png => png::encode(pixmap, options.max_bytes),
        OutputFormat::WebP => webp::encode(pixmap, options.max_bytes),
        OutputFormat::Gif => gif::encode(pixmap, options.max_bytes),
    }?;
    Ok(Encoded {
        bytes,
        format: options.format,
        width: pixmap.width(),
        height: pixmap.height(),
    })
}

/// The sides as formats with 16 bits for each have them.
fn sides_u16(pixmap: &Pixmap) -> Result<(u16, u16), PipelineError> {
    match (
        u16::try_from(pixmap.width()),
        u16::try_from(pixmap.height()),
    ) {
        (Ok(width), Ok(height)) => Ok((width, height)),
        _ => Err(too_large(pixmap.size())),
    }
}

/// Plans hold sides to the limits of the output format, so this is a fault of ours.
fn too_large(size: Size) -> PipelineError {
    PipelineError::Bug(format!("a thumbnail of {size} does not fit its format").into())
}

/// An empty buffer with room for `len` items.
fn buffer<T>(len: usize) -> Result<Vec<T>, PipelineError> {
    let mut buffer = Vec::new();
    match buffer.try_reserve_exact(len) {
        Ok(()) => Ok(buffer),
        Err(_) => Err(PipelineError::Bug(
            format!("no memory for {len} items of an encoder").into(),
        )),
    }
}
