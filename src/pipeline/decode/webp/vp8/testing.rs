//! Writes VP8 frames, to have something to decode.

use super::token_tables::UPDATE_PROBS;

/// Repeatable noise.
pub struct Random(pub u32);

impl Random {
    pub fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % end
    }

    pub fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }
}

/// The encoder of section 7.3.
pub struct BoolEncoder {
    out: Vec<u8>,
    range: u32,
    bottom: u32,
    bit_count: i32,
}

impl BoolEncoder {
    pub fn new() -> Self {
        Self {
            out: Vec::new(),
            range: 255,
            bottom: 0,
            bit_count: 24,
        }
    }

    pub fn put(&mut self, probability: u8, bit: bool) {
        let split = 1 + (((self.range - 1) * u32::from(probability)) >> 8);
        if bit {
            let (sum, carry) = self.bottom.overflowing_add(split);
            self.bottom = sum;
            if carry {
                self.carry();
            }
            self.range -= split;
        } else {
            self.range = split;
        }
        while self.range < 128 {
            self.range <<= 1;
            if self.bottom & (1 << 31) != 0 {
                self.carry();
            }
            self.bottom <<= 1;
            self.bit_count -= 1;
            if self.bit_count == 0 {
                self.out.push((self.bottom >> 24) as u8);
                self.bottom &= (1 << 24) - 1;
                self.bit_count = 8;
            }
        }
    }

    pub fn literal(&mut self, count: u32, value: u32) {
        for place in (0..count).rev() {
            self.put(128, (value >> place) & 1 != 0);
        }
    }

    fn carry(&mut self) {
        for byte in self.out.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    pub fn finish(mut self) -> Vec<u8> {
        for _ in 0..40 {
            self.put(128, false);
        }
        self.out
    }
}

/// A frame with a random header and random modes and coefficients: any bits are some image.
///
/// Steps are small, so that no coefficient leaves the 16 bits that legal ones have.
pub fn random_frame(random: &mut Random, width: u16, height: u16) -> Vec<u8> {
    let mut bits = BoolEncoder::new();
    bits.literal(2, 0);
    put_segmentation(&mut bits, random);
    put_filter(&mut bits, random);
    let partition_bits = random.below(4);
    bits.literal(2, partition_bits);
    bits.literal(7, random.below(4));
    for _ in 0..5 {
        put_optional(&mut bits, random, 4, 2);
    }
    bits.literal(1, 0);
    for update in UPDATE_PROBS.as_flattened().as_flattened().as_flattened() {
        let updates = random.below(40) == 0;
        bits.put(*update, updates);
        if updates {
            bits.literal(8, 1 + random.below(255));
        }
    }
    let has_skips = random.flag();
    bits.literal(1, u32::from(has_skips));
    if has_skips {
        bits.literal(8, 128);
    }
    let macroblocks = usize::from(width.div_ceil(16)) * usize::from(height.div_ceil(16));
    let mut first = bits.finish();
    first.truncate(first.len() - 4);
    first.extend(random.bytes(30 * macroblocks + 64));

    let tag = (first.len() as u32) << 5 | 1 << 4;
    let mut frame = tag.to_le_bytes()[..3].to_vec();
    frame.extend([0x9d, 0x01, 0x2a]);
    frame.extend(width.to_le_bytes());
    frame.extend(height.to_le_bytes());
    frame.extend(first);
    let partition = 800 * macroblocks + 64;
    for _ in 1..1 << partition_bits {
        frame.extend(&(partition as u32).to_le_bytes()[..3]);
    }
    frame.extend(random.bytes(partition << partition_bits));
    frame
}

fn put_optional(bits: &mut BoolEncoder, random: &mut Random, count: u32, below: u32) {
    let is_present = random.flag();
    bits.literal(1, u32::from(is_present));
    if is_present {
        bits.literal(count, random.below(below));
        bits.literal(1, random.below(2));
    }
}

fn put_segmentation(bits: &mut BoolEncoder, random: &mut Random) {
    let enabled = random.flag();
    bits.literal(1, u32::from(enabled));
    if !enabled {
        return;
    }
    let updates_map = random.flag();
    let updates_data = random.flag();
    bits.literal(1, u32::from(updates_map));
    bits.literal(1, u32::from(updates_data));
    if updates_data {
        bits.literal(1, random.below(2));
        for _ in 0..4 {
            put_optional(bits, random, 7, 4);
        }
        for _ in 0..4 {
            put_optional(bits, random, 6, 64);
        }
    }
    if updates_map {
        for _ in 0..3 {
            bits.literal(1, 1);
            bits.literal(8, 1 + random.below(255));
        }
    }
}

fn put_filter(bits: &mut BoolEncoder, random: &mut Random) {
    bits.literal(1, random.below(2));
    bits.literal(6, random.below(64));
    bits.literal(3, random.below(8));
    let has_deltas = random.flag();
    bits.literal(1, u32::from(has_deltas));
    if has_deltas {
        bits.literal(1, 1);
        for _ in 0..8 {
            put_optional(bits, random, 6, 32);
        }
    }
}
