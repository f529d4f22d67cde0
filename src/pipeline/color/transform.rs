//! The way from a source's samples to sRGB, row by row.

use super::cicp::Range;
use super::cmyk;
use super::curve::Curve;
use super::icc::{Device, Profile, Table};
use super::linear::{linear_to_srgb, srgb_to_linear, unit};
use super::matrix::{self, Matrix, Primaries};

/// An image whose samples differ from sRGB by no more than this is sRGB.
const SRGB_TOLERANCE: f32 = 2.0 / 255.0;

/// What the color channels of an image are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorModel {
    /// One channel.
    Gray,
    /// Three channels.
    Rgb,
    /// Four channels of ink: 0 is none.
    Cmyk,
}

/// Turns colors of a source into sRGB.
///
/// Colors outside of sRGB are clipped channel by channel.
#[derive(Debug)]
pub struct ColorTransform {
    model: ColorModel,
    path: Path,
}

#[derive(Debug)]
enum Path {
    /// To encoded gray at once.
    Gray(Curve),
    Matrix {
        curves: Box<[Curve; 3]>,
        to_srgb: [[f32; 3]; 3],
        range: Range,
        encode: Curve,
    },
    Table {
        table: Box<Table>,
        to_srgb: [[f32; 3]; 3],
        encode: Curve,
    },
    Ink,
}

/// What became of a profile.
pub(super) enum Reading {
    /// It cannot be used.
    Broken,
    /// It says what would be assumed without it.
    Srgb,
    /// It says something else.
    Transform(ColorTransform),
}

impl Reading {
    pub(super) fn of(profile: &[u8], model: ColorModel) -> Self {
        let Some(path) = Path::from_profile(profile, model) else {
            return Self::Broken;
        };
        let transform = ColorTransform { model, path };
        if transform.is_identity() {
            Self::Srgb
        } else {
            Self::Transform(transform)
        }
    }
}

impl ColorTransform {
    /// Reads an embedded ICC profile.
    ///
    /// `None` if samples are to be taken as sRGB: the profile is sRGB or so near that nobody sees
    /// a difference, or it is damaged, larger than 4 MiB, or for another color model,
    /// in which case browsers ignore it too.
    /// CMYK without a usable profile takes [`ColorTransform::cmyk`] instead.
    pub fn from_icc(profile: &[u8], model: ColorModel) -> Option<Self> {
        match Reading::of(profile, model) {
            Reading::Transform(transform) => Some(transform),
            Reading::Broken | Reading::Srgb => None,
        }
    }

    /// The most bytes that reading an embedded profile takes, and the transform that comes of it.
    pub fn icc_bytes(profile: &[u8], model: ColorModel) -> u64 {
        Profile::bytes(profile, model.channels())
    }

    /// The most bytes of a transform that code points or PNG's own chunks describe.
    pub const fn described_bytes() -> u64 {
        4 * Curve::BYTES
    }

    /// Makes the transform for CMYK without a profile: ink multiplied, as browsers show it.
    pub fn cmyk() -> Self {
        Self {
            model: ColorModel::Cmyk,
            path: Path::Ink,
        }
    }

    pub(super) fn from_colors(
        model: ColorModel,
        (primaries, curve, range): (Primaries, Curve, Range),
    ) -> Option<Self> {
        let path = match model {
            ColorModel::Gray => Path::gray(&curve, range),
            ColorModel::Rgb => {
                let curves = [curve.clone(), curve.clone(), curve];
                Path::matrix(curves, &primaries.to_xyz_d50()?, range)?
            }
            ColorModel::Cmyk => return None,
        };
        let transform = Self { model, path };
        (!transform.is_identity()).then_some(transform)
    }

    /// `exponent` is `None` for the curve of sRGB, `primaries` for those of sRGB.
    pub(super) fn from_gamma(
        model: ColorModel,
        exponent: Option<f64>,
        primaries: Option<Primaries>,
    ) -> Option<Self> {
        let curve = match exponent {
            Some(exponent) => Curve::new(|x| x.powf(exponent)),
            None => Curve::new(decode),
        };
        let primaries = primaries.unwrap_or(matrix::BT709);
        Self::from_colors(model, (primaries, curve, Range::Standard))
    }

    /// The color channels that a source pixel has.
    pub fn source_channels(&self) -> usize {
        self.model.channels()
    }

    /// Turns one color into sRGB; channels that the source does not have are ignored.
    #[inline]
    pub fn convert(&self, device: [f32; 4]) -> [f32; 3] {
        match &self.path {
            Path::Gray(curve) => [curve.at(device[0]); 3],
            Path::Matrix {
                curves,
                to_srgb,
                range,
                encode,
            } => {
                let light = std::array::from_fn(|i| curves[i].at(device[i]));
                let light = range.compress(multiply(to_srgb, light));
                light.map(|value| encode.at(value))
            }
            Path::Table {
                table,
                to_srgb,
                encode,
            } => multiply(to_srgb, table.xyz(device)).map(|value| encode.at(value)),
            Path::Ink => cmyk::multiply(device),
        }
    }

    /// Whether nobody would see that the transform was left out.
    fn is_identity(&self) -> bool {
        let near = |device: [f32; 3]| {
            let got = self.convert([device[0], device[1], device[2], 0.0]);
            got.into_iter()
                .zip(device)
                .all(|(got, want)| (got - want).abs() <= SRGB_TOLERANCE)
        };
        let steps = |count: u8| (0..=count).map(move |step| f32::from(step) / f32::from(count));
        match self.model {
            ColorModel::Cmyk => false,
            ColorModel::Gray => steps(64).all(|v| near([v; 3])),
            ColorModel::Rgb => {
                steps(64).all(|v| near([v; 3]))
                    && steps(8).all(|r| steps(8).all(|g| steps(8).all(|b| near([r, g, b]))))
            }
        }
    }
}

impl ColorModel {
    /// The number of its channels.
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }
}

impl Path {
    fn from_profile(profile: &[u8], model: ColorModel) -> Option<Self> {
        match Profile::read(profile, model.channels())?.device {
            Device::Gray(curve) => Some(Self::gray(&curve, Range::Standard)),
            Device::Matrix { curves, to_xyz } => Self::matrix(curves, &to_xyz, Range::Standard),
            Device::Table(table) => Some(Self::Table {
                table: Box::new(table),
                to_srgb: matrix::to_f32(&matrix::xyz_d50_to_srgb()?),
                encode: Curve::new(encode),
            }),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "samples are f32 anyway")]
    fn gray(curve: &Curve, range: Range) -> Self {
        Self::Gray(Curve::new(|x| {
            let light = range.compress([curve.at(x as f32); 3])[0];
            encode(f64::from(light))
        }))
    }

    fn matrix(curves: [Curve; 3], to_xyz: &Matrix, range: Range) -> Option<Self> {
        let to_srgb = matrix::product(&matrix::xyz_d50_to_srgb()?, to_xyz);
        Some(Self::Matrix {
            curves: Box::new(curves),
            to_srgb: matrix::to_f32(&to_srgb),
            range,
            encode: Curve::new(encode),
        })
    }
}

#[inline]
fn multiply(matrix: &[[f32; 3]; 3], [x, y, z]: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row[0] * x + row[1] * y + row[2] * z)
}

#[expect(clippy::cast_possible_truncation, reason = "samples are f32 anyway")]
fn encode(light: f64) -> f64 {
    f64::from(linear_to_srgb(unit(light as f32)))
}

#[expect(clippy::cast_possible_truncation, reason = "samples are f32 anyway")]
fn decode(sample: f64) -> f64 {
    f64::from(srgb_to_linear(sample as f32))
}
