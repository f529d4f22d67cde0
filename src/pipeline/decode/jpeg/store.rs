//! The coefficients of an image whose scans do not have everything at once.
//!
//! Only what the block size needs is kept, and rows come into being when data reaches them:
//! a file that claims to be huge takes no memory for what it does not have.

use super::idct::{Block, flat};
use super::layout::{Component, Layout};
use super::strips::{Dequant, Strips};
use super::{PipelineError, RowSink, out_of_memory};

/// The coefficients of one component.
#[derive(Debug)]
pub(super) struct ComponentStore {
    padded_w: usize,
    v: usize,
    /// Coefficients of a block that are kept.
    kept: usize,
    /// Whether new rows have bitmaps: decided before the component's first scan.
    pub(super) has_bitmap: bool,
    rows: Vec<StoreRow>,
    /// How many there can be.
    mcu_rows: usize,
}

/// The blocks of a component in one row of MCUs; empty if no scan has reached it.
#[derive(Debug, Default)]
struct StoreRow {
    coefficients: Vec<i16>,
    /// For each block, which of its 64 coefficients are known not to be zero, in zigzag order.
    nonzero: Vec<u64>,
}

impl ComponentStore {
    fn new(component: &Component, mcu_rows: usize) -> Self {
        let n = component.size.samples();
        Self {
            padded_w: component.padded_w,
            v: component.v,
            kept: n * n,
            has_bitmap: false,
            rows: Vec::new(),
            mcu_rows,
        }
    }

    /// Makes a row of MCUs.
    fn reserve(&mut self, row: usize) -> Option<()> {
        if row >= self.rows.len() {
            // For all rows at once: a vector that doubles would exceed `peak_bytes`.
            let missing = self.mcu_rows.max(row + 1) - self.rows.len();
            self.rows.try_reserve_exact(missing).ok()?;
            self.rows.resize_with(row + 1, StoreRow::default);
        }
        let row = self.rows.get_mut(row)?;
        if row.coefficients.is_empty() {
            let blocks = self.padded_w * self.v;
            row.coefficients
                .try_reserve_exact(blocks * self.kept)
                .ok()?;
            row.coefficients.resize(blocks * self.kept, 0);
            if self.has_bitmap {
                row.nonzero.try_reserve_exact(blocks).ok()?;
                row.nonzero.resize(blocks, 0);
            }
        }
        Some(())
    }

    /// The kept coefficients of block `bx` of line `line` of a row of MCUs, and its bitmap where there is one.
    #[inline(always)]
    pub(super) fn block(
        &mut self,
        row: usize,
        line: usize,
        bx: usize,
    ) -> Option<(&mut [i16], Option<&mut u64>)> {
        let row = self.rows.get_mut(row)?;
        let index = line * self.padded_w + bx;
        let at = index * self.kept;
        Some((
            row.coefficients.get_mut(at..at + self.kept)?,
            row.nonzero.get_mut(index),
        ))
    }
}

/// The coefficients of all components.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) components: Vec<ComponentStore>,
}

impl Store {
    pub(super) fn new(layout: &Layout) -> Self {
        Self {
            components: layout
                .components
                .iter()
                .map(|component| ComponentStore::new(component, layout.mcu_rows))
                .collect(),
        }
    }

    /// Makes room for one component's blocks in a row of MCUs.
    pub(super) fn reserve(
        &mut self,
        layout: &Layout,
        c: usize,
        row: usize,
    ) -> Result<(), PipelineError> {
        let reserved = self
            .components
            .get_mut(c)
            .and_then(|store| store.reserve(row));
        reserved.ok_or_else(|| {
            let held = self.components.iter().flat_map(|c| &c.rows);
            let held = held
                .map(|r| 2 * r.coefficients.len() + 8 * r.nonzero.len())
                .sum::<usize>();
            out_of_memory(layout, layout.peak_bytes(true), held as u64)
        })
    }

    /// Turns all coefficients into rows of samples for the sink, freeing them on the way.
    pub(super) fn emit(
        &mut self,
        layout: &Layout,
        dequants: &[Option<Dequant>; 4],
        strips: &mut Strips,
        sink: &mut dyn RowSink,
    ) {
        for mcu_row in 0..layout.mcu_rows {
            for (c, store) in self.components.iter_mut().enumerate() {
                // Taken, so that each row is freed as soon as it is converted.
                let row = store
                    .rows
                    .get_mut(mcu_row)
                    .map(std::mem::take)
                    .unwrap_or_default();
                if let (Some(part), Some(Some(dequant))) = (strips.parts.get(c), dequants.get(c)) {
                    let n = dequant.size.samples();
                    // A row that no scan has reached is empty, so the strip stays gray.
                    let lines = row.coefficients.chunks_exact(store.padded_w * store.kept);
                    for (j, line) in lines.enumerate() {
                        let start = part.start + j * n * part.stride;
                        if let Some(out) = strips.samples.get_mut(start..) {
                            write_line(line, store.kept, dequant, out, part.stride);
                        }
                    }
                }
            }
            strips.emit(sink);
        }
    }
}

fn write_line(line: &[i16], kept: usize, dequant: &Dequant, out: &mut [u8], stride: usize) {
    let n = dequant.size.samples();
    if n == 1 {
        for (&dc, out) in line.iter().zip(out) {
            *out = flat(i32::from(dc), dequant.dc);
        }
        return;
    }
    // Outside the loop: only the kept coefficients are read, and each block sets them all.
    let mut block: Block = [0; 128];
    for (bx, coefficients) in line.chunks_exact(kept).enumerate() {
        if let (Some(to), Some(out)) = (block.get_mut(..kept), out.get_mut(bx * n..)) {
            to.copy_from_slice(coefficients);
            let has_ac = coefficients.iter().skip(1).any(|&c| c != 0);
            dequant.write(&block, has_ac, out, stride);
        }
    }
}
