//! The box shrink of pixels that come in any order.

use super::indexed::add_indexed;
use super::premultiply::{is_opaque, premultiplied8, premultiplied16};
use super::{Bins, BoxRow, Scale, Wanted, average_boxes};
use crate::decode::{ColorTable, Samples};

/// Averages pixels that come in any order; gives out all rows at the end.
#[derive(Debug)]
pub struct ScatteredShrink {
    channels: usize,
    x: Bins,
    y: Bins,
    scale: Scale,
    max: u32,
    sums: Vec<u32>,
    /// Rows of boxes that were given out.
    given: u32,
    averages: Vec<f32>,
}

impl ScatteredShrink {
    /// A shrink to `x.count()` by `y.count()` boxes.
    pub fn new(channels: usize, (x, y): (Bins, Bins), wanted: Wanted) -> Self {
        let stride = x.count() as usize * channels;
        let scale = Scale::new(channels);
        Self {
            channels,
            x,
            y,
            scale,
            max: scale.max8,
            sums: vec![0; stride * y.count() as usize],
            given: 0,
            averages: vec![0.0; if wanted.averages { stride } else { 0 }],
        }
    }

    /// Takes the pixels of row `y` in the columns `x0`, `x0 + dx`, ….
    pub fn pixels(&mut self, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        let Some(sums) = box_row(&mut self.sums, self.channels, (self.x, self.y), y) else {
            return;
        };
        if matches!(samples, Samples::U16(_)) {
            self.max = 65_535;
        }
        if let (0, 1, Samples::U8(row)) = (x0, dx, samples)
            && (!self.scale.alpha || is_opaque(row, self.channels))
            && let Some(row) =
                row.get(self.x.first as usize * self.channels..self.x.end as usize * self.channels)
        {
            let boxes = (self.x.factor as usize, self.scale.opaque);
            match self.channels {
                1 => add_boxes::<1>(row, boxes, sums),
                2 => add_boxes::<2>(row, boxes, sums),
                3 => add_boxes::<3>(row, boxes, sums),
                _ => add_boxes::<4>(row, boxes, sums),
            }
            return;
        }
        let columns = (x0..).step_by(dx.max(1) as usize);
        let mut add = |x: u32, pixel: [u32; 4]| {
            if x >= self.x.first && x < self.x.end {
                let at = ((x - self.x.first) / self.x.factor) as usize * self.channels;
                for (sum, sample) in sums[at..at + self.channels].iter_mut().zip(pixel) {
                    *sum = sum.wrapping_add(sample);
                }
            }
        };
        match samples {
            Samples::U8(row) => {
                for (x, pixel) in columns.zip(row.chunks_exact(self.channels)) {
                    add(x, premultiplied8(pixel, self.scale));
                }
            }
            Samples::U16(row) => {
                for (x, pixel) in columns.zip(row.chunks_exact(self.channels)) {
                    add(x, premultiplied16(pixel, self.scale));
                }
            }
        }
    }

    /// Takes the whole row `y` as indices of colors.
    pub fn indices(&mut self, y: u32, indices: &[u8], table: &ColorTable) {
        let (channels, x) = (self.channels, self.x);
        let sums = box_row(&mut self.sums, channels, (x, self.y), y);
        let row = indices.get(x.first as usize..x.end as usize);
        if let (Some(sums), Some(row)) = (sums, row) {
            add_indexed(row, table, x.factor as usize, sums, 1);
        }
    }

    /// Makes all pixels so far transparent: such ones add nothing.
    pub fn clear(&mut self) {
        self.sums.fill(0);
    }

    /// Gives out the next row of boxes; false after the last. To be asked for once all pixels came.
    pub fn next_row(&mut self, give: impl FnOnce(BoxRow<'_>)) -> bool {
        let stride = self.x.count() as usize * self.channels;
        let from = self.given as usize * stride;
        let (true, Some(sums)) = (
            self.given < self.y.count(),
            self.sums.get(from..from + stride),
        ) else {
            return false;
        };
        let (top, bottom) = self.y.span(self.given);
        let rows = bottom - top;
        let max = rows * self.max;
        average_boxes(self.channels, self.x, sums, max, &mut self.averages);
        self.given += 1;
        give(BoxRow {
            averages: &self.averages,
            sums,
            rows,
            max: self.max,
        });
        true
    }

    /// The bytes that a shrink to these boxes holds.
    pub fn bytes(channels: u64, x: Bins, y: Bins) -> u64 {
        4 * channels * u64::from(x.count()) * (u64::from(y.count()) + 1)
    }
}

/// The sums of the boxes that row `y` falls into.
fn box_row(sums: &mut [u32], channels: usize, (x, y): (Bins, Bins), at: u32) -> Option<&mut [u32]> {
    if at < y.first || at >= y.end {
        return None;
    }
    let stride = x.count() as usize * channels;
    let from = ((at - y.first) / y.factor) as usize * stride;
    sums.get_mut(from..from + stride)
}

/// Adds a whole row of opaque pixels to its boxes of `factor` columns, each sample `scale` times.
fn add_boxes<const CHANNELS: usize>(row: &[u8], (factor, scale): (usize, u32), sums: &mut [u32]) {
    let (pixels, _) = row.as_chunks::<CHANNELS>();
    let (sums, _) = sums.as_chunks_mut::<CHANNELS>();
    for (pixels, sums) in pixels.chunks(factor).zip(sums) {
        let mut totals = [0_u32; CHANNELS];
        for pixel in pixels {
            for (total, sample) in totals.iter_mut().zip(pixel) {
                *total += u32::from(*sample);
            }
        }
        for (sum, total) in sums.iter_mut().zip(totals) {
            *sum = sum.wrapping_add(total * scale);
        }
    }
}
