//! Files of every format, by chance: sizes, kinds of samples, compression, frames, profiles, orientation, damage.

use super::profiles::{exif, profile};
use super::random::Random;
use super::{bmp, gif, heic, jpeg, png, tiff, webp};

/// A file, and what it is.
pub struct Source {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What the formats have in common.
pub struct Shape {
    pub width: u32,
    pub height: u32,
    /// Whether there is a color profile.
    pub has_profile: bool,
    /// Whether it says how it is turned.
    pub has_exif: bool,
}

impl Shape {
    pub fn profile(&self, random: &mut Random, channels: u8) -> Option<Vec<u8>> {
        self.has_profile.then(|| profile(random, channels))
    }

    pub fn exif(&self, random: &mut Random) -> Option<Vec<u8>> {
        self.has_exif.then(|| exif(random))
    }
}

/// How large images are.
#[derive(Clone, Copy, PartialEq)]
pub enum Area {
    /// Tiny, thin, tall, and everything up to a quarter of a megapixel.
    Any,
    /// Above four megapixels.
    Large,
}

fn shape(random: &mut Random, area: Area) -> Shape {
    let pixels = match area {
        Area::Any => random.scale(1, 250_000),
        Area::Large => random.scale(4_100_000, 9_000_000),
    };
    let width = match random.below(4) {
        0 => random.scale(1, 16),
        1 => pixels / random.scale(1, 16),
        _ => (f64::from(pixels).sqrt() * f64::from(random.within(50, 200)) / 100.0) as u32,
    };
    let width = width.clamp(pixels.div_ceil(60_000), 60_000);
    Shape {
        width,
        height: (pixels / width).max(1),
        has_profile: random.one_in(3),
        has_exif: random.one_in(3),
    }
}

/// A file of any format.
pub fn source(random: &mut Random, area: Area) -> Source {
    let makers = [
        jpeg::file,
        jpeg::file,
        png::file,
        png::file,
        gif::file,
        webp::file,
        webp::file,
        bmp::file,
        tiff::file,
        tiff::file,
        heic::file,
    ];
    // Images of HEIC are few, and small: what makes them large is a grid.
    let shape = shape(random, area);
    let (kind, mut bytes) = random.pick(&makers)(random, &shape);
    let mut name = format!("{kind}, {}x{}", shape.width, shape.height);
    if random.one_in(12) {
        damage(random, &mut bytes);
        name += " damaged";
    }
    Source { name, bytes }
}

/// Cuts a file, or changes some of its bytes.
fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    let len = bytes.len() as u64;
    if random.one_in(2) {
        bytes.truncate(random.below(len) as usize);
        return;
    }
    for _ in 0..random.within(1, 8) {
        let near = if random.one_in(2) { len.min(200) } else { len };
        let at = random.below(near) as usize;
        if let Some(byte) = bytes.get_mut(at) {
            *byte = random.next() as u8;
        }
    }
}
