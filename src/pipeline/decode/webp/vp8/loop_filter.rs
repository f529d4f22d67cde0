//! The loop filter (RFC 6386, section 15).
//!
//! Both directions share one kernel that works on sixteen places along an edge at once:
//! luma has sixteen, and the two chroma blocks have eight each.

use super::header::FilterHeader;

/// Pixels across an edge at sixteen places along it, from four before it to four after.
pub type Across = [[u8; 16]; 8];

/// How strongly the edges of a macroblock are filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strength {
    /// Most difference across an edge between macroblocks; 0 if nothing is filtered.
    pub block_limit: i16,
    /// Most difference across an edge between subblocks; 0 if those are not filtered.
    pub subblock_limit: i16,
    /// Most difference between neighbors on one side.
    pub interior_limit: i16,
    /// Neighbours that differ by more are taken for a detail of the image.
    pub detail_threshold: i16,
}

impl Strength {
    /// Works out the strength for a macroblock (15.2, 15.3 and 9.4).
    pub fn new(
        filter: &FilterHeader,
        segment_level: i32,
        has_subblock_modes: bool,
        has_residue: bool,
    ) -> Self {
        if filter.level == 0 {
            return Self::default();
        }
        let mode_delta = if has_subblock_modes {
            filter.subblock_delta
        } else {
            0
        };
        let level = (segment_level + filter.intra_delta + mode_delta).clamp(0, 63);
        if level == 0 {
            return Self::default();
        }
        let mut interior = level;
        if filter.sharpness > 0 {
            interior >>= if filter.sharpness > 4 { 2 } else { 1 };
            interior = interior.min(9 - filter.sharpness);
        }
        let interior = interior.max(1);
        // Section 15.2: 2 * level + interior within a macroblock, 2 * (level + 2) + interior between two.
        let limit = 2 * level + interior;
        Self {
            block_limit: (limit + 4) as i16,
            // Predicted as one and without residue, a macroblock has no edges inside.
            subblock_limit: if has_subblock_modes || has_residue {
                limit as i16
            } else {
                0
            },
            interior_limit: interior as i16,
            // The thresholds of key frames.
            detail_threshold: match level {
                40.. => 2,
                15.. => 1,
                _ => 0,
            },
        }
    }
}

fn clamp_i8(value: i16) -> i16 {
    value.clamp(-128, 127)
}

/// The same in 16 bits, so that sums and differences fit.
type Wide = [[i16; 16]; 8];

fn widen(across: &Across) -> Wide {
    across.map(|row| row.map(i16::from))
}

fn narrow(row: [i16; 16]) -> [u8; 16] {
    row.map(|value| value.clamp(0, 255) as u8)
}

/// Sixteen values side by side; loops over them become SIMD instructions.
#[inline(always)]
fn lanes(f: impl Fn(usize) -> i16) -> [i16; 16] {
    std::array::from_fn(f)
}

/// All ones where a condition holds.
#[inline(always)]
fn mask(condition: bool) -> i16 {
    -i16::from(condition)
}

/// The simple filter, which looks at and changes only the pixels next to the edge.
pub fn simple(across: &mut Across, limit: i16) {
    let [_, _, p1, p0, q0, q1, ..] = widen(across);
    let applies = lanes(|i| mask((p0[i] - q0[i]).abs() * 2 + (p1[i] - q1[i]).abs() / 2 <= limit));
    // The specification takes 128 off all pixels; in differences that cancels out.
    let step = lanes(|i| clamp_i8(clamp_i8(p1[i] - q1[i]) + 3 * (q0[i] - p0[i])));
    // Rounded up on one side and down on the other, so that a half is not applied twice (section 15.2).
    let after = lanes(|i| (clamp_i8(step[i] + 4) >> 3) & applies[i]);
    let before = lanes(|i| (clamp_i8(step[i] + 3) >> 3) & applies[i]);
    across[3] = narrow(lanes(|i| p0[i] + before[i]));
    across[4] = narrow(lanes(|i| q0[i] - after[i]));
}

/// The normal filter between subblocks.
pub fn normal_subblock(across: &mut Across, strength: Strength) {
    let wide = widen(across);
    let [_, _, p1, p0, q0, q1, ..] = wide;
    let applies = applies(&wide, strength.subblock_limit, strength.interior_limit);
    let is_detail = is_detail(&wide, strength.detail_threshold);
    let step = lanes(|i| clamp_i8((clamp_i8(p1[i] - q1[i]) & is_detail[i]) + 3 * (q0[i] - p0[i])));
    let after = lanes(|i| (clamp_i8(step[i] + 4) >> 3) & applies[i]);
    let before = lanes(|i| (clamp_i8(step[i] + 3) >> 3) & applies[i]);
    // The outer pixels move half as far, unless the edge is a detail.
    let beyond = lanes(|i| ((after[i] + 1) >> 1) & !is_detail[i]);
    across[2] = narrow(lanes(|i| p1[i] + beyond[i]));
    across[3] = narrow(lanes(|i| p0[i] + before[i]));
    across[4] = narrow(lanes(|i| q0[i] - after[i]));
    across[5] = narrow(lanes(|i| q1[i] - beyond[i]));
}

/// The normal filter between macroblocks, which reaches three pixels far.
pub fn normal_block(across: &mut Across, strength: Strength) {
    let wide = widen(across);
    let [_, p2, p1, p0, q0, q1, q2, _] = wide;
    let applies = applies(&wide, strength.block_limit, strength.interior_limit);
    let is_detail = is_detail(&wide, strength.detail_threshold);
    let step = lanes(|i| clamp_i8(clamp_i8(p1[i] - q1[i]) + 3 * (q0[i] - p0[i])) & applies[i]);
    // A detail is filtered next to the edge only, everything else with falling weight.
    // Without a step, all of these are 0.
    // At most 27 * 128 + 63, which 16 bits hold.
    let weighed = |weight: i16| lanes(|i| ((weight * step[i] + 63) >> 7) & !is_detail[i]);
    let [first, second, third] = [27, 18, 9].map(weighed);
    let after = lanes(|i| first[i] + ((clamp_i8(step[i] + 4) >> 3) & is_detail[i]));
    let before = lanes(|i| first[i] + ((clamp_i8(step[i] + 3) >> 3) & is_detail[i]));
    across[1] = narrow(lanes(|i| p2[i] + third[i]));
    across[2] = narrow(lanes(|i| p1[i] + second[i]));
    across[3] = narrow(lanes(|i| p0[i] + before[i]));
    across[4] = narrow(lanes(|i| q0[i] - after[i]));
    across[5] = narrow(lanes(|i| q1[i] - second[i]));
    across[6] = narrow(lanes(|i| q2[i] - third[i]));
}

#[inline(always)]
fn applies(wide: &Wide, edge_limit: i16, interior_limit: i16) -> [i16; 16] {
    let [p3, p2, p1, p0, q0, q1, q2, q3] = wide;
    let differs =
        |a: &[i16; 16], b: &[i16; 16]| lanes(|i| mask((a[i] - b[i]).abs() > interior_limit));
    let pairs = [(p3, p2), (p2, p1), (p1, p0), (q1, q0), (q2, q1), (q3, q2)];
    let differing = pairs.map(|(a, b)| differs(a, b));
    let edge = lanes(|i| (p0[i] - q0[i]).abs() * 2 + (p1[i] - q1[i]).abs() / 2);
    lanes(|i| {
        let any = differing.iter().fold(0, |any, lanes| any | lanes[i]);
        mask(edge[i] <= edge_limit) & !any
    })
}

#[inline(always)]
fn is_detail(wide: &Wide, threshold: i16) -> [i16; 16] {
    let [_, _, p1, p0, q0, q1, ..] = wide;
    lanes(|i| mask((p1[i] - p0[i]).abs() > threshold) | mask((q1[i] - q0[i]).abs() > threshold))
}
