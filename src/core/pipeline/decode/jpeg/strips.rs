//! The samples of one row of MCUs, and how they reach the sink.

use super::super::{RowSink, Samples};
use super::idct::{Block, Factors, eight, flat, four, two};
use super::layout::{BlockSize, Layout};
use super::segments::Quant;
use super::{PipelineError, out_of_memory};

/// What is not known is grey.
const GREY: u8 = 128;

/// The strip of one component within [`Strips::samples`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Strip {
    pub(super) start: usize,
    pub(super) stride: usize,
    /// Rows of samples that a row of MCUs has.
    pub(super) rows: usize,
    plane_w: usize,
    plane_h: usize,
}

/// One row of MCUs of every component.
#[derive(Debug, Default)]
pub(super) struct Strips {
    pub(super) samples: Vec<u8>,
    pub(super) parts: Vec<Strip>,
    mcu_rows: usize,
    /// The row of MCUs that is given to the sink next.
    next: usize,
}

impl Strips {
    pub(super) fn new(layout: &Layout) -> Result<Self, PipelineError> {
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
        let mut samples = Vec::new();
        samples
            .try_reserve_exact(start)
            .map_err(|_| out_of_memory(layout, start as u64, 0))?;
        samples.resize(start, GREY);
        Ok(Self {
            samples,
            parts,
            mcu_rows: layout.mcu_rows,
            next: 0,
        })
    }

    /// Gives the row of MCUs to the sink and makes the strips grey for the next one.
    pub(super) fn emit(&mut self, sink: &mut dyn RowSink) {
        if self.next >= self.mcu_rows {
            return;
        }
        for (plane, part) in self.parts.iter().enumerate() {
            let first = self.next * part.rows;
            for r in 0..part.rows.min(part.plane_h.saturating_sub(first)) {
                let at = part.start + r * part.stride;
                if let Some(row) = self.samples.get(at..at + part.plane_w) {
                    sink.row(plane, (first + r) as u32, Samples::U8(row));
                }
            }
        }
        self.samples.fill(GREY);
        self.next += 1;
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
}

impl Dequant {
    pub(super) fn new(quant: &Quant, size: BlockSize) -> Self {
        Self {
            size,
            dc: quant[0],
            factors: super::idct::factors(quant, size),
            refines: size.refines(quant),
        }
    }

    /// Writes the samples of a block; `out` begins with its first sample.
    #[inline(always)]
    pub(super) fn write(&self, block: &Block, has_ac: bool, out: &mut [u8], stride: usize) {
        match self.size {
            BlockSize::One => fill::<1>(self.flat(block), out, stride),
            BlockSize::Two => two(block, &self.factors, out, stride),
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
