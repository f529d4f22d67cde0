//! The box shrink: rows of samples are averaged in boxes of whole samples before [`super::resize`] sees them.
//!
//! Sums are integers, so their result does not depend on the order that pixels come in,
//! nor on whether boxes are made of samples or of smaller boxes.
//! Planes with alpha are premultiplied on the way.
//!
//! Every pixel is added once, however many thumbnails there are ([`Tree`]):
//!
//! ```text
//! samples ──▶ BoxShrink or ScatteredShrink ──▶ Step ──▶ Step
//!                       │ averages               │        │
//!                       ▼                        ▼        ▼
//!                   resizers of the thumbnails that need so much
//! ```

mod indexed;
mod premultiply;
mod scattered;
mod share;
mod step;
mod tree;

use std::ops::Range;

use super::decode::{ColorTable, Samples};
use indexed::add_indexed;
use premultiply::{is_opaque, premultiply8, premultiply16};
use step::Step;

pub use scattered::ScatteredShrink;
pub use share::{Node, TreePlan, share};
pub use tree::Tree;

/// The most samples in a box, so that a sum of 16-bit samples fits 32 bits.
pub const MAX_BOX: u32 = 65_535;

/// How many rows of 8-bit samples a column sum of 16 bits can take: 257 * 255 = 65535.
const ROWS_IN_16_BITS: u32 = 257;

/// The samples of one axis that matter, and the boxes that they fall into.
///
/// The last box is smaller where the number of samples is no multiple of the factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bins {
    /// The first sample that matters.
    pub first: u32,
    /// One past the last sample that matters.
    pub end: u32,
    /// Samples in a box.
    pub factor: u32,
}

impl Bins {
    /// Boxes of `factor` samples over `first..end`, of which there is at least one.
    pub fn new(first: u32, end: u32, factor: u32) -> Self {
        Self {
            first,
            end: end.max(first.saturating_add(1)),
            factor: factor.max(1),
        }
    }

    /// How many boxes there are.
    pub const fn count(self) -> u32 {
        self.samples().div_ceil(self.factor)
    }

    /// How many samples matter.
    pub const fn samples(self) -> u32 {
        self.end - self.first
    }

    /// The samples of box `index`.
    pub fn span(self, index: u32) -> (u32, u32) {
        let from = self
            .first
            .saturating_add(index.saturating_mul(self.factor))
            .min(self.end - 1);
        (from, from.saturating_add(self.factor).min(self.end))
    }
}

/// What the sums are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scale {
    /// The largest 8-bit sample is this in a sum.
    max8: u32,
    /// What an 8-bit sample of an opaque pixel is multiplied with.
    opaque: u32,
    alpha: bool,
}

impl Scale {
    const fn new(channels: usize) -> Self {
        let alpha = matches!(channels, 2 | 4);
        Self {
            max8: if alpha { 255 * 255 } else { 255 },
            opaque: if alpha { 255 } else { 1 },
            alpha,
        }
    }
}

/// What is asked of a shrink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Resizers read the averages.
    pub averages: bool,
    /// Larger boxes are made of the sums.
    pub sums: bool,
}

impl Wanted {
    /// What a single thumbnail needs.
    pub const AVERAGES: Self = Self {
        averages: true,
        sums: false,
    };
}

/// A row of boxes: what was not wanted of it is empty.
#[derive(Debug, Clone, Copy)]
pub struct BoxRow<'a> {
    /// The average of each box, 0 to 1.
    pub averages: &'a [f32],
    /// The sum of each box.
    pub sums: &'a [u32],
    /// How many rows of samples were added.
    pub rows: u32,
    /// The largest value that a sample adds.
    pub max: u32,
}

/// Averages rows that come in order and gives out a row of boxes whenever one is complete.
#[derive(Debug)]
pub struct BoxShrink {
    channels: usize,
    x: Bins,
    y: Bins,
    scale: Scale,
    /// Sums of columns; the 16-bit ones are of 8-bit samples as they are.
    sums16: Vec<u16>,
    rows_in_16: u32,
    sums: Vec<u32>,
    /// The largest value that a row adds to `sums`.
    max: u32,
    rows: u32,
    next_y: u32,
    bin: u32,
    averages: Vec<f32>,
    totals: Vec<u32>,
    premultiplied: Vec<u16>,
}

impl BoxShrink {
    /// A shrink to `x.count()` by `y.count()` boxes.
    pub fn new(channels: usize, (x, y): (Bins, Bins), wanted: Wanted) -> Self {
        let samples = x.samples() as usize * channels;
        let boxes = x.count() as usize * channels;
        let scale = Scale::new(channels);
        Self {
            channels,
            x,
            y,
            scale,
            sums16: vec![0; samples],
            rows_in_16: 0,
            sums: vec![0; samples],
            max: scale.max8,
            rows: 0,
            next_y: y.first,
            bin: 0,
            averages: vec![0.0; if wanted.averages { boxes } else { 0 }],
            totals: vec![0; if wanted.sums { boxes } else { 0 }],
            premultiplied: if scale.alpha {
                vec![0; samples]
            } else {
                Vec::new()
            },
        }
    }

    /// Takes row `y` of the plane; rows that do not matter, and those that come too late, are ignored.
    pub fn row(&mut self, y: u32, samples: Samples<'_>, give: impl FnMut(BoxRow<'_>)) {
        self.take(y, give, |shrink, pixels| {
            let range = pixels.start * shrink.channels..pixels.end * shrink.channels;
            match samples {
                Samples::U8(row) => row.get(range).map(|row| shrink.add8(row)),
                Samples::U16(row) => row.get(range).map(|row| shrink.add16(row)),
            }
        });
    }

    /// The same with a row of indices of colors.
    pub fn indices(
        &mut self,
        y: u32,
        indices: &[u8],
        table: &ColorTable,
        give: impl FnMut(BoxRow<'_>),
    ) {
        self.take(y, give, |shrink, pixels| {
            let row = indices.get(pixels)?;
            // Whole boxes are added to their first columns.
            let factor = shrink.x.factor as usize;
            add_indexed(row, table, factor, &mut shrink.sums, factor);
            Some(())
        });
    }

    /// Takes row `y`, whose pixels within the bounds `add` adds to the sums.
    fn take(
        &mut self,
        y: u32,
        mut give: impl FnMut(BoxRow<'_>),
        add: impl FnOnce(&mut Self, Range<usize>) -> Option<()>,
    ) {
        if y < self.next_y || y >= self.y.end {
            return;
        }
        self.next_y = y + 1;
        let bin = (y - self.y.first) / self.y.factor;
        // A decoder that leaves out rows leaves boxes with fewer rows, not a shifted image.
        while self.bin < bin {
            self.complete(&mut give);
        }
        if add(self, self.x.first as usize..self.x.end as usize).is_none() {
            return;
        }
        self.rows += 1;
        if y + 1 == self.y.span(bin).1 {
            self.complete(&mut give);
        }
    }

    /// Gives out what is left when no more rows come.
    pub fn finish(&mut self, mut give: impl FnMut(BoxRow<'_>)) {
        while self.bin < self.y.count() {
            self.complete(&mut give);
        }
    }

    fn add8(&mut self, row: &[u8]) {
        if !self.scale.alpha || is_opaque(row, self.channels) {
            for (sum, sample) in self.sums16.iter_mut().zip(row) {
                *sum += u16::from(*sample);
            }
            self.rows_in_16 += 1;
            if self.rows_in_16 == ROWS_IN_16_BITS {
                self.spill();
            }
        } else {
            premultiply8(row, self.channels, &mut self.premultiplied);
            for (sum, sample) in self.sums.iter_mut().zip(&self.premultiplied) {
                *sum += u32::from(*sample);
            }
        }
    }

    fn add16(&mut self, row: &[u16]) {
        self.max = 65_535;
        let row = if self.scale.alpha {
            premultiply16(row, self.channels, &mut self.premultiplied);
            &self.premultiplied
        } else {
            row
        };
        for (sum, sample) in self.sums.iter_mut().zip(row) {
            *sum += u32::from(*sample);
        }
    }

    /// Moves the 16-bit sums to the 32-bit ones.
    fn spill(&mut self) {
        let scale = self.scale.opaque;
        for (sum, sum16) in self.sums.iter_mut().zip(&mut self.sums16) {
            *sum += u32::from(*sum16) * scale;
            *sum16 = 0;
        }
        self.rows_in_16 = 0;
    }

    /// Turns the sums of a box row into averages and starts the next one.
    fn complete(&mut self, give: &mut impl FnMut(BoxRow<'_>)) {
        if self.rows_in_16 > 0 {
            self.spill();
        }
        // A box row of which no row came repeats the one before it.
        if self.rows > 0 {
            match self.channels {
                1 => self.average::<1>(),
                2 => self.average::<2>(),
                3 => self.average::<3>(),
                _ => self.average::<4>(),
            }
            self.sums.fill(0);
        }
        give(BoxRow {
            averages: &self.averages,
            sums: &self.totals,
            rows: self.rows,
            max: self.max,
        });
        self.rows = 0;
        self.bin += 1;
    }

    fn average<const CHANNELS: usize>(&mut self) {
        let (factor, max) = (self.x.factor, self.rows * self.max);
        if self.totals.is_empty() {
            average_columns::<CHANNELS>(&self.sums, (factor, max), &mut self.averages);
        } else {
            add_columns::<CHANNELS>(&self.sums, factor, &mut self.totals);
            average_boxes(self.channels, self.x, &self.totals, max, &mut self.averages);
        }
    }

    /// The bytes that a shrink to these boxes holds.
    pub fn bytes(channels: u64, x: Bins, wanted: Wanted) -> u64 {
        let alpha = if matches!(channels, 2 | 4) { 2 } else { 0 };
        let of_boxes = 4 * (u64::from(wanted.averages) + u64::from(wanted.sums));
        channels * (u64::from(x.samples()) * (2 + 4 + alpha) + of_boxes * u64::from(x.count()))
    }
}

/// Averages `factor` columns at a time; `max` is the largest sum that a column can have.
fn average_columns<const CHANNELS: usize>(
    sums: &[u32],
    (factor, max): (u32, u32),
    averages: &mut [f32],
) {
    let (columns, _) = sums.as_chunks::<CHANNELS>();
    let (averages, _) = averages.as_chunks_mut::<CHANNELS>();
    for (columns, average) in columns.chunks(factor as usize).zip(averages) {
        let mut totals = [0_u32; CHANNELS];
        for column in columns {
            for (total, sum) in totals.iter_mut().zip(column) {
                *total += sum;
            }
        }
        *average = totals.map(|total| mean(total, columns.len(), max));
    }
}

/// Adds up `factor` columns at a time.
fn add_columns<const CHANNELS: usize>(sums: &[u32], factor: u32, totals: &mut [u32]) {
    let (columns, _) = sums.as_chunks::<CHANNELS>();
    let (totals, _) = totals.as_chunks_mut::<CHANNELS>();
    for (columns, box_totals) in columns.chunks(factor as usize).zip(totals) {
        *box_totals = [0; CHANNELS];
        for column in columns {
            for (total, sum) in box_totals.iter_mut().zip(column) {
                *total += sum;
            }
        }
    }
}

/// The averages of boxes, of which each column of samples adds at most `max`; none where none are wanted.
fn average_boxes(channels: usize, x: Bins, sums: &[u32], max: u32, averages: &mut [f32]) {
    let boxes = sums.chunks_exact(channels);
    let averages = averages.chunks_exact_mut(channels);
    for ((index, sums), averages) in (0..x.count()).zip(boxes).zip(averages) {
        let (from, to) = x.span(index);
        for (average, sum) in averages.iter_mut().zip(sums) {
            *average = mean(*sum, (to - from) as usize, max);
        }
    }
}

/// The average, 0 to 1, of `columns` sums that are at most `max` each.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a box has at most MAX_BOX samples, and the result needs 16 bits"
)]
fn mean(total: u32, columns: usize, max: u32) -> f32 {
    (f64::from(total) / (columns as f64 * f64::from(max))) as f32
}

#[cfg(test)]
mod tests;
