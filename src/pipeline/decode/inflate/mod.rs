//! Inflates zlib streams (RFC 1950, RFC 1951) that come in pieces.
//!
//! What comes out depends on the bytes that went in and never on how they were cut: every symbol
//! whose bits are there is given, and a damaged stream has given all that stands before the damage.
//! That is why this is no crate: the fast ones lose what the call that fails has produced.
//!
//! `blocks` reads what stands before the symbols of a block, `tables` makes its codes into tables,
//! `symbols` decodes with them.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "symbols, lengths and entries have a few bits; sizes are those of a window"
)]
#![allow(
    clippy::inline_always,
    reason = "the loop over symbols must become one function, or the bits leave their registers"
)]

mod blocks;
mod symbols;
mod tables;

use blocks::Lengths;
use tables::{DISTANCE_ENTRIES, LITERAL_ENTRIES};

/// How far back a stream may refer (RFC 1951, section 2).
pub const HISTORY_BYTES: usize = 32 << 10;

/// Room behind the bytes that are asked for, without which the end is decoded one symbol at a time.
pub const SLACK_BYTES: usize = 512;

/// What the tables take.
pub const TABLE_BYTES: usize = 4 * (LITERAL_ENTRIES + DISTANCE_ENTRIES);

/// Compressed bytes allowed per inflated byte: an honest stream has hardly more than one.
/// Blocks that build large tables and then produce nothing cost up to a microsecond per byte.
const MAX_EXPANSION: u64 = 4;
/// Compressed bytes that [`MAX_EXPANSION`] does not count.
const FREE_INPUT_BYTES: u64 = 64 << 10;

/// Why inflating stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inflated {
    /// The input is used up.
    NeedInput,
    /// All the bytes that were asked for are there.
    NeedOutput,
    /// The stream is over.
    Over,
    /// The stream is damaged: no more bytes will come.
    Broken(&'static str),
}

const DAMAGED: Inflated = Inflated::Broken("the compressed data is damaged");
const TOO_LONG: Inflated = Inflated::Broken("the compressed data is larger than the image");

/// What comes next in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    ZlibHead,
    BlockHead,
    StoredHead,
    Stored {
        left: usize,
    },
    DynamicHead,
    CodeLengths,
    Lengths,
    Symbols,
    /// A repetition that did not fit in the output.
    Copy {
        distance: usize,
        left: usize,
    },
    Ended(Inflated),
}

/// Bits that were taken from the input and not used yet; what is above `count` is zero.
#[derive(Debug, Clone, Copy, Default)]
struct Bits {
    hold: u64,
    count: u32,
}

impl Bits {
    /// Takes bytes off the front of `input` while there is room for them.
    fn refill(&mut self, input: &mut &[u8]) {
        while self.count <= 56
            && let Some((&byte, rest)) = input.split_first()
        {
            self.hold |= u64::from(byte) << self.count;
            self.count += 8;
            *input = rest;
        }
    }

    fn peek(self, count: u32) -> u32 {
        // At most 32 bits are asked for.
        (self.hold & ((1 << count) - 1)) as u32
    }

    fn consume(&mut self, count: u32) {
        self.hold >>= count;
        self.count -= count;
    }

    /// Uses bits, or none if they are not all there.
    fn take(&mut self, input: &mut &[u8], count: u32) -> Option<u32> {
        self.refill(input);
        if self.count < count {
            return None;
        }
        let value = self.peek(count);
        self.consume(count);
        Some(value)
    }
}

/// An inflater of one stream.
pub struct Inflater {
    bits: Bits,
    state: State,
    is_last_block: bool,
    lengths: Lengths,
    literals: Box<[u32; LITERAL_ENTRIES]>,
    distances: Box<[u32; DISTANCE_ENTRIES]>,
    /// The tables are those of the fixed codes.
    has_fixed_tables: bool,
    built_tables: u64,
    taken_bytes: u64,
    given_bytes: u64,
}

impl Inflater {
    /// An inflater at the start of a stream.
    #[expect(clippy::large_stack_arrays, reason = "21 KB, for a moment")]
    pub fn new() -> Self {
        Self {
            bits: Bits::default(),
            state: State::ZlibHead,
            is_last_block: false,
            lengths: Lengths::default(),
            literals: Box::new([0; LITERAL_ENTRIES]),
            distances: Box::new([0; DISTANCE_ENTRIES]),
            has_fixed_tables: false,
            built_tables: 0,
            taken_bytes: 0,
            given_bytes: 0,
        }
    }

    /// Goes to the start of another stream. What was counted stays counted.
    pub fn restart(&mut self) {
        self.bits = Bits::default();
        self.state = State::ZlibHead;
        self.is_last_block = false;
        self.taken_bytes = 0;
        self.given_bytes = 0;
    }

    /// How often the tables of a block were built: a block may be a few bits and hold nothing.
    pub const fn built_tables(&self) -> u64 {
        self.built_tables
    }

    /// Takes bytes off the front of `input` and writes to `output` from `at` on, until `until` or some more.
    ///
    /// In front of `at` there must be all that was given before, or the last [`HISTORY_BYTES`] of it.
    /// Returns where the new bytes end, and why.
    pub fn inflate(
        &mut self,
        input: &mut &[u8],
        output: &mut [u8],
        at: usize,
        until: usize,
    ) -> (usize, Inflated) {
        let (available, start) = (input.len(), at);
        let mut at = at;
        let stop = loop {
            let before = (available - input.len()) as u64;
            // What is held and not used does not count, as that depends on the pieces.
            let position = self.taken_bytes + before - u64::from(self.bits.count / 8);
            let given = self.given_bytes + (at - start) as u64;
            // Before a block, because it is the tables of blocks that take the time.
            if self.state == State::BlockHead && position > FREE_INPUT_BYTES + MAX_EXPANSION * given
            {
                self.state = State::Ended(TOO_LONG);
            }
            if let Some(stop) = self.step(input, output, &mut at, until.min(output.len())) {
                break stop;
            }
        };
        self.taken_bytes += (available - input.len()) as u64;
        self.given_bytes += (at - start) as u64;
        (at, stop)
    }

    /// Goes on to the next state; says why it cannot.
    fn step(
        &mut self,
        input: &mut &[u8],
        output: &mut [u8],
        at: &mut usize,
        until: usize,
    ) -> Option<Inflated> {
        let next = match self.state {
            State::Ended(stop) => return Some(stop),
            State::Stored { left } => self.stored(input, &mut output[..until], at, left),
            State::Copy { distance, left } => {
                let length = left.min(until - *at);
                symbols::copy(output, *at, distance, length);
                *at += length;
                if length == left {
                    Ok(State::Symbols)
                } else {
                    self.state = State::Copy {
                        distance,
                        left: left - length,
                    };
                    Err(Inflated::NeedOutput)
                }
            }
            State::Symbols => self.symbols(input, output, at, until),
            _ => self.head(input),
        };
        match next {
            Ok(state) => {
                self.state = state;
                None
            }
            Err(stop @ (Inflated::Broken(_) | Inflated::Over)) => {
                self.state = State::Ended(stop);
                Some(stop)
            }
            Err(stop) => Some(stop),
        }
    }

    /// Copies bytes of a block without compression.
    fn stored(
        &mut self,
        input: &mut &[u8],
        output: &mut [u8],
        at: &mut usize,
        mut left: usize,
    ) -> Result<State, Inflated> {
        while left > 0 {
            let room = output.get_mut(*at..).unwrap_or_default();
            if room.is_empty() {
                self.state = State::Stored { left };
                return Err(Inflated::NeedOutput);
            }
            if self.bits.count > 0 {
                // Whole bytes that came with the bits of the head, as the rest of its last byte is gone.
                room[0] = self.bits.peek(8).to_le_bytes()[0];
                self.bits.consume(8);
                (*at, left) = (*at + 1, left - 1);
                continue;
            }
            let length = left.min(room.len()).min(input.len());
            if length == 0 {
                self.state = State::Stored { left };
                return Err(Inflated::NeedInput);
            }
            let (bytes, rest) = input.split_at(length);
            room[..length].copy_from_slice(bytes);
            *input = rest;
            (*at, left) = (*at + length, left - length);
        }
        self.after_block()
    }

    fn after_block(&self) -> Result<State, Inflated> {
        if self.is_last_block {
            Err(Inflated::Over)
        } else {
            Ok(State::BlockHead)
        }
    }
}

#[cfg(test)]
mod tests;
