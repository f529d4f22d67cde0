//! WebP: the container, all codings, and damaged files.

use std::io::Cursor;

use crate::common::{Picture, run, with_flipped_bits};
use thumbnail_pipeline::decode::webp::{
    LoopFilter, WebpCoding, WebpDecoder, WebpHeader, read_header,
};
use thumbnail_pipeline::decode::{Completeness, HeaderStatus};
use thumbnail_pipeline::{LimitError, PipelineError};

const LOSSY: &[u8] = include_bytes!("../images/webp/lossy.webp");
const LOSSY_ALPHA: &[u8] = include_bytes!("../images/webp/lossy-alpha.webp");
const LOSSLESS_ALPHA: &[u8] = include_bytes!("../images/webp/lossless-alpha.webp");

fn header(file: &[u8]) -> WebpHeader {
    match read_header(file) {
        Ok(HeaderStatus::Ready(header)) => header,
        other => panic!("{other:?}"),
    }
}

fn decode(file: &[u8], chunk: usize) -> Result<(Picture, Completeness), PipelineError> {
    let header = match read_header(file)? {
        HeaderStatus::Ready(header) => header,
        HeaderStatus::NeedMore => return Err(PipelineError::UnknownFormat),
    };
    // What a plan would refuse; a flipped bit may ask for any size.
    if header.peak_bytes() > 64 << 20 {
        return Err(LimitError::Allocation {
            bytes: header.peak_bytes(),
        }
        .into());
    }
    run(
        &mut WebpDecoder::new(&header, LoopFilter::Exact),
        file,
        chunk,
    )
}

fn reference(file: &[u8]) -> Vec<u8> {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).unwrap();
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut pixels).unwrap();
    pixels
}

fn chunk(id: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut chunk = id.to_vec();
    chunk.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    chunk.extend(payload);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    body.extend(chunks.concat());
    chunk(*b"RIFF", &body)
}

fn vp8x(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let mut payload = vec![flags, 0, 0, 0];
    payload.extend(&(width - 1).to_le_bytes()[..3]);
    payload.extend(&(height - 1).to_le_bytes()[..3]);
    chunk(*b"VP8X", &payload)
}

/// The chunks of a simple file, or of an extended one without its VP8X.
fn picture_chunks(file: &[u8]) -> Vec<u8> {
    let start = if &file[12..16] == b"VP8X" { 30 } else { 12 };
    file[start..].to_vec()
}

#[test]
fn headers_say_what_the_file_holds() {
    for (file, size, coding) in [
        (LOSSY, (100, 75), WebpCoding::Lossy),
        (LOSSY_ALPHA, (33, 47), WebpCoding::LossyAlpha),
        (LOSSLESS_ALPHA, (33, 47), WebpCoding::LosslessAlpha),
    ] {
        let header = header(file);
        assert_eq!((header.width, header.height), size);
        assert_eq!(header.coding, coding);
        assert!(!header.is_animated && !header.promises_exif);
    }
}

#[test]
fn a_lossy_picture_comes_as_three_planes() {
    let (picture, completeness) = decode(LOSSY, LOSSY.len()).unwrap();
    assert_eq!(completeness, Completeness::Whole);
    let sizes: Vec<_> = picture
        .planes
        .iter()
        .map(|plane| (plane.width, plane.height))
        .collect();
    assert_eq!(sizes, [(100, 75), (50, 38), (50, 38)]);
    assert!((picture.planes[1].pixels_per_sample_x - 2.0).abs() < f64::EPSILON);
    // BT.601 without interpolating chroma: near enough to tell wrong planes and rows.
    let [luma, u, v] = [0, 1, 2].map(|plane| picture.bytes(plane));
    let expected = reference(LOSSY);
    let mut difference = 0.0;
    for (index, pixel) in expected.as_chunks::<3>().0.iter().enumerate() {
        let at = index / 100 / 2 * 50 + index % 100 / 2;
        let [luma, u, v] = [luma[index], u[at], v[at]].map(f64::from);
        let green = 1.164 * (luma - 16.0) - 0.392 * (u - 128.0) - 0.813 * (v - 128.0);
        difference += (green.clamp(0.0, 255.0) - f64::from(pixel[1])).abs();
    }
    assert!(difference / 7500.0 < 4.0, "{}", difference / 7500.0);
}

#[test]
fn pictures_with_alpha_equal_the_reference() {
    for file in [LOSSY_ALPHA, LOSSLESS_ALPHA] {
        let (picture, completeness) = decode(file, file.len()).unwrap();
        assert_eq!(completeness, Completeness::Whole);
        assert_eq!(picture.planes.len(), 1);
        assert!(picture.bytes(0) == reference(file));
    }
}

#[test]
fn every_alpha_filter_equals_the_reference() {
    let lossy = picture_chunks(LOSSY_ALPHA);
    let alpha_len = u32::from_le_bytes(lossy[4..8].try_into().unwrap()) as usize;
    let color = &lossy[8 + alpha_len.next_multiple_of(2)..];
    for filter in 0..4_u8 {
        let mut plain = vec![filter << 2];
        plain.extend((0..33 * 47_u32).map(|i| (i * i % 251) as u8));
        let mut compressed = lossy[8..8 + alpha_len].to_vec();
        compressed[0] = compressed[0] & !0b1100 | filter << 2;
        for alpha in [plain, compressed] {
            let file = riff(&[vp8x(0x10, 33, 47), chunk(*b"ALPH", &alpha), color.to_vec()]);
            let (picture, _) = decode(&file, file.len()).unwrap();
            assert!(picture.bytes(0) == reference(&file), "filter {filter}");
        }
    }
}

#[test]
fn lossless_pictures_of_any_shape_equal_the_reference() {
    for (width, height) in [(1, 1), (1, 9), (40, 1), (37, 23)] {
        for color in [image_webp::ColorType::Rgb8, image_webp::ColorType::Rgba8] {
            let channels = if color == image_webp::ColorType::Rgb8 {
                3
            } else {
                4
            };
            let pixels: Vec<u8> = (0..width * height * channels)
                .map(|i| u8::try_from(i * i / 7 % 256).unwrap())
                .collect();
            let mut file = Vec::new();
            image_webp::WebPEncoder::new(&mut file)
                .encode(&pixels, width, height, color)
                .unwrap();
            let (picture, _) = decode(&file, 10).unwrap();
            assert_eq!(picture.bytes(0), pixels);
        }
    }
}

#[test]
fn chunk_sizes_do_not_matter() {
    let exif = riff(&[
        vp8x(0x08, 100, 75),
        picture_chunks(LOSSY),
        chunk(*b"EXIF", b"Exif data"),
    ]);
    for file in [LOSSY, LOSSY_ALPHA, LOSSLESS_ALPHA, &exif] {
        let (expected, _) = decode(file, file.len()).unwrap();
        for chunk in [1, 2, 7, 100, 1000] {
            let (picture, completeness) = decode(file, chunk).unwrap();
            assert_eq!(completeness, Completeness::Whole);
            assert!(picture.rows == expected.rows, "chunks of {chunk}");
        }
    }
}

#[test]
fn headers_need_their_profile_and_the_size_of_the_picture() {
    let file = riff(&[
        vp8x(0x20, 100, 75),
        chunk(*b"ICCP", &[7; 301]),
        chunk(*b"JUNK", &[0; 3]),
        picture_chunks(LOSSY),
    ]);
    let needed = 12 + 18 + 310 + 12 + 8 + 10;
    for len in 0..file.len().min(needed + 20) {
        match read_header(&file[..len]).unwrap() {
            HeaderStatus::NeedMore => assert!(len < needed, "{len}"),
            HeaderStatus::Ready(header) => {
                assert!(len >= needed, "{len}");
                assert_eq!(header.icc_profile.as_deref(), Some(&[7; 301][..]));
            }
        }
    }
}

#[test]
fn exif_data_may_stand_on_both_sides_of_the_image() {
    let exif = chunk(*b"EXIF", b"orientation");
    let before = riff(&[vp8x(0x08, 100, 75), exif.clone(), picture_chunks(LOSSY)]);
    assert_eq!(header(&before).exif.as_deref(), Some(&b"orientation"[..]));

    let after = riff(&[
        vp8x(0x08, 100, 75),
        picture_chunks(LOSSY),
        chunk(*b"XMP ", &[0; 5001]),
        exif,
    ]);
    assert!(header(&after).promises_exif && header(&after).exif.is_none());
    // The image ends where it ends: what follows is for whoever reads the whole file.
    for file in [after, riff(&[vp8x(0x08, 100, 75), picture_chunks(LOSSY)])] {
        for chunk in [1, 6, 1000, file.len()] {
            let mut decoder = WebpDecoder::new(&header(&file), LoopFilter::Skip);
            let (_, completeness) = run(&mut decoder, &file, chunk).unwrap();
            assert_eq!(completeness, Completeness::Whole);
        }
    }
}

/// An animation whose first frame lies at (4, 6) on a canvas of 120x90.
fn animation(first: &[u8], size: (u32, u32)) -> Vec<u8> {
    let mut frame = Vec::new();
    for value in [2, 3, size.0 - 1, size.1 - 1] {
        frame.extend(&u32::to_le_bytes(value)[..3]);
    }
    frame.extend([40, 0, 0, 0]);
    frame.extend(picture_chunks(first));
    riff(&[
        vp8x(0x12, 120, 90),
        chunk(*b"ANIM", &[0; 6]),
        chunk(*b"ANMF", &frame),
        chunk(*b"ANMF", &frame),
    ])
}

#[test]
fn the_first_frame_of_an_animation_is_placed_on_its_canvas() {
    for (first, size) in [
        (LOSSY, (100, 75)),
        (LOSSY_ALPHA, (33, 47)),
        (LOSSLESS_ALPHA, (33, 47)),
    ] {
        let file = animation(first, size);
        assert!(header(&file).is_animated);
        let (picture, completeness) = decode(&file, 64).unwrap();
        assert_eq!(completeness, Completeness::Whole);
        assert_eq!(
            (picture.planes[0].width, picture.planes[0].height),
            (120, 90)
        );
        let expected = reference(first);
        let channels = expected.len() / (size.0 * size.1) as usize;
        let rgba = picture.bytes(0);
        for (index, pixel) in rgba.as_chunks::<4>().0.iter().enumerate() {
            let (x, y) = (index % 120, index / 120);
            let inside =
                (4..4 + size.0 as usize).contains(&x) && (6..6 + size.1 as usize).contains(&y);
            if inside {
                let at = ((y - 6) * size.0 as usize + x - 4) * channels;
                assert_eq!(pixel[..channels], expected[at..at + channels]);
            } else {
                assert_eq!(pixel[3], 0);
            }
        }
    }
}

#[test]
fn contradictions_in_the_container_are_errors() {
    let other_size = riff(&[vp8x(0, 101, 75), picture_chunks(LOSSY)]);
    let mut outside = animation(LOSSY, (100, 75));
    let at = outside.windows(4).position(|id| id == b"ANMF").unwrap() + 8;
    outside[at] = 11;
    for file in [
        &other_size,
        &outside,
        &b"RIFF....WEBX".to_vec(),
        &b"RIFX".to_vec(),
    ] {
        assert!(matches!(
            read_header(file),
            Err(PipelineError::Malformed { .. })
        ));
    }
    let many = riff(&vec![chunk(*b"JUNK", &[]); 1000]);
    assert!(matches!(
        read_header(&many),
        Err(PipelineError::Limit(LimitError::Count { .. }))
    ));
}

#[test]
fn cut_files_give_a_picture_or_an_error() {
    let mut pictures = 0;
    for file in [LOSSY, LOSSY_ALPHA, LOSSLESS_ALPHA] {
        for len in (0..file.len()).step_by(3) {
            match decode(&file[..len], 100) {
                Ok((_, completeness)) => {
                    pictures += 1;
                    assert_eq!(completeness, Completeness::Truncated);
                }
                Err(PipelineError::UnknownFormat | PipelineError::Truncated { .. }) => {}
                Err(other) => panic!("{len} bytes: {other}"),
            }
        }
    }
    assert!(pictures > 100, "{pictures}");
}

#[test]
fn an_empty_alpha_channel_is_an_error() {
    // Fuzzing found that room for a header was taken for granted.
    let lossy = picture_chunks(LOSSY);
    for alpha in [&[][..], &[0], &[1]] {
        let file = riff(&[vp8x(0x10, 100, 75), chunk(*b"ALPH", alpha), lossy.clone()]);
        assert!(matches!(
            decode(&file, 10),
            Err(PipelineError::Malformed { .. } | PipelineError::Truncated { .. })
        ));
    }
}

#[test]
fn damaged_files_never_panic() {
    for file in [
        LOSSY,
        LOSSY_ALPHA,
        LOSSLESS_ALPHA,
        &animation(LOSSY_ALPHA, (33, 47)),
    ] {
        with_flipped_bits(file, 150, |damaged| {
            let _ = decode(damaged, 333);
        });
    }
}

#[test]
fn the_plan_knows_what_large_pictures_take() {
    // 16383x16383 in a few bytes.
    let mut bomb = vec![0x2f];
    bomb.extend((0x3ffe_u32 | 0x3ffe << 14).to_le_bytes());
    let header = header(&riff(&[chunk(*b"VP8L", &bomb)]));
    assert!(header.peak_bytes() > 1 << 30);
    // A lossy image takes its compressed bytes and a few rows.
    let mut frame = vec![0x10, 0, 0, 0x9d, 0x01, 0x2a];
    frame.extend([0xff, 0x3f, 0xff, 0x3f]);
    let lossy = self::header(&riff(&[chunk(*b"VP8 ", &frame)]));
    assert!(lossy.peak_bytes() < 4 << 20, "{}", lossy.peak_bytes());
}

#[test]
fn codes_that_take_more_tables_than_are_planned_are_refused() {
    // 4.4 KB each, and 1,280 KiB are planned.
    for (groups, is_good) in [(2, true), (290, true), (300, false), (65_536, false)] {
        let file = crate::samples::webp_files::with_groups(1024, 1024, groups);
        match decode(&file, 4096) {
            Ok((_, completeness)) => {
                assert_eq!((completeness, is_good), (Completeness::Whole, true));
            }
            Err(error) => {
                let said = "more than 1280 KiB of tables for its prefix codes";
                assert!(
                    !is_good && error.to_string().contains(said),
                    "{groups}: {error}"
                );
            }
        }
    }
}
