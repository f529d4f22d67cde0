//! What the PNG header reader takes from a file, and what it refuses.

use crate::samples::png_files::{File, chunk, oracle};
use thumbnail_pipeline::PipelineError;
use thumbnail_pipeline::decode::HeaderStatus;
use thumbnail_pipeline::decode::png::{
    ColorType, PngDecoder, PngHeader, Transparency, read_header,
};

/// Where the chunks after IHDR begin.
const AFTER_IHDR: usize = 8 + 25;

/// A small file with more chunks after IHDR.
fn file_with(color: u8, chunks: &[([u8; 4], &[u8])]) -> Vec<u8> {
    let plain = File::new(4, 4, color, 8, false).encode();
    let mut file = plain[..AFTER_IHDR].to_vec();
    for &(kind, data) in chunks {
        chunk(&mut file, kind, data);
    }
    file.extend(&plain[AFTER_IHDR..]);
    file
}

fn header_with(color: u8, chunks: &[([u8; 4], &[u8])]) -> PngHeader {
    match read_header(&file_with(color, chunks)) {
        Ok(HeaderStatus::Ready(header)) => header,
        other => panic!("{other:?}"),
    }
}

fn zlib(data: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(data, 6)
}

#[test]
fn each_prefix_needs_more_until_the_picture_begins() {
    let file = file_with(
        2,
        &[(*b"gAMA", &45_455_u32.to_be_bytes()), (*b"tEXt", b"a\0b")],
    );
    let idat = file.windows(4).position(|kind| kind == b"IDAT").unwrap();
    for length in 0..idat + 4 {
        let status = read_header(&file[..length]);
        assert_eq!(status, Ok(HeaderStatus::NeedMore), "{length} bytes");
    }
    let Ok(HeaderStatus::Ready(header)) = read_header(&file[..idat + 4]) else {
        panic!("the header is complete");
    };
    assert_eq!((header.width, header.height), (4, 4));
    assert_eq!((header.color_type, header.bit_depth), (ColorType::Rgb, 8));
    assert_eq!(header.gamma, Some(45_455));
}

#[test]
fn every_chunk_that_matters_is_read() {
    let chromaticities: Vec<u8> = (1..=8_u32).flat_map(u32::to_be_bytes).collect();
    let profile = [b"name\0\0", &zlib(b"profile")[..]].concat();
    let header = header_with(
        2,
        &[
            (*b"cHRM", &chromaticities),
            (*b"sRGB", &[1]),
            (*b"iCCP", &profile),
            (*b"cICP", &[12, 13, 0, 1]),
            (*b"eXIf", b"II*\0rest"),
            (*b"acTL", &[0, 0, 0, 60, 0, 0, 0, 0]),
            (*b"tRNS", &[0, 1, 0, 2, 0, 3]),
        ],
    );
    let chromaticities = header.chromaticities.unwrap();
    assert_eq!(
        (chromaticities.white, chromaticities.blue),
        ([1, 2], [7, 8])
    );
    assert_eq!(header.srgb_intent, Some(1));
    assert_eq!(header.icc.as_deref(), Some(&b"profile"[..]));
    assert_eq!(header.cicp.unwrap().primaries, 12);
    assert!(header.cicp.unwrap().full_range);
    assert_eq!(header.exif.as_deref(), Some(&b"II*\0rest"[..]));
    assert_eq!(header.frames, Some(60));
    assert_eq!(header.transparency, Some(Transparency::Rgb([1, 2, 3])));
    assert_eq!(header.channels_out(), 4);
}

#[test]
fn chunks_that_break_their_rules_count_as_absent() {
    let bomb = [b"name\0\0", &zlib(&vec![0; (4 << 20) + 1])[..]].concat();
    let cut = [b"name\0\0", &zlib(b"profile")[..8]].concat();
    let long_name = [&[b'n'; 80][..], b"\0\0", &zlib(b"profile")].concat();
    for profile in [
        &bomb[..],
        &cut,
        &long_name,
        b"",
        b"name",
        b"\0\0\0",
        b"name\0\x01x",
    ] {
        let header = header_with(2, &[(*b"iCCP", profile)]);
        assert_eq!(header.icc, None);
    }
    let header = header_with(
        6,
        &[
            (*b"gAMA", &[0; 4]),
            (*b"cHRM", &[0; 31]),
            (*b"sRGB", &[4]),
            (*b"cICP", &[1, 13, 0, 2]),
            (*b"acTL", &[0; 8]),
            (*b"tRNS", &[0; 6]),
        ],
    );
    let plain = header_with(6, &[]);
    assert_eq!(header, plain);
}

#[test]
fn a_profile_of_just_the_limit_is_read() {
    let profile = [b"name\0\0", &zlib(&vec![7; 4 << 20])[..]].concat();
    let header = header_with(2, &[(*b"iCCP", &profile)]);
    assert_eq!(header.icc.map(|icc| icc.len()), Some(4 << 20));
}

#[test]
fn the_first_of_two_chunks_counts() {
    let [first, second] = [1_u32, 2].map(u32::to_be_bytes);
    let header = header_with(2, &[(*b"gAMA", &first), (*b"gAMA", &second)]);
    assert_eq!(header.gamma, Some(1));
}

#[test]
fn headers_that_no_decoder_can_trust_are_refused() {
    let good = File::new(4, 4, 3, 8, false).encode();
    let broken = |at: usize, value: u8| {
        let mut file = good.clone();
        file[at] = value;
        file
    };
    let ihdr = |file: File| file.wrap(&[]);
    let mut no_palette = good[..AFTER_IHDR].to_vec();
    chunk(&mut no_palette, *b"IDAT", &[]);
    let mut no_picture = good[..AFTER_IHDR].to_vec();
    chunk(&mut no_picture, *b"IEND", &[]);
    for (file, why) in [
        (broken(1, b'Q'), "signature"),
        (broken(12, b'J'), "not IHDR"),
        (broken(16, 1), "CRC of the IHDR"),
        (broken(AFTER_IHDR + 9, 1), "CRC of the palette"),
        (broken(AFTER_IHDR + 4, 1), "a chunk's type"),
        (broken(AFTER_IHDR, 0x80), "longer than 2^31"),
        (ihdr(File::new(4, 4, 2, 4, false)), "bit depth"),
        (ihdr(File::new(0, 4, 2, 8, false)), "zero"),
        (ihdr(File::new(4, 1 << 31, 2, 8, false)), "2^31"),
        (no_palette, "palette"),
        (no_picture, "no IDAT"),
        (file_with(2, &[(*b"IHDR", &[])]), "two IHDR"),
    ] {
        let Err(error @ PipelineError::Malformed { .. }) = read_header(&file) else {
            panic!("not refused: {why}: {:?}", read_header(&file));
        };
        assert!(error.to_string().contains(why), "{error} is not {why}");
    }
    let unknown = read_header(&file_with(2, &[(*b"CgBI", &[0; 4])]));
    assert!(matches!(unknown, Err(PipelineError::Unsupported { .. })));
}

#[test]
fn a_header_of_more_than_eight_mebibytes_is_refused_without_waiting_for_it() {
    let mut file = File::new(4, 4, 2, 8, false).encode()[..AFTER_IHDR].to_vec();
    file.extend((9_u32 << 20).to_be_bytes());
    file.extend(b"tEXt");
    assert!(matches!(read_header(&file), Err(PipelineError::Limit(_))));

    let mut file = file[..AFTER_IHDR].to_vec();
    while file.len() <= 8 << 20 {
        file.extend(b"\0\0\0\x04tEXta\0bcCRC.");
    }
    assert!(matches!(read_header(&file), Err(PipelineError::Limit(_))));
    let below = &file[..(8 << 20) - 100];
    assert_eq!(read_header(below), Ok(HeaderStatus::NeedMore));
}

#[test]
fn low_depths_and_two_channels_are_announced_as_they_come() {
    for (color, transparent, channels) in [
        (0, false, 1),
        (0, true, 2),
        (2, false, 3),
        (2, true, 4),
        (3, false, 3),
        (3, true, 4),
        (4, false, 2),
        (6, false, 4),
    ] {
        let mut file = File::new(5, 3, color, 8, false);
        file.transparent = transparent;
        let bytes = file.encode();
        let Ok(HeaderStatus::Ready(header)) = read_header(&bytes) else {
            panic!("a valid file");
        };
        assert_eq!(header.channels_out(), channels);
        assert_eq!(header.has_alpha(), channels % 2 == 0);
        assert_eq!(oracle(&bytes).len(), 15 * usize::from(channels));
    }
}

#[test]
fn memory_does_not_grow_with_the_height() {
    let [low, high] = [100, 1_000_000].map(|height| {
        let file = File::new(4032, height, 6, 8, false).wrap(&[]);
        let Ok(HeaderStatus::Ready(header)) = read_header(&file) else {
            panic!("a valid header");
        };
        assert!(PngDecoder::new(&header).is_ok());
        header.peak_bytes()
    });
    assert_eq!(low, high);
    assert!(low < 1 << 20, "{low} bytes");
}
