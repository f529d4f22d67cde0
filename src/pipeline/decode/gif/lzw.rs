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
            code_bits: clear.trailing_zeros() + 1,
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
        if last == NONE || state.next as usize >= MAX_CODES {
            return;
        }
        let before = self.links[last as usize % MAX_CODES];
        let begins = if code == state.next { last } else { code };
        let first = self.links[begins as usize % MAX_CODES].first;
        self.links[state.next as usize % MAX_CODES] = before.and(last, first);
        state.next += 1;
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
        let len = usize::from(link.more) + 1;
        loop {
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
mod tests {
    use weezl::{BitOrder, LzwStatus};

    use super::*;

    /// Repeatable noise.
    struct Random(u32);

    impl Random {
        fn below(&mut self, end: u32) -> u32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 8) % end
        }
    }

    /// All pixels, from pieces of `piece` bytes, and whether the stream is over.
    fn unpack(bits: u8, packed: &[u8], piece: usize) -> (Vec<u8>, bool) {
        let (mut lzw, mut out) = (Lzw::new(bits), Vec::new());
        for mut bytes in packed.chunks(piece) {
            loop {
                let (pixels, stop) = lzw.unpack(&mut bytes);
                out.extend_from_slice(pixels);
                match stop {
                    Stop::Over => return (out, true),
                    Stop::NeedMore => break,
                    Stop::Full => {}
                }
            }
        }
        (out, false)
    }

    fn reference(bits: u8, mut packed: &[u8]) -> (Vec<u8>, bool) {
        let mut decoder = weezl::decode::Decoder::new(BitOrder::Lsb, bits);
        let (mut out, mut room) = (Vec::new(), [0; 5000]);
        let mut idle = 0;
        // It has up to 64 bits of codes, of which those that clear the table move nothing that can be seen.
        while idle < 64 {
            let result = decoder.decode_bytes(packed, &mut room);
            packed = &packed[result.consumed_in..];
            out.extend_from_slice(&room[..result.consumed_out]);
            if !matches!(result.status, Ok(LzwStatus::Ok | LzwStatus::NoProgress)) {
                return (out, true);
            }
            let is_idle = result.consumed_in == 0 && result.consumed_out == 0;
            idle = if is_idle { idle + 1 } else { 0 };
        }
        (out, false)
    }

    /// Writes `count` codes that `choose` takes from the table as it is: it gets the code that clears it and the next new one.
    fn pack(bits: u8, count: u32, mut choose: impl FnMut(u32, u32) -> u32) -> Vec<u8> {
        let clear = 1 << bits;
        let (mut next, mut width, mut follows) = (clear + 2, u32::from(bits) + 1, false);
        let (mut packed, mut held, mut held_bits) = (Vec::new(), 0_u64, 0);
        for _ in 0..count {
            let code = choose(clear, next);
            held |= u64::from(code) << held_bits;
            held_bits += width;
            while held_bits >= 8 {
                packed.push(held.to_le_bytes()[0]);
                held >>= 8;
                held_bits -= 8;
            }
            if code == clear {
                (next, width, follows) = (clear + 2, u32::from(bits) + 1, false);
            } else if std::mem::replace(&mut follows, true) && next < 4096 {
                next += 1;
                width += u32::from(next >> width != 0 && width < 12);
            }
        }
        packed.push(held.to_le_bytes()[0]);
        packed
    }

    fn assert_like_the_reference(bits: u8, packed: &[u8]) {
        let want = reference(bits, packed);
        for piece in [1, 2, 255, packed.len()] {
            assert!(
                unpack(bits, packed, piece) == want,
                "{bits} bits, pieces of {piece}"
            );
        }
    }

    #[test]
    fn what_an_encoder_packs_is_unpacked() {
        let mut random = Random(3);
        for bits in 2..=8 {
            let mask = (1_u32 << bits) - 1;
            for run in [1, 9, 3000] {
                let mut pixels = Vec::new();
                while pixels.len() < 60_000 {
                    let pixel = u8::try_from(random.below(256) & mask).unwrap();
                    let len = 1 + random.below(run);
                    pixels.extend(std::iter::repeat_n(pixel, len as usize));
                }
                let mut encoder = weezl::encode::Encoder::new(BitOrder::Lsb, bits);
                let packed = encoder.encode(&pixels).unwrap();
                assert!(
                    unpack(bits, &packed, 255) == (pixels, true),
                    "{bits}, {run}"
                );
                assert_like_the_reference(bits, &packed);
            }
        }
    }

    #[test]
    fn any_codes_are_read_as_the_reference_reads_them() {
        let mut random = Random(8);
        for round in 0..600 {
            let bits = u8::try_from(1 + round % 8).unwrap();
            // Without a code that clears it, the table is full from the 4096th code on.
            let clears = [0, 1, 300][random.below(3) as usize];
            let newest = 1 + random.below(8);
            let packed = pack(bits, random.below(9000), |clear, next| {
                if clears > 0 && random.below(1 + 6000 / clears) == 0 {
                    return clear;
                }
                let code = match random.below(newest) {
                    // What it completes itself, and what was added last: long strings.
                    0 => next - random.below(3),
                    _ => random.below(next),
                };
                // The end, and codes that do not exist, come now and then.
                match random.below(4000) {
                    0 => clear + 1,
                    1 => next + 1,
                    _ if code == clear || code == clear + 1 => 0,
                    _ => code.min(4095),
                }
            });
            assert_like_the_reference(bits, &packed);
        }
    }

    #[test]
    fn noise_is_read_as_the_reference_reads_it() {
        let mut random = Random(1);
        for round in 0..2000 {
            let bits = u8::try_from(1 + round % 8).unwrap();
            let packed: Vec<u8> = (0..=random.below(60))
                .map(|_| u8::try_from(random.below(256)).unwrap())
                .collect();
            assert_like_the_reference(bits, &packed);
        }
    }

    #[test]
    fn strings_as_long_as_the_table_fit() {
        // Every code completes itself: strings of 1, 2, 3, … equal pixels until the table is full.
        // No more of them than that: three times 9 MB have to fit into the memory of a wasm.
        let packed = pack(8, 4200, |_, next| match next {
            258 => 7,
            _ => (next).min(4095),
        });
        let (pixels, is_over) = unpack(8, &packed, 255);
        assert!(!is_over && pixels.iter().all(|&pixel| pixel == 7));
        assert_like_the_reference(8, &packed);
    }
}
