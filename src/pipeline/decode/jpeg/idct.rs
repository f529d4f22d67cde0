//! From coefficients to samples: the inverse DCT of the lowest n x n coefficients, for n = 1, 2, 4, 8.
//!
//! In `f32`, because no coefficient of an attacker can overflow there, because IEEE arithmetic gives
//! the same samples on every machine, and because vectors of it multiply as fast as they add.

use super::layout::BlockSize;
use super::segments::{Quant, ZIGZAG};

/// The coefficients of one block in rows of n, and behind them room for those that are not kept.
pub(super) type Block = [i16; 128];

/// Where coefficients that a block size does not keep are put.
const NOT_KEPT: u8 = 64;

/// For each coefficient in zigzag order, its place in a [`Block`].
pub(super) fn order(size: BlockSize) -> [u8; 64] {
    let n = size.samples() as u8;
    ZIGZAG.map(|natural| {
        let (row, column) = (natural / 8, natural % 8);
        if row < n && column < n {
            row * n + column
        } else {
            NOT_KEPT
        }
    })
}

/// A quantisation table with the constant factors of the transform multiplied in, in rows of n.
pub(super) type Factors = [f32; 64];

/// Half way between two samples, and 128 above: what rounding and the level shift (T.81 A.3.1) add.
const LEVEL: f32 = 128.0;

/// cos(k * pi / 16) * sqrt(2), the scale of the AAN algorithm; 1 for k = 0.
const AAN: [f64; 8] = [
    1.0,
    1.387_039_845_322_147_5,
    1.306_562_964_876_376_5,
    1.175_875_602_419_358_8,
    1.0,
    0.785_694_958_387_102_1,
    0.541_196_100_146_196_9,
    0.275_899_379_282_943,
];

/// Multiplies the constant factors of the transform into a quantisation table.
pub(super) fn factors(quant: &Quant, size: BlockSize) -> Factors {
    let n = size.samples();
    let mut factors = [0.0; 64];
    for v in 0..n {
        for u in 0..n {
            let scale = match size {
                // An n-point transform of the low coefficients is an 8-point one whose results are averaged: the mean keeps
                // its scale of 1/8 at every size.
                BlockSize::One | BlockSize::Two => 0.125,
                BlockSize::Four => 0.5 * four_point_scale(u) * four_point_scale(v),
                BlockSize::Eight => 0.125 * AAN[u] * AAN[v],
            };
            factors[v * n + u] = (f64::from(quant[v * 8 + u]) * scale) as f32;
        }
    }
    factors
}

/// The norm of the k-th vector of the 4-point DCT; that of k = 2 has cos(pi / 4) in it.
fn four_point_scale(k: usize) -> f64 {
    if k.is_multiple_of(2) {
        0.5
    } else {
        std::f64::consts::FRAC_1_SQRT_2
    }
}

/// Rounds to the nearest sample: clamped, the bits of `x + 2^23` end in the integer nearest to `x`.
#[inline]
fn to_sample(value: f32) -> u8 {
    ((value + LEVEL).clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8
}

/// The sample of a block of which only the DC coefficient is known or wanted.
#[inline]
pub(super) fn flat(dc: i32, quant: u16) -> u8 {
    // The DC coefficient is eight times the mean (T.81 A.3.3); 4 rounds.
    let value = (i32::from(dc as i16) * i32::from(quant) + 4) >> 3;
    (value + 128).clamp(0, 255) as u8
}

/// Writes the samples of a 2x2 block.
#[inline]
pub(super) fn two(block: &Block, factors: &Factors, out: &mut [u8], stride: usize) {
    let c: [f32; 4] = std::array::from_fn(|i| f32::from(block[i]) * factors[i]);
    let (left, right) = (c[0] + c[1], c[0] - c[1]);
    let (left_low, right_low) = (c[2] + c[3], c[2] - c[3]);
    if let Some(row) = out.get_mut(..2) {
        row.copy_from_slice(&[to_sample(left + left_low), to_sample(right + right_low)]);
    }
    if let Some(row) = out.get_mut(stride..stride + 2) {
        row.copy_from_slice(&[to_sample(left - left_low), to_sample(right - right_low)]);
    }
}

/// The 4-point transform.
#[inline(always)]
fn four_point(c: [f32; 4]) -> [f32; 4] {
    // cos(pi / 8) and cos(3 * pi / 8)
    const C1: f32 = 0.923_879_5;
    const C3: f32 = 0.382_683_43;
    let (sum, difference) = (c[0] + c[2], c[0] - c[2]);
    let (outer, inner) = (c[1] * C1 + c[3] * C3, c[1] * C3 - c[3] * C1);
    [
        sum + outer,
        difference + inner,
        difference - inner,
        sum - outer,
    ]
}

/// Writes the samples of a 4x4 block.
#[inline(never)]
pub(super) fn four(block: &Block, factors: &Factors, out: &mut [u8], stride: usize) {
    transform::<4>(block, factors, four_point, out, stride);
}

/// The 8-point transform, after Arai, Agui and Nakajima (1988).
#[inline(always)]
fn eight_point(c: [f32; 8]) -> [f32; 8] {
    use std::f32::consts::SQRT_2;
    // 2 * cos(pi / 8), and its difference from and sum with 2 * sin(pi / 8)
    const ROTATE: f32 = 1.847_759;
    const ROTATE_LESS: f32 = 1.082_392_2;
    const ROTATE_MORE: f32 = 2.613_126;
    let (sum, difference) = (c[0] + c[4], c[0] - c[4]);
    let pair = c[2] + c[6];
    let cross = (c[2] - c[6]) * SQRT_2 - pair;
    let (e0, e1, e2, e3) = (
        sum + pair,
        difference + cross,
        difference - cross,
        sum - pair,
    );
    let (z13, z10) = (c[5] + c[3], c[5] - c[3]);
    let (z11, z12) = (c[1] + c[7], c[1] - c[7]);
    let turn = (z10 + z12) * ROTATE;
    let o0 = z11 + z13;
    // Each output builds on the one before: so five multiplications are enough for 8 points.
    let o1 = turn - z10 * ROTATE_MORE - o0;
    let o2 = (z11 - z13) * SQRT_2 - o1;
    let o3 = turn - z12 * ROTATE_LESS - o2;
    [
        e0 + o0,
        e1 + o1,
        e2 + o2,
        e3 + o3,
        e3 - o3,
        e2 - o2,
        e1 - o1,
        e0 - o0,
    ]
}

/// Writes the samples of an 8x8 block.
#[inline(never)]
pub(super) fn eight(block: &Block, factors: &Factors, out: &mut [u8], stride: usize) {
    transform::<8>(block, factors, eight_point, out, stride);
}

/// Transforms columns, then rows.
///
/// Each loop runs over lines that lie next to each other, so that it becomes one over vectors.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the values lie in columns")]
fn transform<const N: usize>(
    block: &Block,
    factors: &Factors,
    points: impl Fn([f32; N]) -> [f32; N],
    out: &mut [u8],
    stride: usize,
) {
    let mut values = [[0.0; N]; N];
    for (v, line) in values.iter_mut().enumerate() {
        for (u, value) in line.iter_mut().enumerate() {
            *value = f32::from(block[v * N + u]) * factors[v * N + u];
        }
    }
    transform_columns(&mut values, &points);
    // Transposed, so that the same loop over vectors transforms rows.
    let mut values: [[f32; N]; N] = std::array::from_fn(|x| std::array::from_fn(|y| values[y][x]));
    transform_columns(&mut values, &points);
    for y in 0..N {
        if let Some(row) = out.get_mut(y * stride..y * stride + N) {
            let samples: [u8; N] = std::array::from_fn(|x| to_sample(values[x][y]));
            row.copy_from_slice(&samples);
        }
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the loop is over columns")]
fn transform_columns<const N: usize>(
    values: &mut [[f32; N]; N],
    points: impl Fn([f32; N]) -> [f32; N],
) {
    for i in 0..N {
        let column = points(std::array::from_fn(|k| values[k][i]));
        for k in 0..N {
            values[k][i] = column[k];
        }
    }
}

#[cfg(test)]
mod tests;
