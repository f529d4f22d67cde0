//! CMYK as JPEG files have it, on the way to ink amounts in 0…1 (0 is no ink).

use super::linear::unit;

/// Turns samples of files that write ink the other way round (Adobe's) into ink, and back.
pub fn invert_row(row: &mut [f32]) {
    for sample in row {
        *sample = 1.0 - *sample;
    }
}

/// Turns Y, Cb, Cr, K of each pixel into C, M, Y, K, as the file counts ink.
///
/// The colors are those of BT.601 inverted; K stays what it is.
/// Adobe's files, which are the ones with YCCK, need [`invert_row`] afterwards.
pub fn ycck_to_cmyk_row(row: &mut [f32]) {
    for [y, cb, cr, _] in row.as_chunks_mut::<4>().0 {
        // 128 of 255 is the middle (JFIF).
        let (blue, red) = (*cb - 128.0 / 255.0, *cr - 128.0 / 255.0);
        let rgb = [
            *y + 1.402 * red,
            *y - 0.344_136_3 * blue - 0.714_136_3 * red,
            *y + 1.772 * blue,
        ];
        [*y, *cb, *cr] = rgb.map(|value| 1.0 - unit(value));
    }
}

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

    #[test]
    fn ycck_of_adobe_becomes_ink() {
        // Pure red as R, G, B = 255, 0, 0 in BT.601 and no black ink, which Adobe writes as 255.
        let mut row = [76.245 / 255.0, 84.972 / 255.0, 1.0, 1.0];
        ycck_to_cmyk_row(&mut row);
        invert_row(&mut row);
        // Files of Adobe have their colors inverted a second time: R is what C covers.
        for (got, want) in row.into_iter().zip([1.0, 0.0, 0.0, 0.0]) {
            assert!((got - want).abs() < 0.01, "{row:?}");
        }
    }
}
