//! The box shrink: rows of samples are averaged in boxes of whole samples before [`super::resize`] sees them.
//!
//! Sums are integers, so their result does not depend on the order that pixels come in.
//! Planes with alpha are premultiplied on the way.

use super::decode::Samples;

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

/// Averages rows that come in order and gives out a row of averages whenever one is complete.
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
    premultiplied: Vec<u16>,
}

impl BoxShrink {
    /// A shrink to `x.count()` by `y.count()` averages.
    pub fn new(channels: usize, x: Bins, y: Bins) -> Self {
        let samples = x.samples() as usize * channels;
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
            averages: vec![0.0; x.count() as usize * channels],
            premultiplied: if scale.alpha {
                vec![0; samples]
            } else {
                Vec::new()
            },
        }
    }

    /// Takes row `y` of the plane; rows that do not matter, and those that come too late, are ignored.
    pub fn row(&mut self, y: u32, samples: Samples<'_>, mut give: impl FnMut(&[f32])) {
        if y < self.next_y || y >= self.y.end {
            return;
        }
        self.next_y = y + 1;
        let bin = (y - self.y.first) / self.y.factor;
        // A decoder that leaves out rows leaves boxes with fewer rows, not a shifted picture.
        while self.bin < bin {
            self.complete(&mut give);
        }
        let range = self.x.first as usize * self.channels..self.x.end as usize * self.channels;
        match samples {
            Samples::U8(row) => {
                let Some(row) = row.get(range) else { return };
                self.add8(row);
            }
            Samples::U16(row) => {
                let Some(row) = row.get(range) else { return };
                self.add16(row);
            }
        }
        self.rows += 1;
        if y + 1 == self.y.span(bin).1 {
            self.complete(&mut give);
        }
    }

    /// Gives out what is left when no more rows come.
    pub fn finish(&mut self, mut give: impl FnMut(&[f32])) {
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
    fn complete(&mut self, give: &mut impl FnMut(&[f32])) {
        if self.rows_in_16 > 0 {
            self.spill();
        }
        // A box row of which no row came repeats the one before it.
        if self.rows > 0 {
            let widths = (self.x.factor, self.rows * self.max);
            match self.channels {
                1 => average_columns::<1>(&self.sums, widths, &mut self.averages),
                2 => average_columns::<2>(&self.sums, widths, &mut self.averages),
                3 => average_columns::<3>(&self.sums, widths, &mut self.averages),
                _ => average_columns::<4>(&self.sums, widths, &mut self.averages),
            }
            self.sums.fill(0);
        }
        self.rows = 0;
        self.bin += 1;
        give(&self.averages);
    }

    /// The bytes that a shrink to these boxes holds.
    pub fn bytes(channels: u64, x: Bins) -> u64 {
        let alpha = if matches!(channels, 2 | 4) { 2 } else { 0 };
        channels * (u64::from(x.samples()) * (2 + 4 + alpha) + 4 * u64::from(x.count()))
    }
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

/// The average, 0 to 1, of `columns` sums that are at most `max` each.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a box has at most MAX_BOX samples, and the result needs 16 bits"
)]
fn mean(total: u32, columns: usize, max: u32) -> f32 {
    (f64::from(total) / (columns as f64 * f64::from(max))) as f32
}

fn is_opaque(row: &[u8], channels: usize) -> bool {
    match channels {
        2 => row.as_chunks::<2>().0.iter().fold(255, |all, p| all & p[1]) == 255,
        _ => row.as_chunks::<4>().0.iter().fold(255, |all, p| all & p[3]) == 255,
    }
}

/// Colours times alpha, and alpha times 255.
fn premultiply8(row: &[u8], channels: usize, out: &mut [u16]) {
    if channels == 2 {
        for ([l, a], out) in row
            .as_chunks::<2>()
            .0
            .iter()
            .zip(out.as_chunks_mut::<2>().0)
        {
            let alpha = u16::from(*a);
            *out = [u16::from(*l) * alpha, 255 * alpha];
        }
    } else {
        for ([r, g, b, a], out) in row
            .as_chunks::<4>()
            .0
            .iter()
            .zip(out.as_chunks_mut::<4>().0)
        {
            let alpha = u16::from(*a);
            *out = [*r, *g, *b, 255].map(|sample| u16::from(sample) * alpha);
        }
    }
}

/// Colours times alpha, rounded to 16 bits, and alpha.
fn premultiply16(row: &[u16], channels: usize, out: &mut [u16]) {
    for (pixel, out) in row
        .chunks_exact(channels)
        .zip(out.chunks_exact_mut(channels))
    {
        let Some((alpha, colors)) = pixel.split_last() else {
            continue;
        };
        for (out, color) in out.iter_mut().zip(colors) {
            *out = times16(*color, *alpha);
        }
        if let Some(out) = out.last_mut() {
            *out = *alpha;
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "65535 * 65535 / 65535 fits 16 bits"
)]
fn times16(color: u16, alpha: u16) -> u16 {
    ((u32::from(color) * u32::from(alpha) + 32_767) / 65_535) as u16
}

/// Averages pixels that come in any order; gives out all rows at the end.
#[derive(Debug)]
pub struct ScatteredShrink {
    channels: usize,
    x: Bins,
    y: Bins,
    scale: Scale,
    max: u32,
    sums: Vec<u32>,
    /// Rows of averages that were given out.
    given: u32,
}

impl ScatteredShrink {
    /// A shrink to `x.count()` by `y.count()` averages.
    pub fn new(channels: usize, x: Bins, y: Bins) -> Self {
        let scale = Scale::new(channels);
        Self {
            channels,
            x,
            y,
            scale,
            max: scale.max8,
            sums: vec![0; x.count() as usize * y.count() as usize * channels],
            given: 0,
        }
    }

    /// Takes the pixels of row `y` in the columns `x0`, `x0 + dx`, ….
    pub fn pixels(&mut self, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        if y < self.y.first || y >= self.y.end {
            return;
        }
        let stride = self.x.count() as usize * self.channels;
        let from = ((y - self.y.first) / self.y.factor) as usize * stride;
        let Some(sums) = self.sums.get_mut(from..from + stride) else {
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

    /// The next row of averages, or `None` after the last; to be asked for once all pixels came.
    pub fn next_row(&mut self) -> Option<Vec<f32>> {
        if self.given >= self.y.count() {
            return None;
        }
        let stride = self.x.count() as usize * self.channels;
        let from = self.given as usize * stride;
        let sums = self.sums.get(from..from + stride)?;
        let (top, bottom) = self.y.span(self.given);
        let max = (bottom - top) * self.max;
        let mut row = vec![0.0; stride];
        let boxes = sums.chunks_exact(self.channels);
        for ((index, sums), averages) in (0..self.x.count())
            .zip(boxes)
            .zip(row.chunks_exact_mut(self.channels))
        {
            let (from, to) = self.x.span(index);
            for (average, sum) in averages.iter_mut().zip(sums) {
                *average = mean(*sum, (to - from) as usize, max);
            }
        }
        self.given += 1;
        Some(row)
    }

    /// The bytes that a shrink to these boxes holds.
    pub fn bytes(channels: u64, x: Bins, y: Bins) -> u64 {
        4 * channels * u64::from(x.count()) * (u64::from(y.count()) + 1)
    }
}

fn premultiplied8(pixel: &[u8], scale: Scale) -> [u32; 4] {
    let alpha = match pixel.split_last() {
        Some((alpha, _)) if scale.alpha => u32::from(*alpha),
        _ => scale.opaque,
    };
    let mut out = [0; 4];
    for (out, sample) in out.iter_mut().zip(pixel) {
        *out = u32::from(*sample) * alpha;
    }
    if scale.alpha
        && let Some(out) = out.get_mut(pixel.len() - 1)
    {
        *out = alpha * 255;
    }
    out
}

fn premultiplied16(pixel: &[u16], scale: Scale) -> [u32; 4] {
    let alpha = match pixel.split_last() {
        Some((alpha, _)) if scale.alpha => *alpha,
        _ => u16::MAX,
    };
    let mut out = [0; 4];
    for (out, sample) in out.iter_mut().zip(pixel) {
        *out = u32::from(times16(*sample, alpha));
    }
    if scale.alpha
        && let Some(out) = out.get_mut(pixel.len() - 1)
    {
        *out = u32::from(alpha);
    }
    out
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

    /// All averages, as bits, of rows in order.
    fn in_order(channels: usize, (x, y): (Bins, Bins), rows: &[Samples<'_>]) -> Vec<u32> {
        let mut shrink = BoxShrink::new(channels, x, y);
        let mut out = Vec::new();
        let mut give = |row: &[f32]| out.extend(row.iter().map(|average| average.to_bits()));
        for (y, row) in (0..).zip(rows) {
            shrink.row(y, *row, &mut give);
        }
        shrink.finish(give);
        out
    }

    /// All averages of the same rows, the odd columns after the even ones and from the last row up.
    fn scattered(channels: usize, (x, y): (Bins, Bins), rows: &[Samples<'_>]) -> Vec<u32> {
        let mut shrink = ScatteredShrink::new(channels, x, y);
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
        while let Some(row) = shrink.next_row() {
            out.extend(row.iter().map(|average| average.to_bits()));
        }
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
    fn high_boxes_do_not_overflow() {
        let (x, y) = (Bins::new(0, 3, 3), Bins::new(0, 20_000, 20_000));
        let mut got = Vec::new();
        let mut shrink = BoxShrink::new(1, x, y);
        for row in 0..20_000 {
            shrink.row(row, Samples::U8(&[255; 3]), |row| {
                got.extend_from_slice(row);
            });
        }
        let mut deep = BoxShrink::new(4, x, y);
        for row in 0..20_000 {
            deep.row(row, Samples::U16(&[65_535; 12]), |row| {
                got.extend_from_slice(row);
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
        let mut shrink = BoxShrink::new(1, x, y);
        let mut got = Vec::new();
        for (row, sample) in [(0, 0), (1, 20), (6, 100)] {
            shrink.row(row, Samples::U8(&[sample]), |row| {
                got.push((row[0] * 255.0).round());
            });
        }
        shrink.finish(|row| got.push((row[0] * 255.0).round()));
        assert_eq!(format!("{got:?}"), "[10.0, 10.0, 10.0, 100.0]");
    }
}
