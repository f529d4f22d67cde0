//! JPEG: baseline and progressive, every sampling, gray, CMYK and YCCK, with restart markers and without.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::random::Random;
use super::sources::Shape;

const FACTORS: [SamplingFactor; 6] = [
    SamplingFactor::F_1_1,
    SamplingFactor::F_2_1,
    SamplingFactor::F_1_2,
    SamplingFactor::F_2_2,
    SamplingFactor::F_4_1,
    SamplingFactor::F_4_2,
];

pub fn file(random: &mut Random, shape: &Shape) -> (&'static str, Vec<u8>) {
    let (name, color, channels) = random.pick(&[
        ("gray jpeg", ColorType::Luma, 1),
        ("jpeg", ColorType::Rgb, 3),
        ("jpeg", ColorType::Rgb, 3),
        ("cmyk jpeg", ColorType::Cmyk, 4),
        ("ycck jpeg", ColorType::CmykAsYcck, 4),
    ]);
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, random.pick(&[30, 80, 100]));
    encoder.set_sampling_factor(random.pick(&FACTORS));
    let progressive = random.one_in(3);
    encoder.set_progressive(progressive);
    // This writes a scan for each component.
    encoder.set_optimized_huffman_tables(random.one_in(3));
    if random.one_in(3) {
        encoder.set_restart_interval(random.pick(&[1, 7, 1000]));
    }
    if let Some(exif) = shape.exif(random) {
        let segment = [b"Exif\0\0".as_slice(), &exif].concat();
        encoder.add_app_segment(1, segment).expect("short");
    }
    if let Some(profile) = shape.profile(random, channels) {
        encoder.add_icc_profile(&profile).expect("at most 4 MiB");
    }
    let (width, height) = (shape.width as u16, shape.height as u16);
    let stride = shape.width as usize * usize::from(channels);
    let samples = random.samples(stride, shape.height as usize);
    encoder
        .encode(&samples, width, height, color)
        .expect("writes");
    (
        if progressive {
            "progressive jpeg"
        } else {
            name
        },
        out,
    )
}
