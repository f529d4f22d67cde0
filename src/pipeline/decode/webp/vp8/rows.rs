//! The rows of an image that are still needed: one row of macroblocks, and the end of the one above
//! where the loop filter may still change it.

use super::loop_filter::{self, Across, Strength};
use crate::PipelineError;
use crate::decode::buffer::try_filled;
use crate::decode::{RowSink, Samples};

/// Luma rows that wait for the filter of the next row of macroblocks.
/// That changes three of them and looks at four; twice as many, so that half of it serves chroma.
const FILTER_DELAY: usize = 8;

/// Rows of one plane.
struct PlaneRows {
    pixels: Vec<u8>,
    stride: usize,
    /// Rows of the macroblocks above at the start.
    delay: usize,
    /// Width and height of a macroblock.
    block: usize,
}

impl PlaneRows {
    fn new(columns: usize, block: usize, delay: usize) -> Result<Self, PipelineError> {
        let stride = columns * block;
        Ok(Self {
            pixels: try_filled(stride * (delay + block), 0)?,
            stride,
            delay,
            block,
        })
    }

    fn row(&self, index: usize, width: usize) -> &[u8] {
        &self.pixels[index * self.stride..][..width]
    }

    fn put<'r>(&mut self, column: usize, rows: impl Iterator<Item = &'r [u8]>) {
        let start = self.delay * self.stride + column * self.block;
        let targets = self.pixels[start..].chunks_mut(self.stride);
        for (target, row) in targets.zip(rows) {
            target[..self.block].copy_from_slice(row);
        }
    }

    fn fill_from(&mut self, column: usize, value: u8) {
        for row in self.pixels[self.delay * self.stride..].chunks_exact_mut(self.stride) {
            row[column * self.block..].fill(value);
        }
    }

    /// Keeps the last rows for the next row of macroblocks.
    fn advance(&mut self) {
        self.pixels.copy_within(self.block * self.stride.., 0);
    }

    /// Copies what lies across a vertical edge into the lanes from `lane` on, a row to each.
    fn load_columns(&self, x: usize, across: &mut Across, lane: usize) {
        let rows = self.pixels[self.delay * self.stride..].chunks_exact(self.stride);
        for (i, row) in rows.take(self.block).enumerate() {
            // In range: the edge at column 0 is not filtered, and the next one is at 4.
            let Some(pixels) = row[x - 4..].first_chunk::<8>() else {
                return;
            };
            for (lanes, &pixel) in across.iter_mut().zip(pixels) {
                lanes[lane + i] = pixel;
            }
        }
    }

    fn store_columns(&mut self, x: usize, across: &Across, lane: usize) {
        let rows = self.pixels[self.delay * self.stride..].chunks_exact_mut(self.stride);
        for (i, row) in rows.take(self.block).enumerate() {
            let Some(pixels) = row[x - 4..].first_chunk_mut::<8>() else {
                return;
            };
            for (pixel, lanes) in pixels.iter_mut().zip(across) {
                *pixel = lanes[lane + i];
            }
        }
    }

    /// Copies what lies across a horizontal edge into the lanes from `lane` on, a column to each.
    fn load_rows(&self, x: usize, y: usize, across: &mut Across, lane: usize) {
        // Never above the buffer: the edge at 0 is filtered only if a row of macroblocks was kept, of which
        // even chroma has four lines.
        let rows = self.pixels[(self.delay + y - 4) * self.stride..].chunks_exact(self.stride);
        for (row, lanes) in rows.zip(across) {
            lanes[lane..lane + self.block].copy_from_slice(&row[x..x + self.block]);
        }
    }

    fn store_rows(&mut self, x: usize, y: usize, across: &Across, lane: usize) {
        let rows = self.pixels[(self.delay + y - 4) * self.stride..].chunks_exact_mut(self.stride);
        for (row, lanes) in rows.zip(across) {
            row[x..x + self.block].copy_from_slice(&lanes[lane..lane + self.block]);
        }
    }
}

/// An edge between blocks, by the distance of its first pixel from the macroblock's.
#[derive(Clone, Copy)]
enum Edge {
    Vertical(usize),
    Horizontal(usize),
}

/// The rows of all three planes.
pub struct FrameRows {
    luma: PlaneRows,
    chroma: [PlaneRows; 2],
    width: usize,
    height: usize,
}

impl FrameRows {
    /// Room for an image of `columns` macroblocks in a row.
    pub fn new(width: usize, height: usize, filtered: bool) -> Result<Self, PipelineError> {
        let columns = width.div_ceil(16);
        let delay = if filtered { FILTER_DELAY } else { 0 };
        let chroma = || PlaneRows::new(columns, 8, delay / 2);
        Ok(Self {
            luma: PlaneRows::new(columns, 16, delay)?,
            chroma: [chroma()?, chroma()?],
            width,
            height,
        })
    }

    /// What the rows take at most, in bytes.
    pub fn peak_bytes(width: u32) -> u64 {
        let stride = u64::from(width).div_ceil(16) * 16;
        // One and a half samples per pixel, in two times eight rows and the delay.
        stride * (16 + FILTER_DELAY as u64) * 3 / 2
    }

    /// Puts a macroblock's luma into the current row of macroblocks.
    pub fn put_luma<'r>(&mut self, column: usize, rows: impl Iterator<Item = &'r [u8]>) {
        self.luma.put(column, rows);
    }

    /// Puts a macroblock's chroma, of plane 0 or 1, into the current row of macroblocks.
    pub fn put_chroma<'r>(
        &mut self,
        plane: usize,
        column: usize,
        rows: impl Iterator<Item = &'r [u8]>,
    ) {
        self.chroma[plane].put(column, rows);
    }

    /// Makes the current row of macroblocks gray, from `column` on.
    pub fn gray_from(&mut self, column: usize) {
        self.luma.fill_from(column, 128);
        for plane in &mut self.chroma {
            plane.fill_from(column, 128);
        }
    }

    /// Filters the edges of one macroblock, in the order of section 15.
    pub fn filter(&mut self, column: usize, row: usize, strength: Strength, is_simple: bool) {
        if strength.block_limit == 0 {
            return;
        }
        let inner = [4, 8, 12].into_iter();
        let inner = inner.filter(|_| strength.subblock_limit > 0);
        // There is nothing on the other side of the image's border.
        let left = (column > 0).then_some(Edge::Vertical(0));
        let top = (row > 0).then_some(Edge::Horizontal(0));
        let edges = left
            .into_iter()
            .chain(inner.clone().map(Edge::Vertical))
            .chain(top)
            .chain(inner.map(Edge::Horizontal));
        for edge in edges {
            self.filter_edge(column, edge, strength, is_simple);
        }
    }

    fn filter_edge(&mut self, column: usize, edge: Edge, strength: Strength, is_simple: bool) {
        let (Edge::Vertical(offset) | Edge::Horizontal(offset)) = edge;
        let apply = |across: &mut Across| match (is_simple, offset) {
            (true, 0) => loop_filter::simple(across, strength.block_limit),
            (true, _) => loop_filter::simple(across, strength.subblock_limit),
            (false, 0) => loop_filter::normal_block(across, strength),
            (false, _) => loop_filter::normal_subblock(across, strength),
        };
        let mut across = [[0; 16]; 8];
        let x = 16 * column;
        match edge {
            Edge::Vertical(offset) => {
                self.luma.load_columns(x + offset, &mut across, 0);
                apply(&mut across);
                self.luma.store_columns(x + offset, &across, 0);
            }
            Edge::Horizontal(offset) => {
                self.luma.load_rows(x, offset, &mut across, 0);
                apply(&mut across);
                self.luma.store_rows(x, offset, &across, 0);
            }
        }
        // Chroma has edges at 0 and 4 only, and both of its planes fit into one pass.
        if is_simple || offset > 4 {
            return;
        }
        let x = 8 * column;
        for (plane, lane) in self.chroma.iter().zip([0, 8]) {
            match edge {
                Edge::Vertical(offset) => plane.load_columns(x + offset, &mut across, lane),
                Edge::Horizontal(offset) => plane.load_rows(x, offset, &mut across, lane),
            }
        }
        apply(&mut across);
        for (plane, lane) in self.chroma.iter_mut().zip([0, 8]) {
            match edge {
                Edge::Vertical(offset) => plane.store_columns(x + offset, &across, lane),
                Edge::Horizontal(offset) => plane.store_rows(x, offset, &across, lane),
            }
        }
    }

    /// Gives the sink the rows that nothing changes any more, and moves on to the next row of macroblocks.
    pub fn emit(&mut self, row: usize, sink: &mut dyn RowSink) {
        let delay = self.luma.delay;
        let first = (16 * row).saturating_sub(delay);
        // The filter of the next row of macroblocks may still change the last lines.
        let end = if 16 * (row + 1) >= self.height {
            self.height
        } else {
            16 * (row + 1) - delay
        };
        // Two lines of luma for each one of chroma, so that the planes stay in step.
        for y in (first..end).step_by(2) {
            for y in y..end.min(y + 2) {
                // The buffer begins `delay` lines above the current row of macroblocks.
                let luma = self.luma.row(y + delay - 16 * row, self.width);
                sink.row(0, y as u32, Samples::U8(luma));
            }
            for (plane, index) in self.chroma.iter().zip(1..) {
                let chroma = plane.row(y / 2 + delay / 2 - 8 * row, self.width.div_ceil(2));
                sink.row(index, y as u32 / 2, Samples::U8(chroma));
            }
        }
        self.luma.advance();
        for plane in &mut self.chroma {
            plane.advance();
        }
    }
}
