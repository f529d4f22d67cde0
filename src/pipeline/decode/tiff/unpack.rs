//! Decompresses chunks, and undoes byte order and prediction.

use weezl::{BitOrder, LzwStatus, decode::Configuration, decode::Decoder as LzwDecoder};

use super::header::{Compression, TiffHeader};
use crate::decode::inflate::{Inflated, Inflater};
use crate::work::of_tables;

/// Inflated bytes after which work is looked at anew.
const INFLATED_STEP_BYTES: usize = 64 << 10;

/// Decompresses the chunks of a page one after another, with the same tables.
pub enum Unpacker {
    /// Chunks that are not compressed.
    None,
    /// LZW.
    Lzw(LzwDecoder),
    /// Deflate.
    Deflate(Box<Inflater>),
    /// `PackBits`.
    PackBits,
}

impl Unpacker {
    /// An unpacker for the chunks of a page.
    pub fn new(header: &TiffHeader) -> Self {
        match header.compression {
            Compression::None => Self::None,
            Compression::Lzw => {
                // Section 13: the highest bit comes first, and codes grow one code earlier than in GIF.
                Self::Lzw(Configuration::with_tiff_size_switch(BitOrder::Msb, 8).build())
            }
            Compression::Deflate => Self::Deflate(Box::new(Inflater::new())),
            Compression::PackBits => Self::PackBits,
        }
    }

    /// The work that the header did not tell of: tables of blocks, however little is in them.
    pub fn work(&self) -> u64 {
        match self {
            Self::Deflate(inflater) => of_tables(inflater.built_tables()),
            _ => 0,
        }
    }

    /// Fills `chunk`, of which one row has `row_bytes`, from compressed bytes. Says how much of it
    /// there was; it may be less where more than `max_work` was spent.
    pub fn unpack(
        &mut self,
        header: &TiffHeader,
        compressed: &[u8],
        row_bytes: usize,
        chunk: &mut [u8],
        max_work: u64,
    ) -> usize {
        let len = match self {
            Self::None => {
                let len = compressed.len().min(chunk.len());
                chunk[..len].copy_from_slice(&compressed[..len]);
                len
            }
            Self::Lzw(decoder) => lzw(decoder, compressed, chunk),
            Self::Deflate(inflater) => inflate(inflater, compressed, chunk, max_work),
            Self::PackBits => pack_bits(compressed, chunk),
        };
        restore(header, row_bytes, chunk);
        len
    }
}

/// Undoes the order of bits and bytes, and the prediction.
fn restore(header: &TiffHeader, row_bytes: usize, chunk: &mut [u8]) {
    if header.is_bit_reversed {
        for byte in &mut *chunk {
            *byte = byte.reverse_bits();
        }
    }
    let wide = header.layout.bits == 16;
    // From here on, low bytes come first.
    if wide && header.is_big_endian {
        for word in chunk.as_chunks_mut::<2>().0 {
            word.reverse();
        }
    }
    // After the order of bytes, as sums carry from one to the other (section 14).
    if header.has_predictor {
        let samples = header.layout.samples_per_chunk() as usize;
        for row in chunk.chunks_exact_mut(row_bytes) {
            if wide {
                sum_words(row, samples);
            } else {
                sum_bytes(row, samples);
            }
        }
    }
}

fn lzw(decoder: &mut LzwDecoder, mut codes: &[u8], out: &mut [u8]) -> usize {
    // Each chunk is compressed on its own.
    decoder.reset();
    let mut len = 0;
    while len < out.len() {
        let result = decoder.decode_bytes(codes, &mut out[len..]);
        codes = codes.get(result.consumed_in..).unwrap_or_default();
        len += result.consumed_out;
        let is_stuck = result.consumed_in == 0 && result.consumed_out == 0;
        if is_stuck || !matches!(result.status, Ok(LzwStatus::Ok)) {
            break;
        }
    }
    len
}

/// Inflates a chunk, whose check value does not matter.
fn inflate(inflater: &mut Inflater, mut compressed: &[u8], out: &mut [u8], max_work: u64) -> usize {
    inflater.restart();
    let mut len = 0;
    while len < out.len() && of_tables(inflater.built_tables()) <= max_work {
        let until = out.len().min(len + INFLATED_STEP_BYTES);
        let (end, stop) = inflater.inflate(&mut compressed, out, len, until);
        len = end;
        if stop != Inflated::NeedOutput {
            break;
        }
    }
    len
}

/// Section 9 of the specification.
fn pack_bits(mut packed: &[u8], out: &mut [u8]) -> usize {
    let mut len = 0;
    while let Some((&control, rest)) = packed.split_first() {
        let room = &mut out[len..];
        match control {
            0..128 => {
                let count = (usize::from(control) + 1).min(rest.len());
                let (literal, after) = rest.split_at(count);
                let count = count.min(room.len());
                room[..count].copy_from_slice(&literal[..count]);
                len += count;
                packed = after;
            }
            // A no-op (section 9).
            128 => packed = rest,
            129.. => {
                let Some((&byte, after)) = rest.split_first() else {
                    break;
                };
                // As a signed byte, it is one less than the count, negated.
                let count = (257 - usize::from(control)).min(room.len());
                room[..count].fill(byte);
                len += count;
                packed = after;
            }
        }
        if len == out.len() {
            break;
        }
    }
    len
}

/// Adds to each byte the one `samples` before it (section 14).
fn sum_bytes(row: &mut [u8], samples: usize) {
    for index in samples..row.len() {
        row[index] = row[index].wrapping_add(row[index - samples]);
    }
}

/// The same for words of 16 bits, the low byte first.
fn sum_words(row: &mut [u8], samples: usize) {
    let words = row.as_chunks_mut::<2>().0;
    for index in samples..words.len() {
        let before = u16::from_le_bytes(words[index - samples]);
        let sum = u16::from_le_bytes(words[index]).wrapping_add(before);
        words[index] = sum.to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_bits_unpacks_the_example_of_its_specification() {
        let packed = [
            0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7,
            0xaa,
        ];
        let mut out = [0; 24];
        assert_eq!(pack_bits(&packed, &mut out), 24);
        assert_eq!(
            out[..10],
            [0xaa, 0xaa, 0xaa, 0x80, 0, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa]
        );
        assert_eq!(out[10..14], [0x80, 0, 0x2a, 0x22]);
        assert_eq!(out[14..], [0xaa; 10]);
        assert_eq!(pack_bits(&packed[..4], &mut out), 4);
        assert_eq!(pack_bits(&packed, &mut out[..5]), 5);
    }
}
