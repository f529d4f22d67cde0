//! What stands before the symbols of a block (RFC 1951, sections 3.2.3 to 3.2.7).

use super::tables::{self, CODE_LENGTH_BITS, CODE_LENGTH_ENTRIES, INVALID};
use super::{DAMAGED, Inflated, Inflater, State};

/// The most codes for literals and lengths, and for distances, in a block.
const MAX_LITERALS: usize = 286;
const MAX_DISTANCES: usize = 30;
/// The code that ends a block.
const END_OF_BLOCK: usize = 256;

/// The order of the lengths of the code that codes lengths.
const CODE_LENGTH_ORDER: [u8; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The lengths of a block's codes, as far as they were read.
pub(super) struct Lengths {
    literal_count: usize,
    distance_count: usize,
    /// Of the code that codes the lengths of the others.
    third_count: usize,
    read: usize,
    third: [u8; 19],
    all: [u8; MAX_LITERALS + MAX_DISTANCES],
    code: [u32; CODE_LENGTH_ENTRIES],
}

impl Default for Lengths {
    fn default() -> Self {
        Self {
            literal_count: 0,
            distance_count: 0,
            third_count: 0,
            read: 0,
            third: [0; 19],
            all: [0; MAX_LITERALS + MAX_DISTANCES],
            code: [INVALID; CODE_LENGTH_ENTRIES],
        }
    }
}

impl Inflater {
    /// Reads one part of the stream's or of a block's head.
    pub(super) fn head(&mut self, input: &mut &[u8]) -> Result<State, Inflated> {
        match self.state {
            State::ZlibHead => self.zlib_head(input),
            State::StoredHead => self.stored_head(input),
            State::DynamicHead => self.dynamic_head(input),
            State::CodeLengths => self.read_code_lengths(input),
            State::Lengths => self.read_lengths(input),
            _ => self.block_head(input),
        }
    }

    fn zlib_head(&mut self, input: &mut &[u8]) -> Result<State, Inflated> {
        let head = self.bits.take(input, 16).ok_or(Inflated::NeedInput)?;
        let (method, flags) = (head & 0xff, head >> 8);
        // RFC 1950: deflate, a window of at most 32 KiB, no preset dictionary, the check bits.
        // RFC 1950, section 2.2: Deflate, a window of at most 32 KiB, no preset dictionary, and check bits that make
        // both bytes a multiple of 31.
        let is_right = method & 15 == 8
            && method >> 4 <= 7
            && flags & 0x20 == 0
            && (method << 8 | flags).is_multiple_of(31);
        if is_right {
            Ok(State::BlockHead)
        } else {
            Err(DAMAGED)
        }
    }

    fn block_head(&mut self, input: &mut &[u8]) -> Result<State, Inflated> {
        let head = self.bits.take(input, 3).ok_or(Inflated::NeedInput)?;
        self.is_last_block = head & 1 == 1;
        // RFC 1951, section 3.2.3: stored, fixed codes, dynamic codes.
        match head >> 1 {
            0 => {
                // The lengths begin at a whole byte.
                // Bits come from the lowest on, and whole bytes may be held already: only the rest of this one goes.
                self.bits.consume(self.bits.count % 8);
                Ok(State::StoredHead)
            }
            1 => {
                // Blocks of fixed codes may follow each other: the tables stay for the next one.
                if !self.has_fixed_tables {
                    tables::fixed(&mut self.literals[..], &mut self.distances[..]);
                    self.has_fixed_tables = true;
                    self.built_tables += 1;
                }
                Ok(State::Symbols)
            }
            2 => Ok(State::DynamicHead),
            _ => Err(DAMAGED),
        }
    }

    fn stored_head(&mut self, input: &mut &[u8]) -> Result<State, Inflated> {
        let head = self.bits.take(input, 32).ok_or(Inflated::NeedInput)?;
        let (length, complement) = (head & 0xffff, head >> 16);
        // LEN and its complement (RFC 1951, section 3.2.4).
        if length ^ complement != 0xffff {
            return Err(DAMAGED);
        }
        Ok(State::Stored {
            left: length as usize,
        })
    }

    fn dynamic_head(&mut self, input: &mut &[u8]) -> Result<State, Inflated> {
        let head = self.bits.take(input, 14).ok_or(Inflated::NeedInput)? as usize;
        // HLIT, HDIST and HCLEN (RFC 1951, section 3.2.7).
        self.lengths.literal_count = 257 + (head & 31);
        self.lengths.distance_count = 1 + (head >> 5 & 31);
        self.lengths.third_count = 4 + (head >> 10);
        // There is room for 32 distances, but the last two never occur (section 3.2.6); zlib refuses them too.
        if self.lengths.literal_count > MAX_LITERALS || self.lengths.distance_count > MAX_DISTANCES
        {
            return Err(DAMAGED);
        }
        // Lengths that are left out are 0, not those of the block before.
        self.lengths.third = [0; 19];
        self.lengths.read = 0;
        Ok(State::CodeLengths)
    }

    fn read_code_lengths(&mut self, input: &mut &[u8]) -> Result<State, Inflated> {
        let lengths = &mut self.lengths;
        while lengths.read < lengths.third_count {
            let length = self.bits.take(input, 3).ok_or(Inflated::NeedInput)?;
            let symbol = CODE_LENGTH_ORDER[lengths.read];
            lengths.third[usize::from(symbol)] = length as u8;
            lengths.read += 1;
        }
        if !tables::code_lengths(&lengths.third, &mut lengths.code) {
            return Err(DAMAGED);
        }
        lengths.read = 0;
        Ok(State::Lengths)
    }

    fn read_lengths(&mut self, input: &mut &[u8]) -> Result<State, Inflated> {
        let lengths = &mut self.lengths;
        let total = lengths.literal_count + lengths.distance_count;
        while lengths.read < total {
            self.bits.refill(input);
            let entry = lengths.code[self.bits.peek(CODE_LENGTH_BITS) as usize];
            let (bits, symbol) = (entry & 0xff, entry >> 16);
            // 16 repeats the length before, 17 and 18 repeat zero (section 3.2.7).
            let (extra, base) = match symbol {
                16 => (2, 3),
                17 => (3, 3),
                18 => (7, 11),
                _ => (0, 1),
            };
            // Where the code is not known, all the bits that it may have must be there.
            // The entry was found by bits that may still be missing: zeros are in their place.
            let needed = if bits == 0 {
                CODE_LENGTH_BITS
            } else {
                bits + extra
            };
            if self.bits.count < needed {
                return Err(Inflated::NeedInput);
            }
            let value = match (symbol, lengths.read) {
                _ if bits == 0 => return Err(DAMAGED),
                (0..=15, _) => symbol as u8,
                // Symbol 16 repeats the length before, and there is none.
                (16, 0) => return Err(DAMAGED),
                (16, read) => lengths.all[read - 1],
                _ => 0,
            };
            self.bits.consume(bits);
            let count = (base + self.bits.peek(extra)) as usize;
            self.bits.consume(extra);
            // A run may cross from the literals to the distances: they are one sequence.
            let Some(repeated) = lengths.all[..total].get_mut(lengths.read..lengths.read + count)
            else {
                return Err(DAMAGED);
            };
            repeated.fill(value);
            lengths.read += count;
        }
        self.has_fixed_tables = false;
        self.built_tables += 1;
        let (literals, distances) = lengths.all[..total].split_at(lengths.literal_count);
        // Without a code for its end, a block would never be over.
        let is_right = literals[END_OF_BLOCK] > 0
            && tables::literals(literals, &mut self.literals[..])
            && tables::distances(distances, &mut self.distances[..]);
        if is_right {
            Ok(State::Symbols)
        } else {
            Err(DAMAGED)
        }
    }
}
