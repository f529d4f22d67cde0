//! Decompresses chunks, and undoes byte order and prediction.

use fdeflate::Decompressor;
use weezl::{BitOrder, LzwStatus, decode::Configuration};

use super::header::{Compression, TiffHeader};

/// Fills `chunk`, of which one row has `row_bytes`, from compressed bytes. Says how much of it there was.
pub fn unpack(header: &TiffHeader, compressed: &[u8], row_bytes: usize, chunk: &mut [u8]) -> usize {
    let len = match header.compression {
        Compression::None => {
            let len = compressed.len().min(chunk.len());
            chunk[..len].copy_from_slice(&compressed[..len]);
            len
        }
        Compression::Lzw => lzw(compressed, chunk),
        Compression::Deflate => deflate(compressed, chunk),
        Compression::PackBits => pack_bits(compressed, chunk),
    };
    if header.is_bit_reversed {
        for byte in &mut *chunk {
            *byte = byte.reverse_bits();
        }
    }
    let wide = header.layout.bits == 16;
    if wide && header.is_big_endian {
        for word in chunk.as_chunks_mut::<2>().0 {
            word.reverse();
        }
    }
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
    len
}

fn lzw(mut codes: &[u8], out: &mut [u8]) -> usize {
    let mut decoder = Configuration::with_tiff_size_switch(BitOrder::Msb, 8).build();
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

fn deflate(mut compressed: &[u8], out: &mut [u8]) -> usize {
    let mut decoder = Decompressor::new();
    decoder.ignore_adler32();
    let mut len = 0;
    while len < out.len() && !decoder.is_done() {
        let Ok((read, written)) = decoder.read(compressed, out, len, false) else {
            break;
        };
        compressed = compressed.get(read..).unwrap_or_default();
        len += written;
        if read == 0 && written == 0 {
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
            128 => packed = rest,
            129.. => {
                let Some((&byte, after)) = rest.split_first() else {
                    break;
                };
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
