//! Undoing the filters (PNG section 9): four rows at once where that pays, else row by row.

mod four;
mod one;

use super::header::{Allocate, GROUP_ROWS, PngHeader};
use crate::PipelineError;

/// The filter of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    None,
    Sub,
    Up,
    Average,
    Paeth,
}

impl Filter {
    fn parse(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::None),
            1 => Some(Self::Sub),
            2 => Some(Self::Up),
            3 => Some(Self::Average),
            4 => Some(Self::Paeth),
            _ => None,
        }
    }

    /// Whether a row is a chain of dependent additions, for which four rows at once are faster.
    fn is_slow(self) -> bool {
        matches!(self, Self::Sub | Self::Average | Self::Paeth)
    }
}

/// A row before its filter is undone.
type Filtered<'a> = (Filter, &'a [u8]);

/// The rows that were unfiltered last, and the one before them.
pub(super) struct Unfilter {
    /// Bytes between a byte and the same byte of the pixel to the left.
    step: usize,
    prior: Vec<u8>,
    rows: [Vec<u8>; GROUP_ROWS],
}

impl Unfilter {
    pub(super) fn new(header: &PngHeader, allocate: Allocate) -> Result<Self, PipelineError> {
        // `check_memory` limits the rows to a fraction of 2^31 bytes.
        let length = header.row_bytes() as usize;
        let mut rows = [const { Vec::new() }; GROUP_ROWS];
        for row in rows.iter_mut().take(header.group_rows()) {
            *row = allocate.zeroed(length)?;
        }
        Ok(Self {
            // Filters work on bytes: below 8 bits a pixel, "left" is the byte before (PNG section 9.2).
            step: usize::from(header.bits_per_pixel()).div_ceil(8),
            prior: allocate.zeroed(length)?,
            rows,
        })
    }

    /// Forgets the rows before: each pass begins anew.
    pub(super) fn restart(&mut self) {
        self.prior.fill(0);
    }

    /// A row of the last group.
    pub(super) fn row(&self, index: usize) -> &[u8] {
        &self.rows[index]
    }

    /// Unfilters `count` rows of `length` bytes, each behind its filter byte.
    ///
    /// Returns how many there were before one with a filter that does not exist.
    // An engine compiles whole functions: apart, those that a file does not need are never optimized.
    #[inline(never)]
    pub(super) fn unfilter(&mut self, filtered: &[u8], length: usize, count: usize) -> usize {
        let mut group = [(Filter::None, &[][..]); GROUP_ROWS];
        let mut valid = 0;
        let rows = filtered.chunks_exact(length + 1).take(count);
        for (place, row) in group.iter_mut().zip(rows) {
            let Some((Some(filter), bytes)) =
                row.split_first().map(|(f, b)| (Filter::parse(*f), b))
            else {
                break;
            };
            *place = (filter, bytes);
            valid += 1;
        }
        // Chains of additions wait for each other; four rows side by side fill the gaps. One chain among rows
        // without any gains nothing.
        let slow = group.iter().filter(|(filter, _)| filter.is_slow()).count();
        if valid == GROUP_ROWS && slow > 1 && self.step <= four::MAX_STEP {
            four::unfilter(self.step, &group, &self.prior[..length], &mut self.rows);
        } else {
            self.one_by_one(&group[..valid], length);
        }
        valid
    }

    fn one_by_one(&mut self, group: &[Filtered<'_>], length: usize) {
        let mut prior = &self.prior[..length];
        for (&filtered, row) in group.iter().zip(&mut self.rows) {
            let row = &mut row[..length];
            one::unfilter(self.step, filtered, prior, row);
            prior = row;
        }
    }

    /// Makes the last of `count` rows the one before the next.
    pub(super) fn advance(&mut self, count: usize) {
        if let Some(row) = count
            .checked_sub(1)
            .and_then(|last| self.rows.get_mut(last))
        {
            // Swapped and not copied: the old one is overwritten by the next group.
            std::mem::swap(&mut self.prior, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plain reading of the specification.
    fn reference(step: usize, filter: Filter, raw: &[u8], prior: &[u8]) -> Vec<u8> {
        let mut row = vec![0_u8; raw.len()];
        for i in 0..raw.len() {
            let left = |row: &[u8]| i.checked_sub(step).map_or(0, |j| i32::from(row[j]));
            let (a, b, c) = (left(&row), i32::from(prior[i]), left(prior));
            let predicted = match filter {
                Filter::None => 0,
                Filter::Sub => a,
                Filter::Up => b,
                Filter::Average => i32::midpoint(a, b),
                Filter::Paeth => {
                    let p = a + b - c;
                    let (pa, pb, pc) = ((p - a).abs(), (p - b).abs(), (p - c).abs());
                    if pa <= pb && pa <= pc {
                        a
                    } else if pb <= pc {
                        b
                    } else {
                        c
                    }
                }
            };
            row[i] = raw[i].wrapping_add(u8::try_from(predicted).unwrap());
        }
        row
    }

    fn noise(seed: &mut u32) -> u8 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Extremes are as frequent as the rest: the predictors have their edges there.
        match *seed >> 30 {
            0 => 0,
            1 => 255,
            _ => (*seed >> 16) as u8,
        }
    }

    #[test]
    fn every_mix_of_filters_gives_what_the_specification_says() {
        use Filter::{Average, None, Paeth, Sub, Up};
        let filters = [None, Sub, Up, Average, Paeth];
        let mut seed = 1;
        for mix in 0..5_usize.pow(4) {
            let group = [mix % 5, mix / 5 % 5, mix / 25 % 5, mix / 125].map(|f| filters[f]);
            for (step, pixels) in [
                (1, 9),
                (2, 5),
                (3, 1),
                (3, 2),
                (3, 12),
                (4, 7),
                (6, 3),
                (8, 4),
            ] {
                let length = step * pixels;
                let mut noise = || (0..length).map(|_| noise(&mut seed)).collect::<Vec<_>>();
                let prior = noise();
                let raws = [noise(), noise(), noise(), noise()];
                let filtered: Vec<u8> = group
                    .iter()
                    .zip(&raws)
                    .flat_map(|(&filter, raw)| [&[filter as u8], &raw[..]].concat())
                    .collect();
                let mut unfilter = Unfilter {
                    step,
                    prior: prior.clone(),
                    rows: raws.each_ref().map(|raw| vec![0xAA; raw.len()]),
                };
                assert_eq!(unfilter.unfilter(&filtered, length, 4), 4);
                let mut above = prior;
                for (i, (&filter, raw)) in group.iter().zip(&raws).enumerate() {
                    above = reference(step, filter, raw, &above);
                    assert_eq!(unfilter.row(i), above, "row {i} of {group:?}, step {step}");
                }
            }
        }
    }

    #[test]
    fn the_lanes_predict_like_the_specification_at_the_edges() {
        const EDGES: [u8; 16] = [
            0, 1, 2, 62, 63, 64, 85, 126, 127, 128, 129, 170, 191, 192, 254, 255,
        ];
        // Two pixels of one byte: the first one becomes `a` under `c`, the second one lies under `b`.
        for (a, b) in EDGES.map(|a| EDGES.map(|b| (a, b))).into_iter().flatten() {
            for c in EDGES {
                let top = (Filter::None, &[c, b][..]);
                let copy = (Filter::Up, &[0, 0][..]);
                let raw = [a.wrapping_sub(c), 0];
                let group = [top, copy, copy, (Filter::Paeth, &raw)];
                let mut rows = [const { Vec::new() }; GROUP_ROWS];
                rows.fill(vec![0; 2]);
                four::unfilter(1, &group, &[0, 0], &mut rows);
                let want = reference(1, Filter::Paeth, &raw, &[c, b]);
                assert_eq!(want[0], a);
                assert_eq!(rows[3], want, "a {a}, b {b}, c {c}");
            }
        }
    }
}
