//! Gives the strips of three components out as planes of RGB.

use super::super::{RowSink, Samples};
use super::PipelineError;
use super::layout::{Join, Layout};
use super::rgb::{LANES, to_rgb};
use super::strips::{Strip, filled};

/// What it takes.
#[derive(Debug)]
pub(super) struct Joined {
    join: Join,
    /// For each luma sample, how far its pixels spread.
    spreads: Vec<u8>,
    /// Lines of chroma as wide as those of luma, where they are not anyway.
    chroma: [Vec<u8>; 2],
    rgb: [Vec<u8>; 3],
}

impl Joined {
    pub(super) fn new(layout: &Layout, join: Join, luma: Strip) -> Result<Self, PipelineError> {
        // `to_rgb` converts whole vectors; what it makes after the last sample is not given out.
        let padded = luma.stride.next_multiple_of(LANES);
        let line = || filled(layout, padded, 0);
        let chroma = if join.shift_x > 0 {
            [line()?, line()?]
        } else {
            [Vec::new(), Vec::new()]
        };
        Ok(Self {
            join,
            // A vector may begin in the last sample of the last line.
            spreads: filled(layout, luma.stride * luma.rows + LANES, 0)?,
            chroma,
            rgb: [line()?, line()?, line()?],
        })
    }

    /// Keeps how far the pixels of the luma sample at `at` spread.
    #[inline(always)]
    pub(super) fn set_spread(&mut self, at: usize, spread: u8) {
        if let Some(to) = self.spreads.get_mut(at) {
            *to = spread;
        }
    }

    /// Gives a row of MCUs to the sink.
    pub(super) fn emit(
        &mut self,
        samples: &[u8],
        [luma, cb, cr]: [Strip; 3],
        mcu_row: usize,
        sink: &mut dyn RowSink,
    ) {
        let first = mcu_row * luma.rows;
        for r in 0..luma.rows.min(luma.plane_h.saturating_sub(first)) {
            self.convert(samples, [luma, cb, cr], r);
            for (plane, row) in self.rgb.iter().enumerate() {
                if let Some(row) = row.get(..luma.plane_w) {
                    sink.row(plane, (first + r) as u32, Samples::U8(row));
                }
            }
        }
        // Blocks that are lost in the next row are gray and have no spread.
        self.spreads.fill(0);
    }

    /// Converts line `r` of luma and what lies below it.
    fn convert(&mut self, samples: &[u8], [luma, cb, cr]: [Strip; 3], r: usize) {
        let line = |part: Strip, r: usize| samples.get(part.start + r * part.stride..);
        let below = r >> self.join.shift_y;
        let (Some(y), Some(mut cb), Some(mut cr), Some(spreads)) = (
            line(luma, r),
            line(cb, below),
            line(cr, below),
            self.spreads.get(r * luma.stride..),
        ) else {
            return;
        };
        if self.join.shift_x > 0 {
            for (wide, line) in self.chroma.iter_mut().zip([cb, cr]) {
                widen(line, wide);
            }
            [cb, cr] = self.chroma.each_ref().map(Vec::as_slice);
        }
        to_rgb(y, spreads, [cb, cr], &mut self.rgb);
    }
}

/// Repeats every sample once.
fn widen(line: &[u8], wide: &mut [u8]) {
    for (pair, sample) in wide.as_chunks_mut::<2>().0.iter_mut().zip(line) {
        *pair = [*sample; 2];
    }
}
