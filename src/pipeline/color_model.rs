//! What the channels of decoded planes mean, and the way from them to sRGB.

use super::color::{ColorModel, ColorTransform, PngColor, cicp::Cicp};
use super::decode::png::PngHeader;
use super::probe::{Header, ImageInfo};

/// What the channels of all planes of an image, one after another, mean.
///
/// Samples are 0 to 1 here, chroma is centerd on 128/255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleModel {
    /// One channel: gray.
    Gray,
    /// Gray and alpha, premultiplied.
    GrayAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue and alpha, premultiplied.
    Rgba,
    /// Luma and chroma.
    YCbCr(LumaWeights, SampleRange),
    /// Four inks, 0 is none.
    Cmyk,
    /// Four inks, 1 is none: what is in JPEGs.
    CmykInverted,
    /// The first three inks as JFIF's YCbCr of their complements, and all is stored inverted.
    YcckInverted,
}

/// How much of red, green and blue is in luma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LumaWeights {
    /// ITU-T T.871 section 7 (JFIF), which is BT.601.
    Bt601,
    /// ITU-R BT.709.
    Bt709,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
}

/// Which samples are black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleRange {
    /// 0 and 255.
    Full,
    /// 16 and 235; chroma is within 16 and 240.
    Limited,
}

impl LumaWeights {
    /// What of Cr goes into red, of Cb and of Cr out of green, and of Cb into blue.
    const fn factors(self) -> [f32; 4] {
        match self {
            Self::Bt601 => [1.402, 0.344_136_3, 0.714_136_3, 1.772],
            Self::Bt709 => [1.5748, 0.187_324_3, 0.468_124_3, 1.8556],
            Self::Bt2020 => [1.4746, 0.164_553_1, 0.571_353_1, 1.8814],
        }
    }

    fn rgb(self, y: f32, cb: f32, cr: f32) -> [f32; 4] {
        let [red, green_cb, green_cr, blue] = self.factors();
        let clamp = |value: f32| value.clamp(0.0, 1.0);
        [
            clamp(y + red * cr),
            clamp(y - green_cb * cb - green_cr * cr),
            clamp(y + blue * cb),
            0.0,
        ]
    }
}

impl SampleModel {
    /// The model of one plane that has so many channels.
    pub const fn of_channels(channels: u8) -> Self {
        match channels {
            1 => Self::Gray,
            2 => Self::GrayAlpha,
            3 => Self::Rgb,
            _ => Self::Rgba,
        }
    }

    /// What color management calls it.
    const fn color_model(self) -> ColorModel {
        match self {
            Self::Gray | Self::GrayAlpha => ColorModel::Gray,
            Self::Rgb | Self::Rgba | Self::YCbCr(..) => ColorModel::Rgb,
            Self::Cmyk | Self::CmykInverted | Self::YcckInverted => ColorModel::Cmyk,
        }
    }

    /// The color of a pixel in the channels of [`SampleModel::color_model`], not premultiplied, and its alpha.
    pub(super) fn device(self, pixel: [f32; 4]) -> ([f32; 4], f32) {
        let [a, b, c, d] = pixel;
        match self {
            Self::Gray => ([a, 0.0, 0.0, 0.0], 1.0),
            Self::GrayAlpha => (unpremultiply([a, 0.0, 0.0], b), b),
            Self::Rgb => ([a, b, c, 0.0], 1.0),
            Self::Rgba => (unpremultiply([a, b, c], d), d),
            Self::YCbCr(weights, SampleRange::Full) => {
                (weights.rgb(a, b - CENTER, c - CENTER), 1.0)
            }
            Self::YCbCr(weights, SampleRange::Limited) => {
                let (luma, chroma) = (255.0 / 219.0, 255.0 / 224.0);
                let (cb, cr) = ((b - CENTER) * chroma, (c - CENTER) * chroma);
                (weights.rgb((a - 16.0 / 255.0) * luma, cb, cr), 1.0)
            }
            Self::Cmyk => (pixel, 1.0),
            Self::CmykInverted => (pixel.map(|ink| 1.0 - ink), 1.0),
            Self::YcckInverted => {
                let [cyan, magenta, yellow, _] = LumaWeights::Bt601.rgb(a, b - CENTER, c - CENTER);
                ([cyan, magenta, yellow, 1.0 - d], 1.0)
            }
        }
    }
}

const CENTER: f32 = 128.0 / 255.0;

/// A pixel that is not there at all has no color: black, as good as any.
fn unpremultiply([r, g, b]: [f32; 3], alpha: f32) -> [f32; 4] {
    if alpha <= 0.0 {
        return [0.0; 4];
    }
    [r, g, b, 0.0].map(|color| (color / alpha).min(1.0))
}

/// The way from an image's samples to sRGB.
#[derive(Debug)]
pub struct Colors {
    model: SampleModel,
    /// None where the samples are sRGB already.
    transform: Option<ColorTransform>,
}

impl Colors {
    /// The most bytes that [`Colors::new`] takes.
    pub fn bytes(info: &ImageInfo, model: SampleModel) -> u64 {
        let color_model = model.color_model();
        let icc = |profile: &Option<Vec<u8>>| {
            let profile = profile.as_deref();
            profile.map_or(0, |profile| ColorTransform::icc_bytes(profile, color_model))
        };
        let described = |is_described: bool| {
            if is_described {
                ColorTransform::described_bytes()
            } else {
                0
            }
        };
        match &info.header {
            Header::Jpeg(header) => icc(&header.icc),
            Header::WebP(header) => icc(&header.icc_profile),
            Header::Tiff(header) => icc(&header.icc_profile),
            Header::Png(header) => {
                let is_described = header.cicp.is_some()
                    || header.gamma.is_some()
                    || header.chromaticities.is_some();
                icc(&header.icc).max(described(is_described))
            }
            #[cfg(feature = "heic")]
            Header::Heic(header) => icc(&header.icc_profile).max(described(header.cicp.is_some())),
            Header::Gif(_) | Header::Bmp(_) => 0,
        }
    }

    /// What the header says about the samples of an image.
    pub fn new(info: &ImageInfo, model: SampleModel) -> Self {
        let color_model = model.color_model();
        let from_icc = |profile: Option<&[u8]>| ColorTransform::from_icc(profile?, color_model);
        let transform = match &info.header {
            Header::Jpeg(header) => from_icc(header.icc.as_deref()),
            Header::Png(header) => png_color(header).transform(color_model),
            Header::WebP(header) => from_icc(header.icc_profile.as_deref()),
            Header::Tiff(header) => from_icc(header.icc_profile.as_deref()),
            #[cfg(feature = "heic")]
            Header::Heic(header) => heic_color(header).transform(color_model),
            // A BMP's profile, if any, comes behind its pixels.
            Header::Gif(_) | Header::Bmp(_) => None,
        };
        let transform = match color_model {
            ColorModel::Cmyk => Some(transform.unwrap_or_else(ColorTransform::cmyk)),
            ColorModel::Gray | ColorModel::Rgb => transform,
        };
        Self { model, transform }
    }

    /// A pixel in RGBA, 0 to 1, not premultiplied.
    pub fn to_srgb(&self, pixel: [f32; 4]) -> [f32; 4] {
        let (device, alpha) = self.model.device(pixel);
        let [r, g, b] = match (&self.transform, self.model.color_model()) {
            (Some(transform), _) => transform.convert(device),
            (None, ColorModel::Gray) => [device[0]; 3],
            (None, _) => [device[0], device[1], device[2]],
        };
        [r, g, b, alpha]
    }
}

fn png_color(header: &PngHeader) -> PngColor<'_> {
    PngColor {
        cicp: header.cicp.map(|cicp| Cicp {
            primaries: cicp.primaries,
            transfer: cicp.transfer,
            matrix: cicp.matrix,
            full_range: cicp.full_range.into(),
        }),
        icc: header.icc.as_deref(),
        srgb: header.srgb_intent.is_some(),
        gamma: header.gamma,
        chromaticities: header.chromaticities.map(|points| {
            let [[wx, wy], [rx, ry]] = [points.white, points.red];
            let [[gx, gy], [bx, by]] = [points.green, points.blue];
            [wx, wy, rx, ry, gx, gy, bx, by]
        }),
    }
}

#[cfg(feature = "heic")]
fn heic_color(header: &super::decode::heic::HeicHeader) -> PngColor<'_> {
    PngColor {
        cicp: header.cicp,
        icc: header.icc_profile.as_deref(),
        ..PngColor::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn srgb(model: SampleModel, pixel: [f32; 4]) -> [f32; 4] {
        let transform = (model.color_model() == ColorModel::Cmyk).then(ColorTransform::cmyk);
        Colors { model, transform }.to_srgb(pixel)
    }

    #[expect(clippy::cast_possible_truncation, reason = "0 to 255")]
    fn bytes(pixel: [f32; 4]) -> [i32; 4] {
        pixel.map(|value| (value * 255.0).round() as i32)
    }

    #[test]
    fn primaries_come_out_of_their_ycbcr() {
        let full = SampleModel::YCbCr(LumaWeights::Bt601, SampleRange::Full);
        let at = |values: [f32; 4]| bytes(srgb(full, values.map(|value| value / 255.0)));
        assert_eq!(at([76.245, 84.972, 255.5, 0.0]), [255, 0, 0, 255]);
        assert_eq!(at([255.0, 128.0, 128.0, 0.0]), [255; 4]);
        let white = [235.0 / 255.0, CENTER, CENTER, 0.0];
        for weights in [LumaWeights::Bt601, LumaWeights::Bt709, LumaWeights::Bt2020] {
            let limited = SampleModel::YCbCr(weights, SampleRange::Limited);
            assert_eq!(bytes(srgb(limited, white)), [255; 4], "{weights:?}");
        }
    }

    #[test]
    fn weights_are_those_of_their_standards() {
        for (weights, red, blue) in [
            (LumaWeights::Bt601, 0.299, 0.114),
            (LumaWeights::Bt709, 0.2126, 0.0722),
            (LumaWeights::Bt2020, 0.2627, 0.0593_f32),
        ] {
            let green = 1.0 - red - blue;
            let want = [
                2.0 - 2.0 * red,
                2.0 * blue * (1.0 - blue) / green,
                2.0 * red * (1.0 - red) / green,
                2.0 - 2.0 * blue,
            ];
            for (got, want) in weights.factors().into_iter().zip(want) {
                assert!(
                    (got - want).abs() < 1e-5,
                    "{weights:?}: {got} is not {want}"
                );
            }
        }
    }

    #[test]
    fn alpha_is_taken_out_of_the_color() {
        let got = bytes(srgb(SampleModel::Rgba, [0.2, 0.4, 0.0, 0.4]));
        assert_eq!(got, [128, 255, 0, 102]);
        assert_eq!(bytes(srgb(SampleModel::Rgba, [0.0; 4])), [0; 4]);
        assert_eq!(
            bytes(srgb(SampleModel::GrayAlpha, [0.2, 0.2, 0.0, 0.0])),
            [255, 255, 255, 51]
        );
    }

    #[test]
    fn paper_is_white_in_every_kind_of_ink() {
        for (model, paper) in [
            (SampleModel::Cmyk, [0.0; 4]),
            (SampleModel::CmykInverted, [1.0; 4]),
            (SampleModel::YcckInverted, [0.0, CENTER, CENTER, 1.0]),
        ] {
            assert_eq!(bytes(srgb(model, paper)), [255; 4], "{model:?}");
        }
    }
}
