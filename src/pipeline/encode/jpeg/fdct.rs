//! From samples to coefficients: the forward DCT of 8 x 8 samples, in integers.
//!
//! Loeffler, Ligtenberg and Moschytz' algorithm with 11 multiplications for eight samples, its
//! constants in 13 bits and two more bits kept between the passes: what libjpeg calls `islow`,
//! to the bit. Eight rows or columns are transformed at a time, which become vector instructions.

/// Eight numbers of the same row or column.
type Lane = [i32; 8];

/// Bits behind the point of the constants.
const BITS: u32 = 13;

/// Bits that are kept between the passes.
const KEPT: u32 = 2;

/// Transforms samples around 0, in columns: `samples[x][y]`.
///
/// The result is in rows of frequencies, `[v][u]`, and 8 times that of T.81, A.3.3.
pub(super) fn fdct(samples: &[Lane; 8]) -> [Lane; 8] {
    let rows = pass(samples, |even| even << KEPT, BITS - KEPT);
    pass(&transpose(&rows), |even| rounded(even, KEPT), BITS + KEPT)
}

fn transpose(lanes: &[Lane; 8]) -> [Lane; 8] {
    let mut turned = [[0; 8]; 8];
    for (x, lane) in lanes.iter().enumerate() {
        for (turned, value) in turned.iter_mut().zip(lane) {
            turned[x] = *value;
        }
    }
    turned
}

#[inline]
const fn rounded(value: i32, bits: u32) -> i32 {
    (value + (1 << (bits - 1))) >> bits
}

/// A one-dimensional transform in each place of the lanes; `down` bits are taken off products.
#[inline]
fn pass(input: &[Lane; 8], even: impl Fn(i32) -> i32, down: u32) -> [Lane; 8] {
    let mut out = [[0; 8]; 8];
    for at in 0..8 {
        let value = |index: usize| input[index][at];
        let sums = [0, 1, 2, 3].map(|index| value(index) + value(7 - index));
        let differences = [0, 1, 2, 3].map(|index| value(index) - value(7 - index));
        let (outer, inner) = (sums[0] + sums[3], sums[1] + sums[2]);
        out[0][at] = even(outer + inner);
        out[4][at] = even(outer - inner);
        let [two, six] = rotated(sums[0] - sums[3], sums[1] - sums[2]);
        out[2][at] = rounded(two, down);
        out[6][at] = rounded(six, down);
        for (index, product) in odd(differences).into_iter().enumerate() {
            out[2 * index + 1][at] = rounded(product, down);
        }
    }
    out
}

/// The rotation by 6/16 of pi that gives frequencies 2 and 6.
#[inline]
const fn rotated(outer: i32, inner: i32) -> [i32; 2] {
    let both = (outer + inner) * 4433;
    [both + outer * 6270, both - inner * 15137]
}

/// Frequencies 1, 3, 5 and 7 of the differences of opposite samples, from the outermost pair on.
#[inline]
const fn odd([d0, d1, d2, d3]: [i32; 4]) -> [i32; 4] {
    let all = (d0 + d1 + d2 + d3) * 9633;
    let outer = (d3 + d0) * -7373;
    let inner = (d2 + d1) * -20995;
    let threes = (d3 + d1) * -16069 + all;
    let fours = (d2 + d0) * -3196 + all;
    [
        d0 * 12299 + outer + fours,
        d1 * 25172 + inner + threes,
        d2 * 16819 + inner + fours,
        d3 * 2446 + outer + threes,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transform as T.81, A.3.3 has it, times 8.
    fn reference(samples: &[Lane; 8], u: usize, v: usize) -> f64 {
        let wave = |at: usize, frequency: usize| {
            let angle = (2 * at + 1) * frequency;
            let angle = f64::from(u32::try_from(angle).expect("small"));
            let scale = if frequency == 0 { 0.5_f64.sqrt() } else { 1.0 };
            (angle * std::f64::consts::PI / 16.0).cos() * scale
        };
        let mut sum = 0.0;
        for (x, column) in samples.iter().enumerate() {
            for (y, sample) in column.iter().enumerate() {
                sum += f64::from(*sample) * wave(x, u) * wave(y, v);
            }
        }
        2.0 * sum
    }

    #[test]
    fn coefficients_are_those_of_the_standard() {
        let mut seed = 7_u32;
        for amplitude in [1, 30, 128] {
            let samples = [[(); 8]; 8].map(|column| {
                column.map(|()| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24).cast_signed() % (2 * amplitude) - amplitude
                })
            });
            let got = fdct(&samples);
            for (v, row) in got.iter().enumerate() {
                for (u, value) in row.iter().enumerate() {
                    let want = reference(&samples, u, v);
                    let off = (f64::from(*value) - want).abs();
                    assert!(off < 1.5, "{u},{v}: {value} is not {want}");
                }
            }
        }
    }
}
