//! TIFF: every layout, compression and kind of sample, and damaged files.

use std::io::Cursor;

use crate::common::{Picture, Random, run, with_flipped_bits};
use thumbnail_pipeline::decode::tiff::{
    TiffColor, TiffDecoder, TiffHeader, read_header, read_page_header,
};
use thumbnail_pipeline::decode::{Completeness, HeaderStatus};
use thumbnail_pipeline::{LimitError, PipelineError};
use tiff::encoder::{Compression, DeflateLevel, Predictor, TiffEncoder, colortype};

fn header(file: &[u8]) -> Result<TiffHeader, PipelineError> {
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
    run(&mut TiffDecoder::new(&header), file, chunk)
}

/// A directory that is written by hand, in either byte order.
struct Builder {
    big: bool,
    entries: Vec<(u16, u16, Vec<u32>)>,
}

impl Builder {
    fn new(big: bool, width: u32, height: u32) -> Self {
        Self {
            big,
            entries: vec![(256, 4, vec![width]), (257, 4, vec![height])],
        }
    }

    fn short(mut self, tag: u16, values: &[u32]) -> Self {
        self.entries.push((tag, 3, values.to_vec()));
        self
    }

    fn u16(&self, value: u32) -> Vec<u8> {
        let value = u16::try_from(value).unwrap();
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
        .to_vec()
    }

    fn u32(&self, value: u32) -> Vec<u8> {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
        .to_vec()
    }

    /// The file, with its directory behind its chunks.
    fn build(mut self, offsets: u16, lengths: u16, chunks: &[Vec<u8>]) -> Vec<u8> {
        let mut file = if self.big {
            b"MM\0*".to_vec()
        } else {
            b"II*\0".to_vec()
        };
        file.extend([0; 4]);
        let (mut starts, mut sizes) = (Vec::new(), Vec::new());
        for chunk in chunks {
            starts.push(u32::try_from(file.len()).unwrap());
            sizes.push(u32::try_from(chunk.len()).unwrap());
            file.extend(chunk);
        }
        self.entries.push((offsets, 4, starts));
        self.entries.push((lengths, 4, sizes));
        let mut places = Vec::new();
        for (_, kind, values) in &self.entries {
            places.push(u32::try_from(file.len()).unwrap());
            for &value in values {
                file.extend(if *kind == 3 {
                    self.u16(value)
                } else {
                    self.u32(value)
                });
            }
        }
        let start = self.u32(u32::try_from(file.len()).unwrap());
        file[4..8].copy_from_slice(&start);
        file.extend(self.u16(u32::try_from(self.entries.len()).unwrap()));
        for ((tag, kind, values), place) in self.entries.iter().zip(places) {
            file.extend(self.u16((*tag).into()));
            file.extend(self.u16((*kind).into()));
            let count = u32::try_from(values.len()).unwrap();
            file.extend(self.u32(count));
            let inline: Vec<u8> = values
                .iter()
                .flat_map(|&value| {
                    if *kind == 3 {
                        self.u16(value)
                    } else {
                        self.u32(value)
                    }
                })
                .collect();
            if inline.len() <= 4 {
                file.extend(&inline);
                file.resize(file.len() + 4 - inline.len(), 0);
            } else {
                file.extend(self.u32(place));
            }
        }
        file.extend([0; 4]);
        file
    }
}

fn noise(len: usize) -> Vec<u8> {
    let mut random = Random(8);
    (0..len).map(|_| random.byte()).collect()
}

const COMPRESSIONS: [Compression; 4] = [
    Compression::Uncompressed,
    Compression::Lzw,
    Compression::Deflate(DeflateLevel::Fast),
    Compression::Packbits,
];

fn encoded<C: colortype::ColorType>(
    pixels: &[C::Inner],
    compression: Compression,
    predictor: Predictor,
) -> Vec<u8>
where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file)
        .unwrap()
        .with_compression(compression)
        .with_predictor(predictor);
    let mut image = encoder.new_image::<C>(23, 17).unwrap();
    image.rows_per_strip(5).unwrap();
    image.write_data(pixels).unwrap();
    file.into_inner()
}

#[test]
fn every_compression_gives_the_pixels_back() {
    let smooth: Vec<u8> = (0..23 * 17 * 4_u32)
        .map(|i| (i / 9).to_le_bytes()[0])
        .collect();
    let wide: Vec<u16> = (0..23 * 17 * 4_u32)
        .map(|i| u16::try_from(i * 331 % 65536).unwrap())
        .collect();
    for compression in COMPRESSIONS {
        for predictor in [Predictor::None, Predictor::Horizontal] {
            let count = 23 * 17;
            for (file, expected, channels) in [
                (
                    encoded::<colortype::Gray8>(&smooth[..count], compression, predictor),
                    &smooth,
                    1,
                ),
                (
                    encoded::<colortype::RGB8>(&smooth[..3 * count], compression, predictor),
                    &smooth,
                    3,
                ),
                (
                    encoded::<colortype::RGBA8>(&smooth, compression, predictor),
                    &smooth,
                    4,
                ),
            ] {
                let (picture, completeness) = decode(&file, file.len()).unwrap();
                assert_eq!(completeness, Completeness::Whole);
                assert_eq!(picture.planes[0].channels, channels);
                assert!(picture.bytes(0) == expected[..count * usize::from(channels)]);
            }
            let file = encoded::<colortype::CMYK8>(&smooth, compression, predictor);
            let (picture, _) = decode(&file, file.len()).unwrap();
            for plane in 0..4 {
                let ink: Vec<u8> = smooth.iter().skip(plane).step_by(4).copied().collect();
                assert!(picture.bytes(plane) == ink);
            }
            for (file, samples) in [
                (
                    encoded::<colortype::Gray16>(&wide[..count], compression, predictor),
                    count,
                ),
                (
                    encoded::<colortype::RGB16>(&wide[..3 * count], compression, predictor),
                    3 * count,
                ),
            ] {
                assert_eq!(header(&file).unwrap().bits, 16);
                let (picture, _) = decode(&file, file.len()).unwrap();
                assert!(picture.samples(0) == wide[..samples]);
            }
        }
    }
}

/// RGB of 20x11 in tiles of 16x16 or strips of 4 rows, interleaved or by plane, in both byte orders.
fn layouts() -> Vec<(Vec<u8>, Vec<u8>)> {
    let pixels = noise(20 * 11 * 3);
    let at = |x: usize, y: usize, c: usize| {
        if x < 20 && y < 11 {
            pixels[(y * 20 + x) * 3 + c]
        } else {
            0
        }
    };
    let mut files = Vec::new();
    for big in [false, true] {
        for planar in [1, 2] {
            let builder = || {
                Builder::new(big, 20, 11)
                    .short(258, &[8, 8, 8])
                    .short(262, &[2])
                    .short(277, &[3])
                    .short(284, &[planar])
            };
            let planes: Vec<Vec<usize>> = if planar == 2 {
                vec![vec![0], vec![1], vec![2]]
            } else {
                vec![vec![0, 1, 2]]
            };
            let (mut tiles, mut strips) = (Vec::new(), Vec::new());
            for plane in &planes {
                for x0 in [0, 16] {
                    let mut tile = Vec::new();
                    for (y, x) in (0..16).flat_map(|y| (x0..x0 + 16).map(move |x| (y, x))) {
                        tile.extend(plane.iter().map(|&c| at(x, y, c)));
                    }
                    tiles.push(tile);
                }
                for y0 in [0, 4, 8] {
                    let mut strip = Vec::new();
                    let rows = y0..11.min(y0 + 4);
                    for (y, x) in rows.flat_map(|y| (0..20).map(move |x| (y, x))) {
                        strip.extend(plane.iter().map(|&c| at(x, y, c)));
                    }
                    strips.push(strip);
                }
            }
            let in_tiles = builder().short(322, &[16]).short(323, &[16]);
            files.push((in_tiles.build(324, 325, &tiles), pixels.clone()));
            let in_strips = builder().short(278, &[4]);
            files.push((in_strips.build(273, 279, &strips), pixels.clone()));
        }
    }
    files
}

#[test]
fn every_layout_gives_the_pixels_back() {
    for (index, (file, pixels)) in layouts().into_iter().enumerate() {
        for chunk in [file.len(), 1, 7] {
            let (picture, completeness) = decode(&file, chunk).unwrap();
            assert_eq!(completeness, Completeness::Whole);
            assert!(
                picture.bytes(0) == pixels,
                "layout {index} in chunks of {chunk}"
            );
        }
    }
}

fn one_strip(builder: Builder, data: &[u8]) -> Vec<u8> {
    builder.build(273, 279, &[data.to_vec()])
}

#[test]
fn samples_mean_what_the_tags_say() {
    let base = |width| Builder::new(true, width, 1);
    let colors: Vec<u32> = (0..3 * 16).map(|i| i * 1000).collect();
    for (file, color, expected) in [
        (
            one_strip(base(9).short(262, &[0]), &[0b1010_0000, 0x80]),
            TiffColor::Gray,
            vec![0, 255, 0, 255, 255, 255, 255, 255, 0],
        ),
        (
            one_strip(base(3).short(258, &[2]).short(262, &[1]), &[0b0001_1000]),
            TiffColor::Gray,
            vec![0, 85, 170],
        ),
        (
            one_strip(
                base(2)
                    .short(258, &[4])
                    .short(262, &[3])
                    .short(320, &colors),
                &[0x2f],
            ),
            TiffColor::Rgb,
            vec![
                2000 >> 8,
                18_000 >> 8,
                34_000 >> 8,
                15_000 >> 8,
                31_000 >> 8,
                47_000 >> 8,
            ],
        ),
        (
            one_strip(
                base(1)
                    .short(258, &[8, 8, 8, 8])
                    .short(262, &[2])
                    .short(277, &[4])
                    .short(338, &[1]),
                &[50, 100, 0, 100],
            ),
            TiffColor::Rgba,
            vec![128, 255, 0, 100],
        ),
        (
            one_strip(
                base(1)
                    .short(258, &[8, 8])
                    .short(262, &[1])
                    .short(277, &[2])
                    .short(338, &[2]),
                &[50, 100],
            ),
            TiffColor::GrayAlpha,
            vec![50, 100],
        ),
        (
            one_strip(
                base(2)
                    .short(258, &[8; 5])
                    .short(262, &[2])
                    .short(277, &[5])
                    .short(338, &[0, 0]),
                &[1, 2, 3, 9, 9, 4, 5, 6, 9, 9],
            ),
            TiffColor::Rgb,
            vec![1, 2, 3, 4, 5, 6],
        ),
        (
            one_strip(base(1).short(258, &[16]).short(262, &[0]), &[0x12, 0x34]),
            TiffColor::Gray,
            vec![0xffff - 0x1234],
        ),
        (
            one_strip(base(8).short(266, &[2]).short(262, &[1]), &[0b0000_0111]),
            TiffColor::Gray,
            vec![255, 255, 255, 0, 0, 0, 0, 0],
        ),
    ] {
        assert_eq!(header(&file).unwrap().color, color);
        assert_eq!(decode(&file, 9).unwrap().0.samples(0), expected);
    }
}

#[test]
fn the_header_waits_for_its_directory_and_values() {
    let (file, _) = layouts().swap_remove(0);
    let directory = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
    for len in 0..file.len() {
        match read_header(&file[..len]).unwrap() {
            HeaderStatus::NeedMore => assert!(len < file.len() - 4),
            HeaderStatus::Ready(_) => assert!(len > directory + 12 * 8, "{len}"),
        }
    }
}

#[test]
fn orientation_profile_and_pages_are_read() {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file).unwrap();
    for size in [(4, 5), (6, 3)] {
        let mut image = encoder
            .new_image::<colortype::Gray8>(size.0, size.1)
            .unwrap();
        image
            .encoder()
            .write_tag(tiff::tags::Tag::Orientation, 6_u16)
            .unwrap();
        image
            .encoder()
            .write_tag(tiff::tags::Tag::IccProfile, &[9_u8; 40][..])
            .unwrap();
        image
            .write_data(&vec![7; (size.0 * size.1) as usize])
            .unwrap();
    }
    let file = file.into_inner();
    let first = header(&file).unwrap();
    assert_eq!((first.width, first.orientation), (4, 6));
    assert_eq!(first.icc_profile.as_deref(), Some(&[9; 40][..]));
    let Ok(HeaderStatus::Ready(second)) = read_page_header(&file, 1) else {
        panic!("there is a second page");
    };
    assert_eq!((second.width, second.height), (6, 3));
    run(&mut TiffDecoder::new(&second), &file, 100).unwrap();
    assert!(matches!(
        read_page_header(&file, 2),
        Err(PipelineError::Options(_))
    ));
}

#[test]
fn what_is_not_decoded_is_named() {
    let gray = || Builder::new(false, 4, 4).short(262, &[1]).short(258, &[8]);
    for builder in [
        gray().short(259, &[7]),
        gray().short(339, &[3]),
        gray().short(317, &[3]),
        Builder::new(false, 4, 4).short(262, &[6]).short(258, &[8]),
        Builder::new(false, 4, 4).short(262, &[1]).short(258, &[32]),
    ] {
        let file = one_strip(builder, &[0; 16]);
        assert!(matches!(
            read_header(&file),
            Err(PipelineError::Unsupported { .. })
        ));
    }
    let big = b"II\x2b\0\x08\0\0\0\0\0\0\0\0\0\0\0";
    assert!(matches!(
        read_header(big),
        Err(PipelineError::Unsupported { .. })
    ));
}

#[test]
fn work_and_memory_are_known_before_decoding() {
    // An image of one pixel in a tile of four gigabytes.
    let tile = Builder::new(false, 1, 1).short(262, &[1]).short(258, &[8]);
    let tile = tile
        .short(322, &[65535])
        .short(323, &[65535])
        .build(324, 325, &[vec![0; 9]]);
    assert!(header(&tile).unwrap().peak_bytes() > 1 << 31);
    // Many strips that are all the same large part of the file.
    let strips = Builder::new(false, 1, 1000)
        .short(262, &[1])
        .short(258, &[8])
        .short(278, &[1]);
    let mut file = strips.build(273, 279, &vec![vec![]; 1000]);
    let directory = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
    let lengths = file[directory + 2..]
        .chunks(12)
        .find(|entry| entry[..2] == [0x17, 0x01])
        .unwrap();
    let place = u32::from_le_bytes(lengths[8..12].try_into().unwrap()) as usize;
    for length in file[place..place + 4000].chunks_mut(4) {
        length.copy_from_slice(&60_000_u32.to_le_bytes());
    }
    assert!(matches!(
        read_header(&file),
        Err(PipelineError::Malformed { .. })
    ));
}

#[test]
fn cut_files_give_a_picture_or_an_error() {
    let pixels = noise(23 * 17 * 3);
    for compression in COMPRESSIONS {
        let file = encoded::<colortype::RGB8>(&pixels, compression, Predictor::None);
        let whole = header(&file).unwrap();
        let mut pictures = 0;
        for len in 9..file.len() {
            // The directory of these files lies at their end: decode with the header of the whole file.
            match run(&mut TiffDecoder::new(&whole), &file[..len], 100) {
                Ok((_, completeness)) => {
                    pictures += u32::from(completeness == Completeness::Truncated);
                }
                Err(PipelineError::Truncated { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert!(pictures > 100, "{pictures}");
    }
}

#[test]
fn damaged_files_never_panic() {
    let pixels = noise(23 * 17 * 3);
    let mut files: Vec<_> = layouts().into_iter().map(|(file, _)| file).collect();
    for compression in COMPRESSIONS {
        files.push(encoded::<colortype::RGB8>(
            &pixels,
            compression,
            Predictor::Horizontal,
        ));
    }
    for file in files {
        with_flipped_bits(&file, 300, |damaged| {
            let _ = decode(damaged, 500);
        });
    }
}
