//! Filters: what the neighbors of a sample let expect of it is subtracted (PNG, third edition, 9).

/// Chooses a filter for each row.
#[derive(Debug)]
pub(super) struct Filter {
    /// Bytes of a pixel.
    channels: usize,
    above: Vec<u8>,
    candidate: Vec<u8>,
    /// The best filter's number and the row as it leaves it.
    best: Vec<u8>,
}

impl Filter {
    /// For rows of `row_len` bytes.
    pub(super) fn new(row_len: usize, channels: usize) -> Self {
        Self {
            channels,
            above: vec![0; row_len],
            candidate: vec![0; row_len + 1],
            best: vec![0; row_len + 1],
        }
    }

    /// The bytes that it holds.
    pub(super) const fn bytes(row_len: u64) -> u64 {
        3 * row_len + 2
    }

    /// Filters a row in the way that leaves the least to say; the filter's number comes first.
    pub(super) fn choose(&mut self, row: &[u8]) -> &[u8] {
        let mut least = u64::MAX;
        for filter in 0..5u8 {
            let [number, out @ ..] = self.candidate.as_mut_slice() else {
                break;
            };
            *number = filter;
            apply(filter, row, &self.above, self.channels, out);
            let cost = out
                .iter()
                .map(|value| u64::from(value.cast_signed().unsigned_abs()));
            let cost = cost.sum();
            if cost < least {
                least = cost;
                std::mem::swap(&mut self.best, &mut self.candidate);
            }
        }
        self.above.copy_from_slice(row);
        &self.best
    }
}

/// Filters a row (PNG, third edition, 9.2).
fn apply(filter: u8, row: &[u8], above: &[u8], channels: usize, out: &mut [u8]) {
    let (start, rest) = out.split_at_mut(channels);
    // The first pixel has nothing to its left: left and upper left count as 0.
    for ((out, value), up) in start.iter_mut().zip(row).zip(above) {
        *out = value.wrapping_sub(predict(filter, 0, *up, 0));
    }
    let neighbors = row.iter().zip(&above[channels..]).zip(above);
    let values = row[channels..].iter().zip(neighbors);
    for (out, (value, ((left, up), up_left))) in rest.iter_mut().zip(values) {
        *out = value.wrapping_sub(predict(filter, *left, *up, *up_left));
    }
}

#[inline]
fn predict(filter: u8, left: u8, up: u8, up_left: u8) -> u8 {
    match filter {
        0 => 0,
        1 => left,
        2 => up,
        3 => left.midpoint(up),
        _ => paeth(left, up, up_left),
    }
}

fn paeth(left: u8, up: u8, up_left: u8) -> u8 {
    let [a, b, c] = [left, up, up_left].map(i16::from);
    let estimate = a + b - c;
    let (to_a, to_b, to_c) = (
        estimate.abs_diff(a),
        estimate.abs_diff(b),
        estimate.abs_diff(c),
    );
    if to_a <= to_b && to_a <= to_c {
        left
    } else if to_b <= to_c {
        up
    } else {
        up_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_neighbor_predicts() {
        for (left, up, up_left, want) in [(10, 20, 10, 20), (10, 20, 20, 10), (10, 20, 15, 15)] {
            assert_eq!(paeth(left, up, up_left), want);
        }
    }
}
