//! Files that are written row by row.

use super::super::PipelineError;
use super::super::geometry::Size;
use super::EncodeOptions;
use super::jpeg::{JpegColor, JpegRows};
use super::memory::file_bytes;
use super::png::{PngColor, PngRows};

/// What a file that is written row by row has for a pixel, chosen before the first one is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowColor {
    /// A baseline JPEG.
    Jpeg(JpegColor),
    /// A PNG.
    Png(PngColor),
}

/// A file that grows with each row.
#[derive(Debug)]
pub enum RowFile {
    /// A baseline JPEG.
    Jpeg(JpegRows),
    /// A PNG and how its pixels are packed.
    Png(PngRows, PngColor),
}

impl RowFile {
    /// An empty file.
    pub fn new(
        size: Size,
        color: RowColor,
        options: &EncodeOptions,
    ) -> Result<Self, PipelineError> {
        let options = EncodeOptions {
            max_bytes: file_bytes(size, color.channels() as u64, options),
            ..*options
        };
        Ok(match color {
            RowColor::Jpeg(color) => Self::Jpeg(JpegRows::new(size, color, &options)?),
            RowColor::Png(color) => Self::Png(PngRows::new(size, color, options.max_bytes)?, color),
        })
    }

    /// The bytes that are held while a file grows, its own included.
    pub fn bytes(size: Size, color: RowColor, options: &EncodeOptions) -> u64 {
        let held = match color {
            RowColor::Jpeg(color) => JpegRows::bytes(size, color),
            RowColor::Png(color) => PngRows::bytes(size, color),
        };
        held + file_bytes(size, color.channels() as u64, options)
    }

    /// Bytes of a pixel in the rows that it takes.
    pub const fn channels(&self) -> usize {
        match self {
            Self::Jpeg(_) => 3,
            Self::Png(_, color) => color.channels(),
        }
    }

    /// Appends a pixel of RGBA to a row.
    #[inline]
    pub fn pack(&self, pixel: [u8; 4], row: &mut Vec<u8>) {
        let [r, _, _, a] = pixel;
        match self {
            Self::Png(_, PngColor::Rgba) => row.extend_from_slice(&pixel),
            Self::Png(_, PngColor::Gray) => row.push(r),
            Self::Png(_, PngColor::GrayAlpha) => row.extend_from_slice(&[r, a]),
            Self::Jpeg(_) | Self::Png(_, PngColor::Rgb) => row.extend_from_slice(&pixel[..3]),
        }
    }

    /// Takes the next row.
    pub fn push(&mut self, row: &[u8]) -> Result<(), PipelineError> {
        match self {
            Self::Jpeg(file) => file.push(row.as_chunks().0),
            Self::Png(file, _) => file.push(row),
        }
    }

    /// The whole file, once all rows were given.
    pub fn finish(self) -> Result<Vec<u8>, PipelineError> {
        match self {
            Self::Jpeg(file) => file.finish(),
            Self::Png(file, _) => file.finish(),
        }
    }
}

impl RowColor {
    const fn channels(self) -> usize {
        match self {
            Self::Jpeg(_) => 3,
            Self::Png(color) => color.channels(),
        }
    }
}
