//! The tables of T.81, Annex K, that baseline files are written with.

use super::super::super::decode::jpeg::ZIGZAG;

/// Quantisation of luma at quality 50 (table K.1), in rows.
const LUMA: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// Quantisation of chroma at quality 50 (table K.2): 99 beyond these.
const CHROMA: [[u8; 4]; 4] = [
    [17, 18, 24, 47],
    [18, 21, 26, 66],
    [24, 26, 56, 99],
    [47, 66, 99, 99],
];

/// Which of the two sets of tables a component has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Luma,
    Chroma,
}

/// Divides coefficients that are 8 times too large.
#[derive(Debug)]
pub(super) struct Quantizer {
    /// What is written into the file, in rows.
    pub(super) divisors: [u8; 64],
    reciprocals: [i32; 64],
    corrections: [i32; 64],
}

/// Bits behind the point of a reciprocal.
const RECIPROCAL_BITS: u32 = 15;

impl Quantizer {
    /// The table of a class at a quality of 1 to 100.
    pub(super) fn new(class: Class, quality: u8) -> Self {
        let mut quantizer = Self {
            divisors: divisors(class, quality),
            reciprocals: [1; 64],
            corrections: [0; 64],
        };
        for (at, divisor) in quantizer.divisors.into_iter().enumerate() {
            let divisor = 8 * i32::from(divisor);
            let (whole, rest) = (
                (1 << RECIPROCAL_BITS) / divisor,
                (1 << RECIPROCAL_BITS) % divisor,
            );
            let half = divisor / 2;
            // Where the reciprocal is rounded down, what is divided is rounded up.
            let (reciprocal, correction) = match rest {
                0 => (whole, half),
                rest if rest <= half => (whole, half + 1),
                _ => (whole + 1, half),
            };
            quantizer.reciprocals[at] = reciprocal;
            quantizer.corrections[at] = correction;
        }
        quantizer
    }

    /// Divides a block in rows and rounds.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "coefficients of 8-bit samples have at most 11 bits"
    )]
    pub(super) fn quantize(&self, block: &[i32; 64]) -> [i16; 64] {
        let mut out = [0; 64];
        let factors = self.reciprocals.iter().zip(&self.corrections);
        for ((out, value), (reciprocal, correction)) in out.iter_mut().zip(block).zip(factors) {
            let quantized = ((value.abs() + correction) * reciprocal) >> RECIPROCAL_BITS;
            *out = if *value < 0 { -quantized } else { quantized } as i16;
        }
        out
    }
}

/// The table of Annex K, scaled as libjpeg does.
fn divisors(class: Class, quality: u8) -> [u8; 64] {
    let quality = u32::from(quality.clamp(1, 100));
    let scale = if quality < 50 {
        5000 / quality
    } else {
        200 - 2 * quality
    };
    let mut table = [0; 64];
    for (at, divisor) in table.iter_mut().enumerate() {
        let base = match class {
            Class::Luma => LUMA[at],
            Class::Chroma => *CHROMA
                .get(at / 8)
                .and_then(|row| row.get(at % 8))
                .unwrap_or(&99),
        };
        let scaled = ((u32::from(base) * scale + 50) / 100).clamp(1, 255);
        *divisor = scaled.to_le_bytes()[0];
    }
    table
}

/// A Huffman table as a file has it: how many codes there are of each length, and their symbols.
pub(super) struct Huffman {
    pub(super) counts: [u8; 16],
    pub(super) symbols: &'static [u8],
}

/// Codes of differences of DC coefficients (tables K.3 and K.4).
pub(super) const fn dc(class: Class) -> Huffman {
    Huffman {
        counts: match class {
            Class::Luma => [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
            Class::Chroma => [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
        },
        symbols: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    }
}

/// Codes of AC coefficients (tables K.5 and K.6).
pub(super) const fn ac(class: Class) -> Huffman {
    match class {
        Class::Luma => Huffman {
            counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
            symbols: &LUMA_AC,
        },
        Class::Chroma => Huffman {
            counts: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
            symbols: &CHROMA_AC,
        },
    }
}

const LUMA_AC: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
    0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0,
    0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28,
    0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
    0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
    0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
    0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7,
    0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5,
    0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
    0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
    0xF9, 0xFA,
];

const CHROMA_AC: [u8; 162] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
    0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0,
    0x15, 0x62, 0x72, 0xD1, 0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18, 0x19, 0x1A, 0x26,
    0x27, 0x28, 0x29, 0x2A, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
    0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
    0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
    0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5,
    0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3,
    0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA,
    0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
    0xF9, 0xFA,
];

/// A code and its length, for each symbol.
pub(super) type Codes = [(u16, u8); 256];

impl Huffman {
    /// Gives out the codes in rising order (T.81, Annex C).
    pub(super) fn codes(&self) -> Codes {
        let mut codes = [(0, 0); 256];
        let mut symbols = self.symbols.iter();
        let mut code = 0;
        for (length, count) in (1_u8..).zip(self.counts) {
            for symbol in symbols.by_ref().take(count.into()) {
                codes[usize::from(*symbol)] = (code, length);
                code += 1;
            }
            code <<= 1;
        }
        codes
    }
}

/// Puts a block in rows into the order of the file.
pub(super) fn zigzag<T: Copy>(block: &[T; 64]) -> [T; 64] {
    ZIGZAG.map(|natural| block[usize::from(natural & 63)])
}
