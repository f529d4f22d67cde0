//! TIFF: pages one after another, in either order of directories and pixels.

use std::io::Cursor;

use crate::common::{run, with_flipped_bits};
use thumbnail_pipeline::decode::HeaderStatus;
use thumbnail_pipeline::decode::tiff::{TiffDecoder, read_page_header};
use thumbnail_pipeline::options::FormatChoice;
use thumbnail_pipeline::{Limits, Options, PipelineError, Variant, probe_page, render};
use tiff::decoder::DecodingResult;
use tiff::encoder::{Compression, TiffEncoder, colortype};

/// Three pages of different sizes and kinds.
fn pages() -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file)
        .unwrap()
        .with_compression(Compression::Lzw);
    let pixels = |len: u32, page: u32| -> Vec<u8> {
        (0..len)
            .map(|i| (i * 7 % 251 + page).to_le_bytes()[0])
            .collect()
    };
    encoder
        .write_image::<colortype::Gray8>(20, 30, &pixels(600, 0))
        .unwrap();
    encoder
        .write_image::<colortype::RGB8>(31, 12, &pixels(31 * 12 * 3, 1))
        .unwrap();
    encoder
        .write_image::<colortype::RGBA8>(9, 40, &pixels(9 * 40 * 4, 2))
        .unwrap();
    file.into_inner()
}

#[test]
fn every_page_equals_the_reference() {
    let file = pages();
    let mut reference = tiff::decoder::Decoder::new(Cursor::new(&file)).unwrap();
    for page in 0..3 {
        let HeaderStatus::Ready(header) = read_page_header(&file, page).unwrap() else {
            panic!("the whole file has its headers");
        };
        assert_eq!(
            (header.width, header.height),
            reference.dimensions().unwrap()
        );
        let DecodingResult::U8(expected) = reference.read_image().unwrap() else {
            panic!("pages have 8 bits");
        };
        for chunk in [1, 100, file.len()] {
            let (picture, _) = run(&mut TiffDecoder::new(&header), &file, chunk).unwrap();
            assert!(picture.bytes(0) == expected, "page {page}");
        }
        if page < 2 {
            reference.next_image().unwrap();
        }
    }
}

#[test]
fn a_page_is_held_without_those_before_it() {
    let mut file = pages();
    let HeaderStatus::Ready(first) = read_page_header(&file, 0).unwrap() else {
        panic!("the whole file has its headers");
    };
    let small = first.peak_bytes();
    // Ten megabytes before the pixels of the first page.
    let start = u32::try_from(file.len()).unwrap() + 10_000_000;
    let strip = file[8..].to_vec();
    file.resize(start as usize, 0);
    file.extend(strip);
    let entry = file.windows(4).position(|tag| tag == [0x11, 1, 4, 0]);
    let at = entry.expect("one strip, of which the offset is in the directory") + 8;
    let offset = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    file[at..at + 4].copy_from_slice(&(offset - 8 + start).to_le_bytes());
    let HeaderStatus::Ready(header) = read_page_header(&file, 0).unwrap() else {
        panic!("the whole file has its headers");
    };
    assert_eq!(header.peak_bytes(), small);
    run(&mut TiffDecoder::new(&header), &file, 5000).unwrap();
}

#[test]
fn a_page_that_is_not_there_is_refused_with_how_many_are() {
    let file = pages();
    for page in [3, 9_999] {
        assert_eq!(
            probe_page(&file, page).unwrap_err().to_string(),
            format!("there is no page {page}: pages of this TIFF file count from 0, and it has 3")
        );
    }
}

#[test]
fn directories_that_go_round_are_an_error() {
    let mut file = pages();
    let first = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
    let count = u16::from_le_bytes(file[first..first + 2].try_into().unwrap());
    let next = first + 2 + 12 * usize::from(count);
    let back = u32::try_from(first).unwrap().to_le_bytes();
    file[next..next + 4].copy_from_slice(&back);
    assert!(matches!(
        read_page_header(&file, 1),
        Err(PipelineError::Malformed { .. })
    ));
    assert!(read_page_header(&file, 0).is_ok());
}

#[test]
fn thumbnails_show_the_page() {
    let file = pages();
    for (page, size) in [(0, (20, 30)), (1, (31, 12)), (2, (9, 40))] {
        let variant = Variant {
            options: Options {
                page,
                width: Some(size.0),
                height: Some(size.1),
                format: FormatChoice::Png,
                ..Options::default()
            },
            ..Variant::default()
        };
        let made = render(&file, &[variant], &Limits::default()).unwrap();
        assert_eq!((made.source.width(), made.source.height()), size);
    }
}

#[test]
fn damaged_and_cut_files_never_panic() {
    let file = pages();
    let read = |file: &[u8]| {
        if let Ok(HeaderStatus::Ready(header)) = read_page_header(file, 2)
            && header.peak_bytes() < 1 << 24
            && u64::from(header.width) * u64::from(header.height) < 1 << 20
        {
            let _ = run(&mut TiffDecoder::new(&header), file, 100);
        }
    };
    with_flipped_bits(&file, 1000, read);
    for len in 0..file.len() {
        read(&file[..len]);
    }
}
