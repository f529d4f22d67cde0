//! Colors by code points (ITU-T H.273), as the `cICP` chunk of PNG has them.
//!
//! BT.709, Display P3 and BT.2020 primaries with the transfer functions of sRGB, BT.709,
//! gamma 2.2 and 2.8, linear, PQ and HLG.
//! High dynamic range is rolled off: diffuse white (203 cd/m², BT.2408) becomes 0.8 of white,
//! what is darker than 0.6 keeps its light, and highlights approach white.

use super::curve::Curve;
use super::linear::srgb_to_linear;
use super::matrix::{BT709, BT2020, DISPLAY_P3, Primaries};

/// Light of BT.2408's diffuse white, in cd/m².
const DIFFUSE_WHITE: f64 = 203.0;

/// Light of the display that HLG is rendered for (BT.2100, table 5), in cd/m².
const HLG_PEAK: f64 = 1000.0;

/// From here on, highlights are compressed.
const KNEE: f32 = 0.6;

/// Code points of an image's colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cicp {
    /// `ColorPrimaries`.
    pub primaries: u8,
    /// `TransferCharacteristics`.
    pub transfer: u8,
    /// `MatrixCoefficients`: 0, as PNG holds RGB.
    pub matrix: u8,
    /// `VideoFullRangeFlag`: 0 (black at 16 of 255) or 1.
    pub full_range: u8,
}

/// What must be done to linear light before it fits an sRGB image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// Nothing.
    Standard,
    /// Light is relative to diffuse white and reaches beyond it.
    High,
    /// Light is of the scene; the display's system gamma comes first.
    Scene,
}

impl Cicp {
    pub(super) fn colors(self) -> Option<(Primaries, Curve, Range)> {
        let primaries = match self.primaries {
            1 => BT709,
            9 => BT2020,
            12 => DISPLAY_P3,
            _ => return None,
        };
        let (function, range): (fn(f64) -> f64, Range) = match self.transfer {
            1 | 6 | 14 | 15 => (bt709, Range::Standard),
            4 => (|x| x.powf(2.2), Range::Standard),
            5 => (|x| x.powf(2.8), Range::Standard),
            8 => (|x| x, Range::Standard),
            13 => (srgb, Range::Standard),
            16 => (pq, Range::High),
            18 => (hlg, Range::Scene),
            _ => return None,
        };
        let curve = match (self.matrix, self.full_range) {
            (0, 1) => Curve::new(function),
            (0, 0) => Curve::new(|x| function(((x * 255.0 - 16.0) / 219.0).clamp(0.0, 1.0))),
            _ => return None,
        };
        Some((primaries, curve, range))
    }
}

impl Range {
    /// Brings linear sRGB light into 0…1, with the hue it has.
    #[inline]
    pub(super) fn compress(self, light: [f32; 3]) -> [f32; 3] {
        let light = match self {
            Self::Standard => return light,
            Self::High => light,
            Self::Scene => system_gamma(light),
        };
        let peak = light[0].max(light[1]).max(light[2]);
        if peak <= KNEE {
            return light;
        }
        let above = (peak - KNEE) / (1.0 - KNEE);
        let scale = (KNEE + (1.0 - KNEE) * above / (1.0 + above)) / peak;
        light.map(|value| value * scale)
    }
}

/// HLG's way from the scene's light to the display's (BT.2100, table 5), relative to diffuse white.
#[expect(clippy::cast_possible_truncation, reason = "a ratio near 5")]
fn system_gamma(light: [f32; 3]) -> [f32; 3] {
    let [r, g, b] = light;
    let luminance = (0.2126 * r + 0.7152 * g + 0.0722 * b).max(0.0);
    let scale = luminance.powf(0.2) * (HLG_PEAK / DIFFUSE_WHITE) as f32;
    light.map(|value| value * scale)
}

#[expect(clippy::cast_possible_truncation, reason = "samples are f32 anyway")]
fn srgb(x: f64) -> f64 {
    f64::from(srgb_to_linear(x as f32))
}

/// The inverse of BT.709's and BT.2020's camera curve.
fn bt709(x: f64) -> f64 {
    if x < 0.081_242_86 {
        x / 4.5
    } else {
        ((x + 0.099_296_83) / 1.099_296_83).powf(1.0 / 0.45)
    }
}

/// The EOTF of SMPTE ST 2084, relative to diffuse white.
fn pq(x: f64) -> f64 {
    let (m1, m2) = (2610.0 / 16384.0, 2523.0 / 32.0);
    let (c1, c2, c3) = (3424.0 / 4096.0, 2413.0 / 128.0, 2392.0 / 128.0);
    let root = x.powf(1.0 / m2);
    let light = ((root - c1).max(0.0) / (c2 - c3 * root)).powf(1.0 / m1);
    light * 10_000.0 / DIFFUSE_WHITE
}

/// The inverse of HLG's camera curve (BT.2100, table 5).
fn hlg(x: f64) -> f64 {
    let (a, b, c) = (0.178_832_77, 0.284_668_92, 0.559_910_73);
    if x <= 0.5 {
        x * x / 3.0
    } else {
        (((x - c) / a).exp() + b) / 12.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfer_functions_hit_published_points() {
        for (got, want) in [
            (pq(0.580_69) * DIFFUSE_WHITE, 203.0),
            (pq(1.0) * DIFFUSE_WHITE, 10_000.0),
            (hlg(0.5), 1.0 / 12.0),
            (hlg(1.0), 1.0),
            (bt709(1.0), 1.0),
            (bt709(0.5), 0.259_6),
        ] {
            assert!((got - want).abs() < want * 1e-3, "{got} is not {want}");
        }
    }

    #[test]
    fn the_roll_off_is_monotone_and_stays_in_range() {
        let mut last = -1.0;
        for step in 0..5000u16 {
            let light = f32::from(step) / 100.0;
            let [r, g, b] = Range::High.compress([light, light / 2.0, 0.0]);
            assert!(r > last && r < 1.0 && b == 0.0);
            assert!((g - r / 2.0).abs() < 1e-6);
            last = r;
        }
        assert!(last > 0.95);
    }
}
