//! The side of a plan that is written: how each thumbnail is drawn, and what that takes.

use image::metadata::Orientation;

use super::color_model::SampleModel;
use super::decode::source::Source;
use super::encode::{
    EncodeOptions, JpegColor, PngColor, RowColor, RowFile, encoder_bytes, file_bytes,
};
use super::limits::Limits;
use super::plan::VariantPlan;
use super::probe::ImageInfo;
use super::scroll::Scroll;
use super::thumbhash::HashSamples;
use super::{LimitError, OutputFormat, PipelineError};

/// How rows of pixels become a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// All pixels are held, and then encoded.
    Canvas,
    /// Each row is encoded as it comes.
    Rows(RowColor),
}

/// The largest canvas that is held where rows could be encoded as they come, in bytes.
///
/// An encoder that has seen all pixels finds the smallest color type that loses nothing;
/// of larger ones too few are gray, opaque or of few colors to hold them for that.
pub(super) const MAX_CANVAS_BYTES: u64 = 16 << 20;

impl VariantPlan {
    /// The formats that it is written in.
    pub(super) fn formats(&self) -> impl Iterator<Item = OutputFormat> {
        [Some(self.format), self.other_format].into_iter().flatten()
    }

    /// How it is encoded in one of its formats.
    pub(super) const fn encode_options(&self, format: OutputFormat) -> EncodeOptions {
        EncodeOptions {
            quality: self.quality,
            progressive: self.progressive,
            max_bytes: self.max_file_bytes,
            ..EncodeOptions::new(format)
        }
    }

    /// How it is drawn if canvases may have `max_canvas_bytes`.
    pub(super) fn drawing_for(&self, source: &Source, max_canvas_bytes: u64) -> Drawing {
        match self.row_color(source) {
            Some(color) if self.canvas_bytes() > max_canvas_bytes => Drawing::Rows(color),
            _ => Drawing::Canvas,
        }
    }

    /// What each row can be encoded with as it comes, or `None` where the order of rows,
    /// the choice of the part to keep, or the format needs all of them first.
    fn row_color(&self, source: &Source) -> Option<RowColor> {
        let in_order = matches!(
            self.orientation,
            Orientation::NoTransforms | Orientation::FlipHorizontal
        );
        if !in_order || self.choice.is_some() || self.other_format.is_some() {
            return None;
        }
        let is_gray = matches!(source.model, SampleModel::Gray | SampleModel::GrayAlpha)
            && self.flatten.is_none_or(|[r, g, b]| r == g && g == b);
        match self.format {
            OutputFormat::Jpeg if !self.progressive => Some(RowColor::Jpeg(JpegColor::new(
                is_gray,
                self.canvas,
                self.quality,
            ))),
            OutputFormat::Png => Some(RowColor::Png(PngColor::new(is_gray, !self.alpha))),
            _ => None,
        }
    }

    const fn channels(&self) -> u64 {
        if self.alpha { 4 } else { 3 }
    }

    fn canvas_bytes(&self) -> u64 {
        self.canvas.pixels() * self.channels()
    }

    /// The bytes that are held for its pixels, or for their file, while they come.
    pub(super) fn drawn_bytes(&self) -> u64 {
        match self.drawing {
            Drawing::Canvas => self.canvas_bytes(),
            Drawing::Rows(color) => {
                let options = self.encode_options(self.format);
                RowFile::bytes(self.canvas, color, &options) + Scroll::bytes(self)
            }
        }
    }

    /// What its hash is computed from, where that is not part of how it is drawn.
    fn hash_bytes(&self) -> u64 {
        match self.drawing {
            Drawing::Canvas => {
                let size = self.choice.map_or(self.canvas, |choice| choice.size);
                HashSamples::bytes(size)
            }
            Drawing::Rows(_) => 0,
        }
    }

    /// The bytes that its files have at the most, and what is held at the most to make them of its canvas.
    fn finish_bytes(&self) -> (u64, u64) {
        let mut files = 0;
        let mut most = 0;
        for format in self.formats() {
            let options = self.encode_options(format);
            if self.drawing == Drawing::Canvas {
                most = most.max(files + encoder_bytes(self.canvas, self.channels(), &options));
            }
            files += file_bytes(self.canvas, self.channels(), &options);
        }
        (files, most)
    }

    /// The most bytes that it takes, whatever is held for others.
    fn own_bytes(&self) -> u64 {
        self.drawn_bytes() + self.finish_bytes().1
    }
}

/// The most that is held once all rows have come: canvases are encoded one after another,
/// and finished files stay until all are.
pub(super) fn finishing_bytes(variants: &[VariantPlan]) -> u64 {
    let mut held: u64 = variants.iter().map(VariantPlan::drawn_bytes).sum();
    // The hash is that of the first one.
    let hashed = variants.first().map_or(0, VariantPlan::hash_bytes);
    let mut most = held + hashed;
    for variant in variants {
        let (files, encoding) = variant.finish_bytes();
        most = most.max(held + encoding);
        held = held + files - variant.drawn_bytes().min(held);
        most = most.max(held);
    }
    most
}

/// Refuses what takes too much: the largest thumbnail is named, or the source if it alone,
/// with what its decoder and the resampling take, is too large.
pub(super) fn check(
    info: &ImageInfo,
    variants: &[VariantPlan],
    (peak_bytes, source_bytes): (u64, u64),
    limits: &Limits,
) -> Result<(), PipelineError> {
    if peak_bytes <= limits.max_memory_bytes {
        return Ok(());
    }
    let largest = variants.iter().max_by_key(|variant| variant.own_bytes());
    Err(match largest {
        Some(variant) if source_bytes <= limits.max_memory_bytes => {
            // What is drawn is larger where a part of it is chosen.
            let size = variant.choice.map_or(variant.canvas, |choice| choice.size);
            LimitError::ThumbnailMemory {
                format: variant.format,
                width: size.width(),
                height: size.height(),
                need_bytes: variant.own_bytes(),
                total_bytes: peak_bytes,
                max_bytes: limits.max_memory_bytes,
            }
        }
        _ => LimitError::Memory {
            width: info.width,
            height: info.height,
            need_bytes: peak_bytes,
            max_bytes: limits.max_memory_bytes,
        },
    }
    .into())
}
