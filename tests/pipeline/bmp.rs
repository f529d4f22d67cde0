//! BMP: every way to store pixels, and damaged files.

use crate::common::{Picture, Random, run, with_flipped_bits};
use image::{DynamicImage, ImageFormat};
use thumbnail_pipeline::decode::bmp::{BmpDecoder, BmpHeader, read_header};
use thumbnail_pipeline::decode::{Completeness, HeaderStatus};
use thumbnail_pipeline::{LimitError, PipelineError};

fn header(file: &[u8]) -> Result<BmpHeader, PipelineError> {
    match read_header(file)? {
        HeaderStatus::Ready(header) => Ok(header),
        HeaderStatus::NeedMore => Err(PipelineError::UnknownFormat),
    }
}

fn decode(file: &[u8], chunk: usize) -> Result<(Picture, Completeness), PipelineError> {
    let header = header(file)?;
    let pixels = u64::from(header.width) * u64::from(header.height);
    if pixels > 1 << 20 || header.peak_bytes() > 1 << 24 {
        return Err(LimitError::Allocation { bytes: pixels }.into());
    }
    run(&mut BmpDecoder::new(&header)?, file, chunk)
}

/// A file of 21x13 pixels with an info header of `info_len` bytes; `extra` continues it, or follows it.
fn file(
    info_len: u32,
    bits: u16,
    compression: u32,
    top_down: bool,
    extra: &[u8],
    data: &[u8],
) -> Vec<u8> {
    let palette = if bits <= 8 { 4 << bits } else { 0 };
    let after = 14 + (info_len as usize).max(40 + extra.len()) + palette;
    let mut file = b"BM\0\0\0\0\0\0\0\0".to_vec();
    file.extend(u32::try_from(after).unwrap().to_le_bytes());
    let height = if top_down { -13_i32 } else { 13 };
    file.extend(info_len.to_le_bytes());
    file.extend(21_u32.to_le_bytes());
    file.extend(height.to_le_bytes());
    file.extend([1, 0]);
    file.extend(bits.to_le_bytes());
    file.extend(compression.to_le_bytes());
    file.extend([0; 20]);
    file.extend(extra);
    file.resize(after - palette, 0);
    let mut random = Random(3);
    // The first color is black, which the reference gives to pixels that no run sets.
    file.extend((0..palette).map(|i| if i < 4 { 0 } else { random.byte() }));
    file.extend(data);
    file
}

fn noise(len: usize) -> Vec<u8> {
    let mut random = Random(8);
    (0..len).map(|_| random.byte()).collect()
}

fn masks(masks: &[u32]) -> Vec<u8> {
    masks.iter().flat_map(|mask| mask.to_le_bytes()).collect()
}

/// Runs, literals, moves and rows that end early.
fn runs(bits: u16) -> Vec<u8> {
    let mut data = Vec::new();
    for row in 0..10_u8 {
        data.extend([5, row * 17]);
        let literal: Vec<u8> = (0..7).map(|i| i * 31 + row).collect();
        data.extend([0, 7]);
        let len = if bits == 4 { 4 } else { 8 };
        data.extend(literal.iter().chain(&[0]).take(len));
        data.extend([4, 0x5a, 0, 0]);
    }
    data.extend([3, 9, 0, 2, 4, 1, 6, 0x77, 0, 1]);
    data
}

fn samples() -> Vec<Vec<u8>> {
    let v4 = |colors: &[u32]| masks(colors);
    let mut files = Vec::new();
    for top_down in [false, true] {
        for (info, bits, compression, extra) in [
            (40, 1, 0, vec![]),
            (40, 4, 0, vec![]),
            (40, 8, 0, vec![]),
            (40, 16, 0, vec![]),
            (40, 24, 0, vec![]),
            (40, 32, 0, vec![]),
            (40, 16, 3, masks(&[0xf800, 0x07e0, 0x001f])),
            (40, 32, 3, masks(&[0xff, 0xff00, 0xff_0000])),
            (108, 32, 3, v4(&[0xff_0000, 0xff00, 0xff, 0xff00_0000])),
            (124, 16, 3, v4(&[0x0f00, 0x00f0, 0x000f, 0xf000])),
        ] {
            let row = (21 * usize::from(bits)).div_ceil(32) * 4;
            files.push(file(
                info,
                bits,
                compression,
                top_down,
                &extra,
                &noise(row * 13),
            ));
        }
    }
    files.push(file(40, 8, 1, false, &[], &runs(8)));
    files.push(file(40, 4, 2, false, &[], &runs(4)));
    files
}

#[test]
fn every_kind_equals_the_reference() {
    for (index, file) in samples().iter().enumerate() {
        let (picture, completeness) = decode(file, file.len()).unwrap();
        assert_eq!(completeness, Completeness::Whole, "{index}");
        let expected = image::load_from_memory_with_format(file, ImageFormat::Bmp).unwrap();
        let expected = match picture.planes[0].channels {
            4 => expected.into_rgba8().into_raw(),
            _ => DynamicImage::into_rgb8(expected).into_raw(),
        };
        let bytes = picture.bytes(0);
        // The reference scales fields of less than eight bits by shifting.
        let worst = bytes
            .iter()
            .zip(&expected)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        let allowed = u8::from(matches!(file[28], 16)) * 8;
        assert!(worst <= Some(allowed), "{index}: {worst:?}");
    }
}

#[test]
fn bitmaps_of_os2_have_short_headers_and_palettes_of_three_bytes() {
    let mut file = b"BM\0\0\0\0\0\0\0\0\x20\0\0\0".to_vec();
    file.extend([12, 0, 0, 0, 3, 0, 2, 0, 1, 0, 1, 0]);
    file.extend([1, 2, 3, 40, 50, 60]);
    file.extend([0b1010_0000, 0, 0, 0, 0b0100_0000, 0, 0, 0]);
    let (picture, _) = decode(&file, 5).unwrap();
    let (zero, one) = ([3, 2, 1], [60, 50, 40]);
    assert_eq!(picture.bytes(0), [zero, one, zero, one, zero, one].concat());
    assert_eq!(picture.order, [1, 0]);
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
fn alpha_needs_a_mask() {
    let plain = file(40, 32, 0, false, &[], &noise(84 * 13));
    let alpha = file(
        108,
        32,
        3,
        false,
        &masks(&[0xff_0000, 0xff00, 0xff, 0xff00_0000]),
        &noise(84 * 13),
    );
    assert!(!header(&plain).unwrap().has_alpha);
    assert!(header(&alpha).unwrap().has_alpha);
}

#[test]
fn the_place_of_a_profile_is_known() {
    let mut extra = masks(&[0, 0, 0, 0]);
    extra.extend(b"DEBM");
    extra.resize(72, 0);
    extra.extend(1000_u32.to_le_bytes());
    extra.extend(560_u32.to_le_bytes());
    let file = file(124, 24, 0, false, &extra, &noise(64 * 13));
    assert_eq!(header(&file).unwrap().icc_profile, Some((1014, 560)));
}

#[test]
fn cut_files_keep_the_rows_that_they_have() {
    for file in samples() {
        let mut pictures = 0;
        for len in 0..file.len() - 4 {
            match decode(&file[..len], 64) {
                Ok((_, completeness)) => {
                    pictures += 1;
                    assert_eq!(completeness, Completeness::Truncated);
                }
                Err(PipelineError::UnknownFormat | PipelineError::Truncated { .. }) => {}
                Err(other) => panic!("{len}: {other}"),
            }
        }
        assert!(pictures > 20, "{pictures}");
    }
}

#[test]
fn what_is_not_decoded_is_named() {
    for (bits, compression) in [(24, 4), (8, 7), (7, 0), (24, 1)] {
        let file = file(40, bits, compression, false, &[], &[0; 64]);
        assert!(matches!(
            read_header(&file),
            Err(PipelineError::Unsupported { .. })
        ));
    }
    let empty = b"BM\0\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\0\0\x02\0\x01\0\x18\0".to_vec();
    assert!(matches!(
        read_header(&empty),
        Err(PipelineError::Malformed { .. })
    ));
}

#[test]
fn large_sizes_cost_nothing_before_the_plan() {
    let mut file = file(40, 32, 0, false, &[], &[]);
    file[18..26].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f]);
    let header = header(&file).unwrap();
    assert!(header.peak_bytes() > 1 << 33);
}

#[test]
fn damaged_files_never_panic() {
    for file in samples() {
        with_flipped_bits(&file, 100, |damaged| {
            let _ = decode(damaged, 100);
        });
    }
}
