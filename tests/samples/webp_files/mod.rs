//! Lossless images in WebP with as many prefix codes as the format allows, in few bytes.
#![allow(clippy::cast_possible_truncation, reason = "files are small")]

/// Bits, the lowest of a byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn put(&mut self, value: u32, count: usize) {
        for bit in 0..count {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= ((value >> bit & 1) as u8) << (self.count % 8);
            self.count += 1;
        }
    }

    /// A code of one symbol.
    fn single(&mut self, symbol: u32) {
        self.put(0b101, 3);
        self.put(symbol, 8);
    }

    /// A code of two symbols: a bit for each.
    fn pair(&mut self, zero: u32, one: u32) {
        self.put(0b111, 3);
        self.put(zero, 8);
        self.put(one, 8);
    }

    /// A code of 256 symbols with eight bits each, which is a table of a KiB.
    fn full(&mut self) {
        self.put(0, 1);
        // Twelve lengths of the code for lengths, of which only that of "eight" is used.
        self.put(12 - 4, 4);
        for _ in 0..11 {
            self.put(0, 3);
        }
        self.put(1, 3);
        // That code is used 256 times, and takes no bits.
        self.put(1, 1);
        self.put(3, 3);
        self.put(254, 8);
    }
}

/// A lossless image of that size with so many groups of codes, 4.4 KiB of tables each. At least two groups, and
/// at most one for each 4x4 pixels, and 65,536.
pub fn with_groups(width: u32, height: u32, groups: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x2f, 8);
    bits.put(width - 1, 14);
    bits.put(height - 1, 14);
    bits.put(0, 4);
    // No transform, no cache; groups by blocks of 4x4.
    bits.put(0, 2);
    bits.put(1, 1);
    bits.put(0, 3);
    // The map: all of it the first group, but for the last pixel.
    bits.put(0, 1);
    let last = groups - 1;
    bits.pair(0, last & 255);
    bits.pair(0, last >> 8);
    for _ in 0..3 {
        bits.single(0);
    }
    for _ in 1..width.div_ceil(4) * height.div_ceil(4) {
        bits.put(0, 2);
    }
    bits.put(3, 2);
    for _ in 0..groups {
        for _ in 0..4 {
            bits.full();
        }
        bits.single(0);
    }
    // Pixels of 32 bits.
    let mut bytes = bits.bytes;
    bytes.resize(bytes.len() + (width * height * 4) as usize, 0x5a);
    let padded = bytes.len().next_multiple_of(2);
    let head = [
        &b"RIFF"[..],
        &(padded as u32 + 12).to_le_bytes(),
        b"WEBPVP8L",
        &(bytes.len() as u32).to_le_bytes(),
    ];
    let mut file = head.concat();
    file.extend(bytes);
    file.resize(20 + padded, 0);
    file
}
