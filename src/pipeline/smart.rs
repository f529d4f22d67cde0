//! Chooses the part of an image to keep by looking at its pixels.
//!
//! Both ways give every pixel a score and keep the window with the most of it.
//! As only one side of an image is cropped, windows slide along one axis.

use super::geometry::Size;
use super::gravity::Gravity;
use super::pixmap::Pixmap;

/// Levels of brightness that entropy tells apart.
const LEVELS: usize = 64;

/// How much an edge counts, and saturation, and skin, as libvips weighs them.
const EDGE_WEIGHT: f64 = 5.0;

/// The upper left corner of the part of `size` to keep.
///
/// [`Gravity::Entropy`]: the window whose brightness, in 64 levels, has the most Shannon entropy.
///
/// [`Gravity::Attention`]: the window with the highest sum of
/// `5 * edge + saturation + skin` over its pixels, each 0 to 1 and not counted where it is transparent:
/// - edge: the difference to the mean of the four neighbors in luma;
/// - saturation: (max - min) / max of the channels, where it is bright enough to be seen;
/// - skin: how near the direction of the color is to (0.78, 0.57, 0.44).
///
/// Of windows that are equally good the one nearest to the middle is kept.
pub fn choose(pixmap: &Pixmap, gravity: Gravity, size: Size) -> (u32, u32) {
    let room = (
        pixmap.width().saturating_sub(size.width()),
        pixmap.height().saturating_sub(size.height()),
    );
    let lines = Lines {
        pixmap,
        along_x: room.0 >= room.1,
    };
    let room_here = room.0.max(room.1) as usize;
    let length = if lines.along_x {
        size.width()
    } else {
        size.height()
    } as usize;
    let best = if gravity == Gravity::Entropy {
        best_window(Histogram::new(lines, length), room_here)
    } else {
        best_window(Attention::new(lines, length), room_here)
    };
    let best = u32::try_from(best).unwrap_or(0);
    if lines.along_x {
        (best, room.1 / 2)
    } else {
        (room.0 / 2, best)
    }
}

/// The most bytes that [`choose`] holds for an image of this size.
pub fn bytes(picture: Size, gravity: Gravity) -> u64 {
    match gravity {
        Gravity::Attention => 8 * u64::from(picture.width().max(picture.height())),
        _ => 0,
    }
}

/// The columns of an image, or its rows: whatever windows slide over.
#[derive(Debug, Clone, Copy)]
struct Lines<'a> {
    pixmap: &'a Pixmap,
    along_x: bool,
}

impl<'a> Lines<'a> {
    const fn count(self) -> usize {
        if self.along_x {
            self.pixmap.width() as usize
        } else {
            self.pixmap.height() as usize
        }
    }

    /// The pixels of a line.
    fn pixels(self, line: usize) -> impl Iterator<Item = &'a [u8]> {
        let (width, channels) = (self.pixmap.width() as usize, self.pixmap.channels());
        let (first, step, count) = if self.along_x {
            (line, width, self.pixmap.height() as usize)
        } else {
            (line * width, 1, width)
        };
        let data = self.pixmap.data();
        (0..count).filter_map(move |index| {
            let at = (first + index * step) * channels;
            data.get(at..at + channels)
        })
    }
}

/// A window over some lines, which moves by one line at a time.
trait Window {
    /// Leaves its first line and enters the one after its last.
    fn advance(&mut self);

    /// How good it is.
    fn score(&self) -> f64;
}

/// How far the window with the highest score has to move, which is at most by `room` lines.
fn best_window(mut window: impl Window, room: usize) -> usize {
    let mut best = (window.score(), 0_usize);
    let middle = room / 2;
    for start in 1..=room {
        window.advance();
        let now = window.score();
        // Sums that slide are exact for counts only: what differs by less than this is equal.
        let margin = 1e-9 * best.0.abs();
        let nearer = start.abs_diff(middle) < best.1.abs_diff(middle);
        if now > best.0 + margin || (nearer && now >= best.0 - margin) {
            best = (now, start);
        }
    }
    best.1
}

/// How many pixels of a window there are of each level of brightness.
///
/// Lines are counted again when they leave: what is held does not grow with the image, and a step costs
/// what its two lines have, not what the window has.
struct Histogram<'a> {
    lines: Lines<'a>,
    start: usize,
    end: usize,
    pixels: f64,
    counts: [u32; LEVELS],
    /// What each level adds to the entropy, in bits.
    terms: [f64; LEVELS],
}

impl<'a> Histogram<'a> {
    fn new(lines: Lines<'a>, length: usize) -> Self {
        let end = length.min(lines.count());
        let mut counts = [0; LEVELS];
        for pixel in (0..end).flat_map(|line| lines.pixels(line)) {
            counts[level(pixel)] += 1;
        }
        let pixels = f64::from(counts.iter().sum::<u32>());
        Self {
            lines,
            start: 0,
            end,
            pixels,
            counts,
            terms: counts.map(|count| term(count, pixels)),
        }
    }
}

impl Window for Histogram<'_> {
    fn advance(&mut self) {
        let mut changed = 0_u64;
        for pixel in self.lines.pixels(self.start) {
            let level = level(pixel);
            self.counts[level] = self.counts[level].saturating_sub(1);
            changed |= 1 << level;
        }
        for pixel in self.lines.pixels(self.end) {
            let level = level(pixel);
            self.counts[level] += 1;
            changed |= 1 << level;
        }
        while changed != 0 {
            let level = changed.trailing_zeros() as usize;
            self.terms[level] = term(self.counts[level], self.pixels);
            changed &= changed - 1;
        }
        self.start += 1;
        self.end += 1;
    }

    /// Shannon entropy, in bits.
    fn score(&self) -> f64 {
        self.terms.iter().sum()
    }
}

/// What `count` of so many pixels add to the entropy.
fn term(count: u32, pixels: f64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    let share = f64::from(count) / pixels;
    -share * share.log2()
}

/// The level of a pixel's brightness.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "luma is 0 to 255"
)]
fn level(pixel: &[u8]) -> usize {
    (luma(pixel) as usize * LEVELS / 256).min(LEVELS - 1)
}

/// The sum of the scores of a window's pixels.
struct Attention {
    lines: Vec<f64>,
    start: usize,
    length: usize,
    sum: f64,
}

impl Attention {
    fn new(lines: Lines<'_>, length: usize) -> Self {
        let lines = attention(lines);
        Self {
            start: 0,
            length,
            sum: lines.iter().take(length).sum(),
            lines,
        }
    }
}

impl Window for Attention {
    fn advance(&mut self) {
        let line = |at: usize| self.lines.get(at).copied().unwrap_or(0.0);
        self.sum -= line(self.start);
        self.sum += line(self.start + self.length);
        self.start += 1;
    }

    fn score(&self) -> f64 {
        self.sum
    }
}

/// For each line the sum of the scores of its pixels.
fn attention(lines: Lines<'_>) -> Vec<f64> {
    let Lines { pixmap, along_x } = lines;
    let mut sums = vec![0.0; lines.count()];
    let (width, channels) = (pixmap.width() as usize, pixmap.channels());
    let data = pixmap.data();
    let luma_at = |at: usize| data.get(at * channels..(at + 1) * channels).map(luma);
    for (index, pixel) in data.chunks_exact(channels).enumerate() {
        let (x, y) = (index % width, index / width);
        let here = luma(pixel);
        let neighbors = [
            (x > 0).then(|| index - 1),
            (x + 1 < width).then_some(index + 1),
            index.checked_sub(width),
            Some(index + width),
        ];
        let sum: f64 = neighbors
            .into_iter()
            .map(|at| at.and_then(luma_at).unwrap_or(here))
            .sum();
        let edge = (here - sum / 4.0).abs() / 255.0;
        let alpha = pixel.get(3).map_or(1.0, |alpha| f64::from(*alpha) / 255.0);
        let score = alpha * (EDGE_WEIGHT * edge + saturation(pixel, here) + skin(pixel, here));
        if let Some(line) = sums.get_mut(if along_x { x } else { y }) {
            *line += score;
        }
    }
    sums
}

/// BT.601 luma, 0 to 255.
fn luma(pixel: &[u8]) -> f64 {
    let [r, g, b] = rgb(pixel);
    0.299 * r + 0.587 * g + 0.114 * b
}

fn rgb(pixel: &[u8]) -> [f64; 3] {
    match pixel {
        [r, g, b, ..] => [*r, *g, *b].map(f64::from),
        _ => [0.0; 3],
    }
}

/// What is darker than this shows neither saturation nor skin.
const MIN_LUMA: f64 = 40.0;

fn saturation(pixel: &[u8], luma: f64) -> f64 {
    let [r, g, b] = rgb(pixel);
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    if luma < MIN_LUMA {
        0.0
    } else {
        (max - min) / max
    }
}

fn skin(pixel: &[u8], luma: f64) -> f64 {
    let [r, g, b] = rgb(pixel);
    let length = (r * r + g * g + b * b).sqrt();
    if luma < MIN_LUMA || length <= 0.0 {
        return 0.0;
    }
    let [dr, dg, db] = [r / length - 0.78, g / length - 0.57, b / length - 0.44];
    // A color this far from skin's direction is no skin at all.
    (1.0 - (dr * dr + dg * dg + db * db).sqrt() / 0.2).max(0.0)
}

#[cfg(test)]
mod tests;
