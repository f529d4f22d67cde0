//! Prediction modes of macroblocks and subblocks (RFC 6386, sections 8, 10 and 11).

use super::bool_decoder::BoolDecoder;
use super::header::FrameHeader;
use super::mode_tables::SUBBLOCK_MODE_PROBS;

/// How a whole block of luma or chroma is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockMode {
    /// The mean of the edges.
    Dc,
    /// Each column from above.
    Vertical,
    /// Each row from the left.
    Horizontal,
    /// Gradients of both edges.
    TrueMotion,
}

/// How a 4x4 subblock is predicted, in the order of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubblockMode {
    /// The mean of the edges.
    Dc,
    /// Gradients of both edges.
    TrueMotion,
    /// Each column from above, smoothed.
    Vertical,
    /// Each row from the left, smoothed.
    Horizontal,
    /// Down to the left.
    LeftDown,
    /// Down to the right.
    RightDown,
    /// Steeply down to the right.
    VerticalRight,
    /// Steeply down to the left.
    VerticalLeft,
    /// Flatly down to the right.
    HorizontalDown,
    /// Flatly up to the right.
    HorizontalUp,
}

/// How luma is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LumaMode {
    /// All of it in one way.
    Whole(BlockMode),
    /// Each subblock in its own way, in raster order.
    Subblocks([SubblockMode; 16]),
}

/// What the first partition says about a macroblock.
#[derive(Debug, Clone, Copy)]
pub struct Macroblock {
    /// Its segment, 0…3.
    pub segment: u8,
    /// It has no coefficients.
    pub is_skipped: bool,
    /// The prediction of luma.
    pub luma: LumaMode,
    /// The prediction of both chroma blocks.
    pub chroma: BlockMode,
}

/// The modes next to where we are, which the probabilities depend on.
pub struct ModeContext {
    above: Vec<[SubblockMode; 4]>,
    left: [SubblockMode; 4],
}

impl ModeContext {
    /// Starts an image of so many macroblocks in a row.
    pub fn new(columns: usize) -> Self {
        Self {
            // Outside of the image all subblocks count as DC (section 11.3).
            above: vec![[SubblockMode::Dc; 4]; columns],
            left: [SubblockMode::Dc; 4],
        }
    }

    /// Starts a row of macroblocks.
    pub fn start_row(&mut self) {
        self.left = [SubblockMode::Dc; 4];
    }

    /// Reads the modes of the macroblock in column `column`.
    pub fn read(&mut self, header: &mut FrameHeader<'_>, column: usize) -> Macroblock {
        let bits = &mut header.modes;
        // The tree of section 10.
        let segment = header.segment_probs.map_or(0, |probs| {
            if bits.bit(probs[0]) {
                2 + u8::from(bits.bit(probs[2]))
            } else {
                u8::from(bits.bit(probs[1]))
            }
        });
        let is_skipped = header.skip_prob.is_some_and(|prob| bits.bit(prob));
        let luma = self.read_luma(bits, column);
        // The fixed probabilities of key frames (section 11.4).
        let chroma = if !bits.bit(142) {
            BlockMode::Dc
        } else if !bits.bit(114) {
            BlockMode::Vertical
        } else if bits.bit(183) {
            BlockMode::TrueMotion
        } else {
            BlockMode::Horizontal
        };
        Macroblock {
            segment,
            is_skipped,
            luma,
            chroma,
        }
    }

    fn read_luma(&mut self, bits: &mut BoolDecoder<'_>, column: usize) -> LumaMode {
        let above = &mut self.above[column];
        // On key frames this is the first branch: one mode for each subblock (section 11.2).
        if !bits.bit(145) {
            let mut modes = [SubblockMode::Dc; 16];
            for (row, left) in modes.chunks_exact_mut(4).zip(&mut self.left) {
                for (mode, above) in row.iter_mut().zip(above.iter_mut()) {
                    let probs = &SUBBLOCK_MODE_PROBS[*above as usize][*left as usize];
                    *mode = read_subblock_mode(bits, probs);
                    *above = *mode;
                    *left = *mode;
                }
            }
            return LumaMode::Subblocks(modes);
        }
        let (mode, as_subblock) = match bits.bit(156) {
            true if bits.bit(128) => (BlockMode::TrueMotion, SubblockMode::TrueMotion),
            true => (BlockMode::Horizontal, SubblockMode::Horizontal),
            false if bits.bit(163) => (BlockMode::Vertical, SubblockMode::Vertical),
            false => (BlockMode::Dc, SubblockMode::Dc),
        };
        // To its neighbors, a whole block is sixteen subblocks of that mode (section 11.3).
        *above = [as_subblock; 4];
        self.left = [as_subblock; 4];
        LumaMode::Whole(mode)
    }
}

/// The tree of section 11.2.
fn read_subblock_mode(bits: &mut BoolDecoder<'_>, probs: &[u8; 9]) -> SubblockMode {
    use SubblockMode as Mode;
    if !bits.bit(probs[0]) {
        return Mode::Dc;
    }
    if !bits.bit(probs[1]) {
        return Mode::TrueMotion;
    }
    if !bits.bit(probs[2]) {
        return Mode::Vertical;
    }
    if !bits.bit(probs[3]) {
        return if !bits.bit(probs[4]) {
            Mode::Horizontal
        } else if bits.bit(probs[5]) {
            Mode::VerticalRight
        } else {
            Mode::RightDown
        };
    }
    if !bits.bit(probs[6]) {
        return Mode::LeftDown;
    }
    if !bits.bit(probs[7]) {
        return Mode::VerticalLeft;
    }
    if bits.bit(probs[8]) {
        Mode::HorizontalUp
    } else {
        Mode::HorizontalDown
    }
}
