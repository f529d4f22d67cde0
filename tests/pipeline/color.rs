//! Color transforms against expectations computed from the formulas of each profile,
//! and profiles that are hostile. The profiles are written here, tag by tag.

use thumbnail_pipeline::color::cicp::Cicp;
use thumbnail_pipeline::color::linear::{linear_to_srgb, srgb_to_linear};
use thumbnail_pipeline::color::{ColorModel, ColorTransform, PngColor};

/// XYZ under D50 of the Display P3 primaries, as profiles in use round them.
const P3_COLORANTS: [[f64; 3]; 3] = [
    [0.515_12, 0.241_2, -0.001_05],
    [0.291_98, 0.692_25, 0.041_89],
    [0.157_1, 0.066_57, 0.784_07],
];

/// The matrix from Display P3 to sRGB, both linear (W3C CSS Color 4, 17.3).
const P3_TO_SRGB: [[f32; 3]; 3] = [
    [1.224_940_2, -0.224_940_2, 0.0],
    [-0.042_056_96, 1.042_057, 0.0],
    [-0.019_637_56, -0.078_636_04, 1.098_273_6],
];

const SRGB_CURVE: [f64; 5] = [2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.040_45];

#[expect(clippy::cast_possible_truncation, reason = "numbers below 32768")]
fn fixed(value: f64) -> [u8; 4] {
    ((value * 65_536.0).round() as i32).to_be_bytes()
}

fn profile(model: [u8; 4], space: [u8; 4], tags: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut table = u32::try_from(tags.len()).unwrap().to_be_bytes().to_vec();
    let mut data = Vec::new();
    for (signature, tag) in tags {
        let offset = 128 + 4 + 12 * tags.len() + data.len();
        table.extend_from_slice(*signature);
        table.extend(u32::try_from(offset).unwrap().to_be_bytes());
        table.extend(u32::try_from(tag.len()).unwrap().to_be_bytes());
        data.extend_from_slice(tag);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    let mut bytes = vec![0; 128];
    bytes.extend(table);
    bytes.extend(data);
    let size = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    bytes[..4].copy_from_slice(&size);
    bytes[8] = 4;
    bytes[12..16].copy_from_slice(b"mntr");
    bytes[16..20].copy_from_slice(&model);
    bytes[20..24].copy_from_slice(&space);
    bytes[36..40].copy_from_slice(b"acsp");
    bytes
}

fn para(kind: u8, parameters: &[f64]) -> Vec<u8> {
    let mut tag = b"para\0\0\0\0\0".to_vec();
    tag.extend([kind, 0, 0]);
    tag.extend(parameters.iter().flat_map(|value| fixed(*value)));
    tag
}

fn matrix_profile(colorants: [[f64; 3]; 3], curve: &[u8]) -> Vec<u8> {
    let xyz = |column: [f64; 3]| {
        let mut tag = b"XYZ \0\0\0\0".to_vec();
        tag.extend(column.into_iter().flat_map(fixed));
        tag
    };
    let tags = [
        (b"rXYZ", xyz(colorants[0])),
        (b"gXYZ", xyz(colorants[1])),
        (b"bXYZ", xyz(colorants[2])),
        (b"rTRC", curve.to_vec()),
        (b"gTRC", curve.to_vec()),
        (b"bTRC", curve.to_vec()),
    ];
    profile(*b"RGB ", *b"XYZ ", &tags)
}

fn p3_profile() -> Vec<u8> {
    matrix_profile(P3_COLORANTS, &para(3, &SRGB_CURVE))
}

/// The sRGB color of a Display P3 color by the formulas.
fn p3_to_srgb(color: [f32; 3]) -> [f32; 3] {
    let light = color.map(srgb_to_linear);
    P3_TO_SRGB.map(|row| {
        let value: f32 = row.iter().zip(light).map(|(m, v)| m * v).sum();
        linear_to_srgb(value.clamp(0.0, 1.0))
    })
}

fn cube() -> impl Iterator<Item = [f32; 3]> {
    (0..729u16).map(|i| [i % 9, i / 9 % 9, i / 81].map(|v| f32::from(v) / 8.0))
}

#[track_caller]
fn assert_near(got: [f32; 3], want: [f32; 3], levels: f32) {
    for (got, want) in got.iter().zip(want) {
        let distance = (got - want).abs() * 255.0;
        assert!(distance <= levels, "{got} is {distance} levels from {want}");
    }
}

/// Lab as a table of type `mft1` writes it, for a device whose channels are ink (L falls with
/// the sum of inks, a and b stay neutral), so that expectations are simple.
fn ink_table(channels: u8, side: u8) -> Vec<u8> {
    let mut tag = b"mft1\0\0\0\0".to_vec();
    tag.extend([channels, 3, side, 0]);
    tag.extend([0; 36]);
    for _ in 0..channels {
        tag.extend(0..=255u8);
    }
    let steps = u32::from(side).pow(u32::from(channels));
    for index in 0..steps {
        let ink: u32 = (0..u32::from(channels))
            .map(|channel| index / u32::from(side).pow(channel) % u32::from(side))
            .sum();
        let most = u32::from(channels) * u32::from(side - 1);
        let lightness = u8::try_from(255 - 255 * ink / most).unwrap();
        tag.extend([lightness, 128, 128]);
    }
    for _ in 0..3 {
        tag.extend(0..=255u8);
    }
    tag
}

/// A table of type `mft1` from Lab to CMYK that prints every color with the same ink.
fn black_table(ink: u8) -> Vec<u8> {
    let mut tag = b"mft1\0\0\0\0\x03\x04\x02\0".to_vec();
    tag.extend([0; 36]);
    for _ in 0..3 {
        tag.extend(0..=255u8);
    }
    tag.extend([ink; 2 * 2 * 2 * 4]);
    for _ in 0..4 {
        tag.extend(0..=255u8);
    }
    tag
}

/// A table of type `mAB ` that says what a matrix profile says: M curves, matrix, B curves.
fn p3_mab_profile() -> Vec<u8> {
    let mut tag = b"mAB \0\0\0\0".to_vec();
    tag.extend([3, 3, 0, 0]);
    let curve = para(3, &SRGB_CURVE);
    let linear = para(0, &[1.0]);
    let curves = 3 * u32::try_from(curve.len()).unwrap();
    let (m_at, matrix_at) = (32, 32 + curves);
    let b_at = matrix_at + 48;
    for offset in [b_at, matrix_at, m_at, 0, 0] {
        tag.extend(offset.to_be_bytes());
    }
    tag.extend(curve.repeat(3));
    for row in 0..3 {
        for colorant in P3_COLORANTS {
            // XYZ is written as a share of 1 + 32767/32768.
            tag.extend(fixed(colorant[row] * 32_768.0 / 65_535.0));
        }
    }
    tag.extend([0; 12]);
    tag.extend(linear.repeat(3));
    profile(*b"RGB ", *b"XYZ ", &[(b"A2B0", tag)])
}

#[test]
fn display_p3_follows_the_published_matrix() {
    for bytes in [p3_profile(), p3_mab_profile()] {
        let transform = ColorTransform::from_icc(&bytes, ColorModel::Rgb).unwrap();
        for color in cube() {
            let got = transform.convert([color[0], color[1], color[2], 0.0]);
            assert_near(got, p3_to_srgb(color), 0.6);
        }
    }
}

#[test]
fn sixteen_bits_survive_the_transform() {
    let transform = ColorTransform::from_icc(&p3_profile(), ColorModel::Rgb).unwrap();
    let gray = |v: u16| transform.convert([f32::from(v) / 65_535.0; 4])[1];
    for value in (0..65_000).step_by(64) {
        let step = (gray(value + 16) - gray(value)) * 65_535.0;
        assert!(
            (step - 16.0).abs() < 2.0,
            "16 levels became {step} at {value}"
        );
    }
}

#[test]
fn what_says_srgb_is_left_alone() {
    let colorants = [
        [0.436_07, 0.222_49, 0.013_92],
        [0.385_15, 0.716_87, 0.097_08],
        [0.143_07, 0.060_61, 0.714_1],
    ];
    let srgb = matrix_profile(colorants, &para(3, &SRGB_CURVE));
    assert!(ColorTransform::from_icc(&srgb, ColorModel::Rgb).is_none());
    let other_curve = matrix_profile(colorants, &para(0, &[1.8]));
    assert!(ColorTransform::from_icc(&other_curve, ColorModel::Rgb).is_some());
    let gray = profile(*b"GRAY", *b"XYZ ", &[(b"kTRC", para(3, &SRGB_CURVE))]);
    assert!(ColorTransform::from_icc(&gray, ColorModel::Gray).is_none());
}

#[test]
fn gray_profiles_lead_to_light_or_lightness() {
    for (space, curve, value, want) in [
        (
            *b"XYZ ",
            para(0, &[1.8]),
            0.5f32,
            linear_to_srgb(0.5f32.powf(1.8)),
        ),
        (*b"Lab ", para(0, &[1.0]), 0.5, linear_to_srgb(0.184_187)),
    ] {
        let bytes = profile(*b"GRAY", space, &[(b"kTRC", curve)]);
        let transform = ColorTransform::from_icc(&bytes, ColorModel::Gray).unwrap();
        assert_eq!(transform.source_channels(), 1);
        assert_near(transform.convert([value; 4]), [want; 3], 0.1);
    }
}

#[test]
fn tables_of_ink_are_interpolated_and_black_is_compensated() {
    let bytes = profile(*b"CMYK", *b"Lab ", &[(b"A2B0", ink_table(4, 3))]);
    let transform = ColorTransform::from_icc(&bytes, ColorModel::Cmyk).unwrap();
    for ink in [0.0f32, 0.125, 0.3, 0.5, 0.9, 1.0] {
        let lightness = 1.0 - ink;
        let y = (lightness * 100.0 + 16.0) / 116.0;
        let light = if lightness > 0.08 {
            y.powi(3)
        } else {
            lightness / 9.033
        };
        let got = transform.convert([ink; 4]);
        // Steps of the table have 8 bits of lightness.
        assert_near(got, [linear_to_srgb(light); 3], 1.2);
    }
}

#[test]
fn what_the_profile_prints_black_with_becomes_black() {
    let tags = [(b"A2B1", ink_table(4, 3)), (b"B2A0", black_table(204))];
    let bytes = profile(*b"CMYK", *b"Lab ", &tags);
    let transform = ColorTransform::from_icc(&bytes, ColorModel::Cmyk).unwrap();
    assert_near(transform.convert([0.8; 4]), [0.0; 3], 0.5);
    assert_near(transform.convert([0.9; 4]), [0.0; 3], 0.5);
    assert_near(transform.convert([0.0; 4]), [1.0; 3], 1.0);
    // L = 40 less L = 20, as light.
    let light = (0.112_511 - 0.029_890) / (1.0 - 0.029_890);
    assert_near(transform.convert([0.6; 4]), [linear_to_srgb(light); 3], 1.2);
}

#[test]
fn relative_tables_go_before_perceptual_ones() {
    let mut dark = ink_table(4, 2);
    let outputs = dark.len() - 3 * 256;
    dark[outputs..outputs + 256].reverse();
    let bytes = profile(
        *b"CMYK",
        *b"Lab ",
        &[(b"A2B0", dark), (b"A2B1", ink_table(4, 2))],
    );
    let transform = ColorTransform::from_icc(&bytes, ColorModel::Cmyk).unwrap();
    assert_near(transform.convert([0.0; 4]), [1.0; 3], 1.0);
}

#[test]
fn a_profile_that_claims_more_bytes_than_there_are_counts() {
    let mut bytes = p3_profile();
    for excess in [1, 100, u32::MAX - 1000] {
        let size = u32::try_from(bytes.len()).unwrap() + excess;
        bytes[..4].copy_from_slice(&size.to_be_bytes());
        let transform = ColorTransform::from_icc(&bytes, ColorModel::Rgb).unwrap();
        let target = transform.convert([1.0, 0.5, 0.0, 0.0]);
        assert_near(target, p3_to_srgb([1.0, 0.5, 0.0]), 0.6);
    }
}

#[test]
fn profiles_for_other_pictures_or_of_nonsense_are_ignored() {
    let p3 = p3_profile();
    assert!(ColorTransform::from_icc(&p3, ColorModel::Gray).is_none());
    assert!(ColorTransform::from_icc(&p3, ColorModel::Cmyk).is_none());
    assert!(ColorTransform::from_icc(b"", ColorModel::Rgb).is_none());
    assert!(ColorTransform::from_icc(&[0x55; 4096], ColorModel::Rgb).is_none());
    let mut oversized = p3.clone();
    oversized.resize((4 << 20) + 1, 0);
    assert!(ColorTransform::from_icc(&oversized, ColorModel::Rgb).is_none());
    let mut no_white = P3_COLORANTS;
    no_white[1] = [0.0; 3];
    let bytes = matrix_profile(no_white, &para(3, &SRGB_CURVE));
    assert!(ColorTransform::from_icc(&bytes, ColorModel::Rgb).is_none());
}

#[test]
fn hostile_profiles_are_survived() {
    let cmyk = profile(
        *b"CMYK",
        *b"Lab ",
        &[(b"A2B0", ink_table(4, 2)), (b"B2A0", black_table(200))],
    );
    let gray = profile(*b"GRAY", *b"Lab ", &[(b"kTRC", para(0, &[2.2]))]);
    let samples = [
        0.0,
        1.0,
        f32::NAN,
        -f32::INFINITY,
        0.3,
        2.0,
        1e30,
        0.5,
        0.7,
        0.1,
        0.2,
        0.9,
    ];
    let survive = |bytes: &[u8], model| {
        if let Some(transform) = ColorTransform::from_icc(bytes, model) {
            for device in samples.as_chunks::<4>().0 {
                let color = transform.convert(*device);
                assert!(color.iter().all(|c| (0.0..=1.0).contains(c)), "{color:?}");
            }
        }
    };
    for (bytes, model) in [
        (p3_profile(), ColorModel::Rgb),
        (p3_mab_profile(), ColorModel::Rgb),
        (cmyk, ColorModel::Cmyk),
        (gray, ColorModel::Gray),
    ] {
        for len in 0..bytes.len() {
            survive(&bytes[..len], model);
        }
        // Header, tag table and the first bytes of the tags.
        for (at, mask) in (0..bytes.len().min(300)).flat_map(|at| [1, 8, 128].map(|m| (at, m))) {
            let mut flipped = bytes.clone();
            flipped[at] ^= mask;
            survive(&flipped, model);
        }
    }
}

#[test]
fn png_chunks_count_in_the_order_of_the_standard() {
    let p3 = p3_profile();
    let color = [0.8, 0.4, 0.2];
    let device = [0.8, 0.4, 0.2, 0.0];
    let p3_code = Cicp {
        primaries: 12,
        transfer: 13,
        matrix: 0,
        full_range: 1,
    };
    let all = PngColor {
        cicp: Some(p3_code),
        icc: Some(&p3),
        srgb: true,
        gamma: Some(100_000),
        chromaticities: None,
    };
    let convert = |chunks: PngColor<'_>| Some(chunks.transform(ColorModel::Rgb)?.convert(device));
    assert_near(
        convert(PngColor { icc: None, ..all }).unwrap(),
        p3_to_srgb(color),
        0.3,
    );
    assert_near(
        convert(PngColor { cicp: None, ..all }).unwrap(),
        p3_to_srgb(color),
        0.6,
    );
    assert_eq!(
        convert(PngColor {
            cicp: None,
            icc: None,
            ..all
        }),
        None
    );
    let gamma_only = PngColor {
        cicp: None,
        icc: None,
        srgb: false,
        ..all
    };
    assert_near(convert(gamma_only).unwrap(), color.map(linear_to_srgb), 0.3);
    // Chunks that cannot be used are passed over.
    let unknown = Some(Cicp {
        primaries: 99,
        ..p3_code
    });
    let broken = PngColor {
        cicp: unknown,
        icc: Some(b"broken"),
        srgb: false,
        ..all
    };
    assert_near(convert(broken).unwrap(), color.map(linear_to_srgb), 0.3);
    let srgb_code = Some(Cicp {
        primaries: 1,
        ..p3_code
    });
    assert_eq!(
        convert(PngColor {
            cicp: srgb_code,
            ..all
        }),
        None
    );
    assert_eq!(convert(PngColor::default()), None);
}

#[test]
fn png_gamma_and_chromaticities_are_used_where_they_make_sense() {
    let p3 = [
        31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000,
    ];
    let chunks = |gamma, chromaticities| PngColor {
        gamma,
        chromaticities,
        ..PngColor::default()
    };
    let transform =
        |gamma, chromaticities| chunks(gamma, chromaticities).transform(ColorModel::Rgb);
    for color in cube() {
        let transform = transform(Some(45_455), Some(p3)).unwrap();
        let got = transform.convert([color[0], color[1], color[2], 0.0]);
        assert_near(got, p3_to_srgb(color), 0.6);
    }
    let srgb = [
        31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000,
    ];
    for (gamma, chromaticities) in [
        (None, Some(p3)),
        (Some(45_455), None),
        (Some(45_455), Some(srgb)),
        (Some(45_100), Some([0; 8])),
        (Some(0), None),
        (Some(u32::MAX), Some([u32::MAX; 8])),
    ] {
        assert!(
            transform(gamma, chromaticities).is_none(),
            "{gamma:?} {chromaticities:?}"
        );
    }
    let gray = chunks(Some(100_000), None)
        .transform(ColorModel::Gray)
        .unwrap();
    assert_near(gray.convert([0.5; 4]), [linear_to_srgb(0.5); 3], 0.1);
}

#[test]
fn high_dynamic_range_keeps_order_and_neutral_grays() {
    for transfer in [16, 18] {
        let cicp = Some(Cicp {
            primaries: 9,
            transfer,
            matrix: 0,
            full_range: 1,
        });
        let chunks = PngColor {
            cicp,
            ..PngColor::default()
        };
        let transform = chunks.transform(ColorModel::Rgb).unwrap();
        let grays: Vec<[f32; 3]> = (0..=255u8)
            .map(|v| transform.convert([f32::from(v) / 255.0; 4]))
            .collect();
        assert!(grays.windows(2).all(|pair| pair[0][1] <= pair[1][1] + 1e-6));
        assert!(grays[0][0] < 0.01 && grays[255][0] > 0.9);
        for gray in grays {
            assert_near(gray, [gray[1]; 3], 0.5);
        }
    }
    // Diffuse white of PQ: 58 % of the signal, 0.8 of the light.
    let cicp = Some(Cicp {
        primaries: 1,
        transfer: 16,
        matrix: 0,
        full_range: 1,
    });
    let chunks = PngColor {
        cicp,
        ..PngColor::default()
    };
    let white = chunks
        .transform(ColorModel::Rgb)
        .unwrap()
        .convert([0.580_69; 4]);
    assert_near(white, [linear_to_srgb(0.8); 3], 1.0);
}

#[test]
fn ink_without_a_profile_is_multiplied() {
    let target = ColorTransform::cmyk().convert([0.2, 0.4, 0.6, 0.5]);
    assert_near(target, [0.4, 0.3, 0.2], 0.01);
}
