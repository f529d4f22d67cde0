//! Huffman tables (T.81 annex C) and the larger tables derived from them that make decoding fast.

use super::bits::{BitReader, Corrupt, extend};

/// Bits that the table for single symbols sees at once; longer codes are found by their length.
const SYMBOL_BITS: u32 = 9;
/// Bits that the table of decoded values sees at once: 10 to 12 are equally fast.
pub(super) const VALUE_BITS: u32 = 10;
/// Bits that the table of skips sees at once: of 10…14 tried, 12 was the fastest.
pub(super) const SKIP_BITS: u32 = 12;

/// What [`ValueTable`] adds to the coefficient index at the end of a block: more than any block has.
pub(super) const END_OF_BLOCK: u32 = 127;
/// What [`SkipTable`] adds at the end of a block.
pub(super) const SKIP_END: u32 = 128;

/// Symbols with the values that follow them: `value << 16 | run << 8 | bits`, or 0 where the window is too short.
pub(super) type ValueTable = [u32; 1 << VALUE_BITS];
/// Several symbols at once: `coefficients << 8 | bits`.
pub(super) type SkipTable = [u16; 1 << SKIP_BITS];

/// Whether a table codes differences of DC values or runs and values of AC coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Dc,
    Ac,
}

/// A Huffman table.
#[derive(Debug, Clone)]
pub(super) struct HuffmanTable {
    /// `length << 8 | symbol`, or 0 for codes of more than [`SYMBOL_BITS`].
    short: [u16; 1 << SYMBOL_BITS],
    /// By length: the first 16-bit window that is beyond the codes of this length.
    limits: [u32; 17],
    /// By length: what to add to a code to get the index of its symbol.
    offsets: [i32; 17],
    symbols: [u8; 256],
    /// Built by [`Self::prepare`].
    pub(super) values: Box<ValueTable>,
    /// Built by [`Self::prepare`], for AC tables.
    pub(super) skips: Option<Box<SkipTable>>,
    prepared: bool,
}

impl HuffmanTable {
    /// Builds a table from the number of codes of each length and the symbols in the order of their codes.
    ///
    /// Only the small tables are built here, because a file may define tables without end.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Corrupt> {
        let mut table = Self {
            short: [0; 1 << SYMBOL_BITS],
            limits: [0; 17],
            offsets: [0; 17],
            symbols: [0; 256],
            values: Box::new([0; 1 << VALUE_BITS]),
            skips: None,
            prepared: false,
        };
        // A symbol is a byte, so more than 256 codes must repeat some; they would not fit `symbols` either.
        let total: usize = counts.iter().map(|&n| usize::from(n)).sum();
        let target = table.symbols.get_mut(..total).ok_or(Corrupt)?;
        target.copy_from_slice(symbols.get(..total).ok_or(Corrupt)?);
        // T.81 C.2: codes of one length are consecutive numbers; those of the next length go on from twice the last.
        let (mut code, mut index) = (0_u32, 0_u32);
        for length in 1..=16_u32 {
            let count = u32::from(counts[length as usize - 1]);
            // Codes of a length follow each other, and those of the next begin after them (T.81 C.2).
            if code + count > 1 << length {
                return Err(Corrupt);
            }
            // So one difference leads from every code of this length to its symbol.
            table.offsets[length as usize] = index as i32 - code as i32;
            if length <= SYMBOL_BITS {
                table.fill_short(length, code, index, count);
            }
            code += count;
            index += count;
            // To the left of 16 bits, so that one window is compared with all lengths; T.81 F.2.2.3 keeps a MAXCODE for each.
            table.limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Ok(table)
    }

    fn fill_short(&mut self, length: u32, code: u32, index: u32, count: u32) {
        let shift = SYMBOL_BITS - length;
        for i in 0..count {
            let symbol = self.symbols[(index + i) as usize];
            // Every window that begins with the code, whatever follows.
            let first = ((code + i) << shift) as usize;
            // Every window that begins with the code finds it, whatever follows.
            self.short[first..first + (1 << shift)].fill((length << 8) as u16 | u16::from(symbol));
        }
    }

    /// Builds the large tables that a scan needs.
    pub(super) fn prepare(&mut self, class: Class) {
        if self.prepared {
            return;
        }
        self.prepared = true;
        for window in 0..1_u32 << VALUE_BITS {
            self.values[window as usize] = self.value_entry(window, class);
        }
        if class == Class::Ac {
            let mut skips = Box::new([0; 1 << SKIP_BITS]);
            for window in 0..1_u32 << SKIP_BITS {
                skips[window as usize] = self.skip_entry(window);
            }
            self.skips = Some(skips);
        }
    }

    fn value_entry(&self, window: u32, class: Class) -> u32 {
        // The zeros shifted in may look like part of a code: then `bits` is too large, and the entry 0.
        let Some((symbol, length)) = self.lookup(window << (16 - VALUE_BITS)) else {
            return 0;
        };
        let size = symbol & 15;
        // Of DC, the symbol is the size alone (T.81 F.1.2.1); of AC, run and size, where 0x00 ends the block
        // and 0xF0 is sixteen zeros (F.1.2.2).
        let run = match class {
            // T.81 F.1.2.1 has no such category; the slow path notes the damage.
            Class::Dc if symbol > 15 => return 0,
            Class::Dc => 0,
            // Only 0x00 is EOB, but libjpeg ends the block at 0x10 to 0xE0 too.
            Class::Ac if size == 0 && symbol != 0xF0 => END_OF_BLOCK,
            Class::Ac => symbol >> 4,
        };
        let bits = length + size;
        if bits > VALUE_BITS {
            return 0;
        }
        // The bits of the value follow its code directly, so that one lookup gives both.
        let magnitude = window >> (VALUE_BITS - bits) & ((1 << size) - 1);
        // At most 9 bits and a sign, because the code takes one of the ten: the upper half holds it.
        let value = extend(magnitude as i32, size);
        (value as u32) << 16 | run << 8 | bits
    }

    /// Takes as many AC symbols as the window shows. The value bits of the last may lie beyond it.
    fn skip_entry(&self, window: u32) -> u16 {
        let (mut bits, mut coefficients) = (0, 0);
        while bits < SKIP_BITS {
            // What the symbols before have left of the window, with zeros after it: a code that reaches into them
            // is found too long below.
            let rest = (window << bits & ((1 << SKIP_BITS) - 1)) << (16 - SKIP_BITS);
            let Some((symbol, length)) = self.lookup(rest) else {
                break;
            };
            // The code ends in the zeros that were shifted in, so it may be another one.
            if bits + length > SKIP_BITS {
                break;
            }
            let (run, size) = (symbol >> 4, symbol & 15);
            if size == 0 && run != 15 {
                bits += length;
                coefficients += SKIP_END;
                break;
            }
            // An entry must not advance so far that it could be taken for the end of a block.
            if coefficients + run + 1 > 63 {
                break;
            }
            // At most 12 + 15: a refill has them, and 8 bits hold the number.
            bits += length + size;
            coefficients += run + 1;
        }
        if bits == 0 {
            // Beyond any block, without the end mark: the caller then takes a single symbol.
            coefficients = 64;
        }
        // At most 63 + `SKIP_END`, which 8 bits hold.
        (coefficients << 8 | bits) as u16
    }

    /// The symbol and the code length at the start of a 16-bit window.
    #[inline]
    fn lookup(&self, window: u32) -> Option<(u32, u32)> {
        let entry = u32::from(
            self.short[(window >> (16 - SYMBOL_BITS)) as usize & ((1 << SYMBOL_BITS) - 1)],
        );
        if entry != 0 {
            return Some((entry & 0xFF, entry >> 8));
        }
        self.lookup_long(window)
    }

    #[inline(never)]
    fn lookup_long(&self, window: u32) -> Option<(u32, u32)> {
        let length =
            // Shorter codes were found in `short`, so the first limit above the window is that of its own length.
            (SYMBOL_BITS + 1..=16).find(|&length| window < self.limits[length as usize])?;
        let index = (window >> (16 - length)) as i32 + self.offsets[length as usize];
        let symbol = self.symbols.get(usize::try_from(index).ok()?)?;
        Some((u32::from(*symbol), length))
    }

    /// Uses one code (1…17 bits, which must have been made available) and returns its symbol.
    ///
    /// Bits that are no code are what they are to libjpeg: 17 bits with the symbol 0, which is a difference of 0
    /// and the end of a block. What follows comes out right again surprisingly often.
    #[inline]
    pub(super) fn symbol(&self, reader: &mut BitReader<'_>) -> u32 {
        let Some((symbol, length)) = self.lookup(reader.peek(16) as u32) else {
            reader.note_corrupt();
            reader.consume(17);
            return 0;
        };
        reader.consume(length);
        symbol
    }
}

type Definition = ([u8; 16], &'static [u8]);

/// The tables of T.81 K.3.1 to K.3.3, which Motion JPEG leaves out; those of chrominance if `index` is not 0.
pub(super) fn default_table(class: Class, index: usize) -> Result<HuffmanTable, Corrupt> {
    let (counts, symbols) = match (class, index) {
        (Class::Dc, 0) => DC_LUMINANCE,
        (Class::Dc, _) => DC_CHROMINANCE,
        (Class::Ac, 0) => AC_LUMINANCE,
        (Class::Ac, _) => AC_CHROMINANCE,
    };
    HuffmanTable::new(&counts, symbols)
}

const DC_LUMINANCE: Definition = (
    [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
    &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
);
const DC_CHROMINANCE: Definition = (
    [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
    &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
);
const AC_LUMINANCE: Definition = (
    [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D],
    b"\x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07\x22\x71\x14\x32\x81\x91\xa1\x08\
\x23\x42\xb1\xc1\x15\x52\xd1\xf0\x24\x33\x62\x72\x82\x09\x0a\x16\x17\x18\x19\x1a\x25\x26\x27\x28\x29\
\x2a\x34\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\
\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x83\x84\x85\x86\x87\x88\x89\x8a\x92\x93\
\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\
\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe1\xe2\xe3\xe4\xe5\xe6\xe7\
\xe8\xe9\xea\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa",
);
const AC_CHROMINANCE: Definition = (
    [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77],
    b"\x00\x01\x02\x03\x11\x04\x05\x21\x31\x06\x12\x41\x51\x07\x61\x71\x13\x22\x32\x81\x08\x14\x42\x91\
\xa1\xb1\xc1\x09\x23\x33\x52\xf0\x15\x62\x72\xd1\x0a\x16\x24\x34\xe1\x25\xf1\x17\x18\x19\x1a\x26\x27\
\x28\x29\x2a\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\
\x63\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x82\x83\x84\x85\x86\x87\x88\x89\x8a\
\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\
\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe2\xe3\xe4\xe5\xe6\
\xe7\xe8\xe9\xea\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa",
);

#[cfg(test)]
mod tests;
