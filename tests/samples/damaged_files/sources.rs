//! Whole files of every format and kind.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat as Codec, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use tiff::encoder::{Compression, DeflateLevel, Predictor, TiffEncoder, colortype};

use crate::samples::heic_files::{Coded, File as Heic};
use crate::samples::png_files::{self, File as Png};

/// The kinds of files that there are.
pub const FORMATS: [&str; 11] = [
    "jpeg",
    "progressive",
    "png",
    "interlaced",
    "apng",
    "gif",
    "webp",
    "lossless",
    "bmp",
    "tiff",
    "heic",
];

/// The files of a format.
pub fn sources(format: &str) -> Vec<Vec<u8>> {
    match format {
        "jpeg" => jpegs(false),
        "progressive" => jpegs(true),
        "png" => pngs(false),
        "interlaced" => pngs(true),
        "apng" => apngs(),
        "gif" => gifs(),
        "webp" => webps(),
        "lossless" => lossless(),
        "bmp" => bmps(),
        "tiff" => tiffs(),
        _ => heics(),
    }
}

/// Noise on a gradient, which is not transparent everywhere.
fn picture(width: u32, height: u32) -> DynamicImage {
    let mut seed = 1_u32;
    RgbaImage::from_fn(width, height, |x, y| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (seed >> 24) as u8 / 8;
        image::Rgba([x as u8, y as u8, noise, 255 - noise * 7])
    })
    .into()
}

fn encoded(width: u32, height: u32, codec: Codec) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture(width, height).write_to(&mut out, codec).unwrap();
    out.into_inner()
}

fn jpegs(progressive: bool) -> Vec<Vec<u8>> {
    use SamplingFactor as Sampling;
    let mut files = Vec::new();
    for (width, height, color, sampling, restart) in [
        (93, 71, ColorType::Rgb, Sampling::F_2_2, 0),
        (64, 48, ColorType::Rgb, Sampling::F_1_1, 3),
        (33, 57, ColorType::Luma, Sampling::F_1_1, 0),
        (40, 40, ColorType::Cmyk, Sampling::F_1_1, 0),
        (320, 240, ColorType::Rgb, Sampling::F_2_1, 7),
    ] {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 85);
        encoder.set_sampling_factor(sampling);
        encoder.set_progressive(progressive);
        if restart > 0 && !progressive {
            encoder.set_restart_interval(restart);
        }
        let source = picture(width, height);
        let pixels = match color {
            ColorType::Luma => source.to_luma8().into_raw(),
            ColorType::Rgb => source.to_rgb8().into_raw(),
            _ => source.to_rgba8().into_raw(),
        };
        let (width, height) = (width as u16, height as u16);
        encoder.encode(&pixels, width, height, color).unwrap();
        files.push(file);
    }
    if progressive {
        files.push(include_bytes!("../../images/progressive.jpg").to_vec());
    } else {
        files.push(include_bytes!("../../images/photo.jpg").to_vec());
        files.push(include_bytes!("../../images/orientation/6.jpg").to_vec());
    }
    files
}

fn pngs(interlaced: bool) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for (color, depth) in [
        (0, 1),
        (0, 8),
        (0, 16),
        (2, 8),
        (2, 16),
        (3, 4),
        (3, 8),
        (4, 8),
        (6, 8),
    ] {
        let mut file = Png::new(61, 47, color, depth, interlaced);
        file.transparent = color == 3;
        files.push(file.encode());
    }
    // More than the decoder's window, in data that are hardly compressed, and that are well compressed.
    files.push(Png::new(300, 200, 6, 8, interlaced).encode());
    let flat = Png {
        filter: 2,
        ..Png::new(200, 150, 2, 8, interlaced)
    };
    let rows = flat.filtered();
    let pattern: Vec<u8> = (0..rows.len()).map(|i| (i % 601 == 0).into()).collect();
    files.push(flat.wrap(&pattern));
    if !interlaced {
        files.push(include_bytes!("../../images/orientation/6.png").to_vec());
        files.push(encoded(90, 70, Codec::Png));
    }
    files
}

/// Frames of two kinds of disposal and of the two ways to blend, of which the last ones lie in a corner.
fn apngs() -> Vec<Vec<u8>> {
    let mut files = vec![include_bytes!("../../golden/sources/frames.png").to_vec()];
    for (color, interlaced) in [(png::ColorType::Rgba, false), (png::ColorType::Rgb, true)] {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, 80, 60);
        encoder.set_color(color);
        encoder.set_animated(3, 0).unwrap();
        let mut writer = encoder.write_header().unwrap();
        for frame in 0..3 {
            let (width, height) = if frame == 0 { (80, 60) } else { (50, 40) };
            writer.set_frame_dimension(width, height).unwrap();
            writer.set_frame_position(frame, 2 * frame).unwrap();
            writer.set_blend_op(png::BlendOp::Over).unwrap();
            let source = picture(width, height);
            let pixels = match color {
                png::ColorType::Rgba => source.to_rgba8().into_raw(),
                _ => source.to_rgb8().into_raw(),
            };
            writer.write_image_data(&pixels).unwrap();
        }
        writer.finish().unwrap();
        files.push(if interlaced { with_adam7(&out) } else { out });
    }
    files
}

/// Says that the rows of a file come in the order of Adam7: most of its bytes are rows for that, too.
fn with_adam7(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file[28] = 1;
    png_files::correct_crcs(&mut file);
    file
}

fn gifs() -> Vec<Vec<u8>> {
    let mut files = vec![
        include_bytes!("../../golden/sources/frames.gif").to_vec(),
        encoded(90, 70, Codec::Gif),
    ];
    for interlaced in [false, true] {
        let palette: Vec<u8> = (0..96).map(|i| 2 * i).collect();
        let mut file = Vec::new();
        let mut encoder = gif::Encoder::new(&mut file, 70, 50, &palette).unwrap();
        for index in 0..3_u16 {
            let (width, height) = (70 - 9 * index, 50 - 7 * index);
            let pixels = (0..u32::from(width * height)).map(|i| (i * i / 7 % 32) as u8);
            let frame = gif::Frame {
                left: 3 * index,
                top: 2 * index,
                width,
                height,
                interlaced,
                transparent: Some(3),
                dispose: [gif::DisposalMethod::Keep, gif::DisposalMethod::Background]
                    [index as usize % 2],
                buffer: pixels.collect(),
                ..gif::Frame::default()
            };
            encoder.write_frame(&frame).unwrap();
        }
        drop(encoder);
        files.push(file);
    }
    files
}

fn riff_chunk(id: &[u8], payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_le_bytes();
    [id, &len, payload, &[0][..payload.len() % 2]].concat()
}

/// An animation of two stills, neither of which has a VP8X chunk.
fn animated(stills: [&[u8]; 2], [width, height]: [u8; 2]) -> Vec<u8> {
    let sides = [width - 1, 0, 0, height - 1, 0, 0];
    let mut body = b"WEBP".to_vec();
    body.extend(riff_chunk(
        b"VP8X",
        &[&[0x12, 0, 0, 0], &sides[..]].concat(),
    ));
    body.extend(riff_chunk(b"ANIM", &[1, 2, 3, 4, 0, 0]));
    for still in stills {
        let head = [&[0; 6], &sides[..], &[0; 4]].concat();
        body.extend(riff_chunk(b"ANMF", &[&head, &still[12..]].concat()));
    }
    riff_chunk(b"RIFF", &body)
}

fn webps() -> Vec<Vec<u8>> {
    let photo = include_bytes!("../../images/photo.webp");
    let alpha = include_bytes!("../../images/webp/lossy-alpha.webp");
    vec![
        photo.to_vec(),
        include_bytes!("../../images/webp/lossy.webp").to_vec(),
        alpha.to_vec(),
        include_bytes!("../../images/orientation/6.webp").to_vec(),
        include_bytes!("../../golden/sources/frames.webp").to_vec(),
        animated([photo, photo], [160, 120]),
    ]
}

fn lossless() -> Vec<Vec<u8>> {
    let large = encoded(120, 90, Codec::WebP);
    vec![
        animated([&large, &large], [120, 90]),
        large,
        encoded(31, 17, Codec::WebP),
        include_bytes!("../../images/webp/lossless-alpha.webp").to_vec(),
        include_bytes!("../../golden/sources/ramp-ProPhoto-v4.webp").to_vec(),
    ]
}

/// A file of 21x13 pixels with a palette, in runs, literals, moves and rows that end early.
fn runs(bits: u8) -> Vec<u8> {
    let palette = 4_u32 << bits;
    let mut file = b"BM\0\0\0\0\0\0\0\0".to_vec();
    file.extend((54 + palette).to_le_bytes());
    for number in [40_u32, 21, 13] {
        file.extend(number.to_le_bytes());
    }
    file.extend([1, 0, bits, 0, if bits == 8 { 1 } else { 2 }, 0, 0, 0]);
    file.extend([0; 20]);
    file.extend((0..palette).map(|i| (i * 7) as u8));
    for row in 0..10_u8 {
        file.extend([5, row * 17, 0, 7]);
        let literal: Vec<u8> = (0..7).map(|i| i * 31 + row).collect();
        let len = if bits == 4 { 4 } else { 8 };
        file.extend(literal.iter().chain(&[0]).take(len));
        file.extend([4, 0x5a, 0, 0]);
    }
    file.extend([3, 9, 0, 2, 4, 1, 6, 0x77, 0, 1]);
    file
}

fn bmps() -> Vec<Vec<u8>> {
    let mut rgb = Cursor::new(Vec::new());
    let opaque = picture(61, 47).to_rgb8();
    opaque.write_to(&mut rgb, Codec::Bmp).unwrap();
    vec![
        rgb.into_inner(),
        encoded(61, 47, Codec::Bmp),
        include_bytes!("../../golden/sources/palette.bmp").to_vec(),
        runs(8),
        runs(4),
    ]
}

fn tiffs() -> Vec<Vec<u8>> {
    let mut files = vec![
        tiles(),
        encoded(61, 47, Codec::Tiff),
        include_bytes!("../../golden/sources/pages.tif").to_vec(),
        include_bytes!("../../golden/sources/cmyk.tif").to_vec(),
        include_bytes!("../../images/orientation/6.tif").to_vec(),
    ];
    let pixels = picture(61, 47).to_rgb8().into_raw();
    for compression in [
        Compression::Uncompressed,
        Compression::Lzw,
        Compression::Deflate(DeflateLevel::Fast),
        Compression::Packbits,
    ] {
        let mut file = Cursor::new(Vec::new());
        let encoder = TiffEncoder::new(&mut file).unwrap();
        let mut encoder = encoder
            .with_compression(compression)
            .with_predictor(Predictor::Horizontal);
        let mut image = encoder.new_image::<colortype::RGB8>(61, 47).unwrap();
        image.rows_per_strip(9).unwrap();
        image.write_data(&pixels).unwrap();
        files.push(file.into_inner());
    }
    files
}

/// Gray of 20x11 in two tiles of 16x16, whose directory stands in front.
fn tiles() -> Vec<u8> {
    let entries: [[u32; 3]; 11] = [
        [256, 1, 20],
        [257, 1, 11],
        [258, 1, 8],
        [259, 1, 1],
        [262, 1, 1],
        [277, 1, 1],
        [284, 1, 1],
        [322, 1, 16],
        [323, 1, 16],
        [324, 2, 150],
        [325, 2, 158],
    ];
    let mut file = b"II*\0\x08\0\0\0\x0b\0".to_vec();
    for [tag, count, value] in entries {
        file.extend(&tag.to_le_bytes()[..2]);
        file.extend([4, 0]);
        file.extend(count.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    assert!(file.len() <= 150);
    file.resize(150, 0);
    for number in [166_u32, 422, 256, 256] {
        file.extend(number.to_le_bytes());
    }
    file.extend((0..512_u32).map(|i| (i * 7 % 251) as u8));
    file
}

fn heics() -> Vec<Vec<u8>> {
    let photo = include_bytes!("../../images/heic/photo.heic");
    let tile = Coded::of(include_bytes!("../../images/heic/tile-3.heic"));
    let size = (160, 120);
    let mut grid = Heic::grid(&vec![Coded::of(photo); 4], size, 2, (311, 233));
    let mut files = vec![grid.bytes()];
    grid.is_reversed = true;
    files.push(grid.bytes());
    files.push(Heic::single(&tile, (64, 64)).bytes());
    for file in [
        &photo[..],
        include_bytes!("../../images/heic/alpha.heic"),
        include_bytes!("../../images/heic/ten-bit.heic"),
        include_bytes!("../../images/heic/quadrants.heic"),
    ] {
        files.push(file.to_vec());
    }
    files
}
