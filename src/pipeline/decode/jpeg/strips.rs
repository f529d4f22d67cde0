//! The samples of one row of MCUs, and how they reach the sink.

use super::super::{RowSink, Samples};
use super::idct::{Block, Factors, eight, flat, four, two};
use super::join::Joined;
use super::layout::{BlockSize, Join, Layout};
use super::rgb::{LANES, Spread};
use super::segments::Quant;
use super::{PipelineError, out_of_memory};

/// What is not known is gray.
const GRAY: u8 = 128;

/// The strip of one component within [`Strips::samples`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Strip {
    pub(super) start: usize,
    pub(super) stride: usize,
    /// Rows of samples that a row of MCUs has.
    pub(super) rows: usize,
    pub(super) plane_w: usize,
    pub(super) plane_h: usize,
}

/// A buffer of `len` bytes of `value`.
pub(super) fn filled(layout: &Layout, len: usize, value: u8) -> Result<Vec<u8>, PipelineError> {
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(len)
        .map_err(|_| out_of_memory(layout, len as u64, 0))?;
    buffer.resize(len, value);
    Ok(buffer)
}

/// One row of MCUs of every component.
#[derive(Debug, Default)]
pub(super) struct Strips {
    pub(super) samples: Vec<u8>,
    pub(super) parts: Vec<Strip>,
    pub(super) joined: Option<Joined>,
    mcu_rows: usize,
    /// The row of MCUs that is given to the sink next.
    next: usize,
}

impl Strips {
    /// Strips that are given out as they are, or joined to RGB.
    pub(super) fn new(layout: &Layout, join: Option<Join>) -> Result<Self, PipelineError> {
        let mut parts = Vec::new();
        let mut start = 0;
        for (c, plane) in layout.components.iter().zip(&layout.planes) {
            let n = c.size.samples();
            let (stride, rows) = (c.padded_w * n, c.v * n);
            parts.push(Strip {
                start,
                stride,
                rows,
                plane_w: plane.width as usize,
                plane_h: plane.height as usize,
            });
            start += stride * rows;
        }
        let joined = match (join, parts.first()) {
            (Some(join), Some(luma)) => Some(Joined::new(layout, join, *luma)?),
            _ => None,
        };
        Ok(Self {
            // What lies behind the last line is read with it, and not shown.
            samples: filled(layout, start + LANES, GRAY)?,
            parts,
            joined,
            mcu_rows: layout.mcu_rows,
            next: 0,
        })
    }

    /// Gives the row of MCUs to the sink and makes the strips gray for the next one.
    pub(super) fn emit(&mut self, sink: &mut dyn RowSink) {
        if self.next >= self.mcu_rows {
            return;
        }
        if let (Some(joined), &[luma, cb, cr]) = (&mut self.joined, &self.parts[..]) {
            joined.emit(&self.samples, [luma, cb, cr], self.next, sink);
        } else {
            self.emit_planes(sink);
        }
        self.samples.fill(GRAY);
        self.next += 1;
    }

    fn emit_planes(&self, sink: &mut dyn RowSink) {
        for (plane, part) in self.parts.iter().enumerate() {
            let first = self.next * part.rows;
            // Lines past the plane only complete an MCU (T.81 A.2.4).
            for r in 0..part.rows.min(part.plane_h.saturating_sub(first)) {
                let at = part.start + r * part.stride;
                if let Some(row) = self.samples.get(at..at + part.plane_w) {
                    sink.row(plane, (first + r) as u32, Samples::U8(row));
                }
            }
        }
    }

    /// Keeps how many bits the AC coefficients of the block at `at` have.
    #[inline(always)]
    pub(super) fn note(&mut self, at: usize, spread: Spread, bits: u32) {
        if spread.is_none() {
            return;
        }
        if let Some(joined) = &mut self.joined {
            joined.set_spread(at, spread.of(bits));
        }
    }

    /// Gives the sink every row that it has not had yet.
    pub(super) fn emit_rest(&mut self, sink: &mut dyn RowSink) {
        while self.next < self.mcu_rows {
            self.emit(sink);
        }
    }
}

/// How the coefficients of a component become samples.
#[derive(Debug, Clone)]
pub(super) struct Dequant {
    pub(super) size: BlockSize,
    pub(super) dc: u16,
    pub(super) factors: Factors,
    /// Whether refinement scans of AC coefficients are decoded.
    pub(super) refines: bool,
    pub(super) spread: Spread,
}

impl Dequant {
    pub(super) fn new(quant: &Quant, size: BlockSize) -> Self {
        Self {
            size,
            dc: quant[0],
            factors: super::idct::factors(quant, size),
            refines: size.refines(quant),
            spread: Spread::new(quant),
        }
    }

    /// Writes the samples of a block; `out` begins with its first sample.
    #[inline(always)]
    pub(super) fn write(&self, block: &Block, has_ac: bool, out: &mut [u8], stride: usize) {
        match self.size {
            BlockSize::One => fill::<1>(self.flat(block), out, stride),
            // As fast as to ask for AC coefficients first.
            BlockSize::Two => two(block, &self.factors, out, stride),
            // Without AC coefficients the transform only repeats one sample.
            BlockSize::Four if has_ac => four(block, &self.factors, out, stride),
            BlockSize::Four => fill::<4>(self.flat(block), out, stride),
            BlockSize::Eight if has_ac => eight(block, &self.factors, out, stride),
            BlockSize::Eight => fill::<8>(self.flat(block), out, stride),
        }
    }

    #[inline]
    fn flat(&self, block: &Block) -> u8 {
        flat(i32::from(block[0]), self.dc)
    }
}

/// Writes N x N equal samples.
#[inline(always)]
fn fill<const N: usize>(sample: u8, out: &mut [u8], stride: usize) {
    for r in 0..N {
        if let Some(row) = out.get_mut(r * stride..r * stride + N) {
            row.copy_from_slice(&[sample; N]);
        }
    }
}
