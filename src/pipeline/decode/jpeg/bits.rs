//! Reads bits out of entropy-coded data (T.81 F.2.2.5): stuffed zeros are dropped, markers stop it.

/// A table that no data can fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Corrupt;

/// The bits that were taken from the bytes and not used yet; it outlives a chunk of input.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BitState {
    /// The next bit is the highest one; what is below `count` is zero.
    bits: u64,
    count: u32,
    /// Zero bits that were made up because the data had ended.
    padding: u32,
    /// Whether there was a code that its table has not.
    is_corrupt: bool,
}

/// A cursor over bytes with a 64-bit window.
///
/// All its parts are plain values and its cold paths take and return values,
/// so that the compiler keeps it in registers (in wasm: in locals) throughout a loop.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    pos: usize,
    state: BitState,
}

impl BitState {
    /// Whether there was a code that its table has not.
    pub(super) fn is_corrupt(self) -> bool {
        self.is_corrupt
    }
}

impl<'a> BitReader<'a> {
    #[inline]
    pub(super) fn resume(data: &'a [u8], pos: usize, state: BitState) -> Self {
        Self { data, pos, state }
    }

    /// Where the next byte would be taken from: never past a marker.
    #[inline]
    pub(super) fn pos(&self) -> usize {
        self.pos
    }

    #[inline]
    pub(super) fn state(&self) -> BitState {
        self.state
    }

    /// How many bits can be used before the next [`Self::refill`].
    #[inline]
    pub(super) fn available(&self) -> u32 {
        self.state.count
    }

    /// Whether bits were used that the data did not have.
    #[inline]
    pub(super) fn exhausted(&self) -> bool {
        // Made up bits come last: if fewer are left than were made up, some were used.
        self.state.count < self.state.padding
    }

    /// Notes a code that its table has not.
    #[inline]
    pub(super) fn note_corrupt(&mut self) {
        self.state.is_corrupt = true;
    }

    /// Makes at least 32 bits available, made up ones if need be.
    #[inline]
    pub(super) fn refill(&mut self) {
        // Enough for a code of up to 17 bits and the 15 bits of a value.
        if self.state.count >= 32 {
            return;
        }
        // Four bytes at once, unless one of them may be stuffed or a marker (T.81 B.1.1.5).
        if let Some(next) = self.data.get(self.pos..).and_then(<[u8]>::first_chunk) {
            let word = u32::from_be_bytes(*next);
            let inverse = !word;
            // Not zero if some byte of `inverse` is zero, that is if some byte of `word` is 0xFF.
            if inverse.wrapping_sub(0x0101_0101) & word & 0x8080_8080 == 0 {
                // Fewer than 32 bits are left, so that a word of four bytes fits after them.
                self.state.bits |= u64::from(word) << (32 - self.state.count);
                self.state.count += 32;
                self.pos += 4;
                return;
            }
        }
        (self.pos, self.state) = refill_bytewise(self.data, self.pos, self.state);
    }

    /// The next `n` bits (1…32) without using them.
    #[inline]
    pub(super) fn peek(&self, n: u32) -> usize {
        (self.state.bits >> (64 - n)) as usize
    }

    /// Uses `n` bits (0…32), which [`Self::refill`] made available.
    #[inline]
    pub(super) fn consume(&mut self, n: u32) {
        self.state.bits <<= n;
        self.state.count = self.state.count.wrapping_sub(n);
    }

    /// Uses the next `n` bits (0…16) and returns them as a number.
    #[inline]
    pub(super) fn take(&mut self, n: u32) -> i32 {
        // In two steps, because `n` may be 0, and a shift by 64 is none.
        let value = (self.state.bits >> 1 >> (63 - n)) as i32;
        self.consume(n);
        value
    }

    /// Uses the `n` bits (0…16) of a signed value (T.81 F.2.2.1, EXTEND).
    #[inline]
    pub(super) fn take_signed(&mut self, n: u32) -> i32 {
        let value = self.take(n);
        extend(value, n)
    }
}

/// The signed value whose `n` magnitude bits are `value` (T.81 F.2.2.1).
#[inline]
pub(super) fn extend(value: i32, n: u32) -> i32 {
    // The highest bit is the sign: values that begin with 0 are negative, counted from -(2^n - 1).
    if n > 0 && value >> (n - 1) == 0 {
        value - (1 << n) + 1
    } else {
        value
    }
}

#[cold]
#[inline(never)]
fn refill_bytewise(data: &[u8], mut pos: usize, mut state: BitState) -> (usize, BitState) {
    // While a whole byte fits.
    while state.count <= 56 {
        let byte = match (data.get(pos), data.get(pos + 1)) {
            // A stuffed zero (T.81 F.1.2.3).
            (Some(0xFF), Some(0)) => {
                pos += 2;
                0xFF
            }
            // One fill byte before a stuffed pair, as `find_marker` has it.
            (Some(0xFF), Some(0xFF)) if data.get(pos + 2) == Some(&0) => {
                pos += 3;
                0xFF
            }
            // A marker, or the end: the data stay where they are, and zeros are made up (T.81 F.2.2.5).
            (Some(0xFF) | None, _) => {
                state.padding = state.padding.saturating_add(8);
                0
            }
            (Some(&byte), _) => {
                pos += 1;
                byte
            }
        };
        state.bits |= u64::from(byte) << (56 - state.count);
        state.count += 8;
    }
    (pos, state)
}

/// The first marker prefix at or after `from`: an 0xFF that no zero follows, nor a second one and a zero.
///
/// Bytes of 0xFF may fill up before a marker and, as libjpeg has it, before a stuffed zero (T.81 B.1.1.2);
/// here only one, so that the bytes of an MCU stay bounded: it is what a flipped bit makes.
///
/// `Err` is where to look again when there is more data: everything before it is free of markers.
pub(super) fn find_marker(data: &[u8], from: usize) -> Result<usize, usize> {
    let mut pos = from;
    loop {
        pos = find_ff(data, pos);
        match data.get(pos + 1) {
            None => return Err(pos.min(data.len())),
            Some(0) => pos += 2,
            Some(0xFF) => match data.get(pos + 2) {
                None => return Err(pos),
                Some(0) => pos += 3,
                Some(_) => return Ok(pos),
            },
            Some(_) => return Ok(pos),
        }
    }
}

/// The first 0xFF at or after `from`, or the length of the data.
fn find_ff(data: &[u8], from: usize) -> usize {
    let rest = data.get(from..).unwrap_or_default();
    let (words, _) = rest.as_chunks::<8>();
    // Markers are rare, so that blocks without 0xFF are passed over 32 bytes at a time.
    let (blocks, _) = words.as_chunks::<4>();
    let clean = blocks.iter().take_while(|block| !has_ff(block)).count() * 32;
    let tail = rest.get(clean..).unwrap_or_default();
    let found = tail.iter().position(|&byte| byte == 0xFF);
    from + clean + found.unwrap_or(tail.len())
}

/// Whether one of 32 bytes is 0xFF; without a branch, so that it becomes vector operations.
#[inline]
fn has_ff(block: &[[u8; 8]; 4]) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let marks = block.iter().fold(0, |marks, word| {
        // Any byte order: only whether there is one matters, not where.
        let word = u64::from_ne_bytes(*word);
        marks | (!word).wrapping_sub(LOW) & word
    });
    marks & (LOW << 7) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_stuffing_and_stops_at_markers() {
        let data = [0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD9, 0x56];
        let mut reader = BitReader::resume(&data, 0, BitState::default());
        reader.refill();
        assert_eq!(reader.take(8), 0x12);
        assert_eq!(reader.take(8), 0xFF);
        assert!(!reader.exhausted());
        assert_eq!(reader.take(8), 0x34);
        assert_eq!(reader.pos(), 4);
        assert!(!reader.exhausted());
        assert_eq!(reader.take(1), 0);
        assert!(reader.exhausted());
        for _ in 0..100 {
            reader.refill();
            assert_eq!(reader.take(16), 0);
        }
        assert!(reader.exhausted());
    }

    #[test]
    fn a_byte_that_fills_up_is_dropped() {
        let data = [0x12, 0xFF, 0xFF, 0x00, 0x34, 0xFF, 0xFF, 0xD9];
        let mut reader = BitReader::resume(&data, 0, BitState::default());
        reader.refill();
        assert_eq!([(); 3].map(|()| reader.take(8)), [0x12, 0xFF, 0x34]);
        assert_eq!((reader.pos(), reader.exhausted()), (5, false));
        assert_eq!(find_marker(&data, 0), Ok(5));
        for end in 0..7 {
            assert!(find_marker(&data[..end], 0).is_err_and(|at| at <= end));
        }
    }

    #[test]
    fn whole_words_and_single_bytes_agree() {
        let data: Vec<u8> = (0..=254).collect();
        let mut reader = BitReader::resume(&data, 0, BitState::default());
        for want in 0..=254 {
            reader.refill();
            assert_eq!(reader.take(8), want);
        }
        assert!(!reader.exhausted());
    }

    #[test]
    fn extends_signs_as_the_standard_says() {
        for (value, n, want) in [
            (0, 0, 0),
            (0, 1, -1),
            (1, 1, 1),
            (0, 2, -3),
            (1, 2, -2),
            (2, 2, 2),
            (0, 15, -32767),
        ] {
            assert_eq!(extend(value, n), want);
        }
    }

    #[test]
    fn finds_markers_in_any_position() {
        for at in 0..100 {
            let mut data = vec![7; 120];
            data[at / 2] = 0xFF;
            data[at / 2 + 1] = 0;
            assert_eq!(find_marker(&data, 0), Err(120), "{at}");
            data[at + 2] = 0xFF;
            assert_eq!(find_marker(&data, 0), Ok(at + 2), "{at}");
            assert_eq!(find_marker(&data[..at + 3], 0), Err(at + 2), "{at}");
        }
        assert_eq!(find_marker(&[], 0), Err(0));
        assert_eq!(find_marker(&[1], 5), Err(1));
    }
}
