//! The PNG decoder against the `png` crate, against itself in pieces, and against damage.

use crate::samples::png_files::{Collected, File, decode, decode_in_pieces, oracle};
use thumbnail_pipeline::PipelineError;
use thumbnail_pipeline::decode::png::{PngDecoder, PngHeader, read_header};
use thumbnail_pipeline::decode::{Completeness, Decode, HeaderStatus};

/// Every legal color type and bit depth.
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

fn every_file() -> impl Iterator<Item = File> {
    let sizes = [(1, 1), (2, 3), (5, 4), (33, 21)];
    KINDS.into_iter().flat_map(move |(color, depth)| {
        sizes.into_iter().flat_map(move |(width, height)| {
            [false, true].into_iter().flat_map(move |interlaced| {
                [false, true].into_iter().flat_map(move |transparent| {
                    // Six is a mix of all filters.
                    (0..6).map(move |filter| File {
                        width,
                        height,
                        color,
                        depth,
                        interlaced,
                        transparent: transparent && color < 4,
                        filter,
                    })
                })
            })
        })
    })
}

#[test]
fn every_kind_of_file_gives_the_samples_that_the_png_crate_gives() {
    for file in every_file() {
        let bytes = file.encode();
        let (picture, completeness) = decode(&bytes).expect("a valid file");
        assert_eq!(completeness, Completeness::Whole, "{file:?}");
        picture.assert_complete();
        assert_eq!(picture.samples, oracle(&bytes), "{file:?}");
    }
}

#[test]
fn pieces_of_any_size_give_the_same_picture() {
    for (color, depth) in KINDS {
        for interlaced in [false, true] {
            let bytes = File::new(41, 29, color, depth, interlaced).encode();
            let whole = decode(&bytes).expect("a valid file");
            for piece in [1, 7, 100] {
                let pieces = decode_in_pieces(&bytes, piece).expect("a valid file");
                assert_eq!(whole, pieces, "{color} {depth} {interlaced} {piece}");
            }
        }
    }
}

#[test]
fn a_cut_file_gives_each_row_once_and_the_first_ones_right() {
    for interlaced in [false, true] {
        let bytes = File::new(60, 50, 2, 8, interlaced).encode();
        let (whole, _) = decode(&bytes).expect("a valid file");
        let mut last_equal = 0;
        for length in (0..bytes.len()).step_by(97) {
            let Ok((picture, completeness)) = decode(&bytes[..length]) else {
                assert_eq!(last_equal, 0, "{length} bytes give less than fewer did");
                continue;
            };
            picture.assert_complete();
            let equal = picture.equal_samples(&whole);
            assert!(equal + 400 >= last_equal, "{length} bytes");
            last_equal = equal;
            if completeness == Completeness::Whole {
                assert_eq!(picture, whole);
            }
        }
        assert!(last_equal > 8000, "{last_equal} samples of 9000");
    }
}

#[test]
fn flipped_bits_give_an_error_or_every_row_once() {
    for (color, depth, interlaced) in [(2, 8, false), (6, 8, true), (3, 4, false), (0, 16, true)] {
        let bytes = File::new(23, 19, color, depth, interlaced).encode();
        for bit in (0..bytes.len() * 8).step_by(29) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok((picture, _)) = decode(&flipped) {
                picture.assert_complete();
            }
        }
    }
}

#[test]
fn a_damaged_picture_keeps_the_rows_before_the_damage() {
    let file = File::new(200, 200, 2, 8, false);
    let mut bytes = file.encode();
    let (whole, _) = decode(&bytes).expect("a valid file");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xFF);
    let (picture, completeness) = decode(&bytes).expect("half of it is there");
    assert_eq!(completeness, Completeness::Truncated);
    picture.assert_complete();
    let third = whole.samples.len() / 3;
    assert_eq!(picture.samples[..third], whole.samples[..third]);
    assert_eq!(picture.samples[whole.samples.len() - 1], 128);
}

#[test]
fn each_row_before_the_damage_is_given() {
    let file = File {
        filter: 0,
        ..File::new(20, 15, 2, 8, false)
    };
    let (whole, _) = decode(&file.encode()).expect("a valid file");
    let rows = file.filtered();
    for count in [1, 4, 6, 14] {
        // A block that is not compressed, and one of a kind that does not exist.
        let kept = &rows[..count * 61];
        let length = u16::try_from(kept.len()).unwrap();
        let mut stream = vec![0x78, 0x01, 0];
        stream.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        stream.extend(kept);
        stream.extend([7; 20]);
        let bytes = file.wrap_stream(&stream);
        for piece in [1, 50, usize::MAX] {
            let (picture, completeness) = decode_in_pieces(&bytes, piece).expect("some rows");
            assert_eq!(completeness, Completeness::Truncated);
            let (given, missing) = picture.samples.split_at(count * 60);
            assert_eq!(given, &whole.samples[..count * 60]);
            assert!(missing.iter().all(|&sample| sample == 128), "{count}");
        }
    }
}

#[test]
fn the_missing_part_of_a_picture_with_alpha_is_transparent() {
    let bytes = File::new(50, 50, 6, 8, false).encode();
    let (picture, completeness) = decode(&bytes[..bytes.len() / 2]).expect("half of it is there");
    assert_eq!(completeness, Completeness::Truncated);
    assert_eq!(picture.samples[50 * 50 * 4 - 4..], [0; 4]);
}

#[test]
fn a_gigapixel_header_without_data_is_refused_and_not_filled() {
    let mut file = File::new(65_535, 65_535, 2, 8, false);
    file.filter = 0;
    let bytes = file.wrap(&vec![0; 65_535 * 3 + 1]);
    let (mut decoder, mut sink) = (decoder(&bytes), Collected::nothing());
    let fed = decoder.feed(&bytes, &mut sink);
    assert!(
        matches!(fed, Err(PipelineError::Truncated { .. })),
        "{fed:?}"
    );
    assert_eq!(sink.rows, 1);
}

#[test]
fn rows_beyond_any_memory_are_refused_before_they_are_allocated() {
    let bytes = File::new(i32::MAX as u32, 1, 6, 16, false).wrap(&[]);
    let result = PngDecoder::new(&header(&bytes));
    assert!(matches!(result, Err(PipelineError::Limit(_))));
}

#[test]
fn data_after_the_last_row_does_not_matter() {
    let file = File::new(16, 16, 2, 8, false);
    let mut data = file.filtered();
    let (want, _) = decode(&file.wrap(&data)).expect("a valid file");
    data.resize(20_000_000, 7);
    let mut bytes = file.wrap(&data);
    bytes.extend(b"and more");
    assert_eq!(decode(&bytes), Ok((want, Completeness::Whole)));
}

#[test]
fn a_stream_of_empty_blocks_is_not_followed_for_ever() {
    let file = File::new(500, 500, 2, 8, false);
    // Stored blocks of no bytes, after a valid zlib header.
    let mut stream = vec![0x78, 0x01];
    for _ in 0..400_000 {
        stream.extend([0, 0, 0, 0xFF, 0xFF]);
    }
    let bytes = file.wrap_stream(&stream);
    assert!(matches!(
        decode(&bytes),
        Err(PipelineError::Malformed { .. })
    ));
}

fn header(bytes: &[u8]) -> PngHeader {
    match read_header(bytes) {
        Ok(HeaderStatus::Ready(header)) => header,
        other => panic!("{other:?}"),
    }
}

fn decoder(bytes: &[u8]) -> PngDecoder {
    PngDecoder::new(&header(bytes)).expect("a small image")
}
