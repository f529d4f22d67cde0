//! From YCbCr at 1/8 to RGB, so that colors out of gamut are cut off before they are averaged, as in a whole image.
//!
//! One luma sample stands for 64 pixels. Where its color is near the edge of the gamut, some of them are cut off and
//! others not, and their mean is not the cut off mean. How far they spread around it is what the AC coefficients say;
//! these are passed over, but the number of their bits is known, and tells enough: see [`Spread`].

use super::segments::{Quant, ZIGZAG};

/// Half of the range, so that no mean is near both of its ends.
const MAX_SPREAD: u32 = 127;

/// Bits of a block without AC coefficients: about what its end takes.
const EMPTY_BITS: u32 = 4;

/// See [`Spread`].
const STEPS_TO_SPREAD: f32 = 28.0;

/// How far the pixels of a block spread around their mean, from the number of bits of its AC coefficients.
///
/// They are taken as evenly spread up to bits * step / 28 on both sides, where the step is the root mean square of the
/// nine lowest quantiser steps. In four photos 1/19, 1/21, 1/24 and 1/65 come nearest to the true spread of luma;
/// from 1/50 to 1/25 the thumbnail with the most colors out of gamut gains 5 to 12 dB, and none loses any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    /// By bit, in 1/256.
    slope: u32,
}

impl Spread {
    /// For components whose spread does not matter.
    pub(super) const NONE: Self = Self { slope: 0 };

    pub(super) fn new(quant: &Quant) -> Self {
        let squares = ZIGZAG[1..10]
            .iter()
            .map(|&natural| f32::from(quant[usize::from(natural)]).powi(2));
        let step = (squares.sum::<f32>() / 9.0).sqrt();
        Self {
            slope: (step * 256.0 / STEPS_TO_SPREAD) as u32,
        }
    }

    #[inline]
    pub(super) fn is_none(self) -> bool {
        self.slope == 0
    }

    /// The spread of a block with so many bits.
    #[inline]
    pub(super) fn of(self, bits: u32) -> u8 {
        let spread = bits.saturating_sub(EMPTY_BITS).saturating_mul(self.slope) >> 8;
        spread.min(MAX_SPREAD) as u8
    }
}

/// Pixels that are converted at a time: some vectors of them.
pub(super) const LANES: usize = 16;

type Lanes<T> = [T; LANES];

/// Converts a row (ITU-T T.871 section 7), whose length is a multiple of [`LANES`].
pub(super) fn to_rgb(
    luma: &[u8],
    spreads: &[u8],
    [cb, cr]: [&[u8]; 2],
    [r, g, b]: &mut [Vec<u8>; 3],
) {
    let luma = luma.as_chunks().0.iter().zip(spreads.as_chunks().0);
    let chroma = cb.as_chunks().0.iter().zip(cr.as_chunks().0);
    let rg = r.as_chunks_mut().0.iter_mut().zip(g.as_chunks_mut().0);
    let rgb = rg.zip(b.as_chunks_mut().0);
    for (((luma, spreads), (cb, cr)), ((r, g), b)) in luma.zip(chroma).zip(rgb) {
        let spreads = spreads.map(i32::from);
        let colors = colors(luma, cb, cr);
        for (means, out) in colors.iter().zip([r, g, b]) {
            let bounded = if is_inside(means, &spreads) {
                // Nearly all pixels are well inside, so the rest is kept out of the fast loop.
                *means
            } else {
                bounded_means(means, &spreads)
            };
            *out = bounded.map(|sample| sample as u8);
        }
    }
}

#[inline]
fn colors(luma: &Lanes<u8>, cb: &Lanes<u8>, cr: &Lanes<u8>) -> [Lanes<i32>; 3] {
    let mut rgb = [[0; LANES]; 3];
    for i in 0..LANES {
        // ITU-T T.871 section 7, with 16 fraction bits: 1.402, 0.344136, 0.714136 and 1.772.
        let y = i32::from(luma[i]) << 16 | 1 << 15;
        let (cb, cr) = (i32::from(cb[i]) - 128, i32::from(cr[i]) - 128);
        rgb[0][i] = (y + 91_881 * cr) >> 16;
        rgb[1][i] = (y - 22_554 * cb - 46_802 * cr) >> 16;
        rgb[2][i] = (y + 116_130 * cb) >> 16;
    }
    rgb
}

/// Whether no value is cut off.
#[inline]
fn is_inside(means: &Lanes<i32>, spreads: &Lanes<i32>) -> bool {
    let pairs = means.iter().zip(spreads);
    let room = pairs.map(|(mean, spread)| (*mean).min(255 - mean) - spread);
    // A fold has no early exit, so it becomes vector operations.
    room.fold(0, i32::min) >= 0
}

/// The means of values that spread evenly around `means` and are cut off at 0 and 255.
#[inline(never)]
fn bounded_means(means: &Lanes<i32>, spreads: &Lanes<i32>) -> Lanes<i32> {
    let mut bounded = [0; LANES];
    for i in 0..LANES {
        let (mean, spread) = (means[i] as f32, spreads[i] as f32 + LEAST_SPREAD);
        let scale = 0.25 / spread;
        let sample = above_zero(mean, spread, scale) - above_zero(mean - 255.0, spread, scale);
        bounded[i] = (sample + 0.5) as i32;
    }
    bounded
}

/// Keeps a division from being one by zero, and shows in no result.
const LEAST_SPREAD: f32 = 0.01;

/// The mean of values that spread evenly around `mean` and are cut off at 0; `scale` is a quarter of 1 / `spread`.
///
/// Written with comparisons, which become vector instructions where `f32::clamp` does not.
#[inline]
fn above_zero(mean: f32, spread: f32, scale: f32) -> f32 {
    // Where 0 lies among the values, those above it are a triangle; beyond that, all count with their mean.
    let positive = |value: f32| if value > 0.0 { value } else { 0.0 };
    let end = positive(mean + spread);
    let end = if end < 2.0 * spread {
        end
    } else {
        2.0 * spread
    };
    end * end * scale + positive(mean - spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_those_of_cut_off_values() {
        for spread in [0, 1, 7, 60, 127] {
            for mean in -300..=500 {
                let steps = 1000;
                let values = (0..steps).map(|step| {
                    let at = (f64::from(step) + 0.5) / f64::from(steps) * 2.0 - 1.0;
                    (f64::from(mean) + at * f64::from(spread)).clamp(0.0, 255.0)
                });
                let want = values.sum::<f64>() / f64::from(steps);
                let got = bounded_means(&[mean; LANES], &[spread; LANES]);
                let is_near = |got: &i32| (f64::from(*got) - want).abs() <= 0.51;
                assert!(
                    got.iter().all(is_near),
                    "{mean}±{spread}: {got:?}, not {want}"
                );
                let is_whole = mean >= spread && mean <= 255 - spread;
                assert_eq!(is_inside(&[mean; LANES], &[spread; LANES]), is_whole);
                assert!(!is_whole || got == [mean; LANES]);
            }
        }
    }

    #[test]
    fn spreads_grow_with_bits_and_steps() {
        let of = |step, bits| Spread::new(&[step; 64]).of(bits);
        assert_eq!([of(1, 0), of(1, 4), of(1, 36), of(7, 36)], [0, 0, 1, 8]);
        assert_eq!([of(14, 84), of(u16::MAX, 60_000)], [40, 127]);
        assert_eq!(Spread::NONE.of(500), 0);
    }

    #[test]
    fn primaries_come_out_of_their_ycbcr() {
        for ((y, cb, cr), want) in [
            ((76, 85, 255), [254, 0, 0]),
            ((150, 44, 21), [0, 255, 1]),
            ((29, 255, 107), [0, 0, 254]),
            ((255, 128, 128), [255; 3]),
            ((0, 128, 128), [0; 3]),
        ] {
            let mut rgb = [const { Vec::new() }; 3].map(|_: Vec<u8>| vec![9; LANES]);
            let chroma = [&[cb; LANES][..], &[cr; LANES]];
            to_rgb(&[y; LANES], &[0; LANES], chroma, &mut rgb);
            for (got, want) in rgb.iter().zip(want) {
                let is_near = |got: &u8| got.abs_diff(want) <= 1;
                assert!(got.iter().all(is_near), "{y} {cb} {cr}: {got:?}");
            }
        }
    }
}
