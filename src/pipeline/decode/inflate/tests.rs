//! Tests of `inflate`.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};

use super::*;

/// Text, noise and runs, so that all kinds of codes occur.
fn content(len: usize, seed: u32) -> Vec<u8> {
    let mut noise = seed;
    let mut next = move || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.to_be_bytes()[0]
    };
    let mut out = Vec::new();
    while out.len() < len {
        let byte = next();
        match byte % 4 {
            0 => out.extend(std::iter::repeat_n(byte, usize::from(next()))),
            1 => out.extend(b"the quick brown fox"),
            2 => out.extend((0..byte).map(|_| next() & 31)),
            _ => out.push(byte),
        }
    }
    out.truncate(len);
    out
}

/// Inflates a stream that comes in chunks, some bytes at a time.
fn inflated(stream: &[u8], chunk: usize, step: usize) -> (Vec<u8>, Inflated) {
    let mut inflater = Inflater::new();
    let mut output = vec![0; 200_000];
    let mut at = 0;
    for mut input in stream.chunks(chunk) {
        loop {
            let (end, stop) = inflater.inflate(&mut input, &mut output, at, at + step);
            at = end;
            match stop {
                Inflated::NeedOutput => {}
                Inflated::NeedInput => break,
                _ => return (output[..at].to_vec(), stop),
            }
        }
    }
    (output[..at].to_vec(), Inflated::NeedInput)
}

#[test]
fn streams_of_every_kind_are_inflated() {
    for (level, len, seed) in [
        (0, 70_000, 1),
        (1, 50_000, 2),
        (6, 100_000, 3),
        (9, 1000, 4),
        (6, 1, 5),
        (6, 0, 6),
    ] {
        let content = content(len, seed);
        let stream = compress_to_vec_zlib(&content, level);
        for (chunk, step) in [
            (1, 1),
            (1, 4096),
            (7, 300),
            (usize::MAX, 10),
            (usize::MAX, 4096),
        ] {
            let (bytes, stop) = inflated(&stream, chunk, step);
            assert!(
                bytes == content,
                "level {level}, chunks of {chunk}, steps of {step}"
            );
            assert_eq!(stop, Inflated::Over);
        }
    }
}

/// All that another inflater gives of a cut stream.
fn reference(stream: &[u8]) -> Vec<u8> {
    let mut state = InflateState::new_boxed(DataFormat::Zlib);
    let (mut output, mut at, mut rest) = (vec![0; 200_000], 0, stream);
    loop {
        let result = inflate(&mut state, rest, &mut output[at..], MZFlush::None);
        at += result.bytes_written;
        rest = &rest[result.bytes_consumed..];
        if result.bytes_written + result.bytes_consumed == 0 || result.status.is_err() {
            return output[..at].to_vec();
        }
    }
}

#[test]
fn tables_are_counted_and_fixed_ones_are_kept() {
    // Four empty blocks of fixed codes in each five bytes: 3 bits of head, and 7 that end it.
    let mut stream = vec![0x78, 0x9c];
    for _ in 0..100 {
        stream.extend([0x02, 0x08, 0x20, 0x80, 0x00]);
    }
    let mut inflater = Inflater::new();
    let (end, stop) = inflater.inflate(&mut stream.as_slice(), &mut [0; 9], 0, 9);
    assert_eq!((end, stop), (0, Inflated::NeedInput));
    assert_eq!(inflater.built_tables(), 1);

    let content = content(900_000, 3);
    let stream = compress_to_vec_zlib(&content, 6);
    let mut output = vec![0; content.len() + SLACK_BYTES];
    let mut inflater = Inflater::new();
    inflater.inflate(&mut stream.as_slice(), &mut output, 0, content.len());
    assert!(inflater.built_tables() > 1, "{}", inflater.built_tables());
}

#[test]
fn a_cut_stream_gives_all_that_is_in_it() {
    let stream = compress_to_vec_zlib(&content(20_000, 7), 6);
    for len in (0..stream.len()).step_by(11) {
        let want = reference(&stream[..len]);
        for chunk in [1, usize::MAX] {
            let (bytes, stop) = inflated(&stream[..len], chunk, 4096);
            assert_eq!(stop, Inflated::NeedInput);
            assert_eq!(bytes.len(), want.len(), "{len}");
            assert!(bytes == want, "{len}");
        }
    }
}

#[test]
fn a_damaged_stream_gives_the_same_in_chunks_of_any_size() {
    let stream = compress_to_vec_zlib(&content(20_000, 8), 6);
    let mut broken = 0;
    for bit in (0..stream.len() * 8).step_by(97) {
        let mut damaged = stream.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let whole = inflated(&damaged, usize::MAX, 4096);
        for (chunk, step) in [(1, 4096), (3, 50), (usize::MAX, 1)] {
            assert!(
                inflated(&damaged, chunk, step) == whole,
                "bit {bit}, {chunk}"
            );
        }
        broken += usize::from(matches!(whole.1, Inflated::Broken(_)));
    }
    assert!(broken > 10, "{broken}");
}
