//! The symbols of a block (RFC 1951, section 3.2.5): bytes, and repetitions of earlier ones.

use super::tables::{
    DISTANCE_BITS, DISTANCE_ENTRIES, IS_LINK, IS_LITERAL, IS_SPECIAL, LITERAL_BITS,
    LITERAL_ENTRIES, MAX_CODE_BITS, code_bits, first_literal_bits, follow, literal_count,
};
use super::{DAMAGED, Inflated, Inflater, State};

/// The longest repetition.
const MAX_LENGTH: usize = 258;
/// Bytes are copied so many at a time, beyond the end of a repetition where need be.
const COPY_BYTES: usize = 16;
/// Room for all that one round of the fast loop writes.
const FAST_ROOM: usize = MAX_LENGTH + COPY_BYTES + 8;
/// The most bits of a repetition: two codes, and 5 and 13 extra bits.
const MAX_REPETITION_BITS: u32 = 48;

/// A length or a distance.
struct Number {
    /// The bits of its code, and those with the extra bits.
    bits: u32,
    value: usize,
}

/// Reads what an entry of a length or a distance and the bits from its code on say.
#[inline(always)]
fn number(entry: u32, hold: u64) -> Number {
    let (code, extra) = (entry & 0xff, entry >> 8 & 0x1f);
    // A code has at most 15 bits, and 13 more follow.
    let more = hold >> code & ((1 << extra) - 1);
    Number {
        bits: code + extra,
        value: (entry >> 16) as usize + more as usize,
    }
}

#[inline(always)]
fn literal_at(table: &[u32; LITERAL_ENTRIES], hold: u64) -> u32 {
    table[(hold & ((1 << LITERAL_BITS) - 1)) as usize]
}

#[inline(always)]
fn distance_at(table: &[u32; DISTANCE_ENTRIES], hold: u64) -> u32 {
    let entry = table[(hold & ((1 << DISTANCE_BITS) - 1)) as usize];
    if entry & IS_LINK == 0 || entry & IS_SPECIAL == 0 {
        return entry;
    }
    follow(table, entry, hold >> DISTANCE_BITS)
}

/// Repeats bytes, exactly.
pub(super) fn copy(output: &mut [u8], at: usize, distance: usize, length: usize) {
    let start = at - distance;
    if distance >= length {
        output.copy_within(start..start + length, at);
        return;
    }
    // Byte by byte: the source overlaps what is written.
    for i in 0..length {
        output[at + i] = output[start + i];
    }
}

/// Repeats bytes, and writes up to [`COPY_BYTES`] more.
#[inline(always)]
fn copy_fast(output: &mut [u8], at: usize, distance: usize, length: usize) {
    let start = at - distance;
    // A run of one byte, which blank areas are made of.
    if distance == 1 {
        let byte = output[start];
        output[at..at + length].fill(byte);
        return;
    }
    output.copy_within(start..start + COPY_BYTES, at);
    if length > COPY_BYTES || distance < COPY_BYTES {
        // Copies overlap where the distance is short: each repeats what the one before has written.
        let step = distance.min(COPY_BYTES);
        for i in (step..length).step_by(step) {
            output.copy_within(start + i..start + i + COPY_BYTES, at + i);
        }
    }
}

impl Inflater {
    /// Decodes symbols up to the end of the block, of the input or of the output.
    pub(super) fn symbols(
        &mut self,
        input: &mut &[u8],
        output: &mut [u8],
        at: &mut usize,
        until: usize,
    ) -> Result<State, Inflated> {
        if let Some(next) = self.symbols_fast(input, output, at, until)? {
            return Ok(next);
        }
        self.symbols_one_by_one(input, output, at, until)
    }

    /// The usual case: where eight bytes can be read at once, and there is room for whatever they say.
    ///
    /// Whether a symbol is right does not depend on which of the loops comes to it.
    #[allow(
        clippy::too_many_lines,
        reason = "the hot loop of PNG, which must stay in registers"
    )]
    fn symbols_fast(
        &mut self,
        input: &mut &[u8],
        output: &mut [u8],
        at: &mut usize,
        until: usize,
    ) -> Result<Option<State>, Inflated> {
        // A round begins where all that it may write has room, which may be more than `until` asks for.
        let until = until.min(output.len().saturating_sub(FAST_ROOM));
        let (mut hold, mut count) = (self.bits.hold, self.bits.count);
        let (mut rest, mut to) = (*input, *at);
        let (literals, distances) = (&*self.literals, &*self.distances);
        let mut end = Ok(None);
        macro_rules! refill {
            ($next:expr) => {
                // Without a branch: eight bytes are read, and only the whole ones that fit are used up. `count | 56`
                // is the count after them; what was read above it comes again, and is the same.
                hold |= u64::from_le_bytes(*$next) << count;
                // Only whole bytes count as taken: there are 56 to 63 bits then.
                rest = &rest[(63 - count as usize) / 8..];
                count |= 56;
            };
        }
        macro_rules! put {
            ($entry:expr) => {
                let [_, _, first, second] = $entry.to_le_bytes();
                // An entry has one literal or two; the second place is overwritten if it has one.
                output[to..to + 2].copy_from_slice(&[first, second]);
                to += literal_count($entry);
                hold >>= code_bits($entry);
                count -= code_bits($entry);
            };
        }
        while to < until
            && let Some(next) = rest.first_chunk::<8>()
        {
            // Enough for three entries of 12 bits each.
            refill!(next);
            let mut entry = literal_at(literals, hold);
            if entry & IS_LITERAL != 0 {
                put!(entry);
                entry = literal_at(literals, hold);
                if entry & IS_LITERAL != 0 {
                    put!(entry);
                    entry = literal_at(literals, hold);
                    if entry & IS_LITERAL != 0 {
                        put!(entry);
                        continue;
                    }
                }
                if count < MAX_REPETITION_BITS {
                    // The entry stays right: a refill only adds bits above those that are there.
                    let Some(next) = rest.first_chunk::<8>() else {
                        break;
                    };
                    refill!(next);
                }
            }
            if entry & IS_SPECIAL != 0 {
                if entry & IS_LINK != 0 {
                    // The bits of an entry count from the start of the code, in a second table too.
                    entry = follow(&literals[..], entry, hold >> LITERAL_BITS);
                }
                if entry & IS_LITERAL != 0 {
                    put!(entry);
                    continue;
                }
                if entry & IS_SPECIAL != 0 {
                    end = if code_bits(entry) == 0 {
                        Err(DAMAGED)
                    } else {
                        hold >>= code_bits(entry);
                        count -= code_bits(entry);
                        self.after_block().map(Some)
                    };
                    break;
                }
            }
            let length = number(entry, hold);
            let after = hold >> length.bits;
            let entry = distance_at(distances, after);
            let distance = number(entry, after);
            // A distance may reach back before the first byte.
            if entry & IS_SPECIAL != 0 || distance.value > to {
                end = Err(DAMAGED);
                break;
            }
            hold = after >> distance.bits;
            count -= length.bits + distance.bits;
            copy_fast(output, to, distance.value, length.value);
            to += length.value;
        }
        // What was read ahead is read again.
        self.bits.hold = hold & ((1 << count) - 1);
        self.bits.count = count;
        (*input, *at) = (rest, to);
        end
    }

    fn symbols_one_by_one(
        &mut self,
        input: &mut &[u8],
        output: &mut [u8],
        at: &mut usize,
        until: usize,
    ) -> Result<State, Inflated> {
        while *at < until {
            self.bits.refill(input);
            let mut entry = literal_at(&self.literals, self.bits.hold);
            // Two literals may have the bit of `IS_LINK`, too: it is one of the length of the first code.
            if entry & (IS_LINK | IS_SPECIAL) == IS_LINK | IS_SPECIAL {
                entry = follow(&self.literals[..], entry, self.bits.hold >> LITERAL_BITS);
            }
            if entry & IS_LITERAL != 0 {
                let [_, _, literal, _] = entry.to_le_bytes();
                // One at a time: there may be no room or no bits for the second.
                let bits = match literal_count(entry) {
                    2 => first_literal_bits(entry),
                    _ => code_bits(entry),
                };
                self.use_bits(bits)?;
                output[*at] = literal;
                *at += 1;
            } else if entry & IS_SPECIAL != 0 {
                self.use_bits(code_bits(entry))?;
                return self.after_block();
            } else if let Some(copy) = self.repeat(entry, output, at, until)? {
                return Ok(copy);
            }
        }
        Err(Inflated::NeedOutput)
    }

    /// Uses the bits of a code; where it is not known, all those that it may have must be there.
    fn use_bits(&mut self, bits: u32) -> Result<(), Inflated> {
        if self.bits.count < if bits == 0 { MAX_CODE_BITS } else { bits } {
            return Err(Inflated::NeedInput);
        }
        if bits == 0 {
            return Err(DAMAGED);
        }
        self.bits.consume(bits);
        Ok(())
    }

    /// Repeats bytes, as far as there is room: the rest is for later.
    fn repeat(
        &mut self,
        entry: u32,
        output: &mut [u8],
        at: &mut usize,
        until: usize,
    ) -> Result<Option<State>, Inflated> {
        // Nothing is used before the distance is there: until then, the length is read again.
        let before = self.bits;
        let length = number(entry, before.hold);
        if before.count < length.bits {
            return Err(Inflated::NeedInput);
        }
        let after = before.hold >> length.bits;
        let entry = distance_at(&self.distances, after);
        let distance = number(entry, after);
        let needed = if entry & IS_SPECIAL != 0 {
            MAX_CODE_BITS
        } else {
            distance.bits
        };
        if before.count < length.bits + needed {
            return Err(Inflated::NeedInput);
        }
        if entry & IS_SPECIAL != 0 || distance.value > *at {
            return Err(DAMAGED);
        }
        self.bits.consume(length.bits);
        self.bits.consume(distance.bits);
        let now = length.value.min(until - *at);
        copy(output, *at, distance.value, now);
        *at += now;
        Ok((now < length.value).then_some(State::Copy {
            distance: distance.value,
            left: length.value - now,
        }))
    }
}
