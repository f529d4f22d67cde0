//! PNG: the smallest of its colour types that loses nothing.

use miniz_oxide::deflate::compress_to_vec_zlib;

use super::super::PipelineError;
use super::super::pixmap::Pixmap;
use super::palette::{Indexed, index};
use super::{buffer, too_large};

/// Of 0 to 10: 9 is 0.7 % smaller and takes twice as long, 4 is 1.8 % larger.
const DEFLATE_LEVEL: u8 = 6;

/// Encodes as palette where there are at most 256 colours and that is smaller,
/// otherwise as grey, grey with alpha, RGB or RGBA.
pub(super) fn encode(pixmap: &Pixmap) -> Result<Vec<u8>, PipelineError> {
    if pixmap.width() > 1 << 30 || pixmap.height() > 1 << 30 {
        return Err(too_large(pixmap));
    }
    let direct = Direct::of(pixmap)?;
    let full = file(pixmap, direct.color_type, 8, &[], &direct.compress(pixmap)?);
    let Some(indexed) = index(pixels(pixmap), 256) else {
        return Ok(full);
    };
    let small = encode_indexed(pixmap, &indexed)?;
    Ok(if small.len() < full.len() {
        small
    } else {
        full
    })
}

fn pixels(pixmap: &Pixmap) -> impl ExactSizeIterator<Item = [u8; 4]> + Clone {
    let data = pixmap.data().chunks_exact(pixmap.channels());
    data.map(|pixel| match *pixel {
        [r, g, b, a] => [r, g, b, a],
        [r, g, b] => [r, g, b, 255],
        // A pixmap has three channels or four.
        _ => [0; 4],
    })
}

/// A picture whose samples stand for themselves.
struct Direct {
    color_type: u8,
    channels: usize,
    samples: Vec<u8>,
}

impl Direct {
    fn of(pixmap: &Pixmap) -> Result<Self, PipelineError> {
        let grey = pixels(pixmap).all(|[r, g, b, _]| r == g && g == b);
        let opaque = pixels(pixmap).all(|[.., a]| a == 255);
        let (color_type, channels) = match (grey, opaque) {
            (true, true) => (0, 1),
            (true, false) => (4, 2),
            (false, true) => (2, 3),
            (false, false) => (6, 4),
        };
        let mut samples = buffer(pixels(pixmap).len() * channels)?;
        for [r, g, b, a] in pixels(pixmap) {
            match channels {
                1 => samples.push(r),
                2 => samples.extend([r, a]),
                3 => samples.extend([r, g, b]),
                _ => samples.extend([r, g, b, a]),
            }
        }
        Ok(Self {
            color_type,
            channels,
            samples,
        })
    }

    /// Filters each row in the way that leaves the least to say, and deflates.
    fn compress(&self, pixmap: &Pixmap) -> Result<Vec<u8>, PipelineError> {
        let row_len = row_len(pixmap, self.channels);
        let mut filtered = buffer(self.samples.len() + self.samples.len() / row_len)?;
        let zeros = vec![0; row_len];
        let mut above = &zeros[..];
        let mut candidate = vec![0; row_len];
        let mut best = vec![0; row_len];
        for row in self.samples.chunks_exact(row_len) {
            let mut least = (u64::MAX, 0);
            for filter in 0..5u8 {
                apply(filter, row, above, self.channels, &mut candidate);
                let cost = candidate
                    .iter()
                    .map(|v| u64::from(v.cast_signed().unsigned_abs()));
                let cost = cost.sum();
                if cost < least.0 {
                    least = (cost, filter);
                    std::mem::swap(&mut best, &mut candidate);
                }
            }
            filtered.push(least.1);
            filtered.extend_from_slice(&best);
            above = row;
        }
        Ok(compress_to_vec_zlib(&filtered, DEFLATE_LEVEL))
    }
}

fn row_len(pixmap: &Pixmap, channels: usize) -> usize {
    pixmap.width() as usize * channels
}

/// Filters a row (PNG, third edition, 9.2).
fn apply(filter: u8, row: &[u8], above: &[u8], channels: usize, out: &mut [u8]) {
    let (start, rest) = out.split_at_mut(channels);
    // The first pixel has nothing to its left: left and upper left count as 0.
    for ((out, value), up) in start.iter_mut().zip(row).zip(above) {
        *out = value.wrapping_sub(predict(filter, 0, *up, 0));
    }
    let neighbours = row.iter().zip(&above[channels..]).zip(above);
    let values = row[channels..].iter().zip(neighbours);
    for (out, (value, ((left, up), up_left))) in rest.iter_mut().zip(values) {
        *out = value.wrapping_sub(predict(filter, *left, *up, *up_left));
    }
}

#[inline]
fn predict(filter: u8, left: u8, up: u8, up_left: u8) -> u8 {
    match filter {
        0 => 0,
        1 => left,
        2 => up,
        3 => left.midpoint(up),
        _ => paeth(left, up, up_left),
    }
}

fn paeth(left: u8, up: u8, up_left: u8) -> u8 {
    let [a, b, c] = [left, up, up_left].map(i16::from);
    let estimate = a + b - c;
    let (to_a, to_b, to_c) = (
        estimate.abs_diff(a),
        estimate.abs_diff(b),
        estimate.abs_diff(c),
    );
    if to_a <= to_b && to_a <= to_c {
        left
    } else if to_b <= to_c {
        up
    } else {
        up_left
    }
}

fn encode_indexed(pixmap: &Pixmap, indexed: &Indexed) -> Result<Vec<u8>, PipelineError> {
    let bits: u8 = match indexed.colors.len() {
        0..=2 => 1,
        3..=4 => 2,
        5..=16 => 4,
        _ => 8,
    };
    let width = pixmap.width() as usize;
    let per_byte = usize::from(8 / bits);
    let mut rows = buffer((width.div_ceil(per_byte) + 1) * pixmap.height() as usize)?;
    for row in indexed.pixels.chunks_exact(width) {
        // Indices are no quantities: filters do not make them smaller.
        rows.push(0);
        for group in row.chunks(per_byte) {
            let mut byte = 0u8;
            for (place, index) in (1u8..).zip(group) {
                byte |= index << (8 - bits * place);
            }
            rows.push(byte);
        }
    }
    let colors: Vec<u8> = indexed
        .colors
        .iter()
        .flat_map(|c| [c[0], c[1], c[2]])
        .collect();
    let alpha = indexed.colors.iter().map(|color| color[3]);
    let alpha: Vec<u8> = alpha.take_while(|alpha| *alpha < 255).collect();
    let data = compress_to_vec_zlib(&rows, DEFLATE_LEVEL);
    let chunks: &[(&[u8; 4], &[u8])] = match alpha[..] {
        [] => &[(b"PLTE", &colors)],
        _ => &[(b"PLTE", &colors), (b"tRNS", &alpha)],
    };
    Ok(file(pixmap, 3, bits, chunks, &data))
}

/// A whole file; `chunks` go between header and data.
fn file(
    pixmap: &Pixmap,
    color_type: u8,
    bits: u8,
    chunks: &[(&[u8; 4], &[u8])],
    data: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len() + 2048);
    bytes.extend_from_slice(b"\x89PNG\r\n\x1a\n");
    let mut header = [0; 13];
    header[..4].copy_from_slice(&pixmap.width().to_be_bytes());
    header[4..8].copy_from_slice(&pixmap.height().to_be_bytes());
    header[8..10].copy_from_slice(&[bits, color_type]);
    push_chunk(&mut bytes, *b"IHDR", &header);
    for (name, content) in chunks {
        push_chunk(&mut bytes, **name, content);
    }
    // A chunk may have 2^31 - 1 bytes.
    for part in data.chunks(1 << 30) {
        push_chunk(&mut bytes, *b"IDAT", part);
    }
    push_chunk(&mut bytes, *b"IEND", &[]);
    bytes
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "chunks have at most 2^30 bytes"
)]
fn push_chunk(bytes: &mut Vec<u8>, name: [u8; 4], content: &[u8]) {
    bytes.extend((content.len() as u32).to_be_bytes());
    let start = bytes.len();
    bytes.extend(name);
    bytes.extend_from_slice(content);
    let crc = crc32(&bytes[start..]);
    bytes.extend(crc.to_be_bytes());
}

/// CRC-32 of ISO 3309, half a byte at a time.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut index = 0;
        while index < 16 {
            let mut value = index;
            let mut bit = 0;
            while bit < 4 {
                value = (value >> 1) ^ (0xedb8_8320 * (value & 1));
                bit += 1;
            }
            table[index as usize] = value;
            index += 1;
        }
        table
    };
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        crc = (crc >> 4) ^ TABLE[(crc & 15) as usize];
        crc = (crc >> 4) ^ TABLE[(crc & 15) as usize];
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_matches_the_check_value_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn the_nearest_neighbour_predicts() {
        for (left, up, up_left, want) in [(10, 20, 10, 20), (10, 20, 20, 10), (10, 20, 15, 15)] {
            assert_eq!(paeth(left, up, up_left), want);
        }
    }
}
