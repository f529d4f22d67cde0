//! How much the prefix codes of a lossless image take as tables.
//!
//! An image may have 65,536 groups of five codes (WebP Lossless Bitstream Specification, section 6.2.2), whose
//! tables take a hundred times what they take in the file, and more than a gigabyte. The decoder builds them all before it
//! decodes a pixel, so that the file is read up to there beforehand, and nothing of it is kept.

/// Codes of a group: green with lengths and cached colors, red, blue, alpha, distances.
const ALPHABETS: [usize; 5] = [256 + 24, 256, 256, 256, 40];
/// What a group takes beside its tables: five times what tells a code with one symbol from one with a table.
const GROUP_BYTES: u64 = 5 * 64;
/// Codes of more bits than that have a tree beside their table.
const TABLE_BITS: u32 = 10;
/// The nodes of a tree for each symbol in it: itself, and where its code leaves another one.
const NODES_BYTES: u64 = 2 * 16;
/// The nodes of a code of two symbols.
const PAIR_BYTES: u64 = 3 * 16;
/// The longest code (section 6.2.1).
const MAX_BITS: usize = 15;
/// The order of the lengths of the code that codes lengths (section 6.2.1).
const LENGTH_ORDER: [usize; 19] = [
    17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
];
/// Distances up to here are places above and beside a pixel (section 5.2.2).
const NEAR: usize = 120;
/// The places: rows up times 16, plus 8, less columns to the left.
const NEAR_PLACES: [u8; NEAR] = [
    0x18, 0x07, 0x17, 0x19, 0x28, 0x06, 0x27, 0x29, 0x16, 0x1a, 0x26, 0x2a, 0x38, 0x05, 0x37, 0x39,
    0x15, 0x1b, 0x36, 0x3a, 0x25, 0x2b, 0x48, 0x04, 0x47, 0x49, 0x14, 0x1c, 0x35, 0x3b, 0x46, 0x4a,
    0x24, 0x2c, 0x58, 0x45, 0x4b, 0x34, 0x3c, 0x03, 0x57, 0x59, 0x13, 0x1d, 0x56, 0x5a, 0x23, 0x2d,
    0x44, 0x4c, 0x55, 0x5b, 0x33, 0x3d, 0x68, 0x02, 0x67, 0x69, 0x12, 0x1e, 0x66, 0x6a, 0x22, 0x2e,
    0x54, 0x5c, 0x43, 0x4d, 0x65, 0x6b, 0x32, 0x3e, 0x78, 0x01, 0x77, 0x79, 0x53, 0x5d, 0x11, 0x1f,
    0x64, 0x6c, 0x42, 0x4e, 0x76, 0x7a, 0x21, 0x2f, 0x75, 0x7b, 0x31, 0x3f, 0x63, 0x6d, 0x52, 0x5e,
    0x00, 0x74, 0x7c, 0x41, 0x4f, 0x10, 0x20, 0x62, 0x6e, 0x30, 0x73, 0x7d, 0x51, 0x5f, 0x40, 0x72,
    0x7e, 0x61, 0x6f, 0x50, 0x71, 0x7f, 0x60, 0x70,
];

/// Says how many bytes the tables take that a decoder builds for the data of an image of that size,
/// from behind its header on; beyond `most` it may stop counting. Data that are cut or damaged count up to there.
pub fn table_bytes(data: &[u8], (width, height): (u32, u32), most: u64) -> u64 {
    let mut scan = Scan {
        bits: Bits { data, at: 0 },
        bytes: 0,
        most,
    };
    scan.picture(width, height);
    scan.bytes
}

/// Bits, the lowest of a byte first. Behind the end there are none.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn one(&mut self) -> Option<usize> {
        let byte = *self.data.get(self.at / 8)?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Some(bit.into())
    }

    fn take(&mut self, count: usize) -> Option<usize> {
        (0..count).try_fold(0, |value, index| Some(value | self.one()? << index))
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.one()? == 1)
    }
}

/// A canonical code: how many symbols have each length, and the symbols in order of their codes.
struct Code {
    counts: [u16; MAX_BITS + 1],
    symbols: Vec<u16>,
}

impl Code {
    // The decoder checks that the lengths make a code; here wrong ones only need to be counted.
    fn of_lengths(lengths: &[u8]) -> Self {
        let mut counts = [0; MAX_BITS + 1];
        let mut symbols = Vec::new();
        // No alphabet has more than 2,328 symbols.
        let all = || (0_u16..).zip(lengths).filter(|(_, length)| **length > 0);
        for (_, length) in all() {
            counts[usize::from(*length)] += 1;
        }
        for length in 1..=MAX_BITS {
            let same = all().filter(|(_, of)| usize::from(**of) == length);
            symbols.extend(same.map(|(symbol, _)| symbol));
        }
        Self { counts, symbols }
    }

    fn of_symbols(symbols: Vec<u16>) -> Self {
        let mut counts = [0; MAX_BITS + 1];
        counts[1] = symbols.len() as u16;
        Self { counts, symbols }
    }

    /// What the decoder's table of it takes.
    fn bytes(&self) -> u64 {
        // A code of one symbol has no bits, so there is no table.
        if self.symbols.len() < 2 {
            return 0;
        }
        let longest = self
            .counts
            .iter()
            .rposition(|&count| count > 0)
            .unwrap_or(0) as u32;
        let in_tree = self.counts[TABLE_BITS as usize + 1..].iter();
        let in_tree = in_tree.map(|&count| u64::from(count)).sum::<u64>();
        let table = 4_u64 << longest.min(TABLE_BITS);
        table
            + in_tree * NODES_BYTES
            + if self.symbols.len() == 2 {
                PAIR_BYTES
            } else {
                0
            }
    }

    fn read(&self, bits: &mut Bits<'_>) -> Option<usize> {
        if let [only] = *self.symbols {
            return Some(only.into());
        }
        // Bit by bit, as in zlib's puff: the codes of a length are the numbers from `first` on.
        // Slow, but only images that are small beside the image are read like this.
        let (mut code, mut first, mut index) = (0_usize, 0_usize, 0_usize);
        for &count in &self.counts[1..] {
            let count = usize::from(count);
            code |= bits.one()?;
            if code < first + count {
                return self
                    .symbols
                    .get(index + code - first)
                    .map(|&symbol| symbol.into());
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

struct Scan<'a> {
    bits: Bits<'a>,
    bytes: u64,
    most: u64,
}

impl Scan<'_> {
    /// Everything up to the codes of the image itself (section 7.3).
    fn picture(&mut self, mut width: u32, height: u32) -> Option<()> {
        while self.bits.flag()? {
            match self.bits.take(2)? {
                // Predictors, and colors from one another: a pixel for each block.
                0 | 1 => {
                    let block = self.bits.take(3)? + 2;
                    self.image(blocks(width, block), blocks(height, block))?;
                }
                // Subtracting green has no data (section 4.3).
                2 => {}
                _ => {
                    let colors = self.bits.take(8)? + 1;
                    self.image(colors, 1)?;
                    // Where colors are few, pixels share a byte: indices have 1, 2 or 4 bits (section 4.4).
                    let packed = match colors {
                        ..=2 => 3,
                        3..=4 => 2,
                        5..=16 => 1,
                        _ => 0,
                    };
                    width = width.div_ceil(1 << packed);
                }
            }
        }
        let cache_bits = self.cache_bits()?;
        let mut groups = 1;
        if self.bits.flag()? {
            let block = self.bits.take(3)? + 2;
            let map = self.image(blocks(width, block), blocks(height, block))?;
            // The number of a group stands in red and green.
            let last = map.iter().map(|pixel| pixel >> 8 & 0xffff).max();
            groups += last.unwrap_or(0);
        }
        for _ in 0..groups {
            for code in self.group(cache_bits)? {
                self.bytes += code.bytes();
            }
            self.bytes += GROUP_BYTES;
            // It is refused already, and 65,536 groups take long to count.
            if self.bytes > self.most {
                break;
            }
        }
        Some(())
    }

    fn cache_bits(&mut self) -> Option<usize> {
        if !self.bits.flag()? {
            return Some(0);
        }
        // Other sizes are illegal (section 5.2.3).
        Some(self.bits.take(4)?).filter(|bits| (1..=11).contains(bits))
    }

    fn group(&mut self, cache_bits: usize) -> Option<[Code; 5]> {
        let cached = if cache_bits > 0 { 1 << cache_bits } else { 0 };
        Some([
            self.code(ALPHABETS[0] + cached)?,
            self.code(ALPHABETS[1])?,
            self.code(ALPHABETS[2])?,
            self.code(ALPHABETS[3])?,
            self.code(ALPHABETS[4])?,
        ])
    }

    /// A code (section 6.2.1).
    fn code(&mut self, alphabet: usize) -> Option<Code> {
        if self.bits.flag()? {
            let is_pair = self.bits.flag()?;
            // A simple code gives its symbols instead of lengths (section 6.2.1).
            let first_bits = if self.bits.flag()? { 8 } else { 1 };
            let mut symbols = vec![self.bits.take(first_bits)? as u16];
            if is_pair {
                symbols.push(self.bits.take(8)? as u16);
            }
            return Some(Code::of_symbols(symbols));
        }
        let mut lengths = [0; LENGTH_ORDER.len()];
        let count = self.bits.take(4)? + 4;
        for &symbol in LENGTH_ORDER.iter().take(count) {
            lengths[symbol] = self.bits.take(3)? as u8;
        }
        let lengths = self.lengths(&Code::of_lengths(&lengths), alphabet)?;
        Some(Code::of_lengths(&lengths))
    }

    fn lengths(&mut self, code: &Code, alphabet: usize) -> Option<Vec<u8>> {
        let mut left = alphabet;
        if self.bits.flag()? {
            let bits = 2 + 2 * self.bits.take(3)?;
            // The data may give only the first lengths: the others are 0.
            left = 2 + self.bits.take(bits)?;
        }
        let mut lengths = Vec::with_capacity(alphabet);
        // Symbol 16 repeats an 8 if no length came before (section 6.2.1).
        let mut last = 8;
        while lengths.len() < alphabet && left > 0 {
            left -= 1;
            let (length, extra, least) = match code.read(&mut self.bits)? {
                length @ 0..16 => {
                    lengths.push(length as u8);
                    if length > 0 {
                        last = length as u8;
                    }
                    continue;
                }
                16 => (last, 2, 3),
                17 => (0, 3, 3),
                _ => (0, 7, 11),
            };
            let count = self.bits.take(extra)? + least;
            lengths.resize((lengths.len() + count).min(alphabet), length);
        }
        Some(lengths)
    }

    /// The pixels of an image that says something about the image, as 0xAARRGGBB (section 5.2).
    fn image(&mut self, width: usize, height: usize) -> Option<Vec<u32>> {
        let cache_bits = self.cache_bits()?;
        let mut cache = vec![0_u32; if cache_bits > 0 { 1 << cache_bits } else { 0 }];
        // The hash of section 5.2.3. Only used with a cache, as a shift by 32 overflows.
        let slot = |pixel: u32| (pixel.wrapping_mul(0x1e35_a7bd) >> (32 - cache_bits)) as usize;
        let [green, red, blue, alpha, distances] = self.group(cache_bits)?;
        let mut pixels = Vec::new();
        pixels.try_reserve_exact(width * height).ok()?;
        pixels.resize(width * height, 0_u32);
        let mut at = 0;
        while at < pixels.len() {
            let symbol = green.read(&mut self.bits)?;
            match symbol {
                0..256 => {
                    let (red, blue) = (red.read(&mut self.bits)?, blue.read(&mut self.bits)?);
                    let alpha = alpha.read(&mut self.bits)?;
                    pixels[at] = (alpha << 24 | red << 16 | symbol << 8 | blue) as u32;
                }
                256..280 => {
                    let length = self.number(symbol - 256)?;
                    let distance = distances.read(&mut self.bits)?;
                    let distance = distance_of(self.number(distance)?, width);
                    if distance > at || length > pixels.len() - at {
                        return None;
                    }
                    // Pixel by pixel, because a repetition may read what it has just written.
                    for index in at..at + length {
                        pixels[index] = pixels[index - distance];
                        if cache_bits > 0 {
                            cache[slot(pixels[index])] = pixels[index];
                        }
                    }
                    at += length;
                    continue;
                }
                _ => pixels[at] = *cache.get(symbol - 280)?,
            }
            if cache_bits > 0 {
                cache[slot(pixels[at])] = pixels[at];
            }
            at += 1;
        }
        Some(pixels)
    }

    /// A length or a distance: its symbol says how many bits follow (section 5.2.2).
    fn number(&mut self, symbol: usize) -> Option<usize> {
        if symbol < 4 {
            return Some(symbol + 1);
        }
        let extra = (symbol - 2) >> 1;
        let base = (2 + (symbol & 1)) << extra;
        Some(base + self.bits.take(extra)? + 1)
    }
}

/// How far back a distance is.
fn distance_of(code: usize, width: usize) -> usize {
    match NEAR_PLACES.get(code - 1) {
        Some(&place) => {
            let (up, column) = (usize::from(place >> 4), usize::from(place & 15));
            // In a narrow image a place may not lie before the pixel: it counts as the last one (section 5.2.2).
            (up * width + 8).saturating_sub(column).max(1)
        }
        None => code - NEAR,
    }
}

fn blocks(side: u32, bits: usize) -> usize {
    side.div_ceil(1 << bits) as usize
}
