//! Unpacks the LZW codes of a frame (GIF89a, appendix F).
//!
//! A string is kept in links of eight bytes, of which most strings have one:
//! it is then written by one store, however long it is up to there.

#![allow(
    clippy::cast_possible_truncation,
    reason = "codes have 12 bits, and bits that are not read yet are cut off on purpose"
)]
#![allow(
    clippy::inline_always,
    reason = "the loop over codes must become one function, or its state leaves the registers"
)]

/// Codes do not get longer than this.
const MAX_CODE_BITS: u32 = 12;

/// Strings that there can be.
const MAX_CODES: usize = 1 << MAX_CODE_BITS;

/// Bytes that one link holds.
const LINK_BYTES: usize = 8;

/// From this many pixels on, they are given out.
const BATCH: usize = 8192;

/// What the last string of a batch may need more: it can be as long as there are codes.
const BATCH_ROOM: usize = BATCH + MAX_CODES + LINK_BYTES;

/// What an [`Lzw`] holds.
pub const LZW_BYTES: u64 = (MAX_CODES * size_of::<Link>() + BATCH_ROOM) as u64;

/// In place of a code: the table was just emptied.
const NONE: u32 = u32::MAX;

/// The end of a string, and where the rest of it is.
#[derive(Debug, Clone, Copy, Default)]
struct Link {
    /// The last one to eight bytes, from the lowest place up; the places above are zero.
    tail: u64,
    /// The length of the whole string, less one.
    more: u16,
    /// The code of what is before `tail`, if there is more.
    before: u16,
    /// The first byte of the whole string.
    first: u8,
}

impl Link {
    fn single(byte: u8) -> Self {
        Self {
            tail: byte.into(),
            first: byte,
            ..Self::default()
        }
    }

    /// The string of this link, which has the code `code`, and one byte more.
    #[inline]
    fn and(self, code: u32, byte: u8) -> Self {
        let more = self.more.wrapping_add(1);
        let place = usize::from(more) % LINK_BYTES;
        let byte = u64::from(byte) << (8 * place);
        Self {
            tail: if place == 0 { byte } else { self.tail | byte },
            // A full link stays as it is; the new one begins after it and is found by the code of the string so far.
            before: if place == 0 { code as u16 } else { self.before },
            more,
            ..self
        }
    }
}
/// Why there are no more pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// All bytes were read.
    NeedMore,
    /// The batch is full; there may be more.
    Full,
    /// The end code came, or a code that does not exist.
    Over,
}

/// What is known between two codes.
#[derive(Debug, Clone, Copy)]
struct State {
    /// Bits that were not read yet, the next one in the lowest place.
    bits: u64,
    bit_count: u32,
    code_bits: u32,
    /// The code that the next string gets; [`MAX_CODES`] when the table is full.
    next: u32,
    /// The code before, or [`NONE`].
    last: u32,
}

impl State {
    fn new(clear: u32) -> Self {
        Self {
            bits: 0,
            bit_count: 0,
            // One bit more than pixels have, for the codes that clear and end (GIF89a, appendix F).
            code_bits: clear.trailing_zeros() + 1,
            // After the code that clears and the one that ends.
            next: clear + 2,
            last: NONE,
        }
    }

    /// The state after the code that empties the table.
    fn cleared(self, clear: u32) -> Self {
        Self {
            bits: self.bits,
            bit_count: self.bit_count,
            ..Self::new(clear)
        }
    }

    #[inline]
    fn code(&mut self, bytes: &mut &[u8]) -> Option<u32> {
        if self.bit_count < self.code_bits {
            self.refill(bytes);
            if self.bit_count < self.code_bits {
                return None;
            }
        }
        // The lowest bits come first (appendix F).
        let code = self.bits as u32 & ((1 << self.code_bits) - 1);
        self.bits >>= self.code_bits;
        self.bit_count -= self.code_bits;
        Some(code)
    }

    /// Takes up to four bytes: there are less than 12 bits left.
    #[inline]
    fn refill(&mut self, bytes: &mut &[u8]) {
        if let Some((word, rest)) = bytes.split_first_chunk() {
            self.bits |= u64::from(u32::from_le_bytes(*word)) << self.bit_count;
            self.bit_count += 32;
            *bytes = rest;
            return;
        }
        for byte in std::mem::take(bytes) {
            self.bits |= u64::from(*byte) << self.bit_count;
            self.bit_count += 8;
        }
    }
}

/// Unpacks codes that arrive in pieces.
#[derive(Debug)]
pub struct Lzw {
    links: Box<[Link; MAX_CODES]>,
    /// The code that empties the table; the one after it ends the stream.
    clear: u32,
    state: State,
    batch: Box<[u8; BATCH_ROOM]>,
}

impl Lzw {
    /// Expects codes of bytes that have `bits` bits, 1 to 8.
    pub fn new(bits: u8) -> Self {
        let clear = 1 << bits.min(8);
        #[expect(clippy::large_stack_arrays, reason = "64 KiB, of a megabyte of stack")]
        let mut links = Box::new([Link::default(); MAX_CODES]);
        for (link, byte) in links[..clear as usize].iter_mut().zip(0..=u8::MAX) {
            *link = Link::single(byte);
        }
        Self {
            links,
            clear,
            state: State::new(clear),
            batch: Box::new([0; BATCH_ROOM]),
        }
    }

    /// Reads codes off the front of `bytes` and gives the next pixels.
    pub fn unpack(&mut self, bytes: &mut &[u8]) -> (&[u8], Stop) {
        let mut state = self.state;
        let mut rest = *bytes;
        let mut len = 0;
        let stop = loop {
            if len >= BATCH {
                break Stop::Full;
            }
            let Some(code) = state.code(&mut rest) else {
                break Stop::NeedMore;
            };
            // The code that clears, which is even, or the one after it, which ends.
            if code ^ self.clear < 2 {
                if code != self.clear {
                    break Stop::Over;
                }
                state = state.cleared(self.clear);
                continue;
            }
            // Only a code that follows another one can mean the string that it completes itself.
            if code >= state.next && (code > state.next || state.last == NONE) {
                break Stop::Over;
            }
            self.learn(&mut state, code);
            len += self.write(code, len);
        };
        self.state = state;
        *bytes = rest;
        (&self.batch[..len], stop)
    }

    /// Adds the string of the last code and the first byte of this one's to the table, if there is room.
    #[inline(always)]
    fn learn(&mut self, state: &mut State, code: u32) {
        let last = std::mem::replace(&mut state.last, code);
        // A full table stays as it is until it is cleared (appendix F): encoders may defer that.
        if last == NONE || state.next as usize >= MAX_CODES {
            return;
        }
        let before = self.links[last as usize % MAX_CODES];
        // The code that is just being defined: its string is the last one and the first byte of that once more.
        let begins = if code == state.next { last } else { code };
        // The codes are below 4096 already: the remainder only saves a bounds check.
        let first = self.links[begins as usize % MAX_CODES].first;
        self.links[state.next as usize % MAX_CODES] = before.and(last, first);
        state.next += 1;
        // A full table stays as it is, with codes of 12 bits, until it is cleared (appendix F, deferred clear codes).
        if state.next >> state.code_bits != 0 && state.code_bits < MAX_CODE_BITS {
            state.code_bits += 1;
        }
    }

    /// Writes the string of a code to the batch from `at` on, its end first; returns its length.
    ///
    /// What is behind it is overwritten too.
    #[inline(always)]
    fn write(&mut self, code: u32, at: usize) -> usize {
        let mut link = self.links[code as usize % MAX_CODES];
        // At most 4096, as each code adds one byte: `BATCH_ROOM` has that much after a batch.
        let len = usize::from(link.more) + 1;
        loop {
            // From its last eight bytes to its first: a link knows only what comes before it.
            let start = at + usize::from(link.more) / LINK_BYTES * LINK_BYTES;
            if let Some(room) = self.batch.get_mut(start..start + LINK_BYTES) {
                room.copy_from_slice(&link.tail.to_le_bytes());
            }
            if usize::from(link.more) < LINK_BYTES {
                return len;
            }
            link = self.links[usize::from(link.before) % MAX_CODES];
        }
    }
}

#[cfg(test)]
mod tests;
