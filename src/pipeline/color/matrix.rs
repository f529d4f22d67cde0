//! 3x3 matrices and the way from primaries to the ICC connection space (XYZ under D50).

/// A matrix, row by row.
pub(super) type Matrix = [[f64; 3]; 3];

/// The white of the ICC connection space (ICC.1:2022, 7.2.16).
pub(super) const D50: [f64; 3] = [0.9642, 1.0, 0.8249];

/// The linear Bradford cone response (ICC.1:2022, annex E).
const BRADFORD: Matrix = [
    [0.8951, 0.2664, -0.1614],
    [-0.7502, 1.7135, 0.0367],
    [0.0389, -0.0685, 1.0296],
];

/// Chromaticities of the three primaries and the white, as x and y.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Primaries {
    pub(super) red: [f64; 2],
    pub(super) green: [f64; 2],
    pub(super) blue: [f64; 2],
    pub(super) white: [f64; 2],
}

const D65: [f64; 2] = [0.3127, 0.3290];

/// BT.709, which sRGB shares.
pub(super) const BT709: Primaries = Primaries {
    red: [0.64, 0.33],
    green: [0.30, 0.60],
    blue: [0.15, 0.06],
    white: D65,
};

/// Display P3: the primaries of SMPTE RP 431-2 under D65 (SMPTE EG 432-1).
pub(super) const DISPLAY_P3: Primaries = Primaries {
    red: [0.680, 0.320],
    green: [0.265, 0.690],
    blue: [0.150, 0.060],
    white: D65,
};

/// BT.2020 and BT.2100.
pub(super) const BT2020: Primaries = Primaries {
    red: [0.708, 0.292],
    green: [0.170, 0.797],
    blue: [0.131, 0.046],
    white: D65,
};

impl Primaries {
    /// The matrix from linear RGB to XYZ under D50, or `None` if the primaries span no colors.
    pub(super) fn to_xyz_d50(self) -> Option<Matrix> {
        let columns = [xyz(self.red)?, xyz(self.green)?, xyz(self.blue)?];
        let unscaled = transpose(&columns);
        let white = xyz(self.white)?;
        let scale = apply(&inverse(&unscaled)?, white);
        let scaled = unscaled.map(|row| [row[0] * scale[0], row[1] * scale[1], row[2] * scale[2]]);
        Some(product(&adaptation(white)?, &scaled))
    }
}

/// The matrix from XYZ under D50 to linear sRGB.
pub(super) fn xyz_d50_to_srgb() -> Option<Matrix> {
    inverse(&BT709.to_xyz_d50()?)
}

/// XYZ of a chromaticity at Y = 1.
fn xyz([x, y]: [f64; 2]) -> Option<[f64; 3]> {
    let usable = (-1.0..=2.0).contains(&x) && (1e-4..=2.0).contains(&y);
    usable.then(|| [x / y, 1.0, (1.0 - x - y) / y])
}

/// Bradford adaptation from `white` to D50.
fn adaptation(white: [f64; 3]) -> Option<Matrix> {
    let (from, to) = (apply(&BRADFORD, white), apply(&BRADFORD, D50));
    if from.iter().any(|cone| cone.abs() < 1e-3) {
        return None;
    }
    let mut scaled = BRADFORD;
    for (row, (from, to)) in scaled.iter_mut().zip(from.into_iter().zip(to)) {
        *row = row.map(|value| value * to / from);
    }
    Some(product(&inverse(&BRADFORD)?, &scaled))
}

/// The product of a matrix and a column.
pub(super) fn apply(matrix: &Matrix, column: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row[0] * column[0] + row[1] * column[1] + row[2] * column[2])
}

/// The product `left * right`.
pub(super) fn product(left: &Matrix, right: &Matrix) -> Matrix {
    transpose(&transpose(right).map(|column| apply(left, column)))
}

/// Rows become columns.
pub(super) fn transpose(m: &Matrix) -> Matrix {
    [
        [m[0][0], m[1][0], m[2][0]],
        [m[0][1], m[1][1], m[2][1]],
        [m[0][2], m[1][2], m[2][2]],
    ]
}

/// The inverse, or `None` where there is none that is worth its numbers.
fn inverse(m: &Matrix) -> Option<Matrix> {
    let cross = |a: [f64; 3], b: [f64; 3]| {
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ]
    };
    let cofactors = [cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])];
    let determinant = m[0]
        .iter()
        .zip(cofactors[0])
        .map(|(a, b)| a * b)
        .sum::<f64>();
    if !determinant.is_finite() || determinant.abs() < 1e-6 {
        return None;
    }
    Some(transpose(
        &cofactors.map(|row| row.map(|value| value / determinant)),
    ))
}

/// The matrix in single precision, as rows of pixels use it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "f32 is what samples are in"
)]
pub(super) fn to_f32(matrix: &Matrix) -> [[f32; 3]; 3] {
    matrix.map(|row| row.map(|value| value as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn srgb_primaries_give_the_published_matrix_under_d50() {
        // The colorants of common sRGB profiles, as columns.
        let want = [
            [0.436_07, 0.385_15, 0.143_07],
            [0.222_49, 0.716_87, 0.060_61],
            [0.013_92, 0.097_08, 0.714_10],
        ];
        let got = BT709.to_xyz_d50().unwrap();
        for (got, want) in got.as_flattened().iter().zip(want.as_flattened()) {
            assert!((got - want).abs() < 3e-4, "{got} is not {want}");
        }
    }

    #[test]
    fn white_maps_to_d50_for_all_primaries() {
        for primaries in [BT709, DISPLAY_P3, BT2020] {
            let white = apply(&primaries.to_xyz_d50().unwrap(), [1.0; 3]);
            for (got, want) in white.into_iter().zip(D50) {
                assert!((got - want).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn degenerate_primaries_are_refused() {
        for broken in [
            Primaries {
                red: BT709.green,
                ..BT709
            },
            Primaries {
                white: [0.3, 0.0],
                ..BT709
            },
            Primaries {
                blue: [f64::NAN, 0.1],
                ..BT709
            },
        ] {
            assert_eq!(broken.to_xyz_d50(), None);
        }
    }
}
