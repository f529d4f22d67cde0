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

    /// The same with a row of indices of colours.
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
        // A decoder that leaves out rows leaves boxes with fewer rows, not a shifted picture.
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
mod tests {
    use super::*;

    const WIDTH: usize = 41;
    const HEIGHT: usize = 29;

    /// Samples without any order, among which whole rows are opaque.
    fn samples(channels: usize) -> Vec<u16> {
        let mut seed = 1_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u16::try_from(seed >> 16).expect("16 bits")
        };
        let mut samples: Vec<u16> = (0..WIDTH * HEIGHT * channels).map(|_| next()).collect();
        for opaque in samples.chunks_exact_mut(WIDTH * channels).step_by(3) {
            opaque.fill(u16::MAX);
        }
        samples
    }

    fn bins() -> [(Bins, Bins); 3] {
        [
            (Bins::new(0, 41, 1), Bins::new(0, 29, 1)),
            (Bins::new(3, 40, 5), Bins::new(2, 29, 4)),
            (Bins::new(0, 41, 41), Bins::new(7, 8, 3)),
        ]
    }

    fn bits(averages: &[f32]) -> Vec<u32> {
        averages.iter().map(|average| average.to_bits()).collect()
    }

    /// All averages, as bits, of rows in order.
    fn in_order(channels: usize, (x, y): (Bins, Bins), rows: &[Samples<'_>]) -> Vec<u32> {
        let mut shrink = BoxShrink::new(channels, (x, y), Wanted::AVERAGES);
        let mut out = Vec::new();
        let mut give = |row: BoxRow<'_>| out.extend(bits(row.averages));
        for (y, row) in (0..).zip(rows) {
            shrink.row(y, *row, &mut give);
        }
        shrink.finish(give);
        out
    }

    /// All averages of the same rows, the odd columns after the even ones and from the last row up.
    fn scattered(channels: usize, (x, y): (Bins, Bins), rows: &[Samples<'_>]) -> Vec<u32> {
        let mut shrink = ScatteredShrink::new(channels, (x, y), Wanted::AVERAGES);
        for x0 in [0_u8, 1] {
            for (y, row) in (0_u32..29).zip(rows).rev() {
                match row {
                    Samples::U8(row) => {
                        let half = every_other(row, channels, x0);
                        shrink.pixels(y, x0.into(), 2, Samples::U8(&half));
                    }
                    Samples::U16(row) => {
                        let half = every_other(row, channels, x0);
                        shrink.pixels(y, x0.into(), 2, Samples::U16(&half));
                    }
                }
            }
        }
        let mut out = Vec::new();
        while shrink.next_row(|row| out.extend(bits(row.averages))) {}
        out
    }

    fn every_other<T: Copy>(row: &[T], channels: usize, from: u8) -> Vec<T> {
        let pixels = row.chunks_exact(channels).skip(from.into()).step_by(2);
        pixels.flatten().copied().collect()
    }

    #[test]
    fn the_order_of_pixels_does_not_change_a_bit() {
        for channels in 1..=4 {
            let deep = samples(channels);
            let shallow: Vec<u8> = deep.iter().map(|sample| sample.to_be_bytes()[0]).collect();
            let stride = WIDTH * channels;
            let deep: Vec<_> = deep.chunks_exact(stride).map(Samples::U16).collect();
            let shallow: Vec<_> = shallow.chunks_exact(stride).map(Samples::U8).collect();
            for bins in bins() {
                let count = bins.0.count() as usize * bins.1.count() as usize * channels;
                for rows in [&deep, &shallow] {
                    let want = in_order(channels, bins, rows);
                    assert_eq!(want.len(), count);
                    assert_eq!(scattered(channels, bins, rows), want, "{channels} {bins:?}");
                }
            }
        }
    }

    #[test]
    fn indices_are_averaged_as_their_colours_are() {
        let noise = samples(4).into_iter().map(|word| word.to_be_bytes()[0]);
        let noise: Vec<u8> = noise.collect();
        let mut colors = [[0; 4]; 256];
        for (color, &[r, g, b, a]) in colors.iter_mut().zip(noise.as_chunks::<4>().0) {
            *color = [r, g, b, a];
        }
        let rows: Vec<&[u8]> = noise.chunks_exact(WIDTH).take(HEIGHT).collect();
        for channels in [3, 4] {
            let table = ColorTable::new(&colors, channels);
            let channels = usize::from(channels);
            let expanded: Vec<_> = rows.iter().map(|row| table.expand(row)).collect();
            let samples: Vec<_> = expanded.iter().map(|row| Samples::U8(row)).collect();
            for bins in bins() {
                let want = in_order(channels, bins, &samples);
                let mut got = Vec::new();
                let mut give = |row: BoxRow<'_>| got.extend(bits(row.averages));
                let mut shrink = BoxShrink::new(channels, bins, Wanted::AVERAGES);
                let mut scattered = ScatteredShrink::new(channels, bins, Wanted::AVERAGES);
                for (y, row) in (0..).zip(&rows) {
                    shrink.indices(y, row, &table, &mut give);
                    scattered.indices(y, row, &table);
                }
                shrink.finish(&mut give);
                assert_eq!(got, want, "{channels} {bins:?}");
                let mut got = Vec::new();
                while scattered.next_row(|row| got.extend(bits(row.averages))) {}
                assert_eq!(got, want, "scattered, {channels} {bins:?}");
            }
        }
    }

    #[test]
    fn high_boxes_do_not_overflow() {
        let (x, y) = (Bins::new(0, 3, 3), Bins::new(0, 20_000, 20_000));
        let mut got = Vec::new();
        let mut shrink = BoxShrink::new(1, (x, y), Wanted::AVERAGES);
        for row in 0..20_000 {
            shrink.row(row, Samples::U8(&[255; 3]), |row| {
                got.extend_from_slice(row.averages);
            });
        }
        let mut deep = BoxShrink::new(4, (x, y), Wanted::AVERAGES);
        for row in 0..20_000 {
            deep.row(row, Samples::U16(&[65_535; 12]), |row| {
                got.extend_from_slice(row.averages);
            });
        }
        let one = 1.0_f32.to_bits();
        assert!(
            got.len() == 5 && got.iter().all(|average| average.to_bits() == one),
            "{got:?}"
        );
    }

    #[test]
    fn rows_that_are_left_out_do_not_shift_the_others() {
        let (x, y) = (Bins::new(0, 1, 1), Bins::new(0, 8, 2));
        let mut shrink = BoxShrink::new(1, (x, y), Wanted::AVERAGES);
        let mut got = Vec::new();
        for (row, sample) in [(0, 0), (1, 20), (6, 100)] {
            shrink.row(row, Samples::U8(&[sample]), |row| {
                got.push((row.averages[0] * 255.0).round());
            });
        }
        shrink.finish(|row| got.push((row.averages[0] * 255.0).round()));
        assert_eq!(format!("{got:?}"), "[10.0, 10.0, 10.0, 100.0]");
    }
}
