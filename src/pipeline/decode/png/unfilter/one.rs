//! One row at a time: for rows that the compiler can vectorise, and for those that are left over.

use super::{Filter, Filtered};

/// Unfilters one row into `row`; all rows are equally long.
pub(super) fn unfilter(step: usize, (filter, raw): Filtered<'_>, prior: &[u8], row: &mut [u8]) {
    match filter {
        Filter::None => row.copy_from_slice(raw),
        Filter::Up => {
            // No byte depends on another one of this row, so this becomes vector operations.
            for ((out, &raw), &above) in row.iter_mut().zip(raw).zip(prior) {
                *out = raw.wrapping_add(above);
            }
        }
        Filter::Sub => by_step(step, raw, prior, row, |a, _, _| a),
        Filter::Average => by_step(step, raw, prior, row, |a, b, _| a.midpoint(b)),
        Filter::Paeth => by_step(step, raw, prior, row, paeth),
    }
}

/// With the length of a pixel as a constant, its bytes stay in registers.
fn by_step(
    step: usize,
    raw: &[u8],
    prior: &[u8],
    row: &mut [u8],
    predict: impl Fn(u8, u8, u8) -> u8,
) {
    match step {
        1 => chain::<1>(raw, prior, row, predict),
        2 => chain::<2>(raw, prior, row, predict),
        3 => chain::<3>(raw, prior, row, predict),
        4 => chain::<4>(raw, prior, row, predict),
        6 => chain::<6>(raw, prior, row, predict),
        _ => chain::<8>(raw, prior, row, predict),
    }
}

#[inline(never)]
fn chain<const STEP: usize>(
    raw: &[u8],
    prior: &[u8],
    row: &mut [u8],
    predict: impl Fn(u8, u8, u8) -> u8,
) {
    let (raw, _) = raw.as_chunks::<STEP>();
    let (prior, _) = prior.as_chunks::<STEP>();
    let (row, _) = row.as_chunks_mut::<STEP>();
    // Left of the image all bytes are 0 (PNG section 9).
    let mut a = [0; STEP];
    let mut c = [0; STEP];
    for ((out, raw), b) in row.iter_mut().zip(raw).zip(prior) {
        for i in 0..STEP {
            // Sums are modulo 256 (PNG section 9).
            a[i] = raw[i].wrapping_add(predict(a[i], b[i], c[i]));
        }
        *out = a;
        c = *b;
    }
}

/// The neighbor nearest to `a + b - c`: with `a` and `b` in order, the lower one if the prediction
/// is not above it by less than half of their distance, and so on. Free of branches.
fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let (a, b, c) = (i16::from(a), i16::from(b), i16::from(c));
    let (low, high) = (a.min(b), a.max(b));
    let mirrored = 3 * c - a - b;
    let nearest = if high <= mirrored { low } else { c };
    let nearest = if mirrored <= low { high } else { nearest };
    u8::try_from(nearest).unwrap_or(0)
}
