//! Tables between device colors and the connection space: `mft1`, `mft2` and `mAB `
//! (ICC.1:2022, 10.10 to 10.12).
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "grid positions are below 256, samples below 65536"
)]

use super::super::curve::{Curve, interpolate};
use super::super::linear::unit;
use super::reader::Bytes;
use super::tone::read_curves;

/// The most channels on either side of a table that is read (CMYK).
pub(super) const MAX_CHANNELS: usize = 4;

/// A color of up to four channels in 0…1; those that it does not have are 0.
pub(super) type Color = [f32; MAX_CHANNELS];

/// A table from up to four channels to three or four.
#[derive(Debug)]
pub(super) struct Lut {
    inputs: Vec<Curve>,
    grid: Option<Grid>,
    middle: Option<(Vec<Curve>, [f32; 12])>,
    outputs: Vec<Curve>,
}

impl Lut {
    /// Reads the table in a tag if it has these numbers of channels.
    pub(super) fn read(tag: Bytes<'_>, inputs: usize, outputs: usize) -> Option<Self> {
        let fits = usize::from(tag.u8(8)?) == inputs && usize::from(tag.u8(9)?) == outputs;
        (fits && inputs <= MAX_CHANNELS && outputs <= MAX_CHANNELS).then_some(())?;
        match &tag.signature(0)? {
            b"mft1" => read_mft(tag, inputs, outputs, 1),
            b"mft2" => read_mft(tag, inputs, outputs, 2),
            b"mAB " if outputs == 3 => read_mab(tag, inputs),
            _ => None,
        }
    }

    /// The color that a color becomes.
    #[inline]
    pub(super) fn at(&self, mut color: Color) -> Color {
        for (value, curve) in color.iter_mut().zip(&self.inputs) {
            *value = curve.at(*value);
        }
        if let Some(grid) = &self.grid {
            color = grid.at(color);
        }
        if let Some((curves, matrix)) = &self.middle {
            for (value, curve) in color.iter_mut().zip(curves) {
                *value = curve.at(*value);
            }
            let source = color;
            for (row, value) in color[..3].iter_mut().enumerate() {
                let factors = matrix[3 * row..3 * row + 3].iter();
                *value = matrix[9 + row] + factors.zip(source).map(|(m, v)| m * v).sum::<f32>();
            }
        }
        for (value, curve) in color.iter_mut().zip(&self.outputs) {
            *value = curve.at(*value);
        }
        color
    }
}

/// Reads `mft1` (one byte per sample) or `mft2` (two).
fn read_mft(tag: Bytes<'_>, inputs: usize, outputs: usize, bytes_each: usize) -> Option<Lut> {
    let side = usize::from(tag.u8(10)?);
    // The matrix at 12 applies to XYZ only, never to a device or to Lab.
    let (input_entries, output_entries, inputs_at) = if bytes_each == 1 {
        (256, 256, 48)
    } else {
        (usize::from(tag.u16(48)?), usize::from(tag.u16(50)?), 52)
    };
    let legal = (2..=4096).contains(&input_entries) && (2..=4096).contains(&output_entries);
    legal.then_some(())?;
    let tables = |at: usize, count: usize, entries: usize| -> Option<Vec<Curve>> {
        let samples = tag.samples(at, count * entries, bytes_each)?;
        let tables = samples.chunks_exact(entries);
        Some(
            tables
                .map(|table| Curve::new(|x| interpolate(table, x)))
                .collect(),
        )
    };
    let mut sides = [1; MAX_CHANNELS];
    sides[..inputs].fill(side);
    let grid_at = inputs_at + inputs * input_entries * bytes_each;
    let grid = Grid::read(tag.from(grid_at)?, &sides[..inputs], outputs, bytes_each)?;
    let outputs_at = grid_at + grid.samples.len() * bytes_each;
    Some(Lut {
        inputs: tables(inputs_at, inputs, input_entries)?,
        outputs: tables(outputs_at, outputs, output_entries)?,
        grid: Some(grid),
        middle: None,
    })
}

/// Reads `mAB `: A curves, grid, M curves, matrix, B curves, of which only B must be there.
fn read_mab(tag: Bytes<'_>, inputs: usize) -> Option<Lut> {
    let mut offsets = [0; 5];
    for (index, offset) in offsets.iter_mut().enumerate() {
        *offset = tag.index(12 + 4 * index)?;
    }
    let [b_at, matrix_at, m_at, grid_at, a_at] = offsets;
    let (a_curves, grid) = if grid_at == 0 {
        // Without a grid nothing turns other numbers of channels into three.
        (inputs == 3).then_some(())?;
        (Vec::new(), None)
    } else {
        let header = tag.from(grid_at)?;
        let mut sides = [1; MAX_CHANNELS];
        for (index, side) in sides[..inputs].iter_mut().enumerate() {
            *side = usize::from(header.u8(index)?);
        }
        let bytes_each = usize::from(header.u8(16)?);
        matches!(bytes_each, 1 | 2).then_some(())?;
        let grid = Grid::read(header.from(20)?, &sides[..inputs], 3, bytes_each)?;
        (read_curves(tag.from(a_at)?, inputs)?, Some(grid))
    };
    let middle = if matrix_at == 0 || m_at == 0 {
        None
    } else {
        let numbers = tag.from(matrix_at)?;
        let mut matrix = [0.0; 12];
        for (index, value) in matrix.iter_mut().enumerate() {
            *value = numbers.fixed(4 * index)? as f32;
        }
        Some((read_curves(tag.from(m_at)?, 3)?, matrix))
    };
    Some(Lut {
        inputs: a_curves,
        grid,
        middle,
        outputs: read_curves(tag.from(b_at)?, 3)?,
    })
}

/// A grid of colors; the first input channel varies slowest.
#[derive(Debug)]
struct Grid {
    sides: Vec<usize>,
    outputs: usize,
    samples: Vec<u16>,
}

impl Grid {
    fn read(bytes: Bytes<'_>, sides: &[usize], outputs: usize, bytes_each: usize) -> Option<Self> {
        sides.iter().all(|side| *side >= 2).then_some(())?;
        let count = sides
            .iter()
            .try_fold(outputs, |count, side| count.checked_mul(*side))?;
        Some(Self {
            sides: sides.to_vec(),
            outputs,
            samples: bytes.samples(0, count, bytes_each)?,
        })
    }

    /// The color at a point, linear between the corners of its cell.
    #[inline]
    fn at(&self, point: Color) -> Color {
        // Corners of the cell so far: where they are and how much they weigh.
        let mut corners = [(0usize, 1.0f32); 1 << MAX_CHANNELS];
        let mut count = 1;
        for (side, value) in self.sides.iter().zip(point) {
            let last = side - 1;
            let position = unit(value) * last as f32;
            let low = (position as usize).min(last - 1);
            let weight = position - low as f32;
            for corner in 0..count {
                let (index, share) = corners[corner];
                let index = index * side + low;
                corners[corner] = (index, share * (1.0 - weight));
                corners[corner + count] = (index + 1, share * weight);
            }
            count *= 2;
        }
        let mut color = [0.0; MAX_CHANNELS];
        for (index, weight) in &corners[..count] {
            let samples = self.samples.iter().skip(index * self.outputs);
            for (sum, sample) in color.iter_mut().zip(samples.take(self.outputs)) {
                *sum += weight * f32::from(*sample);
            }
        }
        color.map(|value| value * (1.0 / 65_535.0))
    }
}
