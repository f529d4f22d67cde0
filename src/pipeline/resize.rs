//! Lanczos3, separable, on rows as they come: the part of shrinking that decides how sharp the image is.

use std::f64::consts::PI;

use super::shrink::Bins;

/// Lobes of the kernel on each side.
const LOBES: f64 = 3.0;

/// How one axis of a plane is resampled, in the plane's own samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// Samples in the plane.
    pub samples: u32,
    /// Where the shown part begins.
    pub start: f64,
    /// How long the shown part is.
    pub length: f64,
    /// How many pixels it becomes.
    pub out: u32,
    /// How many samples the box shrink makes one.
    pub factor: u32,
    /// The first sample that any thumbnail needs, and one past the last, where they share boxes.
    pub grid: Option<(u32, u32)>,
}

impl Axis {
    /// Samples per pixel of the result.
    pub fn ratio(&self) -> f64 {
        self.length / f64::from(self.out)
    }

    /// How many samples the kernel's unit is: the kernel never gets narrower than what it is put on.
    fn scale(&self) -> f64 {
        self.ratio().max(f64::from(self.factor))
    }

    /// The middle of pixel `index`, in samples.
    fn center(&self, index: u32) -> f64 {
        self.start + (f64::from(index) + 0.5) * self.ratio()
    }

    /// The samples that have any influence on the result, in bins.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0…samples, a u32"
    )]
    pub fn bins(&self) -> Bins {
        let reach = LOBES * self.scale();
        let last = f64::from(self.samples.max(1));
        let first = (self.center(0) - reach).floor().clamp(0.0, last - 1.0);
        let end = (self.center(self.out.saturating_sub(1)) + reach)
            .ceil()
            .clamp(first + 1.0, last);
        self.on_grid(first as u32, end as u32)
    }

    /// The boxes that cover `first..end`.
    fn on_grid(&self, first: u32, end: u32) -> Bins {
        let Some((left, right)) = self.grid else {
            return Bins::new(first, end, self.factor);
        };
        let before = |sample: u32| sample - (sample - left) % self.factor;
        let end = before(end.max(left + 1) - 1).saturating_add(self.factor);
        Bins::new(before(first.max(left)), end.min(right), self.factor)
    }
}

/// `sinc(x) * sinc(x / 3)`.
fn lanczos3(x: f64) -> f64 {
    if x.abs() < 1e-9 {
        return 1.0;
    }
    if x.abs() >= LOBES {
        return 0.0;
    }
    let x = x * PI;
    x.sin() * (x / LOBES).sin() * LOBES / (x * x)
}

/// For each pixel of the result the bins that it is made of, and how much of each.
///
/// Every pixel has the same number of weights, so that the loops over them have no branches.
#[derive(Debug)]
pub struct Kernel {
    firsts: Vec<u32>,
    weights: Vec<f32>,
    taps: usize,
}

impl Kernel {
    /// How many weights a pixel has at most, which is known before the kernel is made.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the number of bins, a u32"
    )]
    pub fn max_taps(axis: &Axis, bins: Bins) -> u32 {
        let reach = 2.0 * LOBES * axis.scale() / f64::from(axis.factor);
        (reach.ceil() + 2.0).min(f64::from(bins.count())) as u32
    }

    /// The kernel of `axis` over `bins`.
    pub fn new(axis: &Axis, bins: Bins) -> Self {
        let taps = Self::max_taps(axis, bins);
        let mut firsts = Vec::with_capacity(axis.out as usize);
        let mut weights = Vec::with_capacity(axis.out as usize * taps as usize);
        let mut exact = vec![0.0_f64; taps as usize];
        for index in 0..axis.out {
            let first = Self::fill(axis, bins, index, &mut exact);
            firsts.push(first);
            #[expect(clippy::cast_possible_truncation, reason = "weights are about 0 to 1")]
            weights.extend(exact.iter().map(|weight| *weight as f32));
        }
        Self {
            firsts,
            weights,
            taps: taps as usize,
        }
    }

    /// Computes the weights of one pixel, whose sum is 1, and the first bin that they are for.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the number of bins, a u32"
    )]
    fn fill(axis: &Axis, bins: Bins, index: u32, weights: &mut [f64]) -> u32 {
        let center = axis.center(index);
        let scale = axis.scale();
        let count = bins.count();
        let taps = weights.len() as u32;
        let low = (center - LOBES * scale - f64::from(bins.first)) / f64::from(bins.factor) - 1.0;
        let first = (low.ceil().max(0.0) as u32).min(count - taps);
        for (bin, weight) in (first..).zip(weights.iter_mut()) {
            let (from, to) = bins.span(bin);
            // A bin cut off by the edge of the image has less weight, and its middle is elsewhere.
            let middle = f64::midpoint(f64::from(from), f64::from(to));
            *weight = lanczos3((middle - center) / scale) * f64::from(to - from);
        }
        let sum: f64 = weights.iter().sum();
        if sum > 1e-6 {
            for weight in weights.iter_mut() {
                *weight /= sum;
            }
        } else {
            // Only a box that lies outside of its plane gets here: the nearest bin stands for it.
            let last = weights.len() - 1;
            weights.fill(0.0);
            weights[if first == 0 { 0 } else { last }] = 1.0;
        }
        first
    }

    /// The first bin and the weights of pixel `index`.
    fn at(&self, index: usize) -> (usize, &[f32]) {
        let first = self.firsts[index] as usize;
        let from = index * self.taps;
        (first, &self.weights[from..from + self.taps])
    }

    fn len(&self) -> usize {
        self.firsts.len()
    }
}

/// Rows that may wait for those of other planes: the largest MCU of a JPEG has 32.
const WAITING_ROWS: u32 = 32;

/// The rows that a resizer has room for: those that are needed, and as many that are not,
/// so that moving the former costs no more than a copy of each row.
fn held_rows(channels: usize, y: &Axis) -> u32 {
    let bins = y.bins();
    // Planes of several channels have nobody to wait for.
    let waiting = if channels == 1 {
        WAITING_ROWS.div_ceil(y.factor.max(1)) + 1
    } else {
        0
    };
    let needed = Kernel::max_taps(y, bins).saturating_add(waiting);
    needed.saturating_mul(2).min(bins.count())
}

/// Resamples the rows of one plane.
///
/// Rows of the result are made when they are asked for: what waits is never more than came in,
/// also where one row of a small image becomes a thousand of a large one.
#[derive(Debug)]
pub struct Resizer {
    channels: usize,
    across: Kernel,
    down: Kernel,
    /// Rows that came, resampled across, of which the last ones are still needed.
    held: Vec<f32>,
    /// How many rows `held` has room for.
    room: usize,
    /// The number of the first row in `held`.
    first_held: usize,
    rows_in: usize,
    rows_out: usize,
    row: Vec<f32>,
}

impl Resizer {
    /// A resizer for rows of `x.bins()` bins, of which `y.bins()` come.
    pub fn new(channels: usize, x: &Axis, y: &Axis) -> Self {
        let across = Kernel::new(x, x.bins());
        let down = Kernel::new(y, y.bins());
        Self {
            channels,
            held: Vec::new(),
            room: held_rows(channels, y) as usize,
            row: vec![0.0; across.len() * channels],
            across,
            down,
            first_held: 0,
            rows_in: 0,
            rows_out: 0,
        }
    }

    /// Takes the next row.
    pub fn push(&mut self, row: &[f32]) {
        let full = self.room * self.row.len();
        if self.held.len() >= full {
            self.forget();
        } else if self.held.is_empty() {
            self.held.reserve_exact(full);
        }
        let from = self.held.len();
        self.held.resize(from + self.row.len(), 0.0);
        let out = &mut self.held[from..];
        match self.channels {
            1 => across_one(&self.across, row, out),
            2 => across::<2>(&self.across, row, out),
            3 => across::<3>(&self.across, row, out),
            _ => across::<4>(&self.across, row, out),
        }
        self.rows_in += 1;
    }

    /// Whether the rows for the next row of the result are there.
    pub fn has_row(&self) -> bool {
        self.rows_out < self.down.len() && {
            let (first, weights) = self.down.at(self.rows_out);
            self.rows_in >= first + weights.len()
        }
    }

    /// The next row of the result; [`Resizer::has_row`] says whether it can be made.
    pub fn next_row(&mut self) -> &[f32] {
        let stride = self.row.len();
        let (first, weights) = self.down.at(self.rows_out);
        self.row.fill(0.0);
        for (bin, weight) in (first..).zip(weights) {
            let from = (bin - self.first_held) * stride;
            let source = &self.held[from..from + stride];
            for (sum, sample) in self.row.iter_mut().zip(source) {
                *sum += sample * weight;
            }
        }
        self.rows_out += 1;
        clamp(&mut self.row, self.channels);
        &self.row
    }

    /// Lets go of rows that are not needed any more.
    fn forget(&mut self) {
        let needed_from = if self.rows_out < self.down.len() {
            self.down.at(self.rows_out).0.min(self.rows_in)
        } else {
            self.rows_in
        };
        let unneeded = (needed_from - self.first_held) * self.row.len();
        self.held.drain(..unneeded);
        self.first_held = needed_from;
    }

    /// The bytes that a resizer of these axes holds.
    pub fn bytes(channels: u64, x: &Axis, y: &Axis) -> u64 {
        let (taps_x, taps_y) = (Kernel::max_taps(x, x.bins()), Kernel::max_taps(y, y.bins()));
        let (out_x, out_y) = (u64::from(x.out), u64::from(y.out));
        let kernels = out_x * (u64::from(taps_x) + 1) + out_y * (u64::from(taps_y) + 1);
        // Rows are also summed up in one, and the weights of a pixel in twice as many bits.
        let rows = u64::from(held_rows(usize::from(channels == 1), y)) + 1;
        4 * (kernels + out_x * channels * rows + 2 * u64::from(taps_x.max(taps_y)))
    }
}

/// As [`across`], for one channel: eight products at a time, which become vector instructions.
fn across_one(kernel: &Kernel, row: &[f32], out: &mut [f32]) {
    for (index, out) in out.iter_mut().enumerate() {
        let (first, weights) = kernel.at(index);
        let (eights, rest) = row[first..first + weights.len()].as_chunks::<8>();
        let (weights, weights_rest) = weights.as_chunks::<8>();
        let mut sums = [0.0_f32; 8];
        for (samples, weights) in eights.iter().zip(weights) {
            for ((sum, sample), weight) in sums.iter_mut().zip(samples).zip(weights) {
                *sum += sample * weight;
            }
        }
        for ((sum, sample), weight) in sums.iter_mut().zip(rest).zip(weights_rest) {
            *sum += sample * weight;
        }
        *out = sums.iter().sum();
    }
}

fn across<const CHANNELS: usize>(kernel: &Kernel, row: &[f32], out: &mut [f32]) {
    let (pixels, _) = row.as_chunks::<CHANNELS>();
    let (out, _) = out.as_chunks_mut::<CHANNELS>();
    for (index, out) in out.iter_mut().enumerate() {
        let (first, weights) = kernel.at(index);
        // Two sums at once: an addition has to wait for the one before it.
        let mut sums = [[0.0_f32; CHANNELS]; 2];
        let window = &pixels[first..first + weights.len()];
        for (pixels, weights) in window.chunks(2).zip(weights.chunks(2)) {
            for ((sum, pixel), weight) in sums.iter_mut().zip(pixels).zip(weights) {
                for (sum, sample) in sum.iter_mut().zip(pixel) {
                    *sum += sample * weight;
                }
            }
        }
        for (channel, out) in out.iter_mut().enumerate() {
            *out = sums[0][channel] + sums[1][channel];
        }
    }
}

/// Takes back what the kernel overshoots: samples are 0 to 1, and premultiplied colors at most alpha.
fn clamp(row: &mut [f32], channels: usize) {
    match channels {
        2 => row.as_chunks_mut::<2>().0.iter_mut().for_each(|[l, a]| {
            *a = a.clamp(0.0, 1.0);
            *l = l.clamp(0.0, *a);
        }),
        4 => row
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .for_each(|[r, g, b, a]| {
                *a = a.clamp(0.0, 1.0);
                for color in [r, g, b] {
                    *color = color.clamp(0.0, *a);
                }
            }),
        _ => row
            .iter_mut()
            .for_each(|sample| *sample = sample.clamp(0.0, 1.0)),
    }
}
