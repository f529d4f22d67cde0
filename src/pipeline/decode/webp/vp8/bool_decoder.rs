//! The boolean entropy decoder (RFC 6386, section 7).

/// Reads bits of given probability from one partition.
///
/// `value` holds the bits that were fetched and not yet used, `bits` says how many of them
/// lie below the eight that the next decision compares; it is negative when those eight are not complete.
#[derive(Debug, Clone, Copy)]
pub struct BoolDecoder<'a> {
    rest: &'a [u8],
    value: u64,
    /// The specification's `range` less one, so that it fits the comparison as it is.
    range: u32,
    bits: i32,
    past_end: bool,
}

/// Bytes fetched at once; with the eight bits in use they fill a word.
const REFILL_BYTES: usize = 7;

impl<'a> BoolDecoder<'a> {
    /// Starts at the first byte of a partition.
    pub fn new(partition: &'a [u8]) -> Self {
        let mut decoder = Self {
            rest: partition,
            value: 0,
            range: 254,
            // Not even the eight bits that a decision compares are there.
            bits: -8,
            past_end: false,
        };
        decoder.refill();
        decoder
    }

    /// Whether more bits were read than the partition has; those read as zeros.
    pub fn is_past_end(&self) -> bool {
        self.past_end
    }

    #[inline(always)]
    fn refill(&mut self) {
        if let Some((word, _)) = self.rest.split_first_chunk::<8>() {
            // Seven bytes of eight, so that the eight bits in use keep their place above them.
            let fetched = u64::from_be_bytes(*word) >> 8;
            self.value = (self.value << (8 * REFILL_BYTES)) | fetched;
            self.bits += 8 * REFILL_BYTES as i32;
            self.rest = &self.rest[REFILL_BYTES..];
        } else {
            self.refill_slowly();
        }
    }

    #[cold]
    #[inline(never)]
    fn refill_slowly(&mut self) {
        let byte = if let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            byte
        } else {
            // Noted, not refused here: the caller asks once for each macroblock.
            self.past_end = true;
            0
        };
        self.value = (self.value << 8) | u64::from(byte);
        self.bits += 8;
    }

    /// Reads one bit that is 0 with a probability of `probability / 256`.
    #[inline(always)]
    pub fn bit(&mut self, probability: u8) -> bool {
        if self.bits < 0 {
            self.refill();
        }
        // RFC 6386, section 7.3, has 1 + (((range - 1) * probability) >> 8): both are one less here.
        let split = (self.range * u32::from(probability)) >> 8;
        // From 0 to 55 after a refill; the mask shows the compiler that the shift is in range.
        let shift = (self.bits & 63) as u32;
        let is_one = (self.value >> shift) as u32 > split;
        let range = if is_one {
            self.value -= u64::from(split + 1) << shift;
            self.range - split
        } else {
            split + 1
        };
        // The range stays within 1…255: normalize it to have its eighth bit set.
        let normalize = range.leading_zeros() & 7;
        self.range = (range << normalize) - 1;
        self.bits -= normalize as i32;
        is_one
    }

    /// Gives `magnitude` a sign, which is one bit of even probability.
    #[inline(always)]
    pub fn signed(&mut self, magnitude: i32) -> i32 {
        if self.bits < 0 {
            self.refill();
        }
        // As with a probability of 128 of 256.
        let split = self.range >> 1;
        let shift = (self.bits & 63) as u32;
        let head = (self.value >> shift) as u32;
        // All ones when the bit is 1. Both halves of the range normalize by one place.
        let mask = (split.wrapping_sub(head) as i32) >> 31;
        self.value -= u64::from((split + 1) & mask as u32) << shift;
        self.range = self.range.wrapping_add(mask as u32) | 1;
        self.bits -= 1;
        (magnitude ^ mask) - mask
    }

    /// Reads a bit of even probability.
    pub fn flag(&mut self) -> bool {
        self.bit(128)
    }

    /// Reads an unsigned number of `count` bits, the highest first.
    pub fn literal(&mut self, count: u32) -> u32 {
        (0..count).fold(0, |value, _| (value << 1) | u32::from(self.flag()))
    }

    /// Reads a number of `count` bits and its sign, or nothing where a flag says that it is absent.
    pub fn optional_signed(&mut self, count: u32) -> Option<i32> {
        self.flag().then(|| {
            let magnitude = self.literal(count) as i32;
            if self.flag() { -magnitude } else { magnitude }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::BoolEncoder;
    use super::*;

    #[test]
    fn decodes_what_the_reference_encoder_wrote() {
        let mut state = 12345_u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        let bits: Vec<(u8, bool)> = (0..5000)
            .map(|_| {
                let probability = (random() % 255 + 1) as u8;
                (probability, random() % 256 >= u32::from(probability))
            })
            .collect();
        let mut encoder = BoolEncoder::new();
        for &(probability, bit) in &bits {
            encoder.put(probability, bit);
        }
        let bytes = encoder.finish();
        let mut decoder = BoolDecoder::new(&bytes);
        for (index, &(probability, bit)) in bits.iter().enumerate() {
            assert_eq!(decoder.bit(probability), bit, "bit {index}");
        }
        assert!(!decoder.is_past_end());
    }

    #[test]
    fn a_sign_is_an_even_bit() {
        let bytes: Vec<u8> = (0..200_u32).map(|i| (i * 77 + 13) as u8).collect();
        let (mut a, mut b) = (BoolDecoder::new(&bytes), BoolDecoder::new(&bytes));
        for i in 0..300 {
            // Never the first bit of a partition: there the range is wider than it can be later.
            assert_eq!(a.bit(200), b.bit(200));
            let expected = if a.bit(128) { -i } else { i };
            assert_eq!(b.signed(i), expected);
        }
    }

    #[test]
    fn reading_past_the_end_is_noticed() {
        let mut decoder = BoolDecoder::new(&[0xff; 3]);
        for _ in 0..100 {
            decoder.flag();
        }
        assert!(decoder.is_past_end());
        assert!(!BoolDecoder::new(&[1]).is_past_end());
    }
}
