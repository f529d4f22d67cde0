//! The JPEG decoder against another one, and against files that are cut, flipped and made to hurt.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "test images are small"
)]

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use thumbnail_pipeline::decode::jpeg::{BlockSize, JpegDecoder, JpegHeader, read_header};
use thumbnail_pipeline::decode::{
    Completeness, Decode, HeaderStatus, Plane, Progress, RowSink, Samples,
};
use thumbnail_pipeline::{LimitError, PipelineError};

const SIZES: [BlockSize; 4] = [
    BlockSize::One,
    BlockSize::Two,
    BlockSize::Four,
    BlockSize::Eight,
];
/// 149x97, 4:2:0, ten scans with successive approximation, as libjpeg makes them.
const PROGRESSIVE: &[u8] = include_bytes!("../images/progressive.jpg");

/// Keeps every row, and checks that each comes once and in order.
#[derive(Default, Clone, PartialEq)]
struct Planes {
    rows: Vec<Vec<Vec<u8>>>,
}

impl RowSink for Planes {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        let Samples::U8(samples) = samples else {
            panic!("a JPEG has 8 bits")
        };
        self.rows.resize(self.rows.len().max(plane + 1), vec![]);
        assert_eq!(self.rows[plane].len(), y as usize);
        self.rows[plane].push(samples.to_vec());
    }

    fn pixels(&mut self, _: usize, _: u32, _: u32, _: u32, _: Samples<'_>) {
        panic!("a JPEG is not scattered")
    }
}

fn header(file: &[u8]) -> Result<JpegHeader, PipelineError> {
    match read_header(file)? {
        HeaderStatus::Ready(header) => Ok(header),
        HeaderStatus::NeedMore => Err(PipelineError::UnknownFormat),
    }
}

struct Decoded {
    planes: Vec<Plane>,
    rows: Vec<Vec<Vec<u8>>>,
    completeness: Completeness,
    used: usize,
}

fn decode(file: &[u8], sizes: &[BlockSize], chunk: usize) -> Result<Decoded, PipelineError> {
    decode_by(JpegDecoder::new, file, sizes, chunk)
}

fn decode_by(
    open: fn(&JpegHeader, &[BlockSize]) -> Result<JpegDecoder, PipelineError>,
    file: &[u8],
    sizes: &[BlockSize],
    chunk: usize,
) -> Result<Decoded, PipelineError> {
    let header = header(file)?;
    let sizes: Vec<_> = sizes
        .iter()
        .copied()
        .cycle()
        .take(header.components.len())
        .collect();
    let mut decoder = open(&header, &sizes)?;
    let mut sink = Planes::default();
    let mut used = 0;
    for bytes in file.chunks(chunk) {
        used += bytes.len();
        if decoder.feed(bytes, &mut sink)? == Progress::Done {
            break;
        }
    }
    let completeness = decoder.finish(&mut sink)?;
    for (plane, rows) in decoder.planes().iter().zip(&sink.rows) {
        assert_eq!(rows.len(), plane.height as usize);
        assert!(rows.iter().all(|row| row.len() == plane.width as usize));
    }
    Ok(Decoded {
        planes: decoder.planes().to_vec(),
        rows: sink.rows,
        completeness,
        used,
    })
}

/// An image with smooth parts, edges and noise, the same on every run.
fn picture(width: u16, height: u16, channels: usize) -> Vec<u8> {
    let mut seed = 7_u32;
    let mut out = vec![];
    for y in 0..u32::from(height) {
        for x in 0..u32::from(width) {
            for c in 0..u32::try_from(channels).unwrap() {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let smooth = (x * (c + 2) + y * (4 - c)) / 3 % 256;
                let edge = if (x / 13 + y / 9) % 2 == 0 { 40 } else { 0 };
                let noise = if x > u32::from(width) / 2 {
                    (seed >> 24) % 32
                } else {
                    0
                };
                out.push(u8::try_from((smooth / 2 + edge + noise).min(255)).unwrap());
            }
        }
    }
    out
}

#[derive(Debug, Clone, Copy)]
struct Case {
    width: u16,
    height: u16,
    color: ColorType,
    sampling: SamplingFactor,
    progressive: bool,
    optimized: bool,
    restart: u16,
}

const PLAIN: Case = Case {
    width: 93,
    height: 71,
    color: ColorType::Rgb,
    sampling: SamplingFactor::F_2_2,
    progressive: false,
    optimized: false,
    restart: 0,
};

impl Case {
    fn encode(self) -> Vec<u8> {
        let channels = match self.color {
            ColorType::Luma => 1,
            ColorType::Rgb => 3,
            _ => 4,
        };
        let mut file = vec![];
        let mut encoder = Encoder::new(&mut file, 85);
        encoder.set_sampling_factor(self.sampling);
        encoder.set_progressive(self.progressive);
        encoder.set_optimized_huffman_tables(self.optimized);
        if self.restart > 0 {
            encoder.set_restart_interval(self.restart);
        }
        let pixels = picture(self.width, self.height, channels);
        encoder
            .encode(&pixels, self.width, self.height, self.color)
            .unwrap();
        file
    }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![];
    for sampling in [
        SamplingFactor::F_1_1,
        SamplingFactor::F_2_1,
        SamplingFactor::F_1_2,
        SamplingFactor::F_2_2,
        SamplingFactor::F_4_1,
        SamplingFactor::F_4_2,
        SamplingFactor::F_1_4,
        SamplingFactor::F_2_4,
    ] {
        for (progressive, optimized) in [(false, false), (false, true), (true, false)] {
            // The encoder cannot write restart markers into several scans.
            for restart in if progressive || optimized { 0..1 } else { 0..4 }.step_by(3) {
                cases.push(Case {
                    sampling,
                    progressive,
                    optimized,
                    restart,
                    ..PLAIN
                });
            }
        }
    }
    for color in [ColorType::Luma, ColorType::Cmyk, ColorType::CmykAsYcck] {
        for progressive in [false, true] {
            let sampling = SamplingFactor::F_1_1;
            cases.push(Case {
                color,
                sampling,
                progressive,
                ..PLAIN
            });
        }
    }
    for (width, height) in [(1, 1), (8, 8), (17, 1), (1, 33)] {
        cases.push(Case {
            width,
            height,
            ..PLAIN
        });
        cases.push(Case {
            width,
            height,
            progressive: true,
            ..PLAIN
        });
    }
    cases
}

/// Full size, no conversion of colors, chroma upsampled.
fn reference(file: &[u8]) -> (usize, Vec<u8>) {
    let channels = header(file).unwrap().components.len();
    let mut decoder = jpeg_decoder::Decoder::new(file);
    decoder.set_color_transform(match channels {
        3 => jpeg_decoder::ColorTransform::RGB,
        4 => jpeg_decoder::ColorTransform::CMYK,
        _ => jpeg_decoder::ColorTransform::Grayscale,
    });
    let mut pixels = decoder.decode().unwrap();
    if channels == 4 {
        for p in &mut pixels {
            *p = 255 - *p;
        }
    }
    (channels, pixels)
}

/// The largest and the mean difference of a plane from the mean of the pixels under each of its samples.
fn difference(decoded: &Decoded, plane: usize, file: &[u8]) -> (f64, f64) {
    let (channels, pixels) = reference(file);
    let (width, height) = (
        header(file).unwrap().width as usize,
        header(file).unwrap().height as usize,
    );
    let p = &decoded.planes[plane];
    let (mut most, mut sum, mut count) = (0.0_f64, 0.0, 0.0);
    for (y, row) in decoded.rows[plane].iter().enumerate() {
        for (x, &sample) in row.iter().enumerate() {
            let (x0, x1) = (
                x as f64 * p.pixels_per_sample_x,
                (x + 1) as f64 * p.pixels_per_sample_x,
            );
            let (y0, y1) = (
                y as f64 * p.pixels_per_sample_y,
                (y + 1) as f64 * p.pixels_per_sample_y,
            );
            if x1 > width as f64 || y1 > height as f64 {
                continue;
            }
            let (mut total, mut n) = (0.0, 0.0);
            for py in y0 as usize..y1 as usize {
                for px in x0 as usize..x1 as usize {
                    total += f64::from(pixels[(py * width + px) * channels + plane]);
                    n += 1.0;
                }
            }
            let delta = (total / n - f64::from(sample)).abs();
            most = most.max(delta);
            sum += delta;
            count += 1.0;
        }
    }
    (most, if count > 0.0 { sum / count } else { 0.0 })
}

#[test]
fn full_size_is_what_another_decoder_gives() {
    for case in cases() {
        let file = case.encode();
        let decoded = decode(&file, &[BlockSize::Eight], usize::MAX).unwrap();
        assert_eq!(decoded.completeness, Completeness::Whole, "{case:?}");
        for (plane, p) in decoded.planes.iter().enumerate() {
            let (most, mean) = difference(&decoded, plane, &file);
            if p.pixels_per_sample_x < 1.5 && p.pixels_per_sample_y < 1.5 {
                assert!(
                    most <= 2.0 && mean < 0.2,
                    "{case:?} plane {plane}: {most} {mean}"
                );
            } else {
                // The reference has been through a smooth upsampling.
                assert!(mean < 3.0, "{case:?} plane {plane}: {most} {mean}");
            }
        }
    }
}

#[test]
fn smaller_sizes_are_means() {
    for case in cases() {
        let file = case.encode();
        for (size, max_mean) in [
            (BlockSize::One, 1.0),
            (BlockSize::Two, 3.0),
            (BlockSize::Four, 3.0),
        ] {
            let decoded = decode(&file, &[size], usize::MAX).unwrap();
            assert_eq!(decoded.completeness, Completeness::Whole, "{case:?}");
            let (most, mean) = difference(&decoded, 0, &file);
            assert!(mean < max_mean, "{case:?} {size:?}: {most} {mean}");
            if size == BlockSize::One {
                assert!(most <= 4.0, "{case:?}: {most}");
            }
        }
    }
}

#[test]
fn successive_approximation_is_exact_at_full_size() {
    let decoded = decode(PROGRESSIVE, &[BlockSize::Eight], usize::MAX).unwrap();
    let (most, mean) = difference(&decoded, 0, PROGRESSIVE);
    assert!(most <= 2.0 && mean < 0.2, "{most} {mean}");
    for (size, max_mean) in [
        (BlockSize::One, 0.5),
        (BlockSize::Two, 3.0),
        (BlockSize::Four, 3.0),
    ] {
        let decoded = decode(PROGRESSIVE, &[size], usize::MAX).unwrap();
        let (_, mean) = difference(&decoded, 0, PROGRESSIVE);
        assert!(mean < max_mean, "{size:?}: {mean}");
    }
}

#[test]
fn a_small_scale_ends_before_the_file() {
    let decoded = decode(PROGRESSIVE, &[BlockSize::One], 1).unwrap();
    assert_eq!(decoded.completeness, Completeness::Whole);
    assert!(
        decoded.used < PROGRESSIVE.len() * 7 / 10,
        "{}",
        decoded.used
    );
}

#[test]
fn components_may_have_different_scales() {
    let file = PLAIN.encode();
    let alone = |size| decode(&file, &[size], usize::MAX).unwrap().rows;
    let mixed = decode(
        &file,
        &[BlockSize::One, BlockSize::Two, BlockSize::Eight],
        100,
    )
    .unwrap();
    assert_eq!(mixed.rows[0], alone(BlockSize::One)[0]);
    assert_eq!(mixed.rows[1], alone(BlockSize::Two)[1]);
    assert_eq!(mixed.rows[2], alone(BlockSize::Eight)[2]);
}

#[test]
fn chunks_do_not_matter() {
    let mut files: Vec<_> = cases()
        .iter()
        .step_by(3)
        .map(|case| case.encode())
        .collect();
    files.push(PROGRESSIVE.to_vec());
    files.push(PROGRESSIVE[..3000].to_vec());
    files.push(flip(
        &Case {
            restart: 2,
            ..PLAIN
        }
        .encode(),
        5,
    ));
    for file in files {
        for size in SIZES {
            let whole = decode(&file, &[size], usize::MAX);
            for chunk in [1, 7, 1000] {
                let pieces = decode(&file, &[size], chunk);
                match (&whole, &pieces) {
                    (Ok(a), Ok(b)) => {
                        assert!(a.rows == b.rows && a.completeness == b.completeness);
                    }
                    (a, b) => assert_eq!(a.as_ref().err(), b.as_ref().err()),
                }
            }
        }
    }
}

#[test]
fn cut_files_give_what_there_is() {
    for case in [
        PLAIN,
        Case {
            restart: 4,
            ..PLAIN
        },
        Case {
            progressive: true,
            ..PLAIN
        },
        Case {
            optimized: true,
            ..PLAIN
        },
    ] {
        let file = case.encode();
        let whole = decode(&file, &[BlockSize::Eight], usize::MAX).unwrap();
        let mut shown = 0;
        for end in (0..file.len()).step_by(61) {
            for size in SIZES {
                match decode(&file[..end], &[size], 500) {
                    Ok(cut) => {
                        shown += 1;
                        if size == BlockSize::Eight {
                            assert_eq!(cut.completeness, Completeness::Truncated, "{case:?} {end}");
                        }
                        if size == BlockSize::Eight && end > file.len() / 2 && !case.progressive {
                            assert_eq!(cut.rows[0][..8], whole.rows[0][..8]);
                        }
                    }
                    Err(error) => assert!(
                        matches!(
                            error,
                            PipelineError::Truncated { .. } | PipelineError::UnknownFormat
                        ),
                        "{case:?} {end}: {error}"
                    ),
                }
            }
        }
        assert!(shown > 20, "{case:?}: {shown}");
    }
    let file = PLAIN.encode();
    let without_eoi = decode(&file[..file.len() - 2], &[BlockSize::One], usize::MAX).unwrap();
    assert_eq!(without_eoi.completeness, Completeness::Whole);
}

fn flip(file: &[u8], seed: u32) -> Vec<u8> {
    let mut file = file.to_vec();
    let mut seed = seed;
    for _ in 0..=seed % 5 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let at = (seed >> 4) as usize % file.len();
        file[at] ^= 1 << (seed >> 1 & 7);
    }
    file
}

#[test]
fn flipped_bits_never_panic() {
    let mut files: Vec<_> = cases()
        .iter()
        .step_by(2)
        .map(|case| case.encode())
        .collect();
    files.push(PROGRESSIVE.to_vec());
    let mut shown = 0;
    for (i, file) in files.iter().enumerate() {
        for seed in 0..60 {
            let bad = flip(file, seed * 1000 + u32::try_from(i).unwrap());
            // A flip in the frame header may ask for an image of any size.
            if header(&bad).is_ok_and(|h| h.width * h.height < 1 << 20) {
                let size = SIZES[seed as usize % 4];
                shown += u32::from(decode(&bad, &[size], 333).is_ok());
            }
        }
    }
    assert!(shown > 1000, "{shown}");
}

/// The offset of the `n`-th marker of this kind in entropy-coded data.
fn restart_marker(file: &[u8], n: usize) -> usize {
    file.windows(2)
        .enumerate()
        .filter(|(_, w)| w[0] == 0xFF && (0xD0..=0xD7).contains(&w[1]))
        .nth(n)
        .unwrap()
        .0
}

#[test]
fn restart_markers_bound_damage() {
    let case = Case {
        width: 160,
        height: 160,
        restart: 5,
        sampling: SamplingFactor::F_1_1,
        ..PLAIN
    };
    let file = case.encode();
    let whole = decode(&file, &[BlockSize::Eight], usize::MAX).unwrap();
    let same_rows = |bad: &[u8]| -> Vec<bool> {
        let got = decode(bad, &[BlockSize::Eight], 77).unwrap();
        assert_eq!(got.completeness, Completeness::Truncated);
        (0..20)
            .map(|r| got.rows[0][r * 8..r * 8 + 8] == whole.rows[0][r * 8..r * 8 + 8])
            .collect()
    };
    // Four intervals make a row: the ninth lies in the third row.
    let mut bad = file.clone();
    let (from, to) = (restart_marker(&file, 8) + 4, restart_marker(&file, 9));
    bad[from..to].fill(0xAA);
    assert_eq!(same_rows(&bad).iter().filter(|same| !**same).count(), 1);
    let mut lost = file[..restart_marker(&file, 8) + 2].to_vec();
    lost.extend(&file[restart_marker(&file, 10)..]);
    let same = same_rows(&lost);
    assert!(
        !same[2] && same[..2].iter().all(|s| *s) && same[4..].iter().all(|s| *s),
        "{same:?}"
    );
    // The ninth marker has number 0: one that is far off stands for it, 7 is one that came too late.
    for (number, is_lost) in [(3, false), (4, false), (5, false), (6, true), (7, true)] {
        let mut odd = file.clone();
        odd[restart_marker(&file, 8) + 1] = 0xD0 + number;
        let lost = same_rows(&odd).iter().filter(|same| !**same).count();
        assert_eq!(lost > 0, is_lost, "{number}: {lost}");
    }
}

#[test]
fn default_huffman_tables_are_those_of_motion_jpeg() {
    let file = PLAIN.encode();
    let mut bare = vec![0xFF, 0xD8];
    let mut pos = 2;
    while file[pos + 1] != 0xDA {
        let length = 2 + usize::from(u16::from_be_bytes([file[pos + 2], file[pos + 3]]));
        if file[pos + 1] != 0xC4 {
            bare.extend(&file[pos..pos + length]);
        }
        pos += length;
    }
    bare.extend(&file[pos..]);
    assert!(bare.len() < file.len() - 300);
    let want = decode(&file, &[BlockSize::Eight], usize::MAX).unwrap();
    assert!(decode(&bare, &[BlockSize::Eight], usize::MAX).unwrap().rows == want.rows);
}

/// The offset of the `n`-th SOS marker.
fn sos(file: &[u8], n: usize) -> usize {
    file.windows(2)
        .enumerate()
        .filter(|(_, w)| *w == [0xFF, 0xDA])
        .nth(n)
        .unwrap()
        .0
}

#[test]
fn too_many_scans_are_refused() {
    let (first, second) = (sos(PROGRESSIVE, 1), sos(PROGRESSIVE, 2));
    let mut bomb = PROGRESSIVE[..first].to_vec();
    for _ in 0..100 {
        bomb.extend(&PROGRESSIVE[first..second]);
    }
    bomb.extend(&PROGRESSIVE[second..]);
    let want = PipelineError::Limit(LimitError::Count {
        what: "scans",
        max: 100,
    });
    assert_eq!(
        decode(&bomb, &[BlockSize::Eight], usize::MAX).err(),
        Some(want)
    );
}

#[test]
fn a_huge_claim_with_no_data_fails_at_once() {
    for file in [PLAIN.encode(), PROGRESSIVE.to_vec()] {
        let at = file
            .windows(2)
            .position(|w| w == [0xFF, 0xC0] || w == [0xFF, 0xC2])
            .unwrap();
        let mut bomb = file;
        bomb[at + 5..at + 9].fill(0xFF);
        let got = decode(&bomb, &[BlockSize::One], usize::MAX);
        assert!(
            matches!(got, Err(PipelineError::Truncated { .. })),
            "{:?}",
            got.err()
        );
    }
}

#[test]
fn a_file_without_data_is_an_error() {
    let file = PLAIN.encode();
    let mut empty = file[..sos(&file, 0) + 14].to_vec();
    empty.extend([0xFF, 0xD9]);
    let got = decode(&empty, &[BlockSize::One], usize::MAX);
    assert!(
        matches!(got, Err(PipelineError::Truncated { .. })),
        "{:?}",
        got.err()
    );
}

/// A flat gray image with these sampling factors: every DC difference is 0 (`00`), every block ends at once (`1010`).
fn flat_file(width: u16, height: u16, factors: [(u8, u8); 3]) -> Vec<u8> {
    let mut file = vec![0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0];
    file.extend([1; 64]);
    file.extend([0xFF, 0xC0, 0, 17, 8]);
    file.extend(height.to_be_bytes());
    file.extend(width.to_be_bytes());
    file.push(3);
    for ((h, v), id) in factors.into_iter().zip(1..) {
        file.extend([id, h << 4 | v, 0]);
    }
    file.extend([0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    let widest = |pick: fn(&(u8, u8)) -> u8| usize::from(factors.iter().map(pick).max().unwrap());
    let mcus = usize::from(width).div_ceil(8 * widest(|f| f.0))
        * usize::from(height).div_ceil(8 * widest(|f| f.1));
    let blocks: usize = factors.iter().map(|&(h, v)| usize::from(h * v)).sum();
    let bits = mcus * blocks * 6;
    file.extend(
        [0b0010_1000, 0b1010_0010, 0b1000_1010]
            .iter()
            .cycle()
            .take(bits.div_ceil(8)),
    );
    file.extend([0xFF, 0xD9]);
    file
}

#[test]
fn every_legal_sampling_is_decoded() {
    let all = || (1..=4).flat_map(|h| (1..=4).map(move |v| (h, v)));
    let mut count = 0;
    for a in all() {
        for b in all() {
            for c in [(1, 1), b, (3, 2)] {
                let file = flat_file(101, 67, [a, b, c]);
                let blocks = a.0 * a.1 + b.0 * b.1 + c.0 * c.1;
                let size = SIZES[count % 4];
                let got = decode(&file, &[size, BlockSize::One, BlockSize::Two], 50);
                if blocks > 10 {
                    assert!(matches!(got, Err(PipelineError::Malformed { .. })));
                    continue;
                }
                let got = got.unwrap();
                assert_eq!(got.completeness, Completeness::Whole, "{a:?} {b:?} {c:?}");
                assert!(
                    got.rows
                        .iter()
                        .flatten()
                        .flatten()
                        .all(|&sample| sample == 128)
                );
                for p in got.planes {
                    let covered = f64::from(p.width) * p.pixels_per_sample_x;
                    assert!(covered >= 101.0 && covered - p.pixels_per_sample_x < 101.0);
                }
                count += 1;
            }
        }
    }
    assert!(count > 150, "{count}");
}

/// The color of luma sample (x, y) of planes in YCbCr, not cut off.
fn rgb(decoded: &Decoded, x: usize, y: usize) -> [f64; 3] {
    let sample = |plane: usize| {
        let (luma, own) = (decoded.planes[0], decoded.planes[plane]);
        let x = x as f64 * luma.pixels_per_sample_x / own.pixels_per_sample_x;
        let y = y as f64 * luma.pixels_per_sample_y / own.pixels_per_sample_y;
        f64::from(decoded.rows[plane][y as usize][x as usize])
    };
    let (y, cb, cr) = (sample(0), sample(1) - 128.0, sample(2) - 128.0);
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
}

#[test]
fn rgb_is_what_its_components_say() {
    let mut converted = 0;
    for case in cases() {
        let file = case.encode();
        for sizes in [
            &[BlockSize::One; 3],
            &[BlockSize::One, BlockSize::Two, BlockSize::Two],
        ] {
            if header(&file).unwrap().rgb_planes(sizes).is_none() {
                continue;
            }
            converted += 1;
            let components = decode(&file, sizes, file.len()).unwrap();
            let got = decode_by(JpegDecoder::new_rgb, &file, sizes, file.len()).unwrap();
            assert_eq!(got.planes, [components.planes[0]; 3]);
            assert_eq!(got.completeness, components.completeness);
            for (y, row) in components.rows[0].iter().enumerate() {
                for x in 0..row.len() {
                    for (plane, want) in rgb(&components, x, y).into_iter().enumerate() {
                        let got = f64::from(got.rows[plane][y][x]);
                        // Near the edges of the gamut, what spreads beyond them is cut off.
                        let near = if (70.0..185.0).contains(&want) {
                            1.0
                        } else {
                            40.0
                        };
                        assert!(
                            (got - want).abs() <= near,
                            "{case:?} {x},{y}: {got}, {want}"
                        );
                    }
                }
            }
        }
    }
    assert!(converted > 30, "{converted}");
}

/// Noise around a yellow at the edge of the gamut, with stuffed zeros and restart markers.
fn yellow() -> Vec<u8> {
    let noise = picture(160, 120, 3);
    let pixels: Vec<u8> = noise
        .iter()
        .zip([190_u8, 150, 0].into_iter().cycle())
        .map(|(noise, base)| base + noise / 4)
        .collect();
    let mut file = vec![];
    let mut encoder = Encoder::new(&mut file, 95);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.set_restart_interval(3);
    encoder.encode(&pixels, 160, 120, ColorType::Rgb).unwrap();
    assert!(file.windows(2).filter(|w| w == &[0xFF, 0]).count() > 10);
    file
}

#[test]
fn rgb_does_not_depend_on_chunks_and_survives_damage() {
    let one = [BlockSize::One; 3];
    let progressive = Case {
        progressive: true,
        ..PLAIN
    };
    for file in [PLAIN.encode(), progressive.encode(), yellow()] {
        let open = JpegDecoder::new_rgb;
        let want = decode_by(open, &file, &one, file.len()).unwrap();
        for chunk in [1, 2, 3, 7, 50, 300] {
            let got = decode_by(open, &file, &one, chunk).unwrap();
            assert!(got.rows == want.rows, "{chunk}");
        }
        for seed in 0..200 {
            let bad = flip(&file, seed);
            if header(&bad).is_ok_and(|h| h.width * h.height < 1 << 20) {
                let _ = decode_by(open, &bad, &one, 50);
            }
            let _ = decode_by(open, &file[..file.len() * seed as usize / 200], &one, 50);
        }
    }
}
