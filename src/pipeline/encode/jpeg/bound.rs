//! How long a file can get, whatever the image is.

use super::super::super::geometry::Size;
use super::rows::JpegColor;

/// For a quality and those below it: the most bits of a luma block and of a chroma block.
///
/// The energy of a block's samples, of 64 * 128^2 at the most, is that of its coefficients
/// (Parseval). The tables' codes cost the most where that energy lies in as many coefficients as
/// are large enough to be coded with so many bits; the test computes it, by Lagrange.
const MAX_BITS: [(u8, u64, u64); 12] = [
    (20, 336, 270),
    (40, 414, 322),
    (60, 474, 385),
    (70, 526, 417),
    (80, 595, 484),
    (85, 652, 521),
    (90, 710, 587),
    (95, 841, 678),
    (97, 950, 754),
    (98, 1035, 832),
    (99, 1117, 996),
    (100, 1165, 1097),
];

/// The tables and all headers, of several scans too.
const HEADERS: u64 = 2048;

/// What the ends of two more scans cost a block in a progressive file.
const ENDS: u64 = 8;

/// The most bytes of a file.
///
/// A byte of ones is followed by a zero: one of 256 where bits are like noise, one of 16 is allowed for.
pub fn max_bytes(size: Size, color: JpegColor, quality: u8) -> u64 {
    let [luma, chroma] = max_bits(quality);
    let mcu = color.mcu() as u64;
    let mcus = u64::from(size.width()).div_ceil(mcu) * u64::from(size.height()).div_ceil(mcu);
    let bits = match color {
        JpegColor::Gray => luma,
        JpegColor::Full => luma + 2 * chroma,
        JpegColor::Halved => 4 * luma + 2 * chroma,
    };
    HEADERS + mcus * bits * 17 / 16 / 8
}

fn max_bits(quality: u8) -> [u64; 2] {
    let above = MAX_BITS.iter().find(|(most, ..)| quality <= *most);
    above
        .or(MAX_BITS.last())
        .map_or([0; 2], |(_, luma, chroma)| [luma + ENDS, chroma + ENDS])
}

#[cfg(test)]
mod tests {
    use super::super::tables::{Class, Quantizer, ac, dc};
    use super::*;

    /// The least upper bound, over multipliers, of the bits of a block at `quality`.
    fn computed(class: Class, quality: u8) -> f64 {
        let codes = ac(class).codes();
        let bits = |zeros: usize, size: usize| f64::from(codes[zeros << 4 | size].1);
        let exact = |size: usize| f64::from(u32::try_from(size).expect("small"));
        let dc = dc(class).codes();
        let longest = (0..12).map(|size| f64::from(dc[size].1) + exact(size));
        let fixed = longest.fold(0.0, f64::max) + bits(0, 0);
        let divisors = Quantizer::new(class, quality).divisors;
        let mut least = f64::INFINITY;
        for zero in (1..=8).map(exact) {
            // A code for zeros and a coefficient costs no more than `zero` for each and this.
            let costs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|size| {
                let cost = |zeros| bits(zeros, size) + exact(size) - zero * exact(zeros);
                (0..16).map(cost).fold(0.0, f64::max)
            });
            for step in 0..70 {
                let multiplier = 1.5_f64.powi(step - 40) * 1e-4;
                let mut sum = fixed + multiplier * 64.0 * 128.0 * 128.0;
                for divisor in &divisors[1..] {
                    let worth = (0_i32..).zip(costs).map(|(size, cost)| {
                        let coefficient = (2_f64.powi(size) - 0.5) * f64::from(*divisor) - 1.0;
                        cost - multiplier * coefficient.max(0.0).powi(2)
                    });
                    sum += worth.fold(zero, f64::max);
                }
                least = least.min(sum);
            }
        }
        least
    }

    #[test]
    fn no_block_has_more_bits() {
        for quality in 1..=100 {
            for (class, at) in [(Class::Luma, 0), (Class::Chroma, 1)] {
                let computed = computed(class, quality);
                #[expect(clippy::cast_precision_loss, reason = "at most 1,173")]
                let allowed = (max_bits(quality)[at] - ENDS) as f64;
                assert!(computed <= allowed, "{class:?} at {quality}: {computed}");
            }
        }
    }
}
