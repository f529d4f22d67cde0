//! Blocks of baseline and extended sequential scans (T.81 F.2.2), straight into samples.

use super::bits::BitReader;
use super::huffman::{END_OF_BLOCK, HuffmanTable, SKIP_BITS, SKIP_END, SkipTable, VALUE_BITS};
use super::idct::{Block, flat};
use super::layout::BlockSize;
use super::rgb::Spread;
use super::scan::{McuDecoder, Memory};
use super::strips::{Dequant, Strips};
use super::{PipelineError, RowSink};

/// Uses the code of a DC difference and its bits.
#[inline(always)]
pub(super) fn dc_difference(reader: &mut BitReader<'_>, table: &HuffmanTable) -> i32 {
    reader.refill();
    let entry = table.values[reader.peek(VALUE_BITS)];
    // An entry has at least one bit, so 0 always means that there is none.
    if entry != 0 {
        reader.consume(entry & 0xFF);
        return entry as i32 >> 16;
    }
    let size = table.symbol(reader);
    // T.81 F.1.2.1 has no such category, and a refill has no bits for it.
    if size > 15 {
        reader.note_corrupt();
        return 0;
    }
    reader.take_signed(size)
}

/// Uses AC symbols up to coefficient `last` and puts them where `order` says.
///
/// Returns the index of the next coefficient, which is beyond `last` or, at the end of the block, beyond 64.
/// What damage puts behind the last coefficient goes into that, as in libjpeg.
#[inline(always)]
fn ac_values(
    reader: &mut BitReader<'_>,
    table: &HuffmanTable,
    last: u32,
    order: &[u8; 64],
    block: &mut Block,
) -> u32 {
    let mut k = 1;
    while k <= last {
        reader.refill();
        // T.81 F.2.2.2, with code, run and value from one look at 10 bits.
        let entry = table.values[reader.peek(VALUE_BITS)];
        let value = if entry == 0 {
            let symbol = table.symbol(reader);
            let (run, size) = (symbol >> 4, symbol & 15);
            if size == 0 && run < 15 {
                return k + END_OF_BLOCK;
            }
            // ZRL comes here with a value of 0: 15 zeros, and a 16th at a place that is 0 already.
            k += run;
            reader.take_signed(size)
        } else {
            reader.consume(entry & 0xFF);
            k += entry >> 8 & 0xFF;
            entry as i32 >> 16
        };
        match order.get(k as usize) {
            // Places are at most 64: the mask saves a bounds check.
            Some(&to) => block[usize::from(to & 127)] = value as i16,
            // The end of the block, which added `END_OF_BLOCK`; `k` below that is damage.
            None if k >= END_OF_BLOCK => return k,
            None if value != 0 => block[usize::from(order[63] & 127)] = value as i16,
            None => {}
        }
        k += 1;
    }
    k
}

/// Passes over the rest of a block, from coefficient `k` (1…64) on, several symbols at a time.
///
/// Returns how many bits they have.
#[inline(always)]
fn skip_ac(reader: &mut BitReader<'_>, table: &HuffmanTable, skips: &SkipTable, mut k: u32) -> u32 {
    let mut bits = 0_u32;
    while k < 64 {
        reader.refill();
        let before = reader.available();
        let entry = u32::from(skips[reader.peek(SKIP_BITS)]);
        let next = k + (entry >> 8);
        // Beyond the block without its end, or an end behind the last coefficient:
        // the window reached into the next block, or showed no whole code.
        if next > 64 && !(SKIP_END..SKIP_END + 64).contains(&next) {
            k = skip_symbol(reader, table, k);
        } else {
            reader.consume(entry & 0xFF);
            k = next;
        }
        // A refill comes before `before`, so this is what the symbol used.
        bits += before.wrapping_sub(reader.available());
    }
    bits
}

#[inline(always)]
fn skip_symbol(reader: &mut BitReader<'_>, table: &HuffmanTable, k: u32) -> u32 {
    let symbol = table.symbol(reader);
    let (run, size) = (symbol >> 4, symbol & 15);
    if size == 0 && run < 15 {
        return SKIP_END;
    }
    reader.consume(size);
    k + run + 1
}

/// The AC symbols of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ac {
    /// Whether there is one before the end of the block.
    pub(super) any: bool,
    /// How many bits those have that were passed over.
    pub(super) bits: u32,
}

/// What it takes to decode the blocks of one component.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coding<'a> {
    pub(super) dc: &'a HuffmanTable,
    pub(super) ac: &'a HuffmanTable,
    pub(super) skips: &'a SkipTable,
    pub(super) size: BlockSize,
    pub(super) order: &'a [u8; 64],
}

impl Coding<'_> {
    /// Decodes the coefficients that the block size keeps. `block` must be zero where they go.
    ///
    /// Says what there was besides the DC coefficient.
    #[inline(always)]
    pub(super) fn block(
        &self,
        reader: &mut BitReader<'_>,
        prediction: &mut i32,
        block: &mut Block,
    ) -> Ac {
        // Wraps only in damaged files.
        *prediction = prediction.wrapping_add(dc_difference(reader, self.dc));
        block[0] = *prediction as i16;
        let last = u32::from(self.size.last_coefficient());
        let k = ac_values(reader, self.ac, last, self.order, block);
        // `k` is 64 or more if the block was decoded up to its end.
        let bits = if k < 64 {
            skip_ac(reader, self.ac, self.skips, k)
        } else {
            0
        };
        Ac {
            // EOB was the first symbol.
            any: k != 1 + END_OF_BLOCK,
            bits,
        }
    }
}

/// One block of an MCU.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamBlock<'a> {
    /// The component's position in the scan.
    pub(super) member: usize,
    pub(super) coding: Coding<'a>,
    pub(super) dequant: &'a Dequant,
    /// Its first sample in the first MCU of a row.
    pub(super) start: usize,
    /// Samples from one MCU to the next.
    pub(super) step: usize,
    pub(super) stride: usize,
    pub(super) spread: Spread,
}

/// A scan of all components, whose rows go to the sink as they are complete.
pub(super) struct Stream<'a> {
    pub(super) blocks: &'a [StreamBlock<'a>],
    pub(super) strips: &'a mut Strips,
    pub(super) sink: &'a mut dyn RowSink,
    /// Zero wherever a block size keeps a coefficient.
    pub(super) scratch: Block,
}

impl McuDecoder for Stream<'_> {
    fn begin_row(&mut self, _: usize) -> Result<(), PipelineError> {
        Ok(())
    }

    #[inline(always)]
    fn mcu(&mut self, reader: &mut BitReader<'_>, memory: &mut Memory, x: usize) {
        for b in self.blocks {
            let block = &mut self.scratch;
            let prediction = &mut memory.dc[b.member & 3];
            let ac = b.coding.block(reader, prediction, block);
            let at = b.start + x * b.step;
            self.strips.note(at, b.spread, ac.bits);
            if let Some(out) = self.strips.samples.get_mut(at..) {
                b.dequant.write(block, ac.any, out, b.stride);
            }
            // `block[0]` is set by every block, and what is after the kept ones is never read.
            match b.dequant.size {
                BlockSize::One => {}
                BlockSize::Two => block[..4].fill(0),
                BlockSize::Four => block[..16].fill(0),
                BlockSize::Eight => block[..64].fill(0),
            }
        }
    }

    fn end_row(&mut self) {
        self.strips.emit(self.sink);
    }
}

/// The same where every component is decoded at 1/8: one sample from each block.
pub(super) struct DcStream<'a>(pub(super) Stream<'a>);

impl McuDecoder for DcStream<'_> {
    fn begin_row(&mut self, _: usize) -> Result<(), PipelineError> {
        Ok(())
    }

    #[inline(always)]
    fn mcu(&mut self, reader: &mut BitReader<'_>, memory: &mut Memory, x: usize) {
        for b in self.0.blocks {
            let prediction = &mut memory.dc[b.member & 3];
            *prediction = prediction.wrapping_add(dc_difference(reader, b.coding.dc));
            let bits = skip_ac(reader, b.coding.ac, b.coding.skips, 1);
            let at = b.start + x * b.step;
            self.0.strips.note(at, b.spread, bits);
            if let Some(out) = self.0.strips.samples.get_mut(at) {
                // 16 bits, which only damage exceeds, as at the other sizes.
                *out = flat(i32::from(*prediction as i16), b.dequant.dc);
            }
        }
    }

    fn end_row(&mut self) {
        self.0.end_row();
    }
}
