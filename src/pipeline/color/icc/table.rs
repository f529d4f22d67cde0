//! A device described by a table: connection space encodings and black point compensation.

use super::super::matrix::D50;
use super::lut::{Color, Lut};

/// How a table writes the connection space into 0…1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Encoding {
    Xyz,
    /// L is 0…100 over the whole range.
    Lab,
    /// Version 2, 16 bits: 100 and 255 lie at 0xFF00 (ICC.1:2001-04, 6.4.5).
    LegacyLab,
}

/// A table from device colors to XYZ.
#[derive(Debug)]
pub(in super::super) struct Table {
    lut: Lut,
    encoding: Encoding,
    /// What black point compensation takes away from X, Y, Z, and scales by afterwards.
    compensation: [(f32, f32); 3],
}

impl Table {
    /// Makes a device whose darkest gray is `black`, which becomes 0.
    pub(super) fn new(lut: Lut, encoding: Encoding, black: Color) -> Self {
        let darkest = encoding.xyz(lut.at(black))[1];
        // As in Little CMS, nothing above L = 50 (Y = 0.184) is taken for black.
        let y = darkest.max(0.0).clamp(0.0, 0.184);
        Self {
            lut,
            encoding,
            compensation: D50_F32.map(|white| (white * y, 1.0 / (1.0 - y))),
        }
    }

    /// XYZ under D50 of a color, black point compensated.
    #[inline]
    pub(in super::super) fn xyz(&self, device: Color) -> [f32; 3] {
        let mut xyz = self.encoding.xyz(self.lut.at(device));
        for (value, (black, scale)) in xyz.iter_mut().zip(self.compensation) {
            *value = (*value - black) * scale;
        }
        xyz
    }
}

#[expect(clippy::cast_possible_truncation, reason = "samples are f32 anyway")]
const D50_F32: [f32; 3] = [D50[0] as f32, D50[1] as f32, D50[2] as f32];

impl Encoding {
    /// The encoding that a table of type `kind` has, under the profile's connection space.
    pub(super) fn of(space: [u8; 4], kind: [u8; 4]) -> Option<Self> {
        match (&space, &kind) {
            (b"XYZ ", _) => Some(Self::Xyz),
            (b"Lab ", b"mft2") => Some(Self::LegacyLab),
            (b"Lab ", _) => Some(Self::Lab),
            _ => None,
        }
    }

    /// Black, as the table writes it.
    pub(super) fn black(self) -> Color {
        let middle = match self {
            Self::Xyz => 0.0,
            Self::Lab => 128.0 / 255.0,
            Self::LegacyLab => 32_768.0 / 65_535.0,
        };
        [0.0, middle, middle, 0.0]
    }

    #[inline]
    fn xyz(self, [first, second, third, _]: Color) -> [f32; 3] {
        let scale = match self {
            Self::Xyz => return [first, second, third].map(|v| v * (65_535.0 / 32_768.0)),
            Self::Lab => 1.0,
            Self::LegacyLab => 65_535.0 / 65_280.0,
        };
        let y = (first * scale * 100.0 + 16.0) / 116.0;
        let x = y + (second * scale * 255.0 - 128.0) / 500.0;
        let z = y - (third * scale * 255.0 - 128.0) / 200.0;
        [light(x) * D50_F32[0], light(y), light(z) * D50_F32[2]]
    }
}

/// The inverse of the function that L, a and b are made with.
#[inline]
fn light(t: f32) -> f32 {
    if t > 6.0 / 29.0 {
        t * t * t
    } else {
        (t - 4.0 / 29.0) * (108.0 / 841.0)
    }
}

/// The light of a lightness; both in 0…1.
pub(super) fn lightness_to_light(lightness: f32) -> f32 {
    light((lightness * 100.0 + 16.0) / 116.0)
}
