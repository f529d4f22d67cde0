//! WebP: lossy, lossless, with alpha and without, with frames, with what belongs before the pixels behind them.

use image_webp::{ColorType, WebPEncoder};

use super::random::Random;
use super::sources::Shape;

pub fn file(random: &mut Random, shape: &Shape) -> (&'static str, Vec<u8>) {
    let (width, height) = (shape.width.min(16_383), shape.height.min(16_383));
    let alpha = random.one_in(2);
    let lossy = random.one_in(2);
    let exif = shape.exif(random);
    let profile = shape.profile(random, 3);
    let frames = if random.one_in(4) {
        random.within(1, 4)
    } else {
        0
    };
    let mut body = Vec::new();
    if frames > 0 || exif.is_some() || profile.is_some() || (lossy && alpha) {
        let flags = u8::from(profile.is_some()) << 5
            | u8::from(alpha) << 4
            | u8::from(exif.is_some()) << 3
            | u8::from(frames > 0) << 1;
        body.extend(chunk(
            *b"VP8X",
            &[&[flags, 0, 0, 0][..], &u24(width - 1), &u24(height - 1)].concat(),
        ));
    }
    if let Some(profile) = profile {
        body.extend(chunk(*b"ICCP", &profile));
    }
    let exif = exif.map(|exif| chunk(*b"EXIF", &exif));
    let follows = random.one_in(2);
    if let (Some(exif), false) = (&exif, follows) {
        body.extend(exif);
    }
    if frames > 0 {
        body.extend(chunk(*b"ANIM", &[0; 6]));
    }
    for frame in 0..frames {
        let (w, h) = if random.one_in(2) {
            (width, height)
        } else {
            (width.div_ceil(2), height.div_ceil(2))
        };
        let head = [
            &[0; 6][..],
            &u24(w - 1),
            &u24(h - 1),
            &[0, 0, 0, (frame % 4) as u8],
        ]
        .concat();
        body.extend(chunk(
            *b"ANMF",
            &[head, picture(random, (w, h), lossy, alpha)].concat(),
        ));
    }
    if frames == 0 {
        body.extend(picture(random, (width, height), lossy, alpha));
    }
    if let (Some(exif), true) = (exif, follows) {
        body.extend(exif);
    }
    let name = match (frames, lossy) {
        (1.., _) => "webp of frames",
        (_, true) => "lossy webp",
        _ => "lossless webp",
    };
    (name, chunk(*b"RIFF", &[b"WEBP", &body[..]].concat()))
}

fn u24(value: u32) -> [u8; 3] {
    let [a, b, c, _] = value.to_le_bytes();
    [a, b, c]
}

fn chunk(name: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("short").to_le_bytes();
    [&name, &len, payload, &[0][..payload.len() % 2]].concat()
}

fn picture(random: &mut Random, size: (u32, u32), lossy: bool, alpha: bool) -> Vec<u8> {
    if !lossy {
        return lossless(random, size, alpha);
    }
    let mut chunks = Vec::new();
    if alpha {
        // Without compression, or as a lossless image without its header.
        let planar = if random.one_in(2) {
            let values = random.samples(size.0 as usize, size.1 as usize);
            [&[random.pick(&[0, 4, 8, 12])], &values[..]].concat()
        } else {
            [&[1], &lossless(random, size, false)[8 + 5..]].concat()
        };
        chunks.extend(chunk(*b"ALPH", &planar));
    }
    // No crate at hand writes VP8: one image stands at the beginning of larger ones, and noise follows.
    let mut data = include_bytes!("../../images/photo.webp")[20..].to_vec();
    data[6..8].copy_from_slice(&(size.0 as u16).to_le_bytes());
    data[8..10].copy_from_slice(&(size.1 as u16).to_le_bytes());
    for _ in 0..random.scale(1, 200_000) {
        data.push(random.next() as u8);
    }
    chunks.extend(chunk(*b"VP8 ", &data));
    chunks
}

fn lossless(random: &mut Random, (width, height): (u32, u32), alpha: bool) -> Vec<u8> {
    let (color, channels) = if alpha {
        (ColorType::Rgba8, 4)
    } else {
        (ColorType::Rgb8, 3)
    };
    // As many as are accepted, of 4,416 bytes each.
    let allowed = (((256 << 10) + width * height) / 4416).min(1_890);
    let most = (width.div_ceil(4) * height.div_ceil(4)).min(allowed);
    if most > 1 && random.one_in(8) {
        let groups = random.within(2, most);
        return crate::samples::webp_files::with_groups(width, height, groups).split_off(12);
    }
    let samples = random.samples(width as usize * channels, height as usize);
    let mut out = Vec::new();
    WebPEncoder::new(&mut out)
        .encode(&samples, width, height, color)
        .expect("writes");
    out.split_off(12)
}
