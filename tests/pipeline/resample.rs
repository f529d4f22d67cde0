//! Thumbnails against a resampling in 64-bit floats of the whole image, with exact geometry.

use std::f64::consts::PI;
use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use thumbnail_pipeline::geometry::layout;
use thumbnail_pipeline::options::{Fit, FormatChoice, Gravity};
use thumbnail_pipeline::{Limits, Options, Variant, probe, render};

/// Something like a photo: detail at every scale, weaker the finer it is, and hard edges.
fn photo(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (fx, fy) = (f64::from(x), f64::from(y));
        let mut value = 0.0;
        let mut wave = 2.3_f64;
        let mut turn = 0.3_f64;
        while wave < 2000.0 {
            value += wave.powf(0.8) * ((fx * turn.cos() + fy * turn.sin()) * 2.0 * PI / wave).sin();
            wave *= 1.37;
            turn += 1.1;
        }
        let edge = if (fx - fy * 0.7 + 40.0).rem_euclid(211.0) < 90.0 {
            60.0
        } else {
            0.0
        };
        let shade = |gain: f64, base: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to 0…255"
            )]
            let byte = (base + gain * value * 0.12 + edge).clamp(0.0, 255.0) as u8;
            byte
        };
        Rgb([shade(1.0, 90.0), shade(-0.7, 100.0), shade(0.5, 70.0)])
    })
}

fn lanczos3(x: f64) -> f64 {
    if x.abs() < 1e-12 {
        1.0
    } else if x.abs() >= 3.0 {
        0.0
    } else {
        (PI * x).sin() * (PI * x / 3.0).sin() * 3.0 / (PI * x * PI * x)
    }
}

/// For each result the weights of all samples.
fn weights(samples: u32, start: f64, length: f64, out: u32) -> Vec<Vec<(usize, f64)>> {
    let ratio = length / f64::from(out);
    let scale = ratio.max(1.0);
    (0..out)
        .map(|index| {
            let center = start + (f64::from(index) + 0.5) * ratio;
            let all: Vec<_> = (0..samples)
                .map(|sample| {
                    (
                        sample as usize,
                        lanczos3((f64::from(sample) + 0.5 - center) / scale),
                    )
                })
                .filter(|(_, weight)| *weight != 0.0)
                .collect();
            let sum: f64 = all.iter().map(|(_, weight)| weight).sum();
            all.into_iter()
                .map(|(sample, weight)| (sample, weight / sum))
                .collect()
        })
        .collect()
}

/// The reference, and its distance from `got` in decibels.
fn psnr(source: &RgbImage, options: &Options, got: &RgbImage) -> f64 {
    let size = probe(&png(source)).ok().and_then(|status| match status {
        thumbnail_pipeline::decode::HeaderStatus::Ready(info) => Some(info.shown_size()),
        thumbnail_pipeline::decode::HeaderStatus::NeedMore => None,
    });
    let plan = layout(size.expect("a header"), options);
    let columns = weights(
        source.width(),
        plan.source.x,
        plan.source.width,
        plan.scaled.width(),
    );
    let rows = weights(
        source.height(),
        plan.source.y,
        plan.source.height,
        plan.scaled.height(),
    );
    assert_eq!(
        got.dimensions(),
        (plan.scaled.width(), plan.scaled.height())
    );
    let mut error = 0.0;
    for channel in 0..3 {
        let across: Vec<Vec<f64>> = source
            .rows()
            .map(|row| {
                let row: Vec<f64> = row.map(|pixel| f64::from(pixel.0[channel])).collect();
                columns
                    .iter()
                    .map(|weights| weights.iter().map(|(at, weight)| row[*at] * weight).sum())
                    .collect()
            })
            .collect();
        for (y, weights) in (0_u32..).zip(&rows) {
            for x in 0..got.width() {
                let want: f64 = weights
                    .iter()
                    .map(|(at, weight)| across[*at][x as usize] * weight)
                    .sum();
                let got = f64::from(got.get_pixel(x, y).0[channel]);
                error += (want.clamp(0.0, 255.0) - got).powi(2);
            }
        }
    }
    let samples = 3.0 * f64::from(got.width()) * f64::from(got.height());
    10.0 * (255.0 * 255.0 * samples / error).log10()
}

fn png(picture: &RgbImage) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture
        .write_to(&mut out, ImageFormat::Png)
        .expect("writes");
    out.into_inner()
}

fn thumbnail(source: &[u8], options: Options) -> RgbImage {
    let variant = Variant {
        name: String::new(),
        options,
    };
    let rendered = render(source, &[variant], &Limits::default()).expect("renders");
    let file = &rendered.thumbnails[0].encoded.bytes;
    image::load_from_memory(file).expect("an image").to_rgb8()
}

#[test]
fn shrunken_pictures_are_50_db_from_the_reference() {
    for (source, (width, height), gravity) in [
        ((640, 480), (100, 100), "center"),
        ((1001, 777), (90, 61), "0.3,0.8"),
        ((513, 1024), (37, 100), "northeast"),
        ((801, 799), (100, 100), "southwest"),
        ((210, 333), (100, 100), "center"),
        ((150, 140), (100, 100), "0.1,0.9"),
        ((900, 200), (41, 40), "east"),
    ] {
        let options = Options {
            width: Some(width),
            height: Some(height),
            gravity: gravity.parse::<Gravity>().expect("valid"),
            ..Options::default()
        };
        let picture = photo(source.0, source.1);
        let got = psnr(&picture, &options, &thumbnail(&png(&picture), options));
        assert!(
            got >= 50.0,
            "{source:?} to {width}x{height} {gravity}: {got:.1} dB"
        );
    }
}

fn between(one: &RgbImage, other: &RgbImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let pairs = one.as_raw().iter().zip(other.as_raw());
    let error: f64 = pairs
        .map(|(one, other)| (f64::from(*one) - f64::from(*other)).powi(2))
        .sum();
    let samples = 3.0 * f64::from(one.width()) * f64::from(one.height());
    10.0 * (255.0 * 255.0 * samples / error).log10()
}

/// Thumbnails of one image share its first shrink, and stay as good as each alone.
#[test]
fn thumbnails_made_together_are_those_made_alone() {
    for (source, sizes) in [
        (
            (1600, 1200),
            &[(100, 100), (160, 90), (200, 200), (320, 240)][..],
        ),
        (
            (1001, 1777),
            &[(90, 61), (31, 100), (16, 16), (250, 250), (48, 48)],
        ),
        ((1300, 900), &[(37, 100), (100, 37), (64, 64), (1000, 1000)]),
    ] {
        let picture = photo(source.0, source.1);
        let file = png(&picture);
        let of = |size: &(u32, u32)| Variant {
            name: format!("{}x{}", size.0, size.1),
            options: Options {
                width: Some(size.0),
                height: Some(size.1),
                ..Options::default()
            },
        };
        let variants: Vec<_> = sizes.iter().map(of).collect();
        let rendered = render(&file, &variants, &Limits::default()).expect("renders");
        for (variant, together) in variants.iter().zip(&rendered.thumbnails) {
            let together = &together.encoded.bytes;
            let together = image::load_from_memory(together)
                .expect("an image")
                .to_rgb8();
            let alone = thumbnail(&file, variant.options);
            let (got, reference) = (
                between(&together, &alone),
                psnr(&picture, &variant.options, &together),
            );
            assert!(
                got >= 55.0 && reference >= 50.0,
                "{source:?} to {}: {got:.1} dB from alone, {reference:.1} from the reference",
                variant.name
            );
        }
    }
}

#[test]
fn enlarged_pictures_are_what_the_reference_says() {
    for (source, (width, height)) in [
        ((33, 47), (100, 100)),
        ((5, 3), (64, 80)),
        ((90, 10), (100, 100)),
    ] {
        let options = Options {
            width: Some(width),
            height: Some(height),
            fit: Fit::Fill,
            ..Options::default()
        };
        let picture = photo(source.0, source.1);
        let got = psnr(&picture, &options, &thumbnail(&png(&picture), options));
        assert!(got >= 57.0, "{source:?} to {width}x{height}: {got:.1} dB");
    }
}

/// Linear light is brighter where fine black and white meet.
#[test]
fn linear_light_keeps_the_brightness_of_fine_detail() {
    let picture = RgbImage::from_fn(400, 400, |x, y| {
        Rgb([if (x / 2 + y / 2) % 2 == 0 { 255 } else { 0 }; 3])
    });
    let mean = |linear| {
        let options = Options {
            linear,
            width: Some(200),
            height: Some(200),
            ..Options::default()
        };
        let got = thumbnail(&png(&picture), options);
        got.pixels().map(|pixel| u64::from(pixel.0[0])).sum::<u64>()
            / u64::from(got.width() * got.height())
    };
    assert!((120..=135).contains(&mean(false)), "{}", mean(false));
    assert!(mean(true) >= 160, "{}", mean(true));
}

/// An image whose colors lie at the edge of the gamut, and of which a codec moves many beyond it.
fn sunflower() -> RgbImage {
    let mut seed = 1_u32;
    RgbImage::from_fn(1600, 1600, |x, y| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = i32::from(seed.to_be_bytes()[0]) - 128;
        let petal = if (x / 200 + y / 200) % 2 == 0 {
            20
        } else {
            -30
        };
        let shade = noise / 3 + petal;
        let bytes = [225 + shade, 185 + shade, 6 + shade / 4];
        Rgb(bytes.map(|value| u8::try_from(value.clamp(0, 255)).expect("clamped")))
    })
}

/// Decoded at 1/8 and cut off afterwards, it is 36 dB from the reference.
#[test]
fn colors_of_a_jpeg_are_cut_off_as_in_the_whole_picture() {
    let picture = sunflower();
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 85);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    encoder
        .encode(picture.as_raw(), 1600, 1600, jpeg_encoder::ColorType::Rgb)
        .expect("writes");
    let whole = image::load_from_memory(&file).expect("an image").to_rgb8();
    let options = Options {
        format: FormatChoice::Png,
        ..Options::default()
    };
    let got = psnr(&whole, &options, &thumbnail(&file, options));
    assert!(got >= 43.0, "{got:.1} dB");
}
