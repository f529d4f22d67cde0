//! Lossy pictures: one key frame of VP8 (RFC 6386).
//!
//! Modes and coefficients come from several partitions of the file at once, so the compressed picture is held whole;
//! of the pixels, only the current row of macroblocks exists.
//! The loop filter runs behind the prediction, which uses pixels as they were before it.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::inline_always,
    clippy::many_single_char_names,
    reason = "formulas keep the names of the specification; samples and coefficients change their width all the time, within ranges that the code around shows"
)]

mod bool_decoder;
mod header;
mod loop_filter;
mod mode_tables;
mod modes;
mod predict;
mod residue;
mod rows;
#[cfg(test)]
mod testing;
mod token_tables;
mod tokens;
mod transform;

use header::FrameHeader;
use loop_filter::Strength;
use modes::{BlockMode, LumaMode, Macroblock, ModeContext};
use predict::{ChromaArea, Edges, LumaArea};
use residue::{ResidueContext, Residues};
use rows::FrameRows;

use super::LoopFilter;
use crate::decode::buffer::try_filled;
use crate::decode::{Completeness, RowSink};
use crate::{ImageFormat, PipelineError};

pub use header::read_size;

/// What decoding takes beside the compressed picture, in bytes.
pub fn peak_bytes(width: u32) -> u64 {
    // Per column of macroblocks: the pixels above, modes, contexts and filter strengths.
    let per_column = 64 + 64;
    FrameRows::peak_bytes(width) + u64::from(width).div_ceil(16) * per_column + 8 * 1024
}

/// Decodes a frame, and gives the sink the rows of Y (plane 0), U and V (planes 1 and 2).
///
/// A frame that is cut ends in grey; one without a single macroblock is an error.
pub fn decode(
    data: &[u8],
    filter: LoopFilter,
    sink: &mut dyn RowSink,
) -> Result<Completeness, PipelineError> {
    let header = header::read(data)?;
    let filtered = filter == LoopFilter::Exact && header.filter.level > 0;
    let mut frame = Frame::new(header, filtered)?;
    let mut completeness = Completeness::Whole;
    for row in 0..frame.row_count {
        if completeness == Completeness::Whole {
            let decoded = frame.decode_row(row);
            if decoded == 0 && row == 0 {
                return Err(PipelineError::truncated(
                    ImageFormat::WebP,
                    "it ends before the first macroblock",
                ));
            }
            if decoded < frame.column_count {
                completeness = Completeness::Truncated;
                frame.strengths[decoded..].fill(Strength::default());
                frame.rows.grey_from(decoded);
            }
            if filtered {
                frame.filter_row(row);
            }
        } else {
            frame.rows.grey_from(0);
        }
        frame.rows.emit(row, sink);
    }
    Ok(completeness)
}

struct Frame<'a> {
    header: FrameHeader<'a>,
    row_count: usize,
    column_count: usize,
    rows: FrameRows,
    /// The last row of pixels of the macroblocks above, not filtered: of Y, U and V.
    above: [Vec<u8>; 3],
    luma: LumaArea,
    chroma: [ChromaArea; 2],
    modes: ModeContext,
    contexts: ResidueContext,
    residues: Residues,
    strengths: Vec<Strength>,
}

impl<'a> Frame<'a> {
    fn new(header: FrameHeader<'a>, filtered: bool) -> Result<Self, PipelineError> {
        let (width, height) = (header.width as usize, header.height as usize);
        let column_count = width.div_ceil(16);
        let above = |block: usize| try_filled(column_count * block, predict::ABOVE_PICTURE);
        Ok(Self {
            row_count: height.div_ceil(16),
            column_count,
            rows: FrameRows::new(width, height, filtered)?,
            above: [above(16)?, above(8)?, above(8)?],
            luma: LumaArea::new(),
            chroma: [ChromaArea::new(), ChromaArea::new()],
            modes: ModeContext::new(column_count),
            contexts: ResidueContext::new(column_count),
            residues: Residues::default(),
            strengths: vec![Strength::default(); column_count],
            header,
        })
    }

    /// Decodes a row of macroblocks and says how many of them the file has.
    fn decode_row(&mut self, row: usize) -> usize {
        let partition = row % self.header.tokens.len();
        let mut tokens = self.header.tokens[partition];
        let edges = Edges {
            above: row > 0,
            left: false,
        };
        self.modes.start_row();
        self.contexts.start_row();
        self.luma.start_row(edges);
        for area in &mut self.chroma {
            area.start_row(edges);
        }
        for column in 0..self.column_count {
            let macroblock = self.modes.read(&mut self.header, column);
            if macroblock.is_skipped {
                let has_luma_dc = matches!(macroblock.luma, LumaMode::Whole(_));
                self.contexts.skip(column, has_luma_dc);
                self.residues.clear();
            } else {
                let segment = &self.header.segments[usize::from(macroblock.segment)];
                self.residues.read(
                    &mut tokens,
                    &self.header.probs,
                    segment,
                    &macroblock,
                    self.contexts.at(column),
                );
            }
            if tokens.is_past_end() || self.header.modes.is_past_end() {
                return column;
            }
            self.rebuild(&macroblock, column, edges);
            self.set_strength(&macroblock, column);
        }
        self.header.tokens[partition] = tokens;
        self.column_count
    }

    fn set_strength(&mut self, macroblock: &Macroblock, column: usize) {
        let segment = &self.header.segments[usize::from(macroblock.segment)];
        self.strengths[column] = Strength::new(
            &self.header.filter,
            segment.filter_level,
            matches!(macroblock.luma, LumaMode::Subblocks(_)),
            self.residues.any(),
        );
    }

    /// Predicts a macroblock, adds its residue and puts it into its row.
    fn rebuild(&mut self, macroblock: &Macroblock, column: usize, edges: Edges) {
        let edges = Edges {
            left: column > 0,
            ..edges
        };
        self.rebuild_luma(macroblock.luma, column, edges);
        for plane in 0..2 {
            self.rebuild_chroma(plane, macroblock.chroma, column, edges);
        }
    }

    fn rebuild_luma(&mut self, mode: LumaMode, column: usize, edges: Edges) {
        let area = &mut self.luma;
        if edges.left {
            area.advance();
        }
        let above = &mut self.above[0][16 * column..];
        area.set_above(&above[..16]);
        match mode {
            LumaMode::Whole(mode) => {
                area.predict(mode, edges);
                for (index, (block, residue)) in self.residues.luma().enumerate() {
                    area.add(index / 4, index % 4, block, residue);
                }
            }
            LumaMode::Subblocks(modes) => {
                // At the right edge of the picture, the last pixel is repeated.
                let right = above.get(16..20).and_then(<[u8]>::first_chunk);
                area.set_above_right(right.copied().unwrap_or([above[15]; 4]));
                for (index, (block, residue)) in self.residues.luma().enumerate() {
                    area.predict_subblock(index / 4, index % 4, modes[index]);
                    area.add(index / 4, index % 4, block, residue);
                }
            }
        }
        above[..16].copy_from_slice(area.last_row());
        self.rows.put_luma(column, area.rows());
    }

    fn rebuild_chroma(&mut self, plane: usize, mode: BlockMode, column: usize, edges: Edges) {
        let area = &mut self.chroma[plane];
        if edges.left {
            area.advance();
        }
        let above = &mut self.above[1 + plane][8 * column..8 * column + 8];
        area.set_above(above);
        area.predict(mode, edges);
        for (index, (block, residue)) in self.residues.chroma(plane).enumerate() {
            area.add(index / 2, index % 2, block, residue);
        }
        above.copy_from_slice(area.last_row());
        self.rows.put_chroma(plane, column, area.rows());
    }

    fn filter_row(&mut self, row: usize) {
        let is_simple = self.header.filter.is_simple;
        for (column, &strength) in self.strengths.iter().enumerate() {
            self.rows.filter(column, row, strength, is_simple);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::testing::{Random, random_frame};
    use super::*;
    use crate::decode::Samples;
    use crate::decode::canvas::{CanvasRows, Placement};
    use crate::decode::webp::alpha::AlphaRows;
    use crate::decode::webp::yuv::YuvToRgba;

    /// Collects rows of RGBA as RGB, and all rows in the order in which they came.
    #[derive(Default)]
    struct Rows {
        rgb: Vec<u8>,
        order: Vec<(usize, u32)>,
    }

    impl RowSink for Rows {
        fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
            self.order.push((plane, y));
            if let Samples::U8(samples) = samples {
                let pixels = samples.as_chunks::<4>().0.iter();
                self.rgb.extend(pixels.flat_map(|pixel| &pixel[..3]));
            }
        }

        fn pixels(&mut self, _: usize, _: u32, _: u32, _: u32, _: Samples<'_>) {}
    }

    fn whole_canvas(size: (u32, u32)) -> CanvasRows {
        CanvasRows::new(Placement::new(size, (0, 0), size).unwrap()).unwrap()
    }

    fn decode_to_rgb(frame: &[u8], size: (u32, u32)) -> (Vec<u8>, Completeness) {
        let mut rows = Rows::default();
        let canvas = whole_canvas(size);
        let mut rgba = YuvToRgba::new(canvas, AlphaRows::opaque(size.0), size.1, &mut rows);
        let completeness = decode(frame, LoopFilter::Exact, &mut rgba).unwrap();
        (rows.rgb, completeness)
    }

    fn reference(frame: &[u8], size: (u32, u32)) -> Vec<u8> {
        let mut file = b"RIFF....WEBPVP8 ".to_vec();
        file.extend((frame.len() as u32).to_le_bytes());
        file.extend(frame);
        let mut rgb = vec![0; (size.0 * size.1 * 3) as usize];
        image_webp::WebPDecoder::new(Cursor::new(file))
            .unwrap()
            .read_image(&mut rgb)
            .unwrap();
        rgb
    }

    #[test]
    fn every_feature_decodes_as_the_reference_does() {
        let mut random = Random(1);
        for round in 0..60 {
            let size = (1 + random.below(70), 1 + random.below(70));
            let frame = random_frame(&mut random, size.0 as u16, size.1 as u16);
            let (rgb, completeness) = decode_to_rgb(&frame, size);
            assert_eq!(completeness, Completeness::Whole);
            assert!(rgb == reference(&frame, size), "round {round}, {size:?}");
        }
    }

    #[test]
    fn a_cut_frame_keeps_its_beginning_and_ends_in_grey() {
        let mut random = Random(7);
        // Sixteen rows of macroblocks share one to eight partitions.
        let size = (48, 256);
        for _ in 0..10 {
            let frame = random_frame(&mut random, 48, 256);
            let (whole, _) = decode_to_rgb(&frame, size);
            let mut longest = 0;
            for cut in (frame.len() / 8..frame.len()).step_by(frame.len() / 50) {
                let mut rows = Rows::default();
                let canvas = whole_canvas(size);
                let mut rgba = YuvToRgba::new(canvas, AlphaRows::opaque(48), 256, &mut rows);
                if decode(&frame[..cut], LoopFilter::Exact, &mut rgba).is_err() {
                    continue;
                }
                assert_eq!(rows.rgb.len(), whole.len());
                let same = rows.rgb.iter().zip(&whole).take_while(|(a, b)| a == b);
                let same = same.count();
                assert!(same >= longest, "{same} of {longest} bytes at {cut}");
                longest = same;
            }
            assert!(longest > 0);
        }
    }

    #[test]
    fn rows_come_once_in_order_and_in_step() {
        let frame = random_frame(&mut Random(3), 33, 37);
        for filter in [LoopFilter::Exact, LoopFilter::Skip] {
            let mut rows = Rows::default();
            decode(&frame, filter, &mut rows).unwrap();
            let expected: Vec<_> = (0..19)
                .flat_map(|y| [(0, 2 * y), (0, 2 * y + 1), (1, y), (2, y)])
                .filter(|&(_, y)| y < 37)
                .collect();
            assert_eq!(rows.order, expected);
        }
    }
}
