//! Lossy images: one key frame of VP8 (RFC 6386).
//!
//! Modes and coefficients come from several partitions of the file at once, so the compressed image is held whole;
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

/// What decoding takes beside the compressed image, in bytes.
pub fn peak_bytes(width: u32) -> u64 {
    // Per column of macroblocks: the pixels above, modes, contexts and filter strengths.
    let per_column = 64 + 64;
    FrameRows::peak_bytes(width) + u64::from(width).div_ceil(16) * per_column + 8 * 1024
}

/// Decodes a frame, and gives the sink the rows of Y (plane 0), U and V (planes 1 and 2).
///
/// A frame that is cut ends in gray; one without a single macroblock is an error.
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
                // Gray that stands for lost macroblocks must not be smoothed into those that are there.
                frame.strengths[decoded..].fill(Strength::default());
                frame.rows.gray_from(decoded);
            }
            if filtered {
                frame.filter_row(row);
            }
        } else {
            frame.rows.gray_from(0);
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
        // Rows of macroblocks take the partitions in turn (section 9.5), so each keeps its own place.
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
            // Past the end there are zeros, which decode to something: the macroblock is not kept.
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
                // At the right edge of the image, the last pixel is repeated.
                let right = above.get(16..20).and_then(<[u8]>::first_chunk);
                area.set_above_right(right.copied().unwrap_or([above[15]; 4]));
                for (index, (block, residue)) in self.residues.luma().enumerate() {
                    area.predict_subblock(index / 4, index % 4, modes[index]);
                    area.add(index / 4, index % 4, block, residue);
                }
            }
        }
        // Before the loop filter: the next row is predicted from pixels as they are now.
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
mod tests;
