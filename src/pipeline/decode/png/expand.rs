//! From a row as the file has it to samples: palette, transparent color, bit depth.
#![allow(
    clippy::cast_possible_truncation,
    reason = "samples are masked or scaled to their depth before they are narrowed"
)]

use super::header::{Allocate, ColorType, PngHeader, Transparency};
use crate::PipelineError;
use crate::decode::Samples;

/// Gray for pixels that are missing from opaque images.
const MISSING: u8 = 128;

/// What each row goes through.
enum Steps {
    /// Nothing: eight bits, all channels there.
    Keep8,
    /// Sixteen bits, all channels there.
    Keep16,
    /// Fewer than eight bits of gray, scaled to eight.
    UnpackGray(Unpack),
    /// Gray with one transparent value, which is given at eight bits.
    KeyGray8(Option<Unpack>, u8),
    KeyGray16(u16),
    KeyRgb8([u8; 3]),
    KeyRgb16([u16; 3]),
    Palette3(Option<Unpack>, Box<[[u8; 3]; 256]>),
    Palette4(Option<Unpack>, Box<[[u8; 4]; 256]>),
}

/// The samples in each value of a byte, for one bit depth below eight.
struct Unpack {
    per_byte: usize,
    samples: Box<[[u8; 8]; 256]>,
}

impl Unpack {
    /// Samples are multiplied by `scale`.
    fn new(bit_depth: u8, scale: u8) -> Self {
        let per_byte = usize::from(8 / bit_depth);
        let mut samples = Box::new([[0; 8]; 256]);
        for (byte, row) in (0..=u8::MAX).zip(samples.iter_mut()) {
            for (i, sample) in (0..8 / bit_depth).zip(row.iter_mut()) {
                // The leftmost pixel has the highest bits (PNG section 7).
                let shift = 8 - bit_depth * (i + 1);
                *sample = ((byte >> shift) & (u8::MAX >> (8 - bit_depth))) * scale;
            }
        }
        Self { per_byte, samples }
    }

    fn unpack(&self, row: &[u8], samples: &mut [u8]) {
        for (samples, &byte) in samples.chunks_mut(self.per_byte).zip(row) {
            let from = &self.samples[usize::from(byte)];
            samples.copy_from_slice(&from[..samples.len()]);
        }
    }
}

/// Turns rows into samples, with room for one row of each kind that it needs.
pub(super) struct OutputLayout {
    steps: Steps,
    channels: usize,
    has_alpha: bool,
    /// Palette indices or gray before its alpha is added.
    unpacked: Vec<u8>,
    bytes: Vec<u8>,
    words: Vec<u16>,
}

impl OutputLayout {
    /// What the tables of any layout take at most.
    pub(super) const TABLE_BYTES: u64 = 256 * (8 + 4);

    pub(super) fn new(header: &PngHeader, allocate: Allocate) -> Result<Self, PipelineError> {
        let steps = steps_for(header);
        let width = header.width as usize;
        let channels = usize::from(header.channels_out());
        let (mut unpacked, mut bytes, mut words) = (0, 0, 0);
        match &steps {
            Steps::Keep8 => {}
            Steps::Keep16 | Steps::KeyGray16(_) | Steps::KeyRgb16(_) => words = width * channels,
            Steps::UnpackGray(_) | Steps::KeyRgb8(_) => bytes = width * channels,
            Steps::KeyGray8(unpack, _)
            | Steps::Palette3(unpack, _)
            | Steps::Palette4(unpack, _) => {
                bytes = width * channels;
                unpacked = if unpack.is_some() { width } else { 0 };
            }
        }
        Ok(Self {
            steps,
            channels,
            has_alpha: header.has_alpha(),
            unpacked: allocate.zeroed(unpacked)?,
            bytes: allocate.zeroed(bytes)?,
            words: allocate.zeroed(words)?,
        })
    }

    /// The samples of a row of `width` pixels.
    #[inline(never)]
    pub(super) fn samples<'a>(&'a mut self, row: &'a [u8], width: usize) -> Samples<'a> {
        let count = width * self.channels;
        match &self.steps {
            Steps::Keep8 => return Samples::U8(row),
            Steps::Keep16 => {
                let (pairs, _) = row.as_chunks::<2>();
                for (word, &pair) in self.words[..count].iter_mut().zip(pairs) {
                    *word = u16::from_be_bytes(pair);
                }
                return Samples::U16(&self.words[..count]);
            }
            Steps::KeyGray16(key) => {
                let (pairs, _) = row.as_chunks::<2>();
                let (pixels, _) = self.words[..count].as_chunks_mut::<2>();
                for (pixel, &pair) in pixels.iter_mut().zip(pairs) {
                    let gray = u16::from_be_bytes(pair);
                    *pixel = [gray, if gray == *key { 0 } else { u16::MAX }];
                }
                return Samples::U16(&self.words[..count]);
            }
            Steps::KeyRgb16(key) => {
                let (sixes, _) = row.as_chunks::<6>();
                let (pixels, _) = self.words[..count].as_chunks_mut::<4>();
                for (pixel, &[r0, r1, g0, g1, b0, b1]) in pixels.iter_mut().zip(sixes) {
                    let rgb @ [r, g, b] = [[r0, r1], [g0, g1], [b0, b1]].map(u16::from_be_bytes);
                    *pixel = [r, g, b, if rgb == *key { 0 } else { u16::MAX }];
                }
                return Samples::U16(&self.words[..count]);
            }
            Steps::UnpackGray(unpack) => unpack.unpack(row, &mut self.bytes[..count]),
            Steps::KeyGray8(unpack, key) => {
                let grays = unpacked(unpack.as_ref(), row, &mut self.unpacked, width);
                let (pixels, _) = self.bytes[..count].as_chunks_mut::<2>();
                for (pixel, &gray) in pixels.iter_mut().zip(grays) {
                    *pixel = [gray, if gray == *key { 0 } else { u8::MAX }];
                }
            }
            Steps::KeyRgb8(key) => {
                let (threes, _) = row.as_chunks::<3>();
                let (pixels, _) = self.bytes[..count].as_chunks_mut::<4>();
                for (pixel, rgb @ &[r, g, b]) in pixels.iter_mut().zip(threes) {
                    *pixel = [r, g, b, if rgb == key { 0 } else { u8::MAX }];
                }
            }
            Steps::Palette3(unpack, palette) => {
                let indices = unpacked(unpack.as_ref(), row, &mut self.unpacked, width);
                look_up(indices, palette, &mut self.bytes[..count]);
            }
            Steps::Palette4(unpack, palette) => {
                let indices = unpacked(unpack.as_ref(), row, &mut self.unpacked, width);
                look_up(indices, palette, &mut self.bytes[..count]);
            }
        }
        Samples::U8(&self.bytes[..count])
    }

    /// Samples for `width` pixels that are missing: gray, or transparent.
    pub(super) fn missing(
        &self,
        width: usize,
        allocate: Allocate,
    ) -> Result<Missing, PipelineError> {
        let value = if self.has_alpha { 0 } else { MISSING };
        let is_wide = matches!(
            self.steps,
            Steps::Keep16 | Steps::KeyGray16(_) | Steps::KeyRgb16(_)
        );
        if is_wide {
            let mut row = allocate.zeroed(width * self.channels)?;
            // Times 257, 255 becomes 65535.
            row.fill(u16::from(value) * 257);
            return Ok(Missing::U16(row, self.channels));
        }
        let mut row = allocate.zeroed(width * self.channels)?;
        row.fill(value);
        Ok(Missing::U8(row, self.channels))
    }
}

/// A row to fill missing ones with.
pub(super) enum Missing {
    U8(Vec<u8>, usize),
    U16(Vec<u16>, usize),
}

impl Missing {
    /// The first `width` pixels of it.
    pub(super) fn samples(&self, width: usize) -> Samples<'_> {
        match self {
            Self::U8(row, channels) => Samples::U8(&row[..width * channels]),
            Self::U16(row, channels) => Samples::U16(&row[..width * channels]),
        }
    }
}

fn steps_for(header: &PngHeader) -> Steps {
    let depth = header.bit_depth;
    // The largest value becomes 255.
    let scale = match depth {
        1 => 255,
        2 => 85,
        4 => 17,
        _ => 1,
    };
    let unpack = |scale| (depth < 8).then(|| Unpack::new(depth, scale));
    match (header.color_type, &header.transparency) {
        (ColorType::Indexed, Some(Transparency::Palette(alphas))) => {
            let mut palette = Box::new([[0, 0, 0, u8::MAX]; 256]);
            for (entry, &[r, g, b]) in palette.iter_mut().zip(&header.palette) {
                *entry = [r, g, b, u8::MAX];
            }
            for (entry, &alpha) in palette.iter_mut().zip(alphas) {
                entry[3] = alpha;
            }
            Steps::Palette4(unpack(1), palette)
        }
        (ColorType::Indexed, _) => {
            // Indices past the palette are an error that viewers show as black.
            let mut palette = Box::new([[0; 3]; 256]);
            for (entry, &rgb) in palette.iter_mut().zip(&header.palette) {
                *entry = rgb;
            }
            Steps::Palette3(unpack(1), palette)
        }
        (_, Some(Transparency::Gray(key))) if depth == 16 => Steps::KeyGray16(*key),
        (_, Some(Transparency::Gray(key))) => Steps::KeyGray8(unpack(scale), *key as u8 * scale),
        (_, Some(Transparency::Rgb(key))) if depth == 16 => Steps::KeyRgb16(*key),
        (_, Some(Transparency::Rgb(key))) => Steps::KeyRgb8(key.map(|sample| sample as u8)),
        _ if depth == 16 => Steps::Keep16,
        _ => unpack(scale).map_or(Steps::Keep8, Steps::UnpackGray),
    }
}

/// One byte per pixel, from a row that may have less.
fn unpacked<'a>(
    unpack: Option<&Unpack>,
    row: &'a [u8],
    room: &'a mut [u8],
    width: usize,
) -> &'a [u8] {
    let Some(unpack) = unpack else {
        return row;
    };
    unpack.unpack(row, &mut room[..width]);
    &room[..width]
}

fn look_up<const N: usize>(indices: &[u8], palette: &[[u8; N]; 256], pixels: &mut [u8]) {
    let (pixels, _) = pixels.as_chunks_mut::<N>();
    for (pixel, &index) in pixels.iter_mut().zip(indices) {
        *pixel = palette[usize::from(index)];
    }
}
