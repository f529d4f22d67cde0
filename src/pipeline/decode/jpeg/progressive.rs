//! Blocks of scans whose coefficients are stored: progressive ones (T.81 G.2) and sequential ones of some components.

use super::PipelineError;
use super::bits::BitReader;
use super::huffman::{HuffmanTable, VALUE_BITS};
use super::layout::{Component, Layout};
use super::scan::{McuDecoder, Memory};
use super::sequential::{Coding, dc_difference};
use super::store::Store;

/// A band of coefficients, how far their bits are shifted, and where they go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Band<'a> {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) low: u32,
    pub(super) table: &'a HuffmanTable,
    pub(super) order: &'a [u8; 64],
}

/// What the blocks of a scan have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    Sequential(Coding<'a>),
    DcFirst(&'a HuffmanTable, u32),
    DcRefine(u32),
    AcFirst(Band<'a>),
    AcRefine(Band<'a>),
}

/// A component of a scan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) index: usize,
    pub(super) component: &'a Component,
    pub(super) kind: Kind<'a>,
}

/// A scan into the store.
pub(super) struct StoredScan<'a> {
    layout: &'a Layout,
    members: &'a [Member<'a>],
    store: &'a mut Store,
    /// The row of MCUs, and the line of blocks in it if the scan has one component.
    row: usize,
    line: usize,
}

impl McuDecoder for StoredScan<'_> {
    fn begin_row(&mut self, y: usize) -> Result<(), PipelineError> {
        if let [m] = self.members {
            // Rows of blocks of a component alone are not rows of MCUs of the image.
            (self.row, self.line) = (y / m.component.v, y % m.component.v);
        } else {
            self.row = y;
        }
        for m in self.members {
            self.store.reserve(self.layout, m.index, self.row)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn mcu(&mut self, reader: &mut BitReader<'_>, memory: &mut Memory, x: usize) {
        // T.81 A.2.2: the MCU of a scan of one component is one block, whatever its factors are.
        if let [m] = self.members {
            self.block(reader, memory, (0, m), self.line, x);
            return;
        }
        // T.81 A.2.3: within an MCU, each component has its blocks row by row.
        for (i, m) in self.members.iter().enumerate() {
            for line in 0..m.component.v {
                for k in 0..m.component.h {
                    self.block(reader, memory, (i, m), line, x * m.component.h + k);
                }
            }
        }
    }

    fn end_row(&mut self) {}
}

impl<'a> StoredScan<'a> {
    pub(super) fn new(layout: &'a Layout, members: &'a [Member<'a>], store: &'a mut Store) -> Self {
        Self {
            layout,
            members,
            store,
            row: 0,
            line: 0,
        }
    }

    #[inline(always)]
    fn block(
        &mut self,
        reader: &mut BitReader<'_>,
        memory: &mut Memory,
        (position, member): (usize, &Member<'_>),
        line: usize,
        bx: usize,
    ) {
        let store = self.store.components.get_mut(member.index);
        let block = store.and_then(|store| store.block(self.row, line, bx));
        let Some((coefficients, nonzero)) = block else {
            return;
        };
        // A frame has at most four components: the mask only saves a bounds check.
        let prediction = &mut memory.dc[position & 3];
        match &member.kind {
            Kind::Sequential(coding) => {
                // Whole, because the order of coefficients puts those that are not kept behind the others.
                let mut block = [0; 128];
                coding.block(reader, prediction, &mut block);
                if let Some(kept) = block.get(..coefficients.len()) {
                    coefficients.copy_from_slice(kept);
                }
            }
            Kind::DcFirst(table, low) => {
                // Differences are of values without their low bits (T.81 G.1.2.1), so that the shift comes last.
                *prediction = prediction.wrapping_add(dc_difference(reader, table));
                // The point transform (T.81 A.4); only damage exceeds 16 bits.
                coefficients[0] = (*prediction << low) as i16;
            }
            Kind::DcRefine(low) => {
                reader.refill();
                // One bit without a code (T.81 G.1.2.1); the first scan left its place zero, also in negative values.
                coefficients[0] |= (reader.take(1) << low) as i16;
            }
            Kind::AcFirst(band) => {
                ac_first(reader, band, &mut memory.eob_run, coefficients, nonzero);
            }
            Kind::AcRefine(band) => {
                // `Picture::is_needed` lets refinements through only where rows have bitmaps.
                if let Some(nonzero) = nonzero {
                    ac_refine(reader, band, &mut memory.eob_run, coefficients, nonzero);
                }
            }
        }
    }
}

/// The number of blocks in an end-of-band run, the current one included.
fn eob_run(reader: &mut BitReader<'_>, run: u32) -> u32 {
    // EOBn: 2^n blocks, and as many more as n bits say (T.81 G.1.2.2, table G.1).
    (1 << run) + reader.take(run) as u32
}

/// T.81 G.1.2.2.
#[inline(always)]
fn ac_first(
    reader: &mut BitReader<'_>,
    band: &Band<'_>,
    run_left: &mut u32,
    coefficients: &mut [i16],
    nonzero: Option<&mut u64>,
) {
    if *run_left > 0 {
        *run_left -= 1;
        return;
    }
    let mut seen = 0;
    let mut k = band.start;
    while k <= band.end {
        reader.refill();
        let entry = band.table.values[reader.peek(VALUE_BITS)];
        // No value: the code is too long for the window, or it is EOBn or ZRL.
        let value = if entry as i32 >> 16 == 0 {
            let symbol = band.table.symbol(reader);
            let (run, size) = (symbol >> 4, symbol & 15);
            if size == 0 && run < 15 {
                // The run includes this block.
                *run_left = eob_run(reader, run) - 1;
                break;
            }
            k += run;
            reader.take_signed(size)
        } else {
            reader.consume(entry & 0xFF);
            k += entry >> 8 & 0xFF;
            entry as i32 >> 16
        };
        if value != 0 {
            // What damage puts behind the last coefficient goes into that, as in libjpeg.
            let at = k.min(63);
            let to = band.order[at as usize];
            // In zigzag order, and whether or not the block size keeps the coefficient: each of these has
            // a bit in every later scan (T.81 G.1.2.3).
            seen |= 1 << at;
            // `None` for what the size drops: its place is after all that is kept.
            if let Some(c) = coefficients.get_mut(usize::from(to)) {
                *c = (value << band.low) as i16;
            }
        }
        k += 1;
    }
    if let Some(nonzero) = nonzero {
        *nonzero |= seen;
    }
}

/// Adds one bit to a coefficient that is not zero.
#[inline(always)]
fn refine(reader: &mut BitReader<'_>, band: &Band<'_>, k: u32, coefficients: &mut [i16]) {
    reader.refill();
    if reader.take(1) == 1 {
        // `k` is at most `band.end`, which is legal only up to 63: the mask saves a bounds check.
        let to = band.order[k as usize & 63];
        if let Some(c) = coefficients.get_mut(usize::from(to))
            // A bit that is set already is a scan that came twice, as libjpeg takes it.
            && *c & 1 << band.low == 0
        {
            // Away from zero: the bit belongs to the magnitude.
            *c = c.wrapping_add(if *c < 0 {
                -1 << band.low
            } else {
                1 << band.low
            });
        }
    }
}

/// T.81 G.1.2.3.
#[inline(always)]
fn ac_refine(
    reader: &mut BitReader<'_>,
    band: &Band<'_>,
    run_left: &mut u32,
    coefficients: &mut [i16],
    nonzero: &mut u64,
) {
    let mut k = band.start;
    // T.81 G.1.2.3: a symbol gives a run of coefficients that are still zero, and the sign of the one after it.
    // The nonzero ones in between do not count, and each has a correction bit of its own, after the sign.
    while *run_left == 0 && k <= band.end {
        reader.refill();
        let symbol = band.table.symbol(reader);
        let (mut zeros, size) = (symbol >> 4, symbol & 15);
        let value = match size {
            0 if zeros < 15 => {
                // All of the run: this block counts down too, after its rest is refined.
                *run_left = eob_run(reader, zeros);
                break;
            }
            // ZRL: 15 zeros, and a 16th in place of the new coefficient.
            0 => 0,
            // Other sizes than 1 are damage, and taken for it.
            // A new coefficient has one bit, so only its sign follows (T.81 G.1.2.3). It is kept until its place is
            // known: the bits of the old coefficients on the way there come first.
            _ if reader.take(1) == 1 => 1 << band.low,
            _ => -1 << band.low,
        };
        while k <= band.end {
            // How many are still zero before the next nonzero one, or before the end of the band.
            let gap = (*nonzero >> k).trailing_zeros().min(band.end + 1 - k);
            if gap > zeros {
                k += zeros;
                break;
            }
            zeros -= gap;
            k += gap;
            if k <= band.end {
                refine(reader, band, k, coefficients);
                k += 1;
            }
        }
        if value != 0 {
            // 64 if damage runs past a band that ends at 63.
            let at = k.min(63);
            *nonzero |= 1 << at;
            if let Some(c) = coefficients.get_mut(usize::from(band.order[at as usize])) {
                *c = value;
            }
        }
        k += 1;
    }
    if *run_left > 0 {
        // In an end-of-band run only nonzero coefficients have bits, so that the others are passed over
        // all at once: `k` may be 64 here, where a plain shift would wrap.
        let behind = u64::MAX.checked_shl(k).unwrap_or(0);
        let mut rest = *nonzero & behind & u64::MAX >> (63 - band.end.min(63));
        while rest != 0 {
            refine(reader, band, rest.trailing_zeros(), coefficients);
            // Clears the lowest bit that is set.
            rest &= rest - 1;
        }
        *run_left -= 1;
    }
}
