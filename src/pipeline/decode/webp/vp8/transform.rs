//! The inverse transforms (RFC 6386, section 14).

/// `sqrt(2) * cos(pi / 8) - 1` in 16 fractional bits.
const COS_LESS_ONE: i32 = 20091;
/// `sqrt(2) * sin(pi / 8)` in 16 fractional bits.
const SIN: i32 = 35468;

/// Four values side by side; loops over them become one SIMD instruction.
type Lanes = [i32; 4];

#[inline(always)]
fn lanes(f: impl Fn(usize) -> i32) -> Lanes {
    [f(0), f(1), f(2), f(3)]
}

/// The product's integer part. Coefficients of legal files cannot overflow it; those of hostile ones wrap.
#[inline(always)]
fn scale(value: i32, factor: i32) -> i32 {
    value.wrapping_mul(factor) >> 16
}

#[inline(always)]
fn transpose(m: [Lanes; 4]) -> [Lanes; 4] {
    [0, 1, 2, 3].map(|column| [m[0][column], m[1][column], m[2][column], m[3][column]])
}

/// One direction of the inverse DCT, on four vectors at once.
#[inline(always)]
fn dct_pass(v: [Lanes; 4]) -> [Lanes; 4] {
    let a = lanes(|i| v[0][i] + v[2][i]);
    let b = lanes(|i| v[0][i] - v[2][i]);
    let c = lanes(|i| {
        // The factor is above 1: only what exceeds 1 has 16 fractional bits, as in section 14.
        let cos = v[3][i] + scale(v[3][i], COS_LESS_ONE);
        scale(v[1][i], SIN) - cos
    });
    let d = lanes(|i| {
        let cos = v[1][i] + scale(v[1][i], COS_LESS_ONE);
        cos + scale(v[3][i], SIN)
    });
    [
        lanes(|i| a[i] + d[i]),
        lanes(|i| b[i] + c[i]),
        lanes(|i| b[i] - c[i]),
        lanes(|i| a[i] - d[i]),
    ]
}

/// Inverse DCT of a block: the residue in rows.
#[inline(always)]
pub fn inverse_dct(block: &[i16; 16]) -> [Lanes; 4] {
    let rows = [0, 4, 8, 12].map(|row| lanes(|i| i32::from(block[row + i])));
    // Columns first: rounding makes the order matter.
    let columns = transpose(dct_pass(rows));
    // Rounding rides on the DC terms.
    let biased = [
        columns[0].map(|dc| dc + 4),
        columns[1],
        columns[2],
        columns[3],
    ];
    transpose(dct_pass(biased)).map(|row| row.map(|residue| residue >> 3))
}

/// Inverse Walsh-Hadamard transform: the DC coefficients of the sixteen luma blocks.
pub fn inverse_wht(block: &[i16; 16]) -> [i16; 16] {
    let pass = |v: [Lanes; 4]| -> [Lanes; 4] {
        let a = lanes(|i| v[0][i] + v[3][i]);
        let b = lanes(|i| v[1][i] + v[2][i]);
        let c = lanes(|i| v[1][i] - v[2][i]);
        let d = lanes(|i| v[0][i] - v[3][i]);
        [
            lanes(|i| a[i] + b[i]),
            lanes(|i| c[i] + d[i]),
            lanes(|i| a[i] - b[i]),
            lanes(|i| d[i] - c[i]),
        ]
    };
    let rows = [0, 4, 8, 12].map(|row| lanes(|i| i32::from(block[row + i])));
    let rows = transpose(pass(transpose(pass(rows))));
    std::array::from_fn(|i| ((rows[i / 4][i % 4] + 3) >> 3) as i16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_dc_gives_a_flat_block() {
        for dc in [-2000_i16, -5, -4, 0, 3, 4, 11, 12, 2047] {
            let mut block = [0; 16];
            block[0] = dc;
            assert_eq!(inverse_dct(&block), [[(i32::from(dc) + 4) >> 3; 4]; 4]);
            assert_eq!(inverse_wht(&block), [(dc + 3) >> 3; 16]);
        }
    }

    #[test]
    fn extreme_coefficients_do_not_overflow() {
        for block in [[i16::MAX; 16], [i16::MIN; 16]] {
            inverse_dct(&block);
            inverse_wht(&block);
        }
    }

    #[test]
    fn the_dct_is_the_transform_of_the_specification() {
        // The real transform, in floating point; integer rounding stays within one step.
        let block: [i16; 16] = std::array::from_fn(|i| ((i * 37 + 11) % 64) as i16 * 4 - 128);
        let basis = |k: usize, n: usize| {
            let scale = if k == 0 { 1.0 } else { 2.0_f64.sqrt() };
            let [k, n] = [k, n].map(|i| f64::from(i as u8));
            scale * (std::f64::consts::PI * (n + 0.5) * k / 4.0).cos()
        };
        for (y, row) in inverse_dct(&block).iter().enumerate() {
            for (x, &got) in row.iter().enumerate() {
                let exact: f64 = (0..16)
                    .map(|i| f64::from(block[i]) * basis(i / 4, y) * basis(i % 4, x) / 8.0)
                    .sum();
                assert!((f64::from(got) - exact).abs() < 1.5, "{got} {exact}");
            }
        }
    }
}
