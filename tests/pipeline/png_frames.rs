//! Animated PNG: later frames of every kind of file, against a composition of our own and `image`'s.

use crate::common::composition::{Disposal, Frame, compose, same};
use crate::common::{Picture, Random, run, with_flipped_bits};
use crate::samples::png_files::{File, chunk, oracle};
use image::AnimationDecoder;
use thumbnail_pipeline::decode::png::{PngFrames, read_header};
use thumbnail_pipeline::decode::{Completeness, HeaderStatus};
use thumbnail_pipeline::{Limits, Options, PipelineError, Variant, probe, render};

const WIDTH: u32 = 21;
const HEIGHT: u32 = 14;

/// The chunks of a file: kind and data.
fn chunks(file: &[u8]) -> Vec<([u8; 4], Vec<u8>)> {
    let mut rest = &file[8..];
    let mut chunks = Vec::new();
    while let Some(&[a, b, c, d, e, f, g, h]) = rest.first_chunk::<8>() {
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        chunks.push(([e, f, g, h], rest[8..8 + len].to_vec()));
        rest = &rest[12 + len..];
    }
    chunks
}

/// Samples of the `png` crate as RGBA of 8 bits.
#[allow(clippy::cast_possible_truncation, reason = "rounded to 8 bits")]
fn to_rgba(samples: &[u16], pixels: usize, depth: u8) -> Vec<[u8; 4]> {
    let byte = |sample: u16| match depth {
        16 => ((u32::from(sample) * 255 + 32_767) / 65_535) as u8,
        _ => sample as u8,
    };
    let pixel = |pixel: &[u16]| match *pixel {
        [g] => [byte(g), byte(g), byte(g), 255],
        [g, a] => [byte(g), byte(g), byte(g), byte(a)],
        [r, g, b] => [byte(r), byte(g), byte(b), 255],
        [r, g, b, a] => [byte(r), byte(g), byte(b), byte(a)],
        _ => panic!("1 to 4 channels"),
    };
    samples.chunks(samples.len() / pixels).map(pixel).collect()
}

struct Animation {
    file: Vec<u8>,
    frames: Vec<Frame>,
}

/// An animation of `count` frames; the default image is the first of them or stands for itself.
fn animation(kind: File, seed: u32, count: u32, default_is_frame: bool) -> Animation {
    let mut random = Random(seed);
    let first = File {
        width: WIDTH,
        height: HEIGHT,
        ..kind
    };
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut frames = Vec::new();
    let mut sequence = 0_u32;
    let encoded = first.encode();
    for (name, data) in chunks(&encoded) {
        if &name == b"IDAT" || &name == b"IEND" {
            continue;
        }
        chunk(&mut file, name, &data);
    }
    let control = [count.to_be_bytes(), [0; 4]].concat();
    chunk(&mut file, *b"acTL", &control);
    if !default_is_frame {
        write_pixels(&mut file, &encoded, None);
    }
    for index in 0..count {
        let (origin, size) = if index == 0 {
            ((0, 0), (WIDTH, HEIGHT))
        } else {
            let origin = (random.below(WIDTH), random.below(HEIGHT));
            let width = 1 + random.below(WIDTH - origin.0);
            (origin, (width, 1 + random.below(HEIGHT - origin.1)))
        };
        let still = File {
            width: size.0,
            height: size.1,
            filter: random.byte() % 6,
            ..kind
        };
        let disposal =
            [Disposal::Keep, Disposal::Clear, Disposal::Restore][random.below(3) as usize];
        let replaces = random.below(2) == 0;
        let mut control = Vec::new();
        for word in [sequence, size.0, size.1, origin.0, origin.1, 0x0001_000a] {
            control.extend(word.to_be_bytes());
        }
        control.extend([disposal as u8, u8::from(!replaces)]);
        chunk(&mut file, *b"fcTL", &control);
        sequence += 1;
        let encoded = still.encode();
        let is_default = index == 0 && default_is_frame;
        write_pixels(&mut file, &encoded, (!is_default).then_some(&mut sequence));
        let pixels = (size.0 * size.1) as usize;
        frames.push(Frame {
            origin: (origin.0 as usize, origin.1 as usize),
            width: size.0 as usize,
            pixels: to_rgba(&oracle(&encoded), pixels, kind.depth),
            replaces,
            disposal,
        });
    }
    chunk(&mut file, *b"IEND", &[]);
    Animation { file, frames }
}

/// Writes the pixels of a still as IDAT chunks, or with sequence numbers as fdAT chunks.
fn write_pixels(file: &mut Vec<u8>, still: &[u8], mut sequence: Option<&mut u32>) {
    for (name, data) in chunks(still) {
        if &name != b"IDAT" {
            continue;
        }
        match &mut sequence {
            None => chunk(file, name, &data),
            Some(number) => {
                chunk(
                    file,
                    *b"fdAT",
                    &[&number.to_be_bytes(), data.as_slice()].concat(),
                );
                **number += 1;
            }
        }
    }
}

fn decode(file: &[u8], page: u32, piece: usize) -> Result<(Picture, Completeness), PipelineError> {
    let HeaderStatus::Ready(header) = read_header(file)? else {
        return Err(PipelineError::UnknownFormat);
    };
    if u64::from(header.width) * u64::from(header.height) > 1 << 20 {
        return Err(PipelineError::UnknownFormat);
    }
    run(&mut PngFrames::new(&header, page, 1 << 20)?, file, piece)
}

fn rgba(picture: &Picture) -> Vec<[u8; 4]> {
    let bytes = picture.bytes(0);
    match picture.planes[0].channels {
        2 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&[g, a]| [g, g, g, a])
            .collect(),
        _ => bytes.as_chunks().0.to_vec(),
    }
}

fn kinds() -> impl Iterator<Item = File> {
    let depths = [
        (0, 1),
        (0, 2),
        (0, 8),
        (0, 16),
        (2, 8),
        (2, 16),
        (3, 1),
        (3, 4),
        (3, 8),
        (4, 8),
        (4, 16),
        (6, 8),
        (6, 16),
    ];
    depths.into_iter().flat_map(|(color, depth)| {
        [false, true].map(|interlaced| File {
            transparent: interlaced && color < 4,
            ..File::new(1, 1, color, depth, interlaced)
        })
    })
}

#[test]
fn frames_of_every_kind_equal_a_plain_composition() {
    for (kind, seed) in kinds().zip(1..) {
        for default_is_frame in [true, false] {
            let Animation { file, frames } = animation(kind, seed, 7, default_is_frame);
            let shown = compose((WIDTH as usize, HEIGHT as usize), &frames);
            let first = u32::from(!default_is_frame);
            for (expected, page) in shown.iter().zip(first..).skip(1) {
                let (picture, completeness) = decode(&file, page, 50).unwrap();
                assert_eq!(completeness, Completeness::Whole);
                assert!(same(&rgba(&picture), expected, 1), "{kind:?}, page {page}");
            }
        }
    }
}

#[test]
fn frames_equal_those_of_the_image_crate() {
    // What it restores is wrong where a frame was cleared before, and it cuts off where it blends:
    // only frames that stay, of which pixels are opaque or not there, are compared.
    let kind = File {
        transparent: true,
        ..File::new(1, 1, 2, 8, false)
    };
    for seed in 0..20 {
        let Animation { file, frames } = animation(kind, seed, 9, true);
        let restores = |frame: &Frame| frame.disposal == Disposal::Restore;
        let compared = frames.iter().position(restores).unwrap_or(frames.len());
        let decoder = image::codecs::png::PngDecoder::new(std::io::Cursor::new(&file)).unwrap();
        let frames = decoder.apng().unwrap().into_frames();
        for (frame, page) in frames.take(compared + 1).zip(0..).skip(1) {
            let (picture, _) = decode(&file, page, 1000).unwrap();
            let expected = frame.unwrap().into_buffer().into_raw();
            assert!(
                same(&rgba(&picture), expected.as_chunks().0, 0),
                "seed {seed}, page {page}"
            );
        }
    }
}

#[test]
fn pieces_of_any_size_give_the_same() {
    for interlaced in [false, true] {
        let Animation { file, .. } = animation(File::new(1, 1, 2, 8, interlaced), 3, 4, true);
        let (expected, _) = decode(&file, 3, file.len()).unwrap();
        for piece in [1, 3, 13] {
            let (picture, _) = decode(&file, 3, piece).unwrap();
            assert!(picture.rows == expected.rows);
        }
    }
}

#[test]
fn a_page_that_is_not_there_is_known_from_the_header() {
    for (default_is_frame, pages) in [(true, 4), (false, 5)] {
        let Animation { file, .. } =
            animation(File::new(1, 1, 6, 8, false), 1, 4, default_is_frame);
        let idat = file.windows(4).position(|kind| kind == b"IDAT").unwrap();
        let HeaderStatus::Ready(info) = probe(&file[..idat + 4]).unwrap() else {
            panic!("the header ends before the first IDAT chunk");
        };
        assert_eq!(info.frames, Some(pages));
        assert!(info.at_page(pages - 1).is_ok());
        assert_eq!(
            info.at_page(pages).unwrap_err().to_string(),
            format!(
                "there is no page {pages}: pages of this PNG file count from 0, and it has {pages}"
            )
        );
    }
    // A file that promises more than it has.
    let Animation { file, .. } = animation(File::new(1, 1, 6, 8, false), 1, 4, true);
    let error = decode(&file, 4, 100).err().unwrap();
    assert!(error.to_string().ends_with("and it has 4"), "{error}");
    let still = File::new(9, 9, 2, 8, false).encode();
    let variant = Variant {
        options: Options {
            page: 1,
            ..Options::default()
        },
        ..Variant::default()
    };
    let error = render(&still, &[variant], &Limits::default()).unwrap_err();
    assert!(error.to_string().ends_with("and it has 1"), "{error}");
}

#[test]
fn a_frame_that_is_cut_shows_what_there_is_of_it() {
    let Animation { file, .. } = animation(File::new(1, 1, 6, 8, false), 5, 3, true);
    let last = file.windows(4).rposition(|kind| kind == b"fdAT").unwrap();
    let (_, completeness) = decode(&file[..last + 6], 2, 100).unwrap();
    assert_eq!(completeness, Completeness::Truncated);
    for len in 0..file.len() {
        let _ = decode(&file[..len], 2, 100);
    }
}

#[test]
fn a_frame_outside_of_the_picture_is_an_error() {
    let Animation { mut file, .. } = animation(File::new(1, 1, 6, 8, false), 6, 2, true);
    let last = file.windows(4).rposition(|kind| kind == b"fcTL").unwrap();
    file[last + 8 + 3] = 200;
    assert!(matches!(
        decode(&file, 1, 100),
        Err(PipelineError::Malformed { .. })
    ));
}

#[test]
fn damaged_files_never_panic() {
    for interlaced in [false, true] {
        let Animation { file, .. } = animation(File::new(1, 1, 3, 8, interlaced), 8, 5, true);
        with_flipped_bits(&file, 400, |damaged| {
            let _ = decode(damaged, 4, 100);
        });
    }
}
