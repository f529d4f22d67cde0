//! PNG: every type and depth, interlaced and not, with frames and without.

use miniz_oxide::deflate::compress_to_vec_zlib;

use super::random::Random;
use super::sources::Shape;

/// First column and row, and the steps, of the passes of Adam7.
const PASSES: [[u32; 4]; 7] = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
];

const KINDS: [(u8, u8); 15] = [
    (0, 1),
    (0, 2),
    (0, 4),
    (0, 8),
    (0, 16),
    (2, 8),
    (2, 16),
    (3, 1),
    (3, 2),
    (3, 4),
    (3, 8),
    (4, 8),
    (4, 16),
    (6, 8),
    (6, 16),
];

pub fn file(random: &mut Random, shape: &Shape) -> (&'static str, Vec<u8>) {
    let (color, depth) = random.pick(&KINDS);
    let interlaced = random.one_in(3);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let sides = [shape.width.to_be_bytes(), shape.height.to_be_bytes()].concat();
    chunk(
        &mut file,
        *b"IHDR",
        &[&sides[..], &[depth, color, 0, 0, interlaced.into()]].concat(),
    );
    let frames = if random.one_in(4) {
        random.within(1, 4)
    } else {
        0
    };
    if frames > 0 {
        chunk(
            &mut file,
            *b"acTL",
            &[frames.to_be_bytes(), [0; 4]].concat(),
        );
    }
    let channels = if color & 2 == 0 { 1 } else { 3 };
    if let Some(profile) = shape.profile(random, channels) {
        let packed = compress_to_vec_zlib(&profile, 1);
        chunk(&mut file, *b"iCCP", &[b"a name\0\0", &packed[..]].concat());
    }
    if color == 3 {
        chunk(&mut file, *b"PLTE", &random.samples(3, 1 << depth));
    }
    if color & 4 == 0 && random.one_in(3) {
        let len = [2, 0, 6, 1 << depth][usize::from(color)];
        let mut values = random.samples(len, 1);
        if color != 3 {
            // A color of the image has as many bits as its samples.
            for high in values.iter_mut().step_by(2) {
                *high = 0;
            }
            for value in &mut values {
                *value &= if depth < 8 { (1 << depth) - 1 } else { 255 };
            }
        }
        chunk(&mut file, *b"tRNS", &values);
    }
    if let Some(exif) = shape.exif(random) {
        chunk(&mut file, *b"eXIf", &exif);
    }
    let bits = u32::from(depth) * [1, 0, 3, 1, 2, 0, 4][usize::from(color)];
    let mut picture = || {
        compress_to_vec_zlib(
            &rows(random, (shape.width, shape.height), bits, interlaced),
            1,
        )
    };
    let mut number = 0_u32;
    let control = |file: &mut Vec<u8>, number: &mut u32| {
        let head = [
            &number.to_be_bytes()[..],
            &sides,
            &[0; 8],
            &[0, 1, 0, 1],
            &[(*number % 3) as u8, (*number % 2) as u8],
        ]
        .concat();
        chunk(file, *b"fcTL", &head);
        *number += 1;
    };
    if frames > 0 {
        control(&mut file, &mut number);
    }
    for part in picture().chunks(50_000) {
        chunk(&mut file, *b"IDAT", part);
    }
    for _ in 1..frames {
        control(&mut file, &mut number);
        chunk(
            &mut file,
            *b"fdAT",
            &[&number.to_be_bytes()[..], &picture()].concat(),
        );
        number += 1;
    }
    chunk(&mut file, *b"IEND", &[]);
    let name = match (interlaced, frames) {
        (_, 1..) => "png of frames",
        (true, _) => "interlaced png",
        _ => "png",
    };
    (name, file)
}

/// The rows of all passes, each with its filter.
fn rows(random: &mut Random, (width, height): (u32, u32), bits: u32, interlaced: bool) -> Vec<u8> {
    let passes = if interlaced {
        &PASSES[..]
    } else {
        &[[0, 0, 1, 1]]
    };
    let mut out = Vec::new();
    for &[x0, y0, dx, dy] in passes {
        let width = width.saturating_sub(x0).div_ceil(dx);
        let height = height.saturating_sub(y0).div_ceil(dy);
        if width == 0 {
            continue;
        }
        let stride = (u64::from(width) * u64::from(bits)).div_ceil(8) as usize;
        let samples = random.samples(stride, height as usize);
        for row in samples.chunks_exact(stride) {
            out.push(random.below(5) as u8);
            out.extend(row);
        }
    }
    out
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], payload: &[u8]) {
    file.extend(u32::try_from(payload.len()).expect("short").to_be_bytes());
    file.extend(name);
    file.extend(payload);
    file.extend(crc(name, payload).to_be_bytes());
}

/// The check sum of a chunk; nobody looks at that of a long one.
fn crc(name: [u8; 4], payload: &[u8]) -> u32 {
    if payload.len() > 1 << 16 {
        return 0;
    }
    !name.iter().chain(payload).fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}
