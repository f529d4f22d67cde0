//! Ink in 0…1, where 0 is no ink.

use super::linear::unit;

/// Returns the sRGB color of ink without a profile: what each ink lets through, multiplied.
///
/// Browsers show such images this way.
/// Simulating some press instead would be a guess about the press.
#[inline]
pub(super) fn multiply([c, m, y, k]: [f32; 4]) -> [f32; 3] {
    let paper = |ink: f32| 1.0 - unit(ink);
    [c, m, y].map(|ink| paper(ink) * paper(k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_takes_its_complement_away() {
        for (ink, want) in [
            ([0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
            ([1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0]),
            ([0.0, 0.5, 0.0, 0.5], [0.5, 0.25, 0.5]),
            ([0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0]),
            ([f32::NAN, 2.0, -1.0, 0.0], [1.0, 0.0, 1.0]),
        ] {
            let got = multiply(ink).map(f32::to_bits);
            assert_eq!(got, want.map(f32::to_bits), "{ink:?}");
        }
    }
}
