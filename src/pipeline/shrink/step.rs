//! Larger boxes made of the sums of smaller ones.

use super::{Bins, BoxRow, Wanted, average_boxes};

/// Adds up boxes of another shrink.
#[derive(Debug)]
pub struct Step {
    channels: usize,
    /// Boxes of the other shrink that become one, on each axis.
    times: (u32, u32),
    x: Bins,
    y: Bins,
    sums: Vec<u32>,
    rows: u32,
    /// Rows of boxes that came.
    taken: u32,
    averages: Vec<f32>,
}

impl Step {
    /// Boxes of `x` and `y`, each of which is `times` those that come.
    pub fn new(
        channels: usize,
        (x, y): (Bins, Bins),
        times: (u32, u32),
        is_averaged: bool,
    ) -> Self {
        let boxes = x.count() as usize * channels;
        Self {
            channels,
            times,
            x,
            y,
            sums: vec![0; boxes],
            rows: 0,
            taken: 0,
            averages: vec![0.0; if is_averaged { boxes } else { 0 }],
        }
    }

    /// Takes the next row of smaller boxes.
    pub fn take(&mut self, row: BoxRow<'_>, mut give: impl FnMut(BoxRow<'_>)) {
        if row.rows > 0 {
            match self.channels {
                1 => add_boxes::<1>(row.sums, self.times.0, &mut self.sums),
                2 => add_boxes::<2>(row.sums, self.times.0, &mut self.sums),
                3 => add_boxes::<3>(row.sums, self.times.0, &mut self.sums),
                _ => add_boxes::<4>(row.sums, self.times.0, &mut self.sums),
            }
        }
        self.rows += row.rows;
        self.taken += 1;
        let last = self.y.samples().div_ceil(self.y.factor / self.times.1);
        if self.taken < last && !self.taken.is_multiple_of(self.times.1) {
            return;
        }
        // A row of which nothing came repeats the one before it, as in the shrink before.
        if self.rows > 0 {
            let max = self.rows * row.max;
            average_boxes(self.channels, self.x, &self.sums, max, &mut self.averages);
        }
        give(BoxRow {
            averages: &self.averages,
            sums: &self.sums,
            rows: self.rows,
            max: row.max,
        });
        self.rows = 0;
        self.sums.fill(0);
    }

    /// The bytes that a step to these boxes holds.
    pub fn bytes(channels: u64, x: Bins, wanted: Wanted) -> u64 {
        4 * channels * u64::from(x.count()) * (1 + u64::from(wanted.averages))
    }
}

fn add_boxes<const CHANNELS: usize>(smaller: &[u32], times: u32, sums: &mut [u32]) {
    let (smaller, _) = smaller.as_chunks::<CHANNELS>();
    let (sums, _) = sums.as_chunks_mut::<CHANNELS>();
    for (boxes, sums) in smaller.chunks(times as usize).zip(sums) {
        for totals in boxes {
            for (sum, total) in sums.iter_mut().zip(totals) {
                *sum += total;
            }
        }
    }
}
