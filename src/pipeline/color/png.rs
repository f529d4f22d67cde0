//! The color chunks of a PNG and which of them counts.

use super::cicp::Cicp;
use super::matrix::Primaries;
use super::transform::{ColorModel, ColorTransform, Reading};

/// What writers of sRGB images put into `gAMA` (PNG, third edition, 11.3.2.5).
const SRGB_GAMMA: u32 = 45_455;

/// The color chunks of a PNG, each as it stands in the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PngColor<'a> {
    /// `cICP`.
    pub cicp: Option<Cicp>,
    /// `iCCP`, inflated.
    pub icc: Option<&'a [u8]>,
    /// Whether there is an `sRGB` chunk.
    pub srgb: bool,
    /// `gAMA`: 100000 times the exponent of the encoding.
    pub gamma: Option<u32>,
    /// `cHRM`: 100000 times x and y of white, red, green, blue.
    pub chromaticities: Option<[u32; 8]>,
}

impl PngColor<'_> {
    /// Returns the way to sRGB, or `None` where the samples are sRGB already.
    ///
    /// `cICP` goes before `iCCP`, `sRGB` and `gAMA` with `cHRM` (PNG, third edition, 4.3);
    /// a chunk that cannot be used is passed over.
    /// `cHRM` without `gAMA` is ignored, as browsers do.
    pub fn transform(&self, model: ColorModel) -> Option<ColorTransform> {
        if let Some(colors) = self.cicp.and_then(Cicp::colors) {
            return ColorTransform::from_colors(model, colors);
        }
        if let Some(profile) = self.icc {
            match Reading::of(profile, model) {
                Reading::Broken => {}
                Reading::Srgb => return None,
                Reading::Transform(transform) => return Some(transform),
            }
        }
        if self.srgb {
            return None;
        }
        let primaries = self.chromaticities.and_then(primaries);
        ColorTransform::from_gamma(model, exponent(self.gamma?)?, primaries)
    }
}

/// What samples are raised to, `Some(None)` for the curve of sRGB.
#[expect(clippy::option_option, reason = "private, and read once, right above")]
fn exponent(gamma: u32) -> Option<Option<f64>> {
    // Within 1 % of 1/2.2 sRGB is meant: most such files come from writers of sRGB.
    if gamma.abs_diff(SRGB_GAMMA) <= SRGB_GAMMA / 100 {
        return Some(None);
    }
    // Exponents beyond 10 leave nothing of an image: the chunk is wrong.
    (10_000..=1_000_000)
        .contains(&gamma)
        .then(|| Some(100_000.0 / f64::from(gamma)))
}

fn primaries(numbers: [u32; 8]) -> Option<Primaries> {
    let [wx, wy, rx, ry, gx, gy, bx, by] = numbers.map(|value| f64::from(value) / 100_000.0);
    let primaries = Primaries {
        red: [rx, ry],
        green: [gx, gy],
        blue: [bx, by],
        white: [wx, wy],
    };
    primaries.to_xyz_d50().map(|_| primaries)
}
