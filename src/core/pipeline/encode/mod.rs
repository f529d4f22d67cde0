//! Encoders: the pixels of a thumbnail in, a file out.
//!
//! Files hold pixels and nothing else: no metadata, no ICC profile (they are sRGB).
//! The same pixels and options give the same bytes.

mod gif;
mod jpeg;
mod palette;
mod png;
mod webp;

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
}

impl EncodeOptions {
    /// The defaults for a format.
    pub const fn new(format: OutputFormat) -> Self {
        Self {
            format,
            quality: 80,
            progressive: false,
            background: [255; 3],
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
    let bytes = match options.format {
        OutputFormat::Jpeg => jpeg::encode(pixmap, *options),
        OutputFormat::Png => png::encode(pixmap),
        OutputFormat::WebP => webp::encode(pixmap, options.quality),
        OutputFormat::Gif => gif::encode(pixmap),
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
        _ => Err(too_large(pixmap)),
    }
}

/// Plans hold sides to the limits of the output format, so this is a fault of ours.
fn too_large(pixmap: &Pixmap) -> PipelineError {
    PipelineError::Bug(format!("a thumbnail of {} does not fit its format", pixmap.size()).into())
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
