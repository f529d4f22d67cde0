//! Decoders: bytes go in as they arrive, rows of samples come out into a [`RowSink`].
//!
//! Each decoder has a header reader (`read_header`, which sees a growing prefix of the file)
//! and a [`Decode`] that is fed the whole file from its first byte, in chunks of any size.
//! No decoder holds the whole image where its format lets it avoid that.

pub mod bmp;
mod buffer;
mod canvas;
mod color_table;
mod frames;
pub mod gif;
#[cfg(feature = "heic")]
pub mod heic;
mod inflate;
pub mod jpeg;
#[cfg(feature = "decode")]
mod open;
pub mod png;
pub mod source;
pub mod tiff;
pub mod webp;

use std::ops::Range;

use super::PipelineError;

pub use color_table::ColorTable;

/// What a header reader says about a prefix of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderStatus<H> {
    /// The header is not complete: call again with a longer prefix from the first byte on.
    NeedMore,
    /// The header was read.
    Ready(H),
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Where in the file its first byte is.
    pub start: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What a decoder says after it took some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The image is not complete: feed the next bytes.
    NeedMore,
    /// Every row was given to the sink; what follows in the file does not matter.
    Done,
}

/// How much of an image a file had, once it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// All of it.
    Whole,
    /// The file was cut or damaged; rows or details are missing and were filled with gray or with what was known.
    Truncated,
}

/// Samples of one row, interleaved by channel.
#[derive(Debug, Clone, Copy)]
pub enum Samples<'a> {
    /// 0…255.
    U8(&'a [u8]),
    /// 0…65535.
    U16(&'a [u16]),
}

/// A plane of a decoded image: one grid of samples that lies over the image.
///
/// RGB images have one plane of three channels.
/// A JPEG in YCbCr has three planes of one channel, each with its own resolution.
/// The sample in column `i` covers the source's pixels from `i * pixels_per_sample_x`
/// to `(i + 1) * pixels_per_sample_x`; the last one may reach past the image's edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    /// Samples in a row (of one channel).
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Interleaved channels: the last one of 2 or of 4 is alpha.
    pub channels: u8,
    /// Source pixels that one sample covers, horizontally.
    pub pixels_per_sample_x: f64,
    /// Source pixels that one sample covers, vertically.
    pub pixels_per_sample_y: f64,
}

impl Plane {
    /// The one plane of an image whose channels all have its size.
    pub const fn whole(width: u32, height: u32, channels: u8) -> Self {
        Self {
            width,
            height,
            channels,
            pixels_per_sample_x: 1.0,
            pixels_per_sample_y: 1.0,
        }
    }
}

/// Takes the samples of an image as a decoder produces them.
pub trait RowSink {
    /// Takes row `y` of plane `plane`, which has `width * channels` samples.
    ///
    /// Each row comes at most once. Rows of one plane come in rising order,
    /// except from decoders that say that theirs are scattered (interlaced files).
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>);

    /// Takes the pixels of row `y` in the columns `x0`, `x0 + dx`, `x0 + 2 * dx`, …
    ///
    /// Only scattered decoders call it; each pixel comes at most once.
    fn pixels(&mut self, plane: usize, y: u32, x0: u32, dx: u32, samples: Samples<'_>);

    /// Forgets what came of plane `plane`: all of it was transparent, which its decoder did not know then.
    ///
    /// Only scattered decoders call it: what they give is held until the end.
    fn clear(&mut self, plane: usize) {
        let _ = plane;
    }

    /// Takes row `y` of plane `plane` as indices of colors, instead of [`RowSink::row`].
    fn indices(&mut self, plane: usize, y: u32, indices: &[u8], table: &ColorTable) {
        self.row(plane, y, Samples::U8(&table.expand(indices)));
    }
}

/// A decoder that is fed a file in chunks, from its first byte on.
pub trait Decode {
    /// The planes that rows will be given for.
    fn planes(&self) -> &[Plane];

    /// Whether rows come in another order than from the top to the bottom, or in parts by [`RowSink::pixels`].
    fn scattered(&self) -> bool {
        false
    }

    /// The bytes of the file that it looks at. Default: all of them.
    ///
    /// Those before the first of them may be left out: see [`Decode::skip_to`].
    fn needs(&self) -> Range<u64> {
        0..u64::MAX
    }

    /// Leaves out bytes: the next ones that are fed are those from `at` on, which is at most the start of
    /// [`Decode::needs`].
    fn skip_to(&mut self, at: u64) {
        let _ = at;
    }

    /// Takes the next bytes of the file and gives the sink every row that they complete.
    fn feed(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Progress, PipelineError>;

    /// Ends the decoding: called once, after [`Progress::Done`] or when the file has no more bytes.
    ///
    /// Gives the sink what can still be had, so that every row of every plane was given once,
    /// and says whether anything was missing or damaged on the way.
    /// A file of which nothing could be decoded is an error.
    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError>;

    /// The work that its header did not tell of, in nanoseconds, up to now.
    fn work(&self) -> u64 {
        0
    }
}
