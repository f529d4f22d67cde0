//! Turns stored samples into those of the plane.

use super::header::{Alpha, Photometric, TiffColor, TiffHeader};
use crate::decode::Samples;

/// Converts rows of one file.
pub struct Converter {
    photometric: Photometric,
    alpha: Alpha,
    color: TiffColor,
    bits: u32,
    samples: usize,
    palette: Box<[[u8; 3]; 256]>,
    narrow: Vec<u8>,
    wide: Vec<u16>,
}

impl Converter {
    pub fn new(header: &TiffHeader) -> Self {
        let mut palette = Box::new([[0; 3]; 256]);
        for (entry, &color) in palette.iter_mut().zip(&header.palette) {
            *entry = color;
        }
        Self {
            photometric: header.photometric,
            alpha: header.alpha,
            color: header.color,
            bits: header.layout.bits,
            samples: header.layout.samples as usize,
            palette,
            narrow: Vec::new(),
            wide: Vec::new(),
        }
    }

    /// The samples of a row from its stored ones: all of a pixel together, each in a word of its own.
    pub fn convert(&mut self, stored: &[u16]) -> Samples<'_> {
        if self.photometric == Photometric::Palette {
            self.narrow.clear();
            // A vector that grows pixel by pixel takes up to twice as much.
            self.narrow.reserve_exact(3 * (stored.len() / self.samples));
            let colors = stored.chunks_exact(self.samples);
            // At most 8 bits, as `check_sample_type` has seen to: the mask saves a bounds check.
            let colors = colors.map(|pixel| self.palette[usize::from(pixel[0] & 255)]);
            self.narrow.extend(colors.flatten());
            return Samples::U8(&self.narrow);
        }
        let max = ((1_u32 << self.bits) - 1) as u16;
        let channels = usize::from(self.color.channels());
        self.wide.clear();
        self.wide
            .reserve_exact(channels * (stored.len() / self.samples));
        for pixel in stored.chunks_exact(self.samples) {
            // Further samples are left out.
            self.wide.extend_from_slice(&pixel[..channels]);
        }
        if self.photometric == Photometric::WhiteIsZero {
            for pixel in self.wide.chunks_exact_mut(channels) {
                pixel[0] = max - pixel[0].min(max);
            }
        }
        // Colors are stored multiplied by alpha (section 18); sinks take them without.
        if self.alpha == Alpha::Associated {
            for pixel in self.wide.chunks_exact_mut(channels) {
                divide_by_alpha(pixel, max);
            }
        }
        if self.bits == 16 {
            return Samples::U16(&self.wide);
        }
        // 255 is a multiple of the largest value of 1, 2, 4 and 8 bits.
        let scale = 255 / max;
        self.narrow.clear();
        self.narrow
            .extend(self.wide.iter().map(|&sample| (sample * scale) as u8));
        Samples::U8(&self.narrow)
    }
}

/// Takes alpha, which comes last, out of the colors of a pixel.
fn divide_by_alpha(pixel: &mut [u16], max: u16) {
    let Some((&mut alpha, colors)) = pixel.split_last_mut() else {
        return;
    };
    if alpha == 0 {
        return;
    }
    for color in colors {
        let scaled = (u32::from(*color) * u32::from(max) + u32::from(alpha) / 2) / u32::from(alpha);
        *color = scaled.min(u32::from(max)) as u16;
    }
}

/// Reads `count` samples of a stored row into `out`, at every `step`th place from `first` on.
pub fn read_samples(
    row: &[u8],
    bits: u32,
    count: usize,
    out: &mut [u16],
    first: usize,
    step: usize,
) {
    let places = out.iter_mut().skip(first).step_by(step).take(count);
    match bits {
        16 => {
            for (place, &word) in places.zip(row.as_chunks::<2>().0) {
                *place = u16::from_le_bytes(word);
            }
        }
        8 => {
            for (place, &byte) in places.zip(row) {
                *place = u16::from(byte);
            }
        }
        bits => {
            let per_byte = (8 / bits) as usize;
            let mask = (1_u16 << bits) - 1;
            for (index, place) in places.enumerate() {
                let byte = row.get(index / per_byte).copied().unwrap_or(0);
                // The leftmost pixel has the highest bits.
                let shift = 8 - bits * (index % per_byte + 1) as u32;
                *place = (u16::from(byte) >> shift) & mask;
            }
        }
    }
}
