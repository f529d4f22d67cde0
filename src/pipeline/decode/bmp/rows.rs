//! Turns stored rows into samples.

use super::header::{BmpHeader, Pixels};

/// A field of a pixel's word.
#[derive(Debug, Clone, Copy)]
struct Field {
    shift: u32,
    max: u32,
}

impl Field {
    fn new(mask: u32) -> Self {
        // A mask of 0 has 32 zeros, by which a shift overflows.
        let shift = mask.trailing_zeros() & 31;
        // Masks with holes are not legal; their upper part is ignored.
        let bits = (mask >> shift).trailing_ones();
        Self {
            shift,
            // 32 bits: the shift gives nothing, and 0 - 1 is all ones.
            max: 1_u32.checked_shl(bits).unwrap_or(0).wrapping_sub(1),
        }
    }

    /// The field's value, scaled to 0…255.
    fn sample(self, word: u32) -> u8 {
        match self.max {
            0 => 0,
            255 => (word >> self.shift) as u8,
            max => {
                // A field may have 32 bits, so the product needs more.
                let value = u64::from((word >> self.shift) & max);
                ((value * 255 + u64::from(max / 2)) / u64::from(max)) as u8
            }
        }
    }
}

/// Unpacks rows of one file.
pub struct Unpacker {
    pixels: Pixels,
    palette: Box<[[u8; 3]; 256]>,
    fields: [Field; 4],
}

impl Unpacker {
    pub fn new(header: &BmpHeader) -> Self {
        let mut palette = Box::new([[0; 3]; 256]);
        for (entry, &color) in palette.iter_mut().zip(&header.palette) {
            *entry = color;
        }
        let masks = match header.pixels {
            Pixels::Fields { masks, .. } => masks,
            _ => [0; 4],
        };
        Self {
            pixels: header.pixels,
            palette,
            fields: masks.map(Field::new),
        }
    }

    /// Writes the samples of a stored row; `samples` has 3 or, with alpha, 4 for every pixel.
    pub fn unpack(&self, stored: &[u8], samples: &mut [u8]) {
        match self.pixels {
            Pixels::Runs(_) | Pixels::Indexed(8) => {
                self.put_colors(stored.iter().copied(), samples);
            }
            Pixels::Indexed(bits) => {
                let per_byte = 8 / u32::from(bits);
                let mask = ((1_u16 << bits) - 1) as u8;
                let indices = stored.iter().flat_map(|&byte| {
                    (1..=per_byte).map(move |i| (byte >> (8 - i * u32::from(bits))) & mask)
                });
                self.put_colors(indices, samples);
            }
            Pixels::Bgr => {
                let pixels = samples.as_chunks_mut::<3>().0.iter_mut();
                for (pixel, &[b, g, r]) in pixels.zip(stored.as_chunks::<3>().0) {
                    *pixel = [r, g, b];
                }
            }
            Pixels::Bgrx => {
                let pixels = samples.as_chunks_mut::<3>().0.iter_mut();
                for (pixel, &[b, g, r, _]) in pixels.zip(stored.as_chunks::<4>().0) {
                    *pixel = [r, g, b];
                }
            }
            Pixels::Fields { bits: 16, .. } => {
                let words = stored.as_chunks::<2>().0.iter();
                self.put_fields(words.map(|&word| u16::from_le_bytes(word).into()), samples);
            }
            Pixels::Fields { .. } => {
                let words = stored.as_chunks::<4>().0.iter();
                self.put_fields(words.map(|&word| u32::from_le_bytes(word)), samples);
            }
        }
    }

    fn put_colors(&self, indices: impl Iterator<Item = u8>, samples: &mut [u8]) {
        let pixels = samples.as_chunks_mut::<3>().0.iter_mut();
        for (pixel, index) in pixels.zip(indices) {
            *pixel = self.palette[usize::from(index)];
        }
    }

    fn put_fields(&self, words: impl Iterator<Item = u32>, samples: &mut [u8]) {
        let [red, green, blue, alpha] = self.fields;
        if alpha.max == 0 {
            let pixels = samples.as_chunks_mut::<3>().0.iter_mut();
            for (pixel, word) in pixels.zip(words) {
                *pixel = [red, green, blue].map(|field| field.sample(word));
            }
        } else {
            let pixels = samples.as_chunks_mut::<4>().0.iter_mut();
            for (pixel, word) in pixels.zip(words) {
                *pixel = self.fields.map(|field| field.sample(word));
            }
        }
    }
}
