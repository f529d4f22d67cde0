//! Where the blocks of each component lie, and how large the planes become.

use super::super::Plane;
use super::segments::Quant;
use super::{ColorTransform, JpegHeader};

/// What does not grow with the image: four Huffman tables of each class, quantization tables,
/// and what is carried from chunk to chunk, in a buffer that doubles.
const SMALL_BYTES: u64 = 4 * (6 << 10) + 4 * (14 << 10) + (40 << 10);

/// Samples on a side of what an 8x8 block becomes: the scale of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockSize {
    /// 1/8: only the DC coefficient is decoded.
    One,
    /// 1/4.
    Two,
    /// 1/2.
    Four,
    /// Full size.
    Eight,
}

impl BlockSize {
    /// Samples on a side of a block: 1, 2, 4 or 8.
    pub const fn samples(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// The highest coefficient in zigzag order that this size uses.
    pub(super) const fn last_coefficient(self) -> u8 {
        match self {
            Self::One => 0,
            Self::Two => 4,
            Self::Four => 24,
            Self::Eight => 63,
        }
    }

    /// Whether refinement scans of AC coefficients matter with this quantisation table.
    ///
    /// They can only be parsed if it is known which of *all* coefficients of a block are not zero,
    /// so one kept refinement costs the parsing of nearly the whole file.
    /// At 1/4 the three coefficients miss at most three steps without them. Measured after shrinking to half:
    /// with steps of up to 5 (quality 80) that costs 0…1.3 dB of 44…48 dB, with steps of 10 (quality 50) up to 4 dB.
    pub(super) fn refines(self, quant: &Quant) -> bool {
        const MAX_UNREFINED_STEP: u16 = 5;
        match self {
            Self::One => false,
            Self::Two => [1, 8, 9]
                .iter()
                .any(|&i: &usize| quant[i] > MAX_UNREFINED_STEP),
            Self::Four | Self::Eight => true,
        }
    }

    /// Whether refinement scans matter with some quantisation table.
    const fn may_refine(self) -> bool {
        !matches!(self, Self::One)
    }
}

/// One component's grid of blocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Component {
    pub(super) id: u8,
    pub(super) tq: usize,
    /// Blocks in an MCU, horizontally and vertically.
    pub(super) h: usize,
    pub(super) v: usize,
    pub(super) size: BlockSize,
    /// Blocks that cover the component: what a scan of it alone has (T.81 A.2.2).
    pub(super) blocks_w: usize,
    pub(super) blocks_h: usize,
    /// Blocks in a row when the rows are filled up to whole MCUs.
    pub(super) padded_w: usize,
}

impl Component {
    /// How many blocks a scan of it alone has.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks_w as u64 * self.blocks_h as u64
    }
}

/// How chroma samples lie over those of luma: one covers `1 << shift` of them on each axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Join {
    pub(super) shift_x: u32,
    pub(super) shift_y: u32,
}

/// The grid of an image.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) mcu_cols: usize,
    pub(super) mcu_rows: usize,
    pub(super) components: Vec<Component>,
    /// One for each component.
    pub(super) planes: Vec<Plane>,
}

impl Layout {
    pub(super) fn new(header: &JpegHeader, block_sizes: &[BlockSize]) -> Self {
        let alone = header.components.len() == 1;
        // The factors of a single component mean nothing: its scan is not interleaved.
        let factors = |h: u8, v: u8| {
            if alone {
                (1, 1)
            } else {
                (usize::from(h), usize::from(v))
            }
        };
        let (mut h_max, mut v_max) = (1, 1);
        for c in &header.components {
            let (h, v) = factors(c.h, c.v);
            (h_max, v_max) = (h_max.max(h), v_max.max(v));
        }
        let (width, height) = (header.width as usize, header.height as usize);
        // T.81 A.2.4: images are filled up to whole MCUs.
        let (mcu_cols, mcu_rows) = (width.div_ceil(8 * h_max), height.div_ceil(8 * v_max));
        let mut layout = Self {
            width: header.width,
            height: header.height,
            mcu_cols,
            mcu_rows,
            components: Vec::new(),
            planes: Vec::new(),
        };
        for (i, c) in header.components.iter().enumerate() {
            let (h, v) = factors(c.h, c.v);
            let size = block_sizes.get(i).copied().unwrap_or(BlockSize::Eight);
            let n = size.samples();
            layout.components.push(Component {
                id: c.id,
                tq: usize::from(c.tq),
                h,
                v,
                size,
                // T.81 A.1.1. Rounding up to samples and then to blocks is the same as rounding up once.
                blocks_w: (width * h).div_ceil(8 * h_max),
                blocks_h: (height * v).div_ceil(8 * v_max),
                padded_w: mcu_cols * h,
            });
            layout.planes.push(Plane {
                width: (width * h * n).div_ceil(8 * h_max) as u32,
                height: (height * v * n).div_ceil(8 * v_max) as u32,
                channels: 1,
                pixels_per_sample_x: (8 * h_max) as f64 / (h * n) as f64,
                pixels_per_sample_y: (8 * v_max) as f64 / (v * n) as f64,
            });
        }
        layout
    }

    /// How the components become RGB at once, if they can: where luma is decoded at 1/8, and no chroma sample
    /// lies over parts of luma samples.
    pub(super) fn join(&self, transform: ColorTransform) -> Option<Join> {
        let [luma, cb, cr] = self.components.as_slice() else {
            return None;
        };
        // Only at 1/8 are all AC bits passed over, and spreads are made of those.
        if transform != ColorTransform::YCbCr || luma.size != BlockSize::One {
            return None;
        }
        let shift = |luma: usize, chroma: usize| match luma {
            _ if luma == chroma => Some(0),
            _ if luma == 2 * chroma => Some(1),
            _ => None,
        };
        let join = |chroma: &Component| {
            let n = chroma.size.samples();
            Some(Join {
                shift_x: shift(luma.h, chroma.h * n)?,
                shift_y: shift(luma.v, chroma.v * n)?,
            })
        };
        join(cb).filter(|found| join(cr) == Some(*found))
    }

    /// See [`JpegHeader::peak_bytes`].
    pub(super) fn peak_bytes(&self, stored: bool) -> u64 {
        let mut bytes = SMALL_BYTES;
        // What RGB takes: five lines, and the spreads of a row of MCUs.
        let rgb = self.components.first();
        bytes += rgb.map_or(0, |luma| luma.padded_w * (5 + luma.v)) as u64;
        for c in &self.components {
            let n = c.size.samples();
            bytes += (c.padded_w * n * c.v * n) as u64;
            if stored {
                // 16 bits for each coefficient, 64 for the bitmap of a block; then the two vectors of a row.
                let block = 2 * n * n + if c.size.may_refine() { 8 } else { 0 };
                let row = c.padded_w * c.v * block + 64;
                bytes += row as u64 * self.mcu_rows as u64;
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ColorTransform, JpegComponent};
    use super::*;

    pub(in super::super) fn header(width: u32, height: u32, factors: &[(u8, u8)]) -> JpegHeader {
        JpegHeader {
            width,
            height,
            components: factors
                .iter()
                .zip(1..)
                .map(|(&(h, v), id)| JpegComponent { id, h, v, tq: 0 })
                .collect(),
            progressive: false,
            interleaved: true,
            transform: ColorTransform::YCbCr,
            restart_interval: 0,
            icc: None,
            exif: None,
        }
    }

    #[test]
    fn planes_follow_the_factors_and_scales() {
        use BlockSize::{Eight, Four, One, Two};
        for (factors, sizes, want) in [
            (
                &[(2, 2), (1, 1), (1, 1)][..],
                [One, Two, Eight],
                &[(13, 7, 8.0, 8.0), (13, 7, 8.0, 8.0), (50, 26, 2.0, 2.0)][..],
            ),
            (
                &[(3, 1), (2, 1), (1, 1)],
                [Eight, Eight, Four],
                &[(99, 51, 1.0, 1.0), (66, 51, 1.5, 1.0), (17, 26, 6.0, 2.0)],
            ),
            (&[(4, 2)], [Two; 3], &[(25, 13, 4.0, 4.0)]),
        ] {
            let layout = Layout::new(&header(99, 51, factors), &sizes);
            let got: Vec<_> = layout
                .planes
                .iter()
                .map(|p| {
                    (
                        p.width,
                        p.height,
                        p.pixels_per_sample_x,
                        p.pixels_per_sample_y,
                    )
                })
                .collect();
            assert_eq!(got, want);
        }
    }

    #[test]
    fn peak_counts_stored_coefficients() {
        let mut header = header(10_000, 10_000, &[(2, 2), (1, 1), (1, 1)]);
        let sizes = [BlockSize::One; 3];
        assert!(header.peak_bytes(&sizes) < 1 << 20);
        header.progressive = true;
        let peak = header.peak_bytes(&sizes);
        assert!((4_687_500..6 << 20).contains(&peak), "{peak}");
        assert!(header.peak_bytes(&[]) > 300_000_000);
    }
}
