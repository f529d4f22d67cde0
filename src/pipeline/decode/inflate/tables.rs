//! Prefix codes as tables that are looked up by the next bits of the stream.
//!
//! A code is found by its first bits; where it has more, the entry leads to a table of the others.
//! Two literals whose codes are short stand in one entry.

/// Bits that literals and lengths are looked up by, and the most that follow.
pub(super) const LITERAL_BITS: u32 = 12;
const LITERAL_REST_BITS: u32 = 3;
/// Bits that distances are looked up by, and the most that follow.
pub(super) const DISTANCE_BITS: u32 = 9;
const DISTANCE_REST_BITS: u32 = 6;
/// Bits of the longest code of a length of a code.
pub(super) const CODE_LENGTH_BITS: u32 = 7;
pub(super) const CODE_LENGTH_ENTRIES: usize = 1 << CODE_LENGTH_BITS;

/// Codes in a second table share their first bits, so there are at least two of them in each:
/// of 286 symbols at most 143 tables, of 30 at most 15.
pub(super) const LITERAL_ENTRIES: usize = (1 << LITERAL_BITS) + (143 << LITERAL_REST_BITS);
pub(super) const DISTANCE_ENTRIES: usize = (1 << DISTANCE_BITS) + (15 << DISTANCE_REST_BITS);

/// The longest code (RFC 1951, section 3.2.7).
pub(super) const MAX_CODE_BITS: u32 = 15;

// An entry has the bits of its codes in its lowest byte. Those of
// - one or two literals have how many in the next two bits, and the bits of the first one in four more
// - a length or a distance have the number of extra bits in the next byte, and the least value on top
// - a second table have its start on top.
/// The entry is of literals.
pub(super) const IS_LITERAL: u32 = 1 << 15;
/// The entry is none of a literal, a length, or a distance: it ends the block, or is one of those below.
pub(super) const IS_SPECIAL: u32 = 1 << 14;
/// The entry leads to another one.
pub(super) const IS_LINK: u32 = 1 << 13;
/// No code begins like this; it has no bits.
pub(super) const INVALID: u32 = IS_SPECIAL;
/// The block ends.
const END_OF_BLOCK: u32 = IS_SPECIAL | 1 << 16;

/// How many literals there are in an entry.
#[inline(always)]
pub(super) const fn literal_count(entry: u32) -> usize {
    (entry >> 8 & 3) as usize
}

/// The bits of the first literal of two.
pub(super) const fn first_literal_bits(entry: u32) -> u32 {
    entry >> 10 & 15
}

/// The bits of an entry's codes.
#[inline(always)]
pub(super) const fn code_bits(entry: u32) -> u32 {
    entry & 0xff
}

/// Follows a link by the bits behind the first ones.
#[inline(always)]
pub(super) fn follow(table: &[u32], entry: u32, rest: u64) -> u32 {
    let bits = entry & 0xff;
    let index = (entry >> 16) as usize + (rest & ((1 << bits) - 1)) as usize;
    table.get(index).copied().unwrap_or(INVALID)
}

const LENGTH_BASE: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
];
const LENGTH_EXTRA: [u8; 29] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
const DISTANCE_BASE: [u16; 30] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
    2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA: [u8; 30] = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
];

/// The entry of a literal, a length or the end of a block, without its bits.
fn literal_entry(symbol: usize) -> u32 {
    match symbol {
        0..=255 => IS_LITERAL | 1 << 8 | (symbol as u32) << 16,
        256 => END_OF_BLOCK,
        _ => match (
            LENGTH_BASE.get(symbol - 257),
            LENGTH_EXTRA.get(symbol - 257),
        ) {
            (Some(&base), Some(&extra)) => u32::from(base) << 16 | u32::from(extra) << 8,
            // 286 and 287 only complete the fixed code and stand for nothing (section 3.2.6).
            _ => INVALID,
        },
    }
}

fn distance_entry(symbol: usize) -> u32 {
    match (DISTANCE_BASE.get(symbol), DISTANCE_EXTRA.get(symbol)) {
        (Some(&base), Some(&extra)) => u32::from(base) << 16 | u32::from(extra) << 8,
        _ => INVALID,
    }
}

/// The tables of the fixed codes (RFC 1951, section 3.2.6).
pub(super) fn fixed(literal_table: &mut [u32], distance_table: &mut [u32]) {
    let lengths: [u8; 288] = std::array::from_fn(|symbol| match symbol {
        144..256 => 9,
        256..280 => 7,
        _ => 8,
    });
    literals(&lengths, literal_table);
    distances(&[5; 32], distance_table);
}

/// Makes the table of literals and lengths; false where the lengths are of no code.
pub(super) fn literals(lengths: &[u8], table: &mut [u32]) -> bool {
    let code = Code::new(lengths);
    code.is_right() && {
        code.build(LITERAL_BITS, LITERAL_REST_BITS, literal_entry, table);
        true
    }
}

/// Makes the table of distances.
pub(super) fn distances(lengths: &[u8], table: &mut [u32]) -> bool {
    let code = Code::new(lengths);
    code.is_right() && {
        code.build(DISTANCE_BITS, DISTANCE_REST_BITS, distance_entry, table);
        true
    }
}

/// Makes the table of the code of lengths, which must be complete.
pub(super) fn code_lengths(lengths: &[u8], table: &mut [u32; CODE_LENGTH_ENTRIES]) -> bool {
    let code = Code::new(lengths);
    code.unused == 0 && {
        let entry = |symbol| (symbol as u32) << 16;
        code.build(CODE_LENGTH_BITS, 0, entry, table);
        true
    }
}

/// A code by the lengths of its symbols' codes (RFC 1951, section 3.2.2).
struct Code {
    /// The symbols that have codes, by length.
    sorted: [u16; 288],
    /// Where the symbols of a length begin among them.
    starts: [usize; 17],
    /// Codes of the greatest length that are left over; negative where there are not enough.
    unused: i32,
}

impl Code {
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0_usize; 16];
        for &length in lengths {
            counts[usize::from(length & 15)] += 1;
        }
        let mut starts = [0; 17];
        // A code of no bits, which each further bit splits in two: what is left must be 0 in the end.
        let mut unused = 1_i32;
        for length in 1..16 {
            starts[length + 1] = starts[length] + counts[length];
            unused = 2 * unused - counts[length] as i32;
            if unused < 0 {
                // The other starts are wrong then, but no table is made with them.
                break;
            }
        }
        let mut code = Self {
            sorted: [0; 288],
            starts,
            unused,
        };
        let mut next = starts;
        for (symbol, &length) in lengths
            .iter()
            .enumerate()
            .filter(|(_, length)| **length > 0)
        {
            let place = &mut next[usize::from(length & 15)];
            if let Some(slot) = code.sorted.get_mut(*place) {
                *slot = symbol as u16;
            }
            *place += 1;
        }
        code
    }

    fn of_length(&self, length: usize) -> &[u16] {
        &self.sorted[self.starts[length]..self.starts[length + 1]]
    }

    /// Whether the code is complete, or has one symbol of one bit or none, as zlib tolerates it.
    fn is_right(&self) -> bool {
        let is_tiny = self.starts[16] == self.starts[2] && self.starts[2] <= 1;
        self.unused == 0 || (self.unused > 0 && is_tiny)
    }

    /// Fills a table of `root` bits, and those that it leads to, of `rest` bits each.
    fn build(&self, root: u32, rest: u32, entry: impl Fn(usize) -> u32, table: &mut [u32]) {
        let mut codes = [0_u16; 288];
        let mut codeword = 0_usize;
        table[0] = INVALID;
        // Codes are reversed, as their first bit comes lowest; so a longer one is the same number with a 0 on top.
        for length in 1..=root as usize {
            let size = 1 << length;
            // What is known of shorter codes holds whatever bits follow.
            table.copy_within(0..size / 2, size / 2);
            for &symbol in self.of_length(length) {
                table[codeword] = with_bits(entry(symbol.into()), length as u32);
                codes[usize::from(symbol)] = codeword as u16;
                codeword = next_codeword(codeword, size);
            }
            if root == LITERAL_BITS {
                self.put_pairs(length, &codes, table);
            }
        }
        let (root, rest) = (root as usize, rest as usize);
        let mut end = 1 << root;
        let mut prefix = usize::MAX;
        for length in root + 1..=root + rest {
            for &symbol in self.of_length(length) {
                // Codes are in order, so all that begin alike follow each other and share this table.
                if codeword & ((1 << root) - 1) != prefix {
                    prefix = codeword & ((1 << root) - 1);
                    table[prefix] = IS_SPECIAL | IS_LINK | (end as u32) << 16 | rest as u32;
                    end += 1 << rest;
                }
                // In range: `LITERAL_ENTRIES` and `DISTANCE_ENTRIES` count the most tables that there can be.
                let second = &mut table[end - (1 << rest)..end];
                for slot in (second.iter_mut().skip(codeword >> root)).step_by(1 << (length - root))
                {
                    *slot = with_bits(entry(symbol.into()), length as u32);
                }
                codeword = next_codeword(codeword, 1 << length);
            }
        }
    }

    /// Puts two literals into the entries where their codes have `length` bits together.
    fn put_pairs(&self, length: usize, codes: &[u16; 288], table: &mut [u32]) {
        let is_literal = |symbol: &&u16| **symbol < 256;
        for first_length in 1..length {
            let seconds = self.of_length(length - first_length);
            for &first in self.of_length(first_length).iter().filter(is_literal) {
                for &second in seconds.iter().filter(is_literal) {
                    let [first_code, second_code] =
                        [first, second].map(|symbol| usize::from(codes[usize::from(symbol)]));
                    let literals = u32::from(first) << 16 | u32::from(second) << 24;
                    // Together at most 12 bits. It takes the place of the first literal alone.
                    table[first_code | second_code << first_length] = IS_LITERAL
                        | literals
                        | (first_length as u32) << 10
                        | 2 << 8
                        | length as u32;
                }
            }
        }
    }
}

fn with_bits(entry: u32, bits: u32) -> u32 {
    if entry == INVALID {
        entry
    } else {
        entry | bits
    }
}

/// The code after this one, of as many bits: they are read from the lowest on.
fn next_codeword(codeword: usize, size: usize) -> usize {
    // An increment of a reversed number: ones on top become zeros, and the zero below them a one.
    let zeros = !codeword & (size - 1);
    let Some(highest) = zeros.checked_ilog2() else {
        return codeword;
    };
    let bit = 1 << highest;
    codeword & (bit - 1) | bit
}
