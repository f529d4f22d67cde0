//! GIF: later frames, composed as their disposal says, against a composition of our own and `image`'s.

use std::borrow::Cow;

use crate::common::{Picture, Random, run, with_flipped_bits};
use gif::{ColorOutput, DecodeOptions, DisposalMethod, Encoder, Frame};
use image::{AnimationDecoder, codecs::gif::GifDecoder as Reference};
use thumbnail_pipeline::decode::gif::{GifFrames, GifHeader, read_header};
use thumbnail_pipeline::decode::{Completeness, HeaderStatus};
use thumbnail_pipeline::{Limits, Options, PipelineError, Variant, render};

const WIDTH: u16 = 23;
const HEIGHT: u16 = 17;
const MAX_PIXELS: u64 = 1 << 20;

fn header(file: &[u8]) -> Result<GifHeader, PipelineError> {
    match read_header(file)? {
        HeaderStatus::Ready(header) => Ok(header),
        HeaderStatus::NeedMore => Err(PipelineError::UnknownFormat),
    }
}

fn decode(file: &[u8], page: u32, chunk: usize) -> Result<(Picture, Completeness), PipelineError> {
    run(
        &mut GifFrames::new(&header(file)?, page, MAX_PIXELS)?,
        file,
        chunk,
    )
}

const DISPOSALS: [DisposalMethod; 4] = [
    DisposalMethod::Any,
    DisposalMethod::Keep,
    DisposalMethod::Background,
    DisposalMethod::Previous,
];

/// Frames of random places, sizes, colors, transparency and disposal; the first covers the screen.
fn animation(seed: u32, frames: usize) -> Vec<u8> {
    let mut random = Random(seed);
    let palette: Vec<u8> = (0..3 * 8).map(|_| random.byte()).collect();
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, WIDTH, HEIGHT, &palette).unwrap();
    for index in 0..frames {
        let mut below = |end: u16| u16::try_from(random.below(end.into())).unwrap();
        let (left, top) = if index == 0 {
            (0, 0)
        } else {
            (below(WIDTH), below(HEIGHT))
        };
        let (width, height) = if index == 0 {
            (WIDTH, HEIGHT)
        } else {
            (1 + below(WIDTH - left), 1 + below(HEIGHT - top))
        };
        let disposal = DISPOSALS[usize::from(below(4))];
        let transparent = (below(3) > 0).then_some(3);
        let interlaced = below(3) == 0;
        let local = below(2) == 0;
        let area = usize::from(width) * usize::from(height);
        encoder
            .write_frame(&Frame {
                left,
                top,
                width,
                height,
                interlaced,
                transparent,
                dispose: disposal,
                palette: local.then(|| (0..3 * 8).map(|_| random.byte()).collect()),
                buffer: Cow::Owned((0..area).map(|_| random.byte() & 7).collect()),
                ..Frame::default()
            })
            .unwrap();
    }
    drop(encoder);
    file
}

/// The canvas as each frame shows it, by the letter of the specification.
fn compose(file: &[u8]) -> Vec<Vec<[u8; 4]>> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let mut decoder = options.read_info(file).unwrap();
    let width = usize::from(WIDTH);
    let mut canvas = vec![[0; 4]; width * usize::from(HEIGHT)];
    let mut shown = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let before = canvas.clone();
        let place = |i: usize| {
            let (x, y) = (i % usize::from(frame.width), i / usize::from(frame.width));
            (usize::from(frame.top) + y) * width + usize::from(frame.left) + x
        };
        let pixels = frame.buffer.as_chunks::<4>().0;
        for (i, pixel) in pixels.iter().enumerate() {
            if pixel[3] > 0 {
                canvas[place(i)] = *pixel;
            }
        }
        shown.push(canvas.clone());
        match frame.dispose {
            DisposalMethod::Background => {
                for i in 0..pixels.len() {
                    canvas[place(i)] = [0; 4];
                }
            }
            DisposalMethod::Previous => canvas = before,
            _ => {}
        }
    }
    shown
}

#[test]
fn every_frame_equals_both_references() {
    for seed in 0..30 {
        let file = animation(seed, 12);
        let other = Reference::new(std::io::Cursor::new(&file)).unwrap();
        let other = other.into_frames().collect_frames().unwrap();
        let expected = compose(&file);
        assert_eq!((expected.len(), other.len()), (12, 12));
        for ((expected, other), page) in expected.iter().zip(&other).zip(0..) {
            let (picture, completeness) = decode(&file, page, 100).unwrap();
            assert_eq!(completeness, Completeness::Whole);
            let bytes = picture.bytes(0);
            let (pixels, _) = bytes.as_chunks::<4>();
            assert!(pixels == expected, "seed {seed}, page {page}");
            for (pixel, other) in pixels.iter().zip(other.buffer().pixels()) {
                assert_eq!(pixel[3], other.0[3]);
                assert!(
                    pixel[3] == 0 || *pixel == other.0,
                    "seed {seed}, page {page}"
                );
            }
        }
    }
}

#[test]
fn chunk_sizes_do_not_matter() {
    let file = animation(77, 6);
    for page in 0..6 {
        let (expected, _) = decode(&file, page, file.len()).unwrap();
        for chunk in [1, 2, 7] {
            let (picture, _) = decode(&file, page, chunk).unwrap();
            assert!(picture.rows == expected.rows, "page {page}");
        }
    }
}

#[test]
fn a_page_that_is_not_there_is_refused_with_how_many_are() {
    let file = animation(1, 5);
    let want = "there is no page 5: pages of this GIF file count from 0, and it has 5";
    assert_eq!(decode(&file, 5, 64).err().unwrap().to_string(), want);
    // Some writers leave the trailer out.
    let cut = &file[..file.len() - 1];
    assert_eq!(decode(cut, 5, 64).err().unwrap().to_string(), want);
    let cut = &file[..file.len() - 9];
    let want = "the GIF file ends early: 4 of its frames begin before it breaks off, and page 5 is not among them";
    assert_eq!(decode(cut, 5, 64).err().unwrap().to_string(), want);
}

#[test]
fn a_frame_that_is_cut_shows_what_there_is_of_it() {
    let file = animation(2, 4);
    let (_, whole) = decode(&file, 3, 64).unwrap();
    assert_eq!(whole, Completeness::Whole);
    let mut cut = 0;
    for len in 0..file.len() - 1 {
        match decode(&file[..len], 3, 64) {
            Ok((_, completeness)) => {
                assert_eq!(completeness, Completeness::Truncated, "{len}");
                cut += 1;
            }
            Err(
                PipelineError::Truncated { .. }
                | PipelineError::UnknownFormat
                | PipelineError::Options(_),
            ) => {}
            Err(other) => panic!("{len}: {other}"),
        }
    }
    assert!(cut > 5, "{cut}");
}

#[test]
fn frames_are_paid_for_by_their_pixels() {
    let file = animation(3, 8);
    let paid = |max_pixels| {
        let decoder = GifFrames::new(&header(&file).unwrap(), 7, max_pixels);
        run(&mut decoder.unwrap(), &file, 100)
    };
    assert!(paid(8 * 23 * 17 * 2).is_ok());
    assert_eq!(
        paid(100).err().unwrap().to_string(),
        "the file has more than 100 pixels in its frames up to the page"
    );
}

#[test]
fn ten_thousand_frames_are_walked_to_the_last_page() {
    // One color, one pixel: 0x44 0x01 are the codes clear, 0 and end.
    let frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    let mut file = b"GIF89a\x01\0\x01\0\x80\0\0\x07\x08\x09\0\0\0".to_vec();
    file.extend(frame.repeat(100_000));
    let (picture, _) = decode(&file, 9_999, 1 << 16).unwrap();
    assert_eq!(picture.bytes(0), [7, 8, 9, 255]);
    let last = decode(&file, 99_999, 1 << 16).unwrap();
    assert_eq!(last.0.bytes(0), [7, 8, 9, 255]);
}

#[test]
fn a_canvas_beyond_the_budget_is_refused_with_the_numbers() {
    let mut file = animation(4, 2);
    file[6..10].fill(0xff);
    let variant = |page| Variant {
        options: Options {
            page,
            ..Options::default()
        },
        ..Variant::default()
    };
    let limits = Limits {
        max_pixels: u64::MAX,
        ..Limits::default()
    };
    let error = render(&file, &[variant(1)], &limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "decoding 65535x65535 takes 17180020739 bytes of memory, and 67108864 are available"
    );
}

#[test]
fn thumbnails_show_the_page() {
    let file = animation(5, 6);
    let canvases = compose(&file);
    for (page, expected) in canvases.iter().enumerate().skip(1) {
        let variant = Variant {
            options: Options {
                page: u32::try_from(page).unwrap(),
                width: Some(WIDTH.into()),
                height: Some(HEIGHT.into()),
                format: thumbnail_pipeline::options::FormatChoice::Png,
                ..Options::default()
            },
            ..Variant::default()
        };
        let made = render(&file, &[variant], &Limits::default()).unwrap();
        let png = &made.thumbnails[0].encoded.bytes;
        let shown = image::load_from_memory(png).unwrap().to_rgba8();
        for (pixel, expected) in shown.pixels().zip(expected) {
            let [.., alpha] = pixel.0;
            assert_eq!(alpha, expected[3]);
            assert!(alpha == 0 || pixel.0 == *expected, "page {page}");
        }
    }
}

#[test]
fn damaged_files_never_panic() {
    for seed in 0..5 {
        with_flipped_bits(&animation(seed, 6), 300, |damaged| {
            let _ = decode(damaged, 4, 100);
        });
    }
}
