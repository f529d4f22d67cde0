//! What the encoders write, read back by other decoders than ours.

use std::io::Cursor;

use thumbnail_pipeline::encode::{EncodeOptions, encode};
use thumbnail_pipeline::geometry::Size;
use thumbnail_pipeline::thumbhash::thumbhash;
use thumbnail_pipeline::{OutputFormat, Pixmap};

const FORMATS: [OutputFormat; 4] = [
    OutputFormat::Jpeg,
    OutputFormat::Png,
    OutputFormat::WebP,
    OutputFormat::Gif,
];

/// A file read back: its size and its pixels as RGBA.
#[derive(Debug, PartialEq)]
struct Decoded {
    width: u32,
    height: u32,
    rgba: Vec<u8>,
}

fn decode(format: OutputFormat, bytes: &[u8]) -> Decoded {
    match format {
        OutputFormat::Jpeg => decode_jpeg(bytes),
        OutputFormat::Png => decode_png(bytes),
        OutputFormat::WebP => decode_webp(bytes),
        OutputFormat::Gif => decode_gif(bytes),
    }
}

fn opaque(rgb: &[u8]) -> Vec<u8> {
    let pixels = rgb.as_chunks::<3>().0.iter();
    pixels.flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect()
}

fn decode_jpeg(bytes: &[u8]) -> Decoded {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    let data = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    let rgba = match info.pixel_format {
        jpeg_decoder::PixelFormat::L8 => data.iter().flat_map(|v| [*v, *v, *v, 255]).collect(),
        _ => opaque(&data),
    };
    Decoded {
        width: info.width.into(),
        height: info.height.into(),
        rgba,
    }
}

fn decode_png(bytes: &[u8]) -> Decoded {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut data).unwrap();
    let rgba = match info.color_type {
        png::ColorType::Grayscale => data.iter().flat_map(|v| [*v, *v, *v, 255]).collect(),
        png::ColorType::GrayscaleAlpha => {
            let pixels = data.as_chunks::<2>().0.iter();
            pixels.flat_map(|[v, a]| [*v, *v, *v, *a]).collect()
        }
        png::ColorType::Rgb => opaque(&data),
        _ => data,
    };
    Decoded {
        width: info.width,
        height: info.height,
        rgba,
    }
}

fn decode_webp(bytes: &[u8]) -> Decoded {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).unwrap();
    let mut data = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut data).unwrap();
    let (width, height) = decoder.dimensions();
    let rgba = if decoder.has_alpha() {
        data
    } else {
        opaque(&data)
    };
    Decoded {
        width,
        height,
        rgba,
    }
}

fn decode_gif(bytes: &[u8]) -> Decoded {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(bytes).unwrap();
    let frame = decoder.read_next_frame().unwrap().unwrap();
    Decoded {
        width: frame.width.into(),
        height: frame.height.into(),
        rgba: frame.buffer.to_vec(),
    }
}

/// An image like a photo: smooth, with edges and a little noise. Alpha falls from left to right.
fn photo(width: u32, height: u32, channels: usize) -> Pixmap {
    let size = Size::new(width, height);
    let mut pixmap = match channels {
        3 => Pixmap::rgb(size, [0; 3]),
        _ => Pixmap::rgba(size, [0; 4]),
    }
    .unwrap();
    let mut noise = 1u32;
    let row_len = width as usize * channels;
    for (y, row) in (0u16..).zip(pixmap.data_mut().chunks_exact_mut(row_len)) {
        for (x, pixel) in (0u16..).zip(row.chunks_exact_mut(channels)) {
            let (fx, fy) = (f32::from(x) / 20.0, f32::from(y) / 15.0);
            let edge = if (x / 16 + y / 24) % 3 == 0 {
                50.0
            } else {
                0.0
            };
            for (index, sample) in (0u8..).zip(pixel.iter_mut()) {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let grain = f32::from((noise >> 29).to_le_bytes()[0]);
                let wave = (fx + f32::from(index)).sin() + (fy * 1.3 - f32::from(index)).cos();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "casts saturate"
                )]
                let value = (100.0 + 40.0 * wave + edge + grain) as u8;
                *sample = value;
            }
            if let [.., alpha] = pixel
                && channels == 4
            {
                *alpha = 255 - x.min(255).to_le_bytes()[0];
            }
        }
    }
    pixmap
}

/// An image of `colors` colors.
fn drawing(width: u32, height: u32, colors: u16, channels: usize) -> Pixmap {
    let mut pixmap = photo(width, height, channels);
    for (index, pixel) in (0u32..).zip(pixmap.data_mut().chunks_exact_mut(channels)) {
        let mixed = index.wrapping_mul(2_654_435_761) >> 16;
        let color = (mixed % u32::from(colors)).to_le_bytes();
        pixel[..3].copy_from_slice(&[color[0], color[1], color[0].wrapping_mul(37)]);
        if let Some(alpha) = pixel.get_mut(3) {
            *alpha = if color[0].is_multiple_of(2) { 255 } else { 0 };
        }
    }
    pixmap
}

fn rgba(pixmap: &Pixmap) -> Vec<u8> {
    if pixmap.has_alpha() {
        pixmap.data().to_vec()
    } else {
        opaque(pixmap.data())
    }
}

fn psnr(left: &[u8], right: &[u8]) -> f64 {
    assert_eq!(left.len(), right.len());
    let squares = left
        .iter()
        .zip(right)
        .map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2));
    let (sum, count) = squares.fold((0u64, 0u32), |(sum, count), square| {
        (sum + square, count + 1)
    });
    #[expect(clippy::cast_precision_loss, reason = "sums of small images")]
    let mean = (sum as f64 / f64::from(count)).max(1e-6);
    10.0 * (255.0 * 255.0 / mean).log10()
}

fn encoded(pixmap: &Pixmap, format: OutputFormat) -> Vec<u8> {
    encode(pixmap, &EncodeOptions::new(format)).unwrap().bytes
}

#[test]
fn photos_come_back_as_they_were_or_near() {
    for channels in [3, 4] {
        let pixmap = photo(150, 100, channels);
        for (format, floor) in [
            (OutputFormat::Jpeg, 33.0),
            (OutputFormat::Png, f64::INFINITY),
            (OutputFormat::WebP, 33.0),
            (OutputFormat::Gif, 31.0),
        ] {
            if channels == 4 && matches!(format, OutputFormat::Jpeg | OutputFormat::Gif) {
                continue;
            }
            let back = decode(format, &encoded(&pixmap, format));
            assert_eq!((back.width, back.height), (150, 100));
            if floor.is_infinite() {
                assert_eq!(back.rgba, rgba(&pixmap), "{format:?}");
            } else {
                let got = psnr(&back.rgba, &rgba(&pixmap));
                assert!(got > floor, "{format:?} with {channels} channels: {got} dB");
            }
        }
    }
}

#[test]
fn every_size_is_written() {
    for (width, height) in [
        (1, 1),
        (4096, 1),
        (1, 4096),
        (17, 3),
        (16, 16),
        (33, 31),
        (2, 2),
    ] {
        for channels in [3, 4] {
            let pixmap = photo(width, height, channels);
            for format in FORMATS {
                let file = encode(&pixmap, &EncodeOptions::new(format)).unwrap();
                assert_eq!(
                    (file.width, file.height, file.format),
                    (width, height, format)
                );
                let back = decode(format, &file.bytes);
                assert_eq!((back.width, back.height), (width, height), "{format:?}");
                assert_eq!(back.rgba.len(), rgba(&pixmap).len());
            }
        }
    }
}

#[test]
fn few_colors_become_a_palette_without_loss() {
    for (colors, bits) in [(1, 1), (2, 1), (3, 2), (5, 4), (17, 8), (250, 8)] {
        for channels in [3, 4] {
            let pixmap = drawing(64, 60, colors, channels);
            let bytes = encoded(&pixmap, OutputFormat::Png);
            assert_eq!(decode_png(&bytes).rgba, rgba(&pixmap), "{colors} colors");
            if (3..=17).contains(&colors) && channels == 3 {
                assert_eq!(bytes[24..26], [bits, 3], "{colors} colors");
            }
            let gif = decode_gif(&encoded(&pixmap, OutputFormat::Gif));
            for (back, source) in gif.rgba.chunks_exact(4).zip(rgba(&pixmap).chunks_exact(4)) {
                assert_eq!(back[3], source[3]);
                assert!(source[3] == 0 || back == source);
            }
        }
    }
}

#[test]
fn png_takes_the_color_type_that_the_pixels_need() {
    let mut gray = photo(60, 40, 3);
    for pixel in gray.data_mut().chunks_exact_mut(3) {
        pixel.fill(pixel[0]);
    }
    let mut opaque = photo(60, 40, 4);
    for pixel in opaque.data_mut().chunks_exact_mut(4) {
        pixel[3] = 255;
    }
    let mut gray_alpha = photo(60, 40, 4);
    for pixel in gray_alpha.data_mut().chunks_exact_mut(4) {
        let value = pixel[0];
        pixel[..3].fill(value);
    }
    for (pixmap, color_type) in [
        (&gray, 0),
        (&photo(60, 40, 3), 2),
        (&gray_alpha, 4),
        (&opaque, 2),
        (&photo(60, 40, 4), 6),
    ] {
        let bytes = encoded(pixmap, OutputFormat::Png);
        assert_eq!(bytes[25], color_type);
        assert_eq!(decode_png(&bytes).rgba, rgba(pixmap));
    }
    let bytes = encoded(&gray, OutputFormat::Jpeg);
    let mut decoder = jpeg_decoder::Decoder::new(&bytes[..]);
    decoder.read_info().unwrap();
    assert_eq!(
        decoder.info().unwrap().pixel_format,
        jpeg_decoder::PixelFormat::L8
    );
}

#[test]
fn jpeg_shows_its_background_through_transparent_pixels() {
    let clear = Pixmap::rgba(Size::new(16, 16), [200, 0, 0, 0]).unwrap();
    let half = Pixmap::rgba(Size::new(16, 16), [200, 0, 0, 128]).unwrap();
    for (pixmap, background, want) in [
        (&clear, [255; 3], [255, 255, 255]),
        (&clear, [0, 120, 40], [0, 120, 40]),
        (&half, [0, 0, 200], [100, 0, 100]),
    ] {
        let options = EncodeOptions {
            background,
            ..EncodeOptions::new(OutputFormat::Jpeg)
        };
        let back = decode_jpeg(&encode(pixmap, &options).unwrap().bytes);
        for (got, want) in back.rgba.iter().zip(want) {
            assert!(
                got.abs_diff(want) <= 3,
                "{:?} is not {want:?}",
                &back.rgba[..3]
            );
        }
    }
}

#[test]
fn quality_and_progression_are_obeyed() {
    let pixmap = photo(160, 120, 3);
    let sizes = |format| {
        [1, 30, 60, 80, 89, 90, 100].map(|quality| {
            let options = EncodeOptions {
                quality,
                ..EncodeOptions::new(format)
            };
            encode(&pixmap, &options).unwrap().bytes.len()
        })
    };
    let jpeg = sizes(OutputFormat::Jpeg);
    assert!(jpeg.windows(2).all(|pair| pair[0] < pair[1]), "{jpeg:?}");
    let options = EncodeOptions {
        progressive: true,
        ..EncodeOptions::new(OutputFormat::Jpeg)
    };
    let progressive = encode(&pixmap, &options).unwrap().bytes;
    let has = |bytes: &[u8], marker: u8| bytes.windows(2).any(|pair| pair == [0xff, marker]);
    assert!(has(&progressive, 0xc2) && !has(&progressive, 0xc0));
    let baseline = decode_jpeg(&encoded(&pixmap, OutputFormat::Jpeg));
    assert_eq!(decode_jpeg(&progressive), baseline);
}

#[test]
fn bytes_are_the_same_every_time() {
    for channels in [3, 4] {
        let pixmap = photo(90, 70, channels);
        for format in FORMATS {
            assert_eq!(
                encoded(&pixmap, format),
                encoded(&pixmap, format),
                "{format:?}"
            );
        }
    }
}

#[test]
fn gif_keeps_holes_of_pictures_with_many_colors() {
    let pixmap = photo(200, 100, 4);
    let back = decode_gif(&encoded(&pixmap, OutputFormat::Gif));
    for (back, source) in back.rgba.chunks_exact(4).zip(pixmap.data().chunks_exact(4)) {
        assert_eq!(back[3] == 255, source[3] >= 128);
    }
}

#[test]
fn thumbhash_is_that_of_the_reference() {
    for (width, height, channels) in [
        (100, 100, 3),
        (100, 67, 4),
        (40, 90, 3),
        (1, 1, 4),
        (3, 100, 3),
    ] {
        let pixmap = photo(width, height, channels);
        let want = thumbhash::rgba_to_thumb_hash(width as usize, height as usize, &rgba(&pixmap));
        let got = unbase64(&thumbhash(&pixmap));
        assert_eq!((got.len(), &got[..3]), (want.len(), &want[..3]));
        // Sums in another order may round a step of four bits the other way.
        for (got, want) in got.iter().zip(&want).skip(3) {
            let near = |a: u8, b: u8| a.abs_diff(b) <= 1;
            let steps = near(got & 15, want & 15) && near(got >> 4, want >> 4);
            assert!(steps, "{width}x{height}: {got:x} is not {want:x}");
        }
    }
    // Larger images have the hash of a smaller version of themselves, or nearly.
    let hash = unbase64(&thumbhash(&photo(400, 300, 3)));
    assert!((20..=25).contains(&hash.len()));
}

fn unbase64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    for group in text.as_bytes().as_chunks::<4>().0 {
        let digit = |c: &u8| alphabet.iter().position(|a| a == c);
        let value = group
            .iter()
            .fold(0usize, |value, c| value << 6 | digit(c).unwrap_or(0));
        let padding = group.split(|c| *c == b'=').count() - 1;
        bytes.extend_from_slice(&u32::try_from(value).unwrap().to_be_bytes()[1..4 - padding]);
    }
    bytes
}
