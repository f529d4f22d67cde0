//! The coefficients of a macroblock (RFC 6386, sections 13 and 14.2).

use super::bool_decoder::BoolDecoder;
use super::header::{Segment, Steps};
use super::modes::{LumaMode, Macroblock};
use super::predict::Residue;
use super::tokens::{BlockProbs, read_block};
use super::transform::inverse_wht;

/// Types of blocks, as the probabilities are sorted.
const LUMA_WITHOUT_DC: usize = 0;
const LUMA_DC: usize = 1;
const CHROMA: usize = 2;
const LUMA: usize = 3;

/// Luma blocks of a macroblock; two times four of chroma follow.
const LUMA_BLOCKS: usize = 16;
const BLOCKS: usize = LUMA_BLOCKS + 8;

/// Which blocks at one edge of a macroblock have coefficients.
#[derive(Debug, Clone, Copy, Default)]
struct EdgeContext {
    luma: [bool; 4],
    chroma: [[bool; 2]; 2],
    luma_dc: bool,
}

/// Which blocks next to a macroblock have coefficients.
pub struct ResidueContext {
    above: Vec<EdgeContext>,
    left: EdgeContext,
}

/// The two edges that a macroblock's contexts come from.
pub struct Neighbours<'c> {
    above: &'c mut EdgeContext,
    left: &'c mut EdgeContext,
}

impl ResidueContext {
    /// Starts an image of so many macroblocks in a row.
    pub fn new(columns: usize) -> Self {
        Self {
            above: vec![EdgeContext::default(); columns],
            left: EdgeContext::default(),
        }
    }

    /// Starts a row of macroblocks.
    pub fn start_row(&mut self) {
        self.left = EdgeContext::default();
    }

    /// The neighbors of the macroblock in a column.
    pub fn at(&mut self, column: usize) -> Neighbours<'_> {
        Neighbours {
            above: &mut self.above[column],
            left: &mut self.left,
        }
    }

    /// Notes a macroblock without coefficients.
    /// Where it has no block of luma DC, that context stays with the last macroblock that had one.
    pub fn skip(&mut self, column: usize, has_luma_dc: bool) {
        for edge in [&mut self.above[column], &mut self.left] {
            *edge = EdgeContext {
                luma_dc: edge.luma_dc && !has_luma_dc,
                ..EdgeContext::default()
            };
        }
    }
}

/// The coefficients of a macroblock, and what kind of residue each block has.
pub struct Residues {
    blocks: [[i16; 16]; BLOCKS],
    kinds: [Residue; BLOCKS],
}

impl Default for Residues {
    fn default() -> Self {
        Self {
            blocks: [[0; 16]; BLOCKS],
            kinds: [Residue::None; BLOCKS],
        }
    }
}

impl Residues {
    /// Sets all to nothing.
    pub fn clear(&mut self) {
        for (block, kind) in self.blocks.iter_mut().zip(&mut self.kinds) {
            // The others are all zeros already.
            if *kind != Residue::None {
                *block = [0; 16];
                *kind = Residue::None;
            }
        }
    }

    /// Whether there is any residue.
    pub fn any(&self) -> bool {
        self.kinds.iter().any(|&kind| kind != Residue::None)
    }

    /// The luma blocks in raster order.
    pub fn luma(&self) -> impl Iterator<Item = (&[i16; 16], Residue)> {
        self.blocks[..LUMA_BLOCKS].iter().zip(self.kinds)
    }

    /// The blocks of chroma plane 0 or 1 in raster order.
    pub fn chroma(&self, plane: usize) -> impl Iterator<Item = (&[i16; 16], Residue)> {
        let start = LUMA_BLOCKS + 4 * plane;
        let kinds = self.kinds[start..].iter().copied();
        self.blocks[start..start + 4].iter().zip(kinds)
    }

    /// Reads the coefficients of a macroblock.
    pub fn read(
        &mut self,
        tokens: &mut BoolDecoder<'_>,
        probs: &[BlockProbs; 4],
        segment: &Segment,
        macroblock: &Macroblock,
        neighbors: Neighbours<'_>,
    ) {
        let Neighbours { above, left } = neighbors;
        self.clear();
        // Modes of whole macroblocks have the DC values of luma in a block of their own, those of
        // single blocks do not (RFC 6386, section 13).
        let (first, luma_probs) = if matches!(macroblock.luma, LumaMode::Whole(_)) {
            let context = [&mut above.luma_dc, &mut left.luma_dc];
            self.read_luma_dc(tokens, &probs[LUMA_DC], segment.luma_dc, context);
            (1, &probs[LUMA_WITHOUT_DC])
        } else {
            (0, &probs[LUMA])
        };
        for index in 0..LUMA_BLOCKS {
            // What lies above and to the left, in this macroblock or in the one next to it (section 13.3).
            let context = [&mut above.luma[index % 4], &mut left.luma[index / 4]];
            self.read_block(index, tokens, luma_probs, first, segment.luma, context);
        }
        for index in 0..BLOCKS - LUMA_BLOCKS {
            let (plane, row, column) = (index / 4, index / 2 % 2, index % 2);
            let context = [
                &mut above.chroma[plane][column],
                &mut left.chroma[plane][row],
            ];
            let index = LUMA_BLOCKS + index;
            self.read_block(index, tokens, &probs[CHROMA], 0, segment.chroma, context);
        }
    }

    fn read_luma_dc(
        &mut self,
        tokens: &mut BoolDecoder<'_>,
        probs: &BlockProbs,
        steps: Steps,
        context: [&mut bool; 2],
    ) {
        let mut block = [0; 16];
        let neighbors = usize::from(*context[0]) + usize::from(*context[1]);
        let has_any = read_block(tokens, probs, neighbors, 0, steps, &mut block) > 0;
        for context in context {
            *context = has_any;
        }
        if has_any {
            let means = inverse_wht(&block);
            for (block, mean) in self.blocks.iter_mut().zip(means) {
                block[0] = mean;
            }
        }
    }

    #[inline(always)]
    fn read_block(
        &mut self,
        index: usize,
        tokens: &mut BoolDecoder<'_>,
        probs: &BlockProbs,
        first: usize,
        steps: Steps,
        context: [&mut bool; 2],
    ) {
        let block = &mut self.blocks[index];
        let neighbors = usize::from(*context[0]) + usize::from(*context[1]);
        let end = read_block(tokens, probs, neighbors, first, steps, block);
        for context in context {
            // Tokens count here, not values: a block of zeros that are coded counts too.
            *context = end > first;
        }
        // Position 0 may have been filled by the block of DC coefficients.
        self.kinds[index] = if end > 1 {
            Residue::Full
        } else if block[0] != 0 {
            Residue::Dc
        } else {
            Residue::None
        };
    }
}
