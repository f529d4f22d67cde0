//! PNG, written as rows come: one row and the window of deflate are held.

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, compress_to_output, create_comp_flags_from_zip_params,
};

use super::super::super::PipelineError;
use super::super::super::geometry::Size;
use super::super::output::Output;
use super::super::too_large;
use super::chunks;
use super::filter::Filter;
use crate::OutputFormat;

/// Of 0 to 10: 9 is 0.7 % smaller and takes twice as long, 4 is 1.8 % larger.
const DEFLATE_LEVEL: i32 = 6;

/// The window, the chains of hashes, the codes and the buffer of deflate: about 320 KB.
const DEFLATE_BYTES: u64 = 336 << 10;

/// The color types whose samples stand for themselves (PNG, third edition, table 11.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PngColor {
    /// One channel.
    Gray,
    /// Gray and alpha.
    GrayAlpha,
    /// Three channels.
    Rgb,
    /// Three channels and alpha.
    Rgba,
}

impl PngColor {
    /// The type of an image without colors, or with them, and with alpha, or without.
    pub const fn new(is_gray: bool, is_opaque: bool) -> Self {
        match (is_gray, is_opaque) {
            (true, true) => Self::Gray,
            (true, false) => Self::GrayAlpha,
            (false, true) => Self::Rgb,
            (false, false) => Self::Rgba,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Gray => 0,
            Self::GrayAlpha => 4,
            Self::Rgb => 2,
            Self::Rgba => 6,
        }
    }

    /// Bytes of a pixel.
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// A file that grows with each row.
pub struct PngRows {
    size: Size,
    output: Output,
    deflate: Box<CompressorOxide>,
    /// Indices of colors are no quantities: filters do not make them smaller.
    filter: Option<Filter>,
    /// Where the chunk with the pixels begins.
    data: usize,
}

impl std::fmt::Debug for PngRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PngRows")
            .field("size", &self.size)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

impl PngRows {
    /// A file for rows of `size` in `color`, with room for `max_bytes`.
    pub fn new(size: Size, color: PngColor, max_bytes: u64) -> Result<Self, PipelineError> {
        let output = begin(size, 8, color.number(), max_bytes)?;
        let row_len = size.width() as usize * color.channels();
        let filter = Filter::new(row_len, color.channels());
        Ok(Self::with_data(size, output, Some(filter)))
    }

    /// A file for rows of indices of `bits` each; `alpha` may be shorter than the palette.
    pub(super) fn indexed(
        size: Size,
        bits: u8,
        palette: &[u8],
        alpha: &[u8],
        max_bytes: u64,
    ) -> Result<Self, PipelineError> {
        let mut output = begin(size, bits, 3, max_bytes)?;
        chunks::push(&mut output, *b"PLTE", palette);
        if !alpha.is_empty() {
            chunks::push(&mut output, *b"tRNS", alpha);
        }
        Ok(Self::with_data(size, output, None))
    }

    fn with_data(size: Size, mut output: Output, filter: Option<Filter>) -> Self {
        let flags = create_comp_flags_from_zip_params(DEFLATE_LEVEL, 1, 0);
        Self {
            size,
            data: chunks::open(&mut output, *b"IDAT"),
            output,
            deflate: Box::new(CompressorOxide::new(flags)),
            filter,
        }
    }

    /// The bytes that it holds besides the file.
    pub fn bytes(size: Size, color: PngColor) -> u64 {
        DEFLATE_BYTES + Filter::bytes(u64::from(size.width()) * color.channels() as u64)
    }

    /// Takes the next row, packed as the color type has it.
    pub fn push(&mut self, row: &[u8]) -> Result<(), PipelineError> {
        let Self {
            deflate: state,
            output,
            ..
        } = self;
        if let Some(filter) = &mut self.filter {
            deflate(state, output, filter.choose(row), TDEFLFlush::None);
        } else {
            deflate(state, output, &[0], TDEFLFlush::None);
            deflate(state, output, row, TDEFLFlush::None);
        }
        self.output.check(OutputFormat::Png, self.size)
    }

    /// The whole file, once all rows were given.
    pub fn finish(mut self) -> Result<Vec<u8>, PipelineError> {
        deflate(&mut self.deflate, &mut self.output, &[], TDEFLFlush::Finish);
        chunks::close(&mut self.output, self.data);
        chunks::push(&mut self.output, *b"IEND", &[]);
        self.output.finish(OutputFormat::Png, self.size)
    }
}

fn deflate(deflate: &mut CompressorOxide, output: &mut Output, bytes: &[u8], flush: TDEFLFlush) {
    compress_to_output(deflate, bytes, flush, |part| {
        output.push(part);
        !output.has_failed()
    });
}

/// The signature and the header.
fn begin(size: Size, bits: u8, color_type: u8, max_bytes: u64) -> Result<Output, PipelineError> {
    if size.width().max(size.height()) > 1 << 30 {
        return Err(too_large(size));
    }
    let mut output = Output::new(max_bytes);
    output.push(b"\x89PNG\r\n\x1a\n");
    let mut header = [0; 13];
    header[..4].copy_from_slice(&size.width().to_be_bytes());
    header[4..8].copy_from_slice(&size.height().to_be_bytes());
    header[8..10].copy_from_slice(&[bits, color_type]);
    chunks::push(&mut output, *b"IHDR", &header);
    Ok(output)
}
