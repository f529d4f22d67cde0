//! Boxes of rows that are stored as indices: every pixel costs the load of its color and one addition.

use crate::decode::ColorTable;

/// Adds a row of indices to its boxes of `factor` columns, whose sums are `step` pixels apart.
pub(super) fn add_indexed(
    row: &[u8],
    table: &ColorTable,
    factor: usize,
    sums: &mut [u32],
    step: usize,
) {
    match table.channels() {
        3 => add::<3>(row, table, factor, sums, step),
        _ => add::<4>(row, table, factor, sums, step),
    }
}

fn add<const CHANNELS: usize>(
    row: &[u8],
    table: &ColorTable,
    factor: usize,
    sums: &mut [u32],
    step: usize,
) {
    let boxes = sums.as_chunks_mut::<CHANNELS>().0.iter_mut().step_by(step);
    for (indices, sums) in row.chunks(factor).zip(boxes) {
        for (sum, total) in sums.iter_mut().zip(table.total(indices)) {
            *sum = sum.wrapping_add(total);
        }
    }
}
