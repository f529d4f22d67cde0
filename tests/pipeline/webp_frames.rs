//! Animated WebP: later frames of every coding, against a composition of our own and `image-webp`'s.

use std::io::Cursor;

use crate::common::composition::{Disposal, Frame, compose, same};
use crate::common::{Picture, Random, run, with_flipped_bits};
use image_webp::{ColorType, WebPDecoder, WebPEncoder};
use thumbnail_pipeline::decode::webp::{LoopFilter, WebpFrames, read_header};
use thumbnail_pipeline::decode::{Completeness, HeaderStatus};
use thumbnail_pipeline::{Limits, Options, PipelineError, Variant, render};

const LOSSY: &[u8] = include_bytes!("../images/webp/lossy.webp");
const LOSSY_ALPHA: &[u8] = include_bytes!("../images/webp/lossy-alpha.webp");
const LOSSLESS_ALPHA: &[u8] = include_bytes!("../images/webp/lossless-alpha.webp");

const SIZE: (u32, u32) = (120, 90);

fn chunk(id: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut chunk = id.to_vec();
    chunk.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    chunk.extend(payload);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

fn u24(value: u32) -> [u8; 3] {
    let [a, b, c, _] = value.to_le_bytes();
    [a, b, c]
}

/// A still file as the chunks of its image, its size and its pixels.
fn still(file: &[u8]) -> (Vec<u8>, (u32, u32), Vec<[u8; 4]>) {
    let start = if &file[12..16] == b"VP8X" { 30 } else { 12 };
    let mut decoder = WebPDecoder::new(Cursor::new(file)).unwrap();
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut pixels).unwrap();
    let pixels = if decoder.has_alpha() {
        pixels.as_chunks().0.to_vec()
    } else {
        let pixels = pixels.as_chunks().0.iter();
        pixels.map(|&[r, g, b]| [r, g, b, 255]).collect()
    };
    (file[start..].to_vec(), decoder.dimensions(), pixels)
}

/// A lossless still of noise.
fn noise(random: &mut Random, has_alpha: bool) -> Vec<u8> {
    let (width, height) = (1 + random.below(60), 1 + random.below(40));
    let (color, channels) = if has_alpha {
        (ColorType::Rgba8, 4)
    } else {
        (ColorType::Rgb8, 3)
    };
    let pixels: Vec<u8> = (0..width * height * channels)
        .map(|_| random.byte())
        .collect();
    let mut file = Vec::new();
    let encoder = WebPEncoder::new(&mut file);
    encoder.encode(&pixels, width, height, color).unwrap();
    file
}

struct Animation {
    file: Vec<u8>,
    frames: Vec<Frame>,
}

fn animation(seed: u32, count: u32, clears: bool) -> Animation {
    let mut random = Random(seed);
    let mut body = b"WEBP".to_vec();
    let extended = [&[0x12, 0, 0, 0][..], &u24(SIZE.0 - 1), &u24(SIZE.1 - 1)].concat();
    body.extend(chunk(*b"VP8X", &extended));
    body.extend(chunk(*b"ANIM", &[1, 2, 3, 4, 0, 0]));
    let mut frames = Vec::new();
    for _ in 0..count {
        let file = match random.below(5) {
            0 => LOSSY.to_vec(),
            1 => LOSSY_ALPHA.to_vec(),
            2 => LOSSLESS_ALPHA.to_vec(),
            kind => noise(&mut random, kind == 3),
        };
        let (chunks, size, pixels) = still(&file);
        let half = |room: u32, random: &mut Random| random.below(room / 2 + 1);
        let origin = (
            half(SIZE.0 - size.0, &mut random),
            half(SIZE.1 - size.1, &mut random),
        );
        let is_cleared = clears && random.below(2) == 0;
        let replaces = random.below(2) == 0;
        let flags = u8::from(is_cleared) | u8::from(replaces) << 1;
        let head = [
            u24(origin.0),
            u24(origin.1),
            u24(size.0 - 1),
            u24(size.1 - 1),
            u24(100),
        ];
        body.extend(chunk(
            *b"ANMF",
            &[&head.concat()[..], &[flags], &chunks].concat(),
        ));
        frames.push(Frame {
            origin: (2 * origin.0 as usize, 2 * origin.1 as usize),
            width: size.0 as usize,
            pixels,
            replaces,
            disposal: if is_cleared {
                Disposal::Clear
            } else {
                Disposal::Keep
            },
        });
    }
    Animation {
        file: chunk(*b"RIFF", &body),
        frames,
    }
}

fn decode(file: &[u8], page: u32, piece: usize) -> Result<(Picture, Completeness), PipelineError> {
    let HeaderStatus::Ready(header) = read_header(file)? else {
        return Err(PipelineError::UnknownFormat);
    };
    if header.frames_peak_bytes() > 64 << 20 {
        return Err(PipelineError::UnknownFormat);
    }
    let frames = WebpFrames::new(&header, page, LoopFilter::Exact, 1 << 20);
    run(&mut frames?, file, piece)
}

#[test]
fn every_frame_equals_a_plain_composition() {
    for seed in 0..12 {
        let Animation { file, frames } = animation(seed, 8, true);
        let shown = compose((SIZE.0 as usize, SIZE.1 as usize), &frames);
        for (expected, page) in shown.iter().zip(0..) {
            let (picture, completeness) = decode(&file, page, 1000).unwrap();
            assert_eq!(completeness, Completeness::Whole);
            let bytes = picture.bytes(0);
            assert!(
                same(bytes.as_chunks().0, expected, 1),
                "seed {seed}, page {page}"
            );
        }
    }
}

#[test]
fn frames_equal_those_of_image_webp() {
    // It leaves what a disposal clears as it was unless a color is set, and then clears too little
    // under opaque frames: only frames that stay are compared.
    for seed in 20..28 {
        let Animation { file, frames } = animation(seed, 8, false);
        let mut other = WebPDecoder::new(Cursor::new(&file)).unwrap();
        let mut expected = vec![0; other.output_buffer_size().unwrap()];
        for page in 0..8 {
            other.read_frame(&mut expected).unwrap();
            let (picture, _) = decode(&file, page, 1000).unwrap();
            let bytes = picture.bytes(0);
            // Its blending is of less precision, and adds up.
            let tolerance = u8::try_from(2 * frames.len()).unwrap();
            assert!(
                same(bytes.as_chunks().0, expected.as_chunks().0, tolerance),
                "seed {seed}, page {page}"
            );
        }
    }
}

#[test]
fn pieces_of_any_size_give_the_same() {
    let Animation { file, .. } = animation(40, 5, true);
    let (expected, _) = decode(&file, 4, file.len()).unwrap();
    for piece in [1, 7, 100] {
        let (picture, _) = decode(&file, 4, piece).unwrap();
        assert!(picture.rows == expected.rows);
    }
}

#[test]
fn a_page_that_is_not_there_is_refused_with_how_many_are() {
    let Animation { file, .. } = animation(41, 3, true);
    let want = "there is no page 3: pages of this WebP file count from 0, and it has 3";
    assert_eq!(decode(&file, 3, 100).err().unwrap().to_string(), want);
    let cut = &file[..file.len() - 3];
    let error = decode(cut, 3, 100).err().unwrap();
    assert!(matches!(error, PipelineError::Truncated { .. }), "{error}");
    let variant = Variant {
        options: Options {
            page: 1,
            ..Options::default()
        },
        ..Variant::default()
    };
    let error = render(LOSSY, &[variant], &Limits::default()).unwrap_err();
    assert!(error.to_string().ends_with("and it has 1"), "{error}");
}

#[test]
fn frames_are_bounded_by_their_pixels_and_bytes() {
    let Animation { mut file, .. } = animation(42, 4, false);
    let HeaderStatus::Ready(header) = read_header(&file).unwrap() else {
        panic!("the whole file has its header");
    };
    let mut frames = WebpFrames::new(&header, 3, LoopFilter::Exact, 100).unwrap();
    assert_eq!(
        run(&mut frames, &file, 100).err().unwrap().to_string(),
        "the file has more than 100 pixels in its frames up to the page"
    );
    let last = file.windows(4).rposition(|id| id == b"ANMF").unwrap();
    file[last + 7] = 100;
    let error = decode(&file, 3, 100).err().unwrap();
    assert!(
        error.to_string().ends_with("bytes in a frame of its size"),
        "{error}"
    );
}

#[test]
fn a_frame_outside_of_the_canvas_is_an_error() {
    let Animation { mut file, .. } = animation(43, 3, true);
    let last = file.windows(4).rposition(|id| id == b"ANMF").unwrap();
    file[last + 8] = 100;
    assert!(matches!(
        decode(&file, 2, 100),
        Err(PipelineError::Malformed { .. })
    ));
}

#[test]
fn damaged_and_cut_files_never_panic() {
    let Animation { file, .. } = animation(44, 4, true);
    with_flipped_bits(&file, 200, |damaged| {
        let _ = decode(damaged, 3, 1000);
    });
    for len in (0..file.len()).step_by(37) {
        let _ = decode(&file[..len], 3, 1000);
    }
}
