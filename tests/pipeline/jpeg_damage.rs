//! Damaged JPEGs are shown as libjpeg shows them.

use crate::common::{Random, run};
use thumbnail_pipeline::decode::jpeg::{BlockSize, JpegDecoder, read_header};
use thumbnail_pipeline::decode::{Completeness, HeaderStatus};

/// 160x120, baseline, without restart markers.
const PHOTO: &[u8] = include_bytes!("../images/photo.jpg");
/// The means of luma in 4x3 areas of 40x40 pixels, for each of 200 flipped bits, as libjpeg-turbo has them.
const AREAS: &[u8] = include_bytes!("../images/flips.bin");
/// By how much a mean may be off: decoders round differently, and damaged coefficients are large.
const TOLERANCE: u8 = 2;

/// The luma of an image of 160 columns, and what the decoder says of it.
fn luma(file: &[u8], chunk: usize) -> (Vec<u8>, Completeness) {
    let Ok(HeaderStatus::Ready(header)) = read_header(file) else {
        panic!("the header is intact")
    };
    let mut decoder = JpegDecoder::new(&header, &[BlockSize::Eight; 3]).unwrap();
    let (picture, completeness) = run(&mut decoder, file, chunk).unwrap();
    (picture.bytes(0), completeness)
}

/// The means of the areas.
fn areas(luma: &[u8]) -> Vec<u8> {
    let mut sums = [0_u32; 12];
    for (at, sample) in luma.iter().enumerate() {
        sums[at % 160 / 40 + at / 160 / 40 * 4] += u32::from(*sample);
    }
    let means = sums.map(|sum| (sum + 800) / 1600);
    means
        .iter()
        .map(|mean| u8::try_from(*mean).unwrap())
        .collect()
}

#[test]
fn one_flipped_bit_shows_what_libjpeg_shows() {
    let data = 14
        + PHOTO
            .windows(2)
            .position(|bytes| bytes == [0xFF, 0xDA])
            .unwrap();
    let mut random = Random(7);
    let (mut as_flipped, mut off) = (0, 0);
    for (index, want) in AREAS.chunks_exact(12).enumerate() {
        let len = u32::try_from(PHOTO.len() - 2 - data).unwrap();
        let at = data + random.below(len) as usize;
        let mut file = PHOTO.to_vec();
        file[at] ^= 1 << random.below(8);
        let (shown, completeness) = luma(&file, file.len());
        let got = areas(&shown);
        let near = got
            .iter()
            .zip(want)
            .all(|(a, b)| a.abs_diff(*b) <= TOLERANCE);
        if !near {
            println!("flip {index} at {at}: {got:?}, not {want:?}");
            off += 1;
        }
        as_flipped += usize::from(completeness == Completeness::Truncated);
        if index % 20 == 0 {
            assert!(
                luma(&file, 1) == (shown, completeness),
                "flip {index} in single bytes"
            );
        }
    }
    // Four drift so far that the 16 bits of libjpeg's vector code wrap around, from white to black.
    assert!(off <= 4, "{off}");
    // What is no code is noticed; most flips only make others.
    assert!(as_flipped > 3, "{as_flipped}");
}
