//! What a plan promises of memory holds. One test, since the allocator counts for all threads.

mod heic_files;

use std::io::Cursor;

use heic_files::{Coded, File};
use image::{DynamicImage, ImageFormat as Codec, RgbaImage};
use peak_alloc::PeakAlloc;
use thumbnail_core::pipeline::decode::HeaderStatus;
use thumbnail_core::pipeline::options::FormatChoice;
use thumbnail_core::pipeline::{Limits, Options, Renderer, Variant, plan, probe};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Noise on a gradient, which no codec makes small.
fn picture(width: u32, height: u32) -> DynamicImage {
    let mut seed = 1_u32;
    RgbaImage::from_fn(width, height, |x, y| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [noise, ..] = seed.to_be_bytes();
        let [_, _, _, x] = (x / 4).to_be_bytes();
        let [_, _, _, y] = (y / 4).to_be_bytes();
        image::Rgba([x, y, noise / 8 + x / 2, 255 - noise / 4])
    })
    .into()
}

fn file(width: u32, height: u32, codec: Codec) -> Vec<u8> {
    let picture = picture(width, height);
    let mut out = Cursor::new(Vec::new());
    match codec {
        Codec::Jpeg => picture.to_rgb8().write_to(&mut out, codec),
        _ => picture.write_to(&mut out, codec),
    }
    .expect("writes");
    out.into_inner()
}

fn progressive() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut out, 85);
    encoder.set_progressive(true);
    let rgb = picture(600, 450).to_rgb8();
    encoder
        .encode(rgb.as_raw(), 600, 450, jpeg_encoder::ColorType::Rgb)
        .expect("writes");
    out
}

fn variants(sides: &[u32], format: FormatChoice) -> Vec<Variant> {
    let variant = |side: &u32| Variant {
        name: side.to_string(),
        options: Options {
            width: Some(*side),
            height: Some(*side),
            linear: *side > 300,
            format,
            ..Options::default()
        },
    };
    sides.iter().map(variant).collect()
}

/// The same picture twice, the second time as a frame over the first.
fn animated_gif() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut out);
    for _ in 0..2 {
        let frame = image::Frame::new(picture(200, 150).to_rgba8());
        encoder.encode_frame(frame).expect("writes");
    }
    drop(encoder);
    out
}

fn animated_png() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 600, 450);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_animated(2, 0).expect("two frames");
    let mut writer = encoder.write_header().expect("writes");
    for _ in 0..2 {
        let pixels = picture(600, 450).to_rgba8();
        writer.write_image_data(&pixels).expect("writes");
    }
    writer.finish().expect("writes");
    out
}

fn animated_webp() -> Vec<u8> {
    let still = file(600, 450, Codec::WebP);
    let chunk = |id: &[u8], payload: &[u8]| {
        let len = u32::try_from(payload.len()).expect("short").to_le_bytes();
        [id, &len, payload, &[0][..payload.len() % 2]].concat()
    };
    let sides = [
        [599_u32.to_le_bytes()[0], 2, 0],
        [449_u32.to_le_bytes()[0], 1, 0],
    ]
    .concat();
    let head = [&[0; 6][..], &sides, &[0; 4]].concat();
    let frame = chunk(b"ANMF", &[&head, &still[12..]].concat());
    let extended = chunk(b"VP8X", &[&[0x12, 0, 0, 0][..], &sides].concat());
    let body = [b"WEBP", extended.as_slice(), &frame, &frame].concat();
    chunk(b"RIFF", &body)
}

/// One picture, or a grid of 4 by 4 of it whose tiles come in the wrong order.
fn heic(is_grid: bool) -> Vec<u8> {
    let coded = Coded::of(include_bytes!("images/heic/photo.heic"));
    if !is_grid {
        return File::single(&coded, (160, 120)).bytes();
    }
    let mut file = File::grid(&vec![coded; 16], (160, 120), 4, (633, 471));
    file.is_reversed = true;
    file.bytes()
}

#[test]
fn plans_bound_the_memory_that_rendering_takes() {
    for (name, source, collected) in [
        ("gif frame", animated_gif(), false),
        ("png frame", animated_png(), false),
        ("webp frame", animated_webp(), false),
        ("jpeg", file(600, 450, Codec::Jpeg), false),
        ("progressive jpeg", progressive(), false),
        ("png", file(600, 450, Codec::Png), false),
        ("lossless webp", file(600, 450, Codec::WebP), false),
        ("gif", file(200, 150, Codec::Gif), false),
        ("heic", heic(false), false),
        ("heic of tiles", heic(true), false),
        (
            "heic with alpha",
            include_bytes!("images/heic/alpha.heic").to_vec(),
            false,
        ),
        ("bmp", file(600, 450, Codec::Bmp), false),
        ("tiny jpeg", file(8, 8, Codec::Jpeg), false),
        ("tiff", file(600, 450, Codec::Tiff), true),
    ] {
        // A small picture is also made much larger: no row may wait for all others.
        let largest: &[u32] = if name == "tiny jpeg" {
            &[1500]
        } else {
            &[64, 400]
        };
        for sides in [&[100_u32][..], largest] {
            for format in [FormatChoice::Jpeg, FormatChoice::Png] {
                let HeaderStatus::Ready(info) = probe(&source).expect("a header") else {
                    panic!("{name}: the whole file has its header");
                };
                let mut variants = variants(sides, format);
                for variant in &mut variants {
                    variant.options.page = u32::from(name.ends_with("frame"));
                }
                let plan = plan(&info, &variants, &Limits::default()).expect("fits");
                // A file that is decoded whole is collected first, in a buffer that doubles.
                let file = if collected {
                    3 * source.len() as u64
                } else {
                    0
                };
                let bound = plan.peak_bytes + file;
                let before = MEMORY.current_usage();
                MEMORY.reset_peak_usage();
                let mut renderer = Renderer::new(plan).expect("starts");
                for chunk in source.chunks(10_000) {
                    renderer.feed(chunk).expect("decodes");
                }
                renderer.finish().expect("renders");
                let peak = (MEMORY.peak_usage() - before) as u64;
                assert!(
                    peak <= bound,
                    "{name} {sides:?} {format:?}: {peak} of {bound}"
                );
            }
        }
    }
}
