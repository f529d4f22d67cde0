//! Four rows at once, each one pixel behind the row above.
//!
//! Every byte of a filtered row depends on the byte to its left, so a single row runs at the latency
//! of its predictor. Skewed by a pixel, four rows depend on each other only through earlier steps:
//! when row 0 is at pixel x, row 1 is at x - 1, and the pixel above it has just been finished.
//! The rows may have any filters: each lane adds the parts of the prediction that its filter has.

use std::ops::Range;

use super::super::lanes::Lanes;
use super::{Filter, Filtered};
use crate::decode::png::header::GROUP_ROWS;

/// The longest pixel, in bytes, that fits a lane.
pub(super) const MAX_STEP: usize = 4;

/// Unfilters four equally long rows into `rows`.
pub(super) fn unfilter(
    step: usize,
    group: &[Filtered<'_>; GROUP_ROWS],
    prior: &[u8],
    rows: &mut [Vec<u8>; GROUP_ROWS],
) {
    match step {
        1 => pixels::<1>(group, prior, rows),
        2 => pixels::<2>(group, prior, rows),
        3 => pixels::<3>(group, prior, rows),
        _ => pixels::<4>(group, prior, rows),
    }
}

#[inline(never)]
fn pixels<const STEP: usize>(
    group: &[Filtered<'_>; GROUP_ROWS],
    prior: &[u8],
    rows: &mut [Vec<u8>; GROUP_ROWS],
) {
    let (prior, _) = prior.as_chunks::<STEP>();
    let sources = group.map(|(_, raw)| raw.as_chunks::<STEP>().0);
    let width = prior.len();
    let mut outs = rows.each_mut().map(|row| {
        let (pixels, _) = row.as_chunks_mut::<STEP>();
        &mut pixels[..width]
    });
    let mut chain = Chain::new(group.map(|(filter, _)| filter));

    // The lower rows begin and the upper rows end with steps outside of the image.
    let lead = width.min(GROUP_ROWS - 1);
    edges(&mut chain, 0..lead, prior, &sources, &mut outs);
    let blocks = (width - lead) / 4;
    if blocks > 0 {
        chain = inner(chain, blocks, prior, sources, &mut outs);
    }
    let rest = lead + 4 * blocks..width + GROUP_ROWS - 1;
    edges(&mut chain, rest, prior, &sources, &mut outs);
}

/// Steps of which some are left or right of the image.
///
/// Left of it, zeros give zeros, which is what the filters take pixels there for.
#[inline(never)]
fn edges<const STEP: usize>(
    chain: &mut Chain,
    steps: Range<usize>,
    prior: &[[u8; STEP]],
    sources: &[&[[u8; STEP]]; GROUP_ROWS],
    outs: &mut [&mut [[u8; STEP]]; GROUP_ROWS],
) {
    let at = |row: &[[u8; STEP]], x: Option<usize>| x.and_then(|x| row.get(x)).map_or(0, word);
    for x in steps {
        let xs = [0, 1, 2, 3].map(|behind| x.checked_sub(behind));
        let raw = Lanes::from_words([0, 1, 2, 3].map(|i| at(sources[i], xs[i])));
        let words = chain.step(Lanes::from_words([at(prior, xs[0]); 4]), raw);
        for ((out, x), word) in outs.iter_mut().zip(xs).zip(words.to_words()) {
            if let Some(pixel) = x.and_then(|x| out.get_mut(x)) {
                *pixel = bytes(word);
            }
        }
    }
}

/// Steps in which all rows are inside of the image, in blocks of four:
/// four pixels of a row lie together, so a block is loaded as rows and turned into steps.
#[inline(never)]
fn inner<const STEP: usize>(
    mut chain: Chain,
    blocks: usize,
    prior: &[[u8; STEP]],
    sources: [&[[u8; STEP]]; GROUP_ROWS],
    outs: &mut [&mut [[u8; STEP]]; GROUP_ROWS],
) -> Chain {
    let lead = GROUP_ROWS - 1;
    let prior = &prior[lead..].as_chunks::<4>().0[..blocks];
    // Row i is i pixels behind: at one step, lane i is at x - i.
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| &sources[i][lead - i..].as_chunks::<4>().0[..blocks]);
    let [out_a, out_b, out_c, out_d] = outs;
    let out_a = &mut out_a[lead..].as_chunks_mut::<4>().0[..blocks];
    let out_b = &mut out_b[lead - 1..].as_chunks_mut::<4>().0[..blocks];
    let out_c = &mut out_c[lead - 2..].as_chunks_mut::<4>().0[..blocks];
    let out_d = &mut out_d[lead - 3..].as_chunks_mut::<4>().0[..blocks];
    for i in 0..blocks {
        let raw = [&a[i], &b[i], &c[i], &d[i]].map(Lanes::load);
        let [r0, r1, r2, r3] = Lanes::transpose(raw);
        let [p0, p1, p2, p3] = Lanes::load(&prior[i]).spread();
        let s0 = chain.step(p0, r0);
        let s1 = chain.step(p1, r1);
        let s2 = chain.step(p2, r2);
        let s3 = chain.step(p3, r3);
        let [wa, wb, wc, wd] = Lanes::transpose([s0, s1, s2, s3]);
        wa.store(&mut out_a[i]);
        wb.store(&mut out_b[i]);
        wc.store(&mut out_c[i]);
        wd.store(&mut out_d[i]);
    }
    chain
}

/// A pixel as a word; bytes that it does not have are zero.
#[inline]
fn word<const STEP: usize>(pixel: &[u8; STEP]) -> u32 {
    let mut word = [0; 4];
    word[..STEP].copy_from_slice(pixel);
    u32::from_le_bytes(word)
}

#[inline]
fn bytes<const STEP: usize>(word: u32) -> [u8; STEP] {
    let word = word.to_le_bytes();
    std::array::from_fn(|i| word[i])
}

/// The last pixels of the four rows, and which parts of a prediction each row takes.
struct Chain {
    sub: Lanes,
    up: Lanes,
    average: Lanes,
    paeth: Lanes,
    left: Lanes,
    above: Lanes,
}

impl Chain {
    fn new(filters: [Filter; GROUP_ROWS]) -> Self {
        let mask = |wanted| {
            Lanes::from_words(filters.map(|filter| if filter == wanted { u32::MAX } else { 0 }))
        };
        Self {
            sub: mask(Filter::Sub),
            up: mask(Filter::Up),
            average: mask(Filter::Average),
            paeth: mask(Filter::Paeth),
            left: Lanes::from_words([0; 4]),
            above: Lanes::from_words([0; 4]),
        }
    }

    /// The next pixel of each row, from the pixel above the first row (in the last word of `prior`)
    /// and the filtered pixels.
    ///
    /// Paeth's predictor without signs: with x how far the higher neighbor is above the corner
    /// and y how far the lower one is below it (each zero if it is not), it is the lower neighbor,
    /// corner - y, if 2x <= y; the higher one, corner + x, if 2y <= x; else the corner.
    /// Where both hold, x and y are zero. Lanes with another filter see corners that make both zero.
    #[inline]
    fn step(&mut self, prior: Lanes, raw: Lanes) -> Lanes {
        let (left, corner) = (self.left, self.above);
        // The pixel above is what the row above made one step ago; the corner is what was above then.
        let above = left.shift_in(prior);

        // This does not wait for the pixel to the left …
        let low_corner = corner.and(self.paeth);
        let high_corner = corner.or_not(self.paeth);
        let base = raw.wrapping_add(low_corner);

        // … and this is ready before Paeth's choice.
        let base = base
            .wrapping_add(above.and(self.up))
            .wrapping_add(left.and(self.sub))
            .wrapping_add(left.mean(above).and(self.average));

        let x = left.max(above).saturating_sub(high_corner);
        let y = low_corner.saturating_sub(left.min(above));
        // 2x may not fit a byte: `x <= y - x` says the same.
        let is_low = x.le_mask(y.saturating_sub(x));
        let is_high = y.le_mask(x.saturating_sub(y));
        let pixels = base
            .wrapping_add(x.and(is_high))
            .wrapping_sub(y.and(is_low));

        self.left = pixels;
        self.above = above;
        pixels
    }
}
