//! Encoders: the pixels of a thumbnail in, a file out.

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::pixmap::Pixmap;
use super::{OutputFormat, PipelineError};

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

/// Encodes a thumbnail; `quality`, 1 to 100, is for lossy formats.
pub fn encode(
    pixmap: &Pixmap,
    format: OutputFormat,
    quality: u8,
) -> Result<Encoded, PipelineError> {
    let (width, height) = (pixmap.width(), pixmap.height());
    let data = pixmap.data();
    let color = if pixmap.has_alpha() {
        ExtendedColorType::Rgba8
    } else {
        ExtendedColorType::Rgb8
    };
    let mut bytes = Vec::new();
    match format {
        OutputFormat::Jpeg => JpegEncoder::new_with_quality(&mut bytes, quality)
            .write_image(data, width, height, color),
        OutputFormat::Png => PngEncoder::new(&mut bytes).write_image(data, width, height, color),
        OutputFormat::WebP => {
            WebPEncoder::new_lossless(&mut bytes).write_image(data, width, height, color)
        }
        OutputFormat::Gif => GifEncoder::new(&mut bytes).encode(data, width, height, color),
    }
    .map_err(|error: ImageError| PipelineError::Bug(error.to_string().into()))?;
    Ok(Encoded {
        bytes,
        format,
        width,
        height,
    })
}
