//! Intra prediction (RFC 6386, section 12), and adding the residue to it.
//!
//! A macroblock is rebuilt in a small [`Area`] that also holds the pixels around it,
//! because prediction needs its neighbors as they were before the loop filter.

use super::modes::{BlockMode, SubblockMode};
use super::transform::inverse_dct;

/// Column of the pixels to the left; those of the block follow it.
const LEFT: usize = 7;
/// First column of the block.
const START: usize = LEFT + 1;

/// Pixels above an image's first row read as this.
pub const ABOVE_PICTURE: u8 = 127;
/// Pixels to the left of an image's first column read as this.
const LEFT_OF_PICTURE: u8 = 129;

/// What a block of coefficients holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Residue {
    /// Nothing.
    #[default]
    None,
    /// Only the mean.
    Dc,
    /// Details.
    Full,
}

/// Which edges of a block lie within the image.
#[derive(Debug, Clone, Copy)]
pub struct Edges {
    /// There is a row above.
    pub above: bool,
    /// There is a column to the left.
    pub left: bool,
}

/// A block with the row above it (row 0) and the column to its left.
///
/// `STRIDE` is a power of two with room for the block and four pixels above to the right.
pub struct Area<const STRIDE: usize, const ROWS: usize> {
    pixels: [[u8; STRIDE]; ROWS],
}

/// The area of a luma macroblock.
pub type LumaArea = Area<32, 17>;
/// The area of a chroma macroblock.
pub type ChromaArea = Area<16, 9>;

impl<const STRIDE: usize, const ROWS: usize> Area<STRIDE, ROWS> {
    /// Width and height of the block.
    const SIZE: usize = ROWS - 1;

    /// An area to start an image with.
    pub fn new() -> Self {
        Self {
            pixels: [[ABOVE_PICTURE; STRIDE]; ROWS],
        }
    }

    /// Moves to the first block of a row.
    pub fn start_row(&mut self, edges: Edges) {
        for row in &mut self.pixels {
            row[LEFT] = LEFT_OF_PICTURE;
        }
        // In the first row the corner belongs to the row above, in the others to the column on the left.
        if !edges.above {
            self.pixels[0][LEFT] = ABOVE_PICTURE;
        }
    }

    /// Moves to the next block of a row: this one becomes its left neighbor.
    pub fn advance(&mut self) {
        for row in &mut self.pixels {
            row[LEFT] = row[LEFT + Self::SIZE];
        }
    }

    /// Sets the pixels above the block.
    pub fn set_above(&mut self, above: &[u8]) {
        self.pixels[0][START..START + Self::SIZE].copy_from_slice(above);
    }

    /// The block's last row, which is above the next row's block.
    pub fn last_row(&self) -> &[u8] {
        &self.pixels[Self::SIZE][START..START + Self::SIZE]
    }

    /// The rows of the block.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels[1..]
            .iter()
            .map(|row| &row[START..START + Self::SIZE])
    }

    /// Predicts the whole block.
    pub fn predict(&mut self, mode: BlockMode, edges: Edges) {
        let [above, block @ ..] = &mut self.pixels[..] else {
            return;
        };
        let above_block = &above[START..START + Self::SIZE];
        match mode {
            // A missing edge does not count; without both, the mean is 128 (section 12.2).
            BlockMode::Dc => self.fill(self.mean_of_edges(edges)),
            BlockMode::Vertical => {
                for row in block {
                    row[START..START + Self::SIZE].copy_from_slice(above_block);
                }
            }
            BlockMode::Horizontal => {
                for row in block {
                    let left = row[LEFT];
                    row[START..START + Self::SIZE].fill(left);
                }
            }
            BlockMode::TrueMotion => {
                for row in block {
                    let slope = i16::from(row[LEFT]) - i16::from(above[LEFT]);
                    let pixels = &mut row[START..START + Self::SIZE];
                    for (pixel, &above) in pixels.iter_mut().zip(above_block) {
                        *pixel = (i16::from(above) + slope).clamp(0, 255) as u8;
                    }
                }
            }
        }
    }

    fn fill(&mut self, value: u8) {
        for row in &mut self.pixels[1..] {
            row[START..START + Self::SIZE].fill(value);
        }
    }

    fn mean_of_edges(&self, edges: Edges) -> u8 {
        let mut sum = 0;
        let mut count = 0;
        if edges.above {
            let above = &self.pixels[0][START..START + Self::SIZE];
            sum += above.iter().map(|&pixel| u32::from(pixel)).sum::<u32>();
            count += Self::SIZE as u32;
        }
        if edges.left {
            let left = self.pixels[1..].iter().map(|row| u32::from(row[LEFT]));
            sum += left.sum::<u32>();
            count += Self::SIZE as u32;
        }
        if count == 0 {
            return 128;
        }
        // `count` is a power of two.
        ((sum + count / 2) >> count.trailing_zeros()) as u8
    }

    /// Adds a residue to the subblock in the given row and column of subblocks.
    #[inline(always)]
    pub fn add(&mut self, row: usize, column: usize, block: &[i16; 16], residue: Residue) {
        let x = START + 4 * column;
        let rows = self.pixels[1 + 4 * row..].iter_mut().take(4);
        match residue {
            Residue::None => {}
            Residue::Dc => {
                // What the inverse DCT makes of a block that has only this.
                let dc = (i32::from(block[0]) + 4) >> 3;
                for row in rows {
                    add_row(&mut row[x..], [dc; 4]);
                }
            }
            Residue::Full => {
                for (row, values) in rows.zip(inverse_dct(block)) {
                    add_row(&mut row[x..], values);
                }
            }
        }
    }
}

#[inline(always)]
fn add_row(row: &mut [u8], residue: [i32; 4]) {
    let Some(pixels) = row.first_chunk_mut::<4>() else {
        return;
    };
    for (pixel, residue) in pixels.iter_mut().zip(residue) {
        *pixel = (i32::from(*pixel) + residue).clamp(0, 255) as u8;
    }
}

impl LumaArea {
    /// Sets the four pixels above to the right of the macroblock.
    ///
    /// The last subblock of every row uses them, also where the macroblock to the right is not decoded yet (12.3).
    pub fn set_above_right(&mut self, pixels: [u8; 4]) {
        for row in [0, 4, 8, 12] {
            self.pixels[row][START + 16..START + 20].copy_from_slice(&pixels);
        }
    }

    /// Predicts one subblock.
    #[inline(always)]
    pub fn predict_subblock(&mut self, row: usize, column: usize, mode: SubblockMode) {
        let x = START + 4 * column;
        let Some([above, block @ ..]) = self.pixels[4 * row..].first_chunk_mut::<5>() else {
            return;
        };
        // The corner and eight pixels above: a subblock uses the four above the next one too.
        let Some(edge) = above[x - 1..].first_chunk::<9>() else {
            return;
        };
        let [corner, above @ ..] = *edge;
        let left = [0, 1, 2, 3].map(|i: usize| block[i][x - 1]);
        let predicted = predict_4x4(mode, above, left, corner);
        for (row, values) in block.iter_mut().zip(predicted) {
            row[x..x + 4].copy_from_slice(&values);
        }
    }
}

fn mean2(a: u8, b: u8) -> u8 {
    ((u16::from(a) + u16::from(b) + 1) >> 1) as u8
}

fn mean3(a: u8, b: u8, c: u8) -> u8 {
    ((u16::from(a) + 2 * u16::from(b) + u16::from(c) + 2) >> 2) as u8
}

/// The ten modes of section 12.3, from eight pixels above, four to the left and the corner between.
fn predict_4x4(mode: SubblockMode, above: [u8; 8], left: [u8; 4], corner: u8) -> [[u8; 4]; 4] {
    let [a0, a1, a2, a3, a4, ..] = above;
    let [l0, l1, l2, l3] = left;
    // The edge from the bottom left over the corner to the top right, and its means.
    let edge = [l3, l2, l1, l0, corner, a0, a1, a2, a3];
    let edge2 = |i: usize| mean2(edge[i], edge[i + 1]);
    let edge3 = |i: usize| mean3(edge[i], edge[i + 1], edge[i + 2]);
    let above2 = |i: usize| mean2(above[i], above[i + 1]);
    // Only the last pixel of `LeftDown` asks for a ninth pixel, and repeats the eighth (section 12.3).
    let above3 = |i: usize| mean3(above[i], above[i + 1], above[(i + 2).min(7)]);
    match mode {
        SubblockMode::Dc => {
            let sum: u32 = above[..4].iter().chain(&left).map(|&v| u32::from(v)).sum();
            [[((sum + 4) >> 3) as u8; 4]; 4]
        }
        SubblockMode::TrueMotion => left.map(|left| {
            let slope = i16::from(left) - i16::from(corner);
            [a0, a1, a2, a3].map(|above| (i16::from(above) + slope).clamp(0, 255) as u8)
        }),
        SubblockMode::Vertical => {
            [[
                mean3(corner, a0, a1),
                mean3(a0, a1, a2),
                mean3(a1, a2, a3),
                mean3(a2, a3, a4),
            ]; 4]
        }
        SubblockMode::Horizontal => [
            [mean3(corner, l0, l1); 4],
            [mean3(l0, l1, l2); 4],
            [mean3(l1, l2, l3); 4],
            [mean3(l2, l3, l3); 4],
        ],
        SubblockMode::LeftDown => {
            [0, 1, 2, 3].map(|row: usize| [0, 1, 2, 3].map(|i: usize| above3(row + i)))
        }
        SubblockMode::RightDown => {
            [3, 2, 1, 0].map(|row: usize| [0, 1, 2, 3].map(|i: usize| edge3(row + i)))
        }
        SubblockMode::VerticalRight => [
            [edge2(4), edge2(5), edge2(6), edge2(7)],
            [edge3(3), edge3(4), edge3(5), edge3(6)],
            [edge3(2), edge2(4), edge2(5), edge2(6)],
            [edge3(1), edge3(3), edge3(4), edge3(5)],
        ],
        SubblockMode::VerticalLeft => [
            [above2(0), above2(1), above2(2), above2(3)],
            [above3(0), above3(1), above3(2), above3(3)],
            // The last pixels of these two rows leave the pattern in the specification too.
            [above2(1), above2(2), above2(3), above3(4)],
            [above3(1), above3(2), above3(3), above3(5)],
        ],
        SubblockMode::HorizontalDown => [
            [edge2(3), edge3(3), edge3(4), edge3(5)],
            [edge2(2), edge3(2), edge2(3), edge3(3)],
            [edge2(1), edge3(1), edge2(2), edge3(2)],
            [edge2(0), edge3(0), edge2(1), edge3(1)],
        ],
        SubblockMode::HorizontalUp => {
            let fade = mean3(l2, l3, l3);
            [
                [
                    mean2(l0, l1),
                    mean3(l0, l1, l2),
                    mean2(l1, l2),
                    mean3(l1, l2, l3),
                ],
                [mean2(l1, l2), mean3(l1, l2, l3), mean2(l2, l3), fade],
                [mean2(l2, l3), fade, l3, l3],
                [l3; 4],
            ]
        }
    }
}
