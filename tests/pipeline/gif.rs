//! GIF: the first frame, its place and its colors, and damaged files.

use std::borrow::Cow;

use crate::common::{Picture, Random, run, with_flipped_bits};
use gif::{Encoder, Frame};
use image::{AnimationDecoder, codecs::gif::GifDecoder as Reference};
use thumbnail_pipeline::decode::gif::{GifDecoder, GifHeader, read_header};
use thumbnail_pipeline::decode::{Completeness, HeaderStatus};
use thumbnail_pipeline::{LimitError, PipelineError};

fn header(file: &[u8]) -> Result<GifHeader, PipelineError> {
    match read_header(file)? {
        HeaderStatus::Ready(header) => Ok(header),
        HeaderStatus::NeedMore => Err(PipelineError::UnknownFormat),
    }
}

fn decode(file: &[u8], chunk: usize) -> Result<(Picture, Completeness), PipelineError> {
    let header = header(file)?;
    if u64::from(header.width) * u64::from(header.height) > 1 << 22 {
        return Err(LimitError::Pixels {
            width: header.width,
            height: header.height,
            max_pixels: 1 << 22,
        }
        .into());
    }
    run(&mut GifDecoder::new(&header)?, file, chunk)
}

/// A file whose first frame lies at (3, 2) on a screen of 40x30, or is all of it.
fn sample(interlaced: bool, transparent: Option<u8>, covers: bool) -> Vec<u8> {
    let (left, top, width, height) = if covers {
        (0, 0, 40, 30)
    } else {
        (3, 2, 30, 21)
    };
    let mut random = Random(5);
    let palette: Vec<u8> = (0..3 * 16).map(|_| random.byte()).collect();
    let mut pixels: Vec<u8> = Vec::new();
    for i in 0..width * height {
        let noise = random.byte() & 15;
        pixels.push(if i % 3 == 0 {
            noise
        } else {
            (i / 7 % 16) as u8
        });
    }
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 40, 30, &palette).unwrap();
    for _ in 0..2 {
        let mut stored = pixels.clone();
        if interlaced {
            let w = width as usize;
            let order = [(0, 8), (4, 8), (2, 4), (1, 2)].into_iter();
            let rows = order.flat_map(|(first, step)| (first..height as usize).step_by(step));
            stored = rows
                .flat_map(|y| pixels[y * w..(y + 1) * w].to_vec())
                .collect();
        }
        encoder
            .write_frame(&Frame {
                left,
                top,
                width,
                height,
                interlaced,
                transparent,
                buffer: Cow::Owned(stored),
                ..Frame::default()
            })
            .unwrap();
    }
    drop(encoder);
    file
}

fn samples() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for interlaced in [false, true] {
        for transparent in [None, Some(7)] {
            for covers in [false, true] {
                files.push(sample(interlaced, transparent, covers));
            }
        }
    }
    files
}

#[test]
fn frames_equal_the_reference() {
    for file in samples() {
        let (picture, completeness) = decode(&file, file.len()).unwrap();
        assert_eq!(completeness, Completeness::Whole);
        let frames = Reference::new(std::io::Cursor::new(&file)).unwrap();
        let expected = frames.into_frames().next().unwrap().unwrap().into_buffer();
        let channels = usize::from(picture.planes[0].channels);
        let bytes = picture.bytes(0);
        for (pixel, expected) in bytes.chunks(channels).zip(expected.pixels()) {
            if channels == 4 && pixel[3] == 0 {
                assert_eq!(expected.0[3], 0);
            } else {
                assert_eq!(pixel, &expected.0[..channels]);
            }
        }
    }
}

#[test]
fn only_opaque_frames_that_cover_the_screen_are_rgb() {
    assert!(!header(&sample(false, None, true)).unwrap().has_alpha);
    assert!(header(&sample(false, Some(1), true)).unwrap().has_alpha);
    assert!(header(&sample(false, None, false)).unwrap().has_alpha);
}

#[test]
fn chunk_sizes_do_not_matter() {
    for file in samples() {
        let (expected, _) = decode(&file, file.len()).unwrap();
        for chunk in [1, 3, 50] {
            let (picture, completeness) = decode(&file, chunk).unwrap();
            assert_eq!(completeness, Completeness::Whole);
            assert!(picture.rows == expected.rows);
        }
    }
}

#[test]
fn a_frame_that_is_larger_than_the_screen_enlarges_it() {
    let mut file = sample(false, None, true);
    file[6] = 10;
    file[8] = 50;
    let header = header(&file).unwrap();
    assert_eq!((header.width, header.height), (40, 50));
}

#[test]
fn a_huge_screen_with_a_small_frame_is_cheap() {
    let mut file = sample(false, None, true);
    file[6..10].fill(0xff);
    let header = header(&file).unwrap();
    assert_eq!((header.width, header.height), (65535, 65535));
    assert!(header.peak_bytes() < 2 << 20);
    GifDecoder::new(&header).unwrap();
}

#[test]
fn cut_files_keep_the_rows_that_they_have() {
    for file in samples() {
        let (whole, _) = decode(&file, file.len()).unwrap();
        let mut pictures = 0;
        for len in 0..file.len() / 2 {
            match decode(&file[..len], 64) {
                Ok((picture, Completeness::Truncated)) => {
                    pictures += 1;
                    let rows = picture.rows[0].iter().zip(&whole.rows[0]);
                    let same = rows.filter(|(a, b)| a == b).count();
                    assert!(same + 30 >= picture.rows[0].len() || len < file.len() / 2);
                }
                Ok((_, Completeness::Whole))
                | Err(PipelineError::UnknownFormat | PipelineError::Truncated { .. }) => {}
                Err(other) => panic!("{len}: {other}"),
            }
        }
        assert!(pictures > 20, "{pictures}");
    }
}

#[test]
fn what_comes_before_the_frame_is_skipped_within_a_limit() {
    let file = sample(false, None, true);
    let start = 13 + 48;
    let with = |blocks: &[u8]| [&file[..start], blocks, &file[start..]].concat();
    let comment = [0x21, 0xfe, 3, b'a', b'b', b'c', 1, b'd', 0];
    let (expected, _) = decode(&file, 100).unwrap();
    let (picture, _) = decode(&with(&comment.repeat(50)), 100).unwrap();
    assert!(picture.rows == expected.rows);
    assert!(matches!(
        read_header(&with(&[0x21, 0xfe, 0].repeat(20_000))),
        Err(PipelineError::Limit(LimitError::Count { .. }))
    ));
}

#[test]
fn frames_of_one_pixel_are_decoded() {
    let file = b"GIF89a\x02\0\x01\0\x80\0\0\x07\x08\x09\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;";
    for chunk in [1, file.len()] {
        let (picture, completeness) = decode(file, chunk).unwrap();
        assert_eq!(completeness, Completeness::Whole);
        assert_eq!(picture.bytes(0), [7, 8, 9, 255, 0, 0, 0, 0]);
    }
}

#[test]
fn files_without_a_picture_are_errors() {
    for file in [
        &b"GIF88a"[..],
        b"GIF89a\x01\0\x01\0\0\0\0;",
        b"GIF89a\x01\0\x01\0\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;",
        b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0\x2c\0\0\0\0\0\0\x01\0\0\x02\x02\x44\x01\0;",
    ] {
        assert!(matches!(
            read_header(file),
            Err(PipelineError::Malformed { .. })
        ));
    }
}

#[test]
fn damaged_files_never_panic() {
    for file in samples() {
        with_flipped_bits(&file, 300, |damaged| {
            let _ = decode(damaged, 100);
        });
    }
}
