//! `ThumbHash` (evanw.github.io/thumbhash): an image as about 25 bytes, shown while it loads.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "coordinates below 100 and values of a few bits"
)]

use std::f32::consts::PI;

use super::geometry::Size;
use super::pixmap::Pixmap;

/// The longest side that is looked at; more pixels cost time and change nothing.
const MAX_SIDE: u32 = 100;

/// Returns the hash of an image in base64 (RFC 4648, section 4, padded).
pub fn thumbhash(pixmap: &Pixmap) -> String {
    let mut samples = HashSamples::new(pixmap.size());
    let row_len = pixmap.width() as usize * pixmap.channels();
    for row in pixmap.data().chunks_exact(row_len) {
        samples.push(row, pixmap.channels());
    }
    samples.hash()
}

/// What the hash of an image is made of: every n-th pixel of a large one.
#[derive(Debug)]
pub struct HashSamples {
    width: usize,
    step: usize,
    /// Rows that were given.
    rows: usize,
    colors: Vec<[u8; 4]>,
}

impl HashSamples {
    /// The most bytes that it holds for an image of `size`, and with it what the hash is computed from:
    /// four bytes of a pixel and four numbers, and the waves of a row and of a column.
    pub fn bytes(size: Size) -> u64 {
        let step = size.width().max(size.height()).div_ceil(MAX_SIDE).max(1);
        let side = |side: u32| u64::from(side.div_ceil(step));
        20 * side(size.width()) * side(size.height()) + 2048
    }

    /// For an image of `size`.
    pub fn new(size: Size) -> Self {
        let step = size.width().max(size.height()).div_ceil(MAX_SIDE).max(1) as usize;
        let width = (size.width() as usize).div_ceil(step);
        let height = (size.height() as usize).div_ceil(step);
        Self {
            width,
            step,
            rows: 0,
            colors: Vec::with_capacity(width * height),
        }
    }

    /// Takes the next row: of gray, gray and alpha, RGB or RGBA, as `channels` says.
    pub fn push(&mut self, row: &[u8], channels: usize) {
        if self.rows.is_multiple_of(self.step) {
            let pixels = row.chunks_exact(channels).step_by(self.step);
            self.colors.extend(pixels.map(|pixel| match *pixel {
                [r, g, b, a] => [r, g, b, a],
                [r, g, b] => [r, g, b, 255],
                [gray, a] => [gray, gray, gray, a],
                [gray] => [gray, gray, gray, 255],
                _ => [0; 4],
            }));
        }
        self.rows += 1;
    }

    /// The hash in base64, once all rows were given.
    pub fn hash(&self) -> String {
        base64(&hash(&Channels::of(self)))
    }
}

/// Lightness, yellow against blue, red against green, and alpha.
struct Channels {
    width: usize,
    height: usize,
    planes: [Vec<f32>; 4],
    has_alpha: bool,
}

impl Channels {
    fn of(samples: &HashSamples) -> Self {
        let colors = &samples.colors;
        let (width, height) = (samples.width, colors.len() / samples.width.max(1));
        let mut sum = [0.0; 4];
        for [color @ .., alpha] in colors {
            let alpha = f32::from(*alpha) / 255.0;
            for (sum, color) in sum.iter_mut().zip(color) {
                *sum += alpha * f32::from(*color) / 255.0;
            }
            sum[3] += alpha;
        }
        let average = [0, 1, 2].map(|i| if sum[3] > 0.0 { sum[i] / sum[3] } else { 0.0 });
        let mut planes = [(); 4].map(|()| Vec::with_capacity(colors.len()));
        for [color @ .., alpha] in colors {
            let alpha = f32::from(*alpha) / 255.0;
            let [r, g, b] =
                [0, 1, 2].map(|i| average[i] * (1.0 - alpha) + alpha * f32::from(color[i]) / 255.0);
            let values = [(r + g + b) / 3.0, r.midpoint(g) - b, r - g, alpha];
            for (plane, value) in planes.iter_mut().zip(values) {
                plane.push(value);
            }
        }
        Self {
            width,
            height,
            planes,
            has_alpha: colors.iter().any(|color| color[3] < 255),
        }
    }

    /// The lowest frequencies of a plane, in a triangle of `nx` by `ny`.
    fn frequencies(&self, plane: usize, nx: usize, ny: usize) -> Frequencies {
        let (w, h) = (self.width, self.height);
        let wave = |len: usize, frequency: usize| -> Vec<f32> {
            (0..len)
                .map(|at| (PI / len as f32 * frequency as f32 * (at as f32 + 0.5)).cos())
                .collect()
        };
        let mut constant = 0.0;
        let mut varying = Vec::new();
        for cy in 0..ny {
            let vertical = wave(h, cy);
            for cx in (0..nx).take_while(|cx| cx * ny < nx * (ny - cy)) {
                let horizontal = wave(w, cx);
                let rows = self.planes[plane].chunks_exact(w).zip(&vertical);
                let sum: f32 = rows
                    .map(|(row, fy)| {
                        let row = row.iter().zip(&horizontal);
                        fy * row.map(|(value, fx)| value * fx).sum::<f32>()
                    })
                    .sum();
                let value = sum / (w * h) as f32;
                if cx == 0 && cy == 0 {
                    constant = value;
                } else {
                    varying.push(value);
                }
            }
        }
        let scale = varying
            .iter()
            .fold(0.0, |most: f32, value| most.max(value.abs()));
        if scale > 0.0 {
            for value in &mut varying {
                *value = 0.5 + 0.5 / scale * *value;
            }
        }
        Frequencies {
            constant,
            varying,
            scale,
        }
    }
}

struct Frequencies {
    constant: f32,
    varying: Vec<f32>,
    scale: f32,
}

fn hash(channels: &Channels) -> Vec<u8> {
    let (w, h) = (channels.width, channels.height);
    // With alpha there is less room for lightness.
    let limit = if channels.has_alpha { 5 } else { 7 };
    let along = |side: usize| {
        let share = (limit * side) as f32 / w.max(h) as f32;
        (share.round() as usize).max(1)
    };
    let (lx, ly) = (along(w), along(h));
    let light = channels.frequencies(0, lx.max(3), ly.max(3));
    let yellow = channels.frequencies(1, 3, 3);
    let red = channels.frequencies(2, 3, 3);
    let landscape = w > h;
    let bits = |value: f32, most: f32| (value * most).round().clamp(0.0, most) as u32;
    let header = bits(light.constant, 63.0)
        | bits(yellow.constant.midpoint(1.0), 63.0) << 6
        | bits(red.constant.midpoint(1.0), 63.0) << 12
        | bits(light.scale, 31.0) << 18
        | u32::from(channels.has_alpha) << 23;
    let shape = if landscape { ly } else { lx } as u32
        | bits(yellow.scale, 63.0) << 3
        | bits(red.scale, 63.0) << 9
        | u32::from(landscape) << 15;
    let mut bytes = header.to_le_bytes()[..3].to_vec();
    bytes.extend_from_slice(&shape.to_le_bytes()[..2]);
    let mut nibbles: Vec<u8> = Vec::new();
    let mut push = |value: f32| nibbles.push(bits(value, 15.0) as u8);
    let alpha = channels.has_alpha.then(|| channels.frequencies(3, 5, 5));
    if let Some(alpha) = &alpha {
        push(alpha.constant);
        push(alpha.scale);
    }
    let planes = [Some(&light), Some(&yellow), Some(&red), alpha.as_ref()];
    for plane in planes.into_iter().flatten() {
        plane.varying.iter().copied().for_each(&mut push);
    }
    bytes.extend(nibbles.chunks(2).map(|pair| match *pair {
        [low, high] => low | high << 4,
        [low] => low,
        _ => 0,
    }));
    bytes
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let value = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place <= group.len() {
                let digit = value >> (18 - 6 * place) & 63;
                text.push(char::from(ALPHABET[digit as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_follows_the_examples_of_the_standard() {
        for (bytes, want) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foobar", "Zm9vYmFy"),
            (b"\xfb\xff", "+/8="),
        ] {
            assert_eq!(base64(bytes), want);
        }
    }
}
