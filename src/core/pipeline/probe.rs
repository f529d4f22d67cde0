//! Reads the header of a picture, and nothing else of it.

mod bmp;
mod bytes;
mod gif;
mod jpeg;
mod png;
mod tiff;
mod webp;

use image::metadata::Orientation;

use super::PipelineError;
use super::decode::HeaderStatus;
use super::format::{ImageFormat, SNIFF_BYTES};
use super::geometry::Size;
use super::orient::turn_size;

/// What the header of a picture says.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageInfo {
    /// The format, by the file's bytes.
    pub format: ImageFormat,
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// How the stored picture is turned to be shown; values that EXIF does not know turn nothing.
    pub orientation: Orientation,
    /// Whether the orientation comes behind the pixels, so that `orientation` does not say it yet.
    pub orientation_follows: bool,
    /// Channels of the stored picture, alpha included; a palette counts as the colours in it.
    pub channels: u8,
    /// Whether pixels can be transparent.
    pub alpha: bool,
    /// Bits of a sample.
    pub bit_depth: u8,
    /// Whether the pixels do not come from top to bottom at once: progressive JPEG, interlaced PNG and GIF.
    pub interlaced: bool,
    /// Frames or pages, where the header says how many.
    pub frames: Option<u32>,
}

impl ImageInfo {
    /// A still picture of eight bits in three channels, to be changed where the header says otherwise.
    const fn new(format: ImageFormat, width: u32, height: u32) -> Self {
        Self {
            format,
            width,
            height,
            orientation: Orientation::NoTransforms,
            orientation_follows: false,
            channels: 3,
            alpha: false,
            bit_depth: 8,
            interlaced: false,
            frames: None,
        }
    }

    /// The size as stored.
    pub fn stored_size(&self) -> Size {
        Size::new(self.width, self.height)
    }

    /// The size as shown.
    pub fn shown_size(&self) -> Size {
        turn_size(self.stored_size(), self.orientation)
    }
}

/// Reads the header from a prefix of a file.
///
/// Formats that are recognised but not decoded are errors that name the format and say what to do.
pub fn probe(prefix: &[u8]) -> Result<HeaderStatus<ImageInfo>, PipelineError> {
    let Some(format) = ImageFormat::sniff(prefix) else {
        return if prefix.len() < SNIFF_BYTES {
            Ok(HeaderStatus::NeedMore)
        } else {
            Err(PipelineError::UnknownFormat)
        };
    };
    let info = match format {
        ImageFormat::Jpeg => jpeg::read(prefix)?,
        ImageFormat::Png => png::read(prefix)?,
        ImageFormat::Gif => gif::read(prefix)?,
        ImageFormat::WebP => webp::read(prefix)?,
        ImageFormat::Bmp => bmp::read(prefix)?,
        ImageFormat::Tiff => tiff::read(prefix)?,
        ImageFormat::Avif | ImageFormat::Heic | ImageFormat::Jxl | ImageFormat::Svg => {
            return Err(PipelineError::refused(format));
        }
    };
    match info {
        Some(info) if info.width == 0 || info.height == 0 => Err(PipelineError::malformed(
            format,
            format!("its size is {}x{}", info.width, info.height),
        )),
        Some(info) => Ok(HeaderStatus::Ready(info)),
        None => Ok(HeaderStatus::NeedMore),
    }
}

/// Reads the header of a complete file: one that is not there is an error.
pub fn probe_file(source: &[u8]) -> Result<ImageInfo, PipelineError> {
    match probe(source)? {
        HeaderStatus::Ready(info) => Ok(info),
        HeaderStatus::NeedMore => Err(match ImageFormat::sniff(source) {
            Some(format) => PipelineError::truncated(
                format,
                format!("its header is not complete after {} bytes", source.len()),
            ),
            None => PipelineError::UnknownFormat,
        }),
    }
}

/// The orientation of a WebP whose EXIF comes behind its pixels, from the complete file.
pub fn trailing_orientation(source: &[u8]) -> Orientation {
    webp::orientation(source).unwrap_or(Orientation::NoTransforms)
}
