//! What the channels of decoded planes mean, and rows of them as RGB.

/// What the channels of all planes of a picture, one after another, mean.
///
/// Samples are 0 to 1 here, chroma is centred on 128/255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleModel {
    /// One channel: grey.
    Gray,
    /// Grey and alpha, premultiplied.
    GrayAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue and alpha, premultiplied.
    Rgba,
    /// JFIF: BT.601, full range.
    YCbCr,
    /// WebP: BT.601, luma 16 to 235, chroma 16 to 240.
    YCbCrLimited,
}

impl SampleModel {
    /// How many channels there are in all planes together.
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb | Self::YCbCr | Self::YCbCrLimited => 3,
            Self::Rgba => 4,
        }
    }

    /// Whether the last channel is alpha.
    pub const fn has_alpha(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::Rgba)
    }

    /// Turns pixels of this model into RGBA that is not premultiplied.
    pub fn to_rgba(self, pixel: [f32; 4]) -> [f32; 4] {
        let [a, b, c, d] = pixel;
        match self {
            Self::Gray => [a, a, a, 1.0],
            Self::GrayAlpha => unpremultiply([a, a, a, b]),
            Self::Rgb => [a, b, c, 1.0],
            Self::Rgba => unpremultiply([a, b, c, d]),
            Self::YCbCr => ycbcr(a, b - CENTER, c - CENTER),
            Self::YCbCrLimited => {
                let (luma, chroma) = (255.0 / 219.0, 255.0 / 224.0);
                ycbcr(
                    (a - 16.0 / 255.0) * luma,
                    (b - CENTER) * chroma,
                    (c - CENTER) * chroma,
                )
            }
        }
    }
}

const CENTER: f32 = 128.0 / 255.0;

/// ITU-T T.871 section 7, which is BT.601.
fn ycbcr(y: f32, cb: f32, cr: f32) -> [f32; 4] {
    let clamp = |value: f32| value.clamp(0.0, 1.0);
    [
        clamp(y + 1.402 * cr),
        clamp(y - 0.344_136_3 * cb - 0.714_136_3 * cr),
        clamp(y + 1.772 * cb),
        1.0,
    ]
}

fn unpremultiply([r, g, b, a]: [f32; 4]) -> [f32; 4] {
    if a <= 0.0 {
        return [0.0; 4];
    }
    let [r, g, b] = [r, g, b].map(|color| (color / a).min(1.0));
    [r, g, b, a]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primaries_come_out_of_their_ycbcr() {
        let at = |values: [f32; 3]| {
            let [y, cb, cr] = values.map(|value| value / 255.0);
            let [r, g, b, _] = SampleModel::YCbCr.to_rgba([y, cb, cr, 0.0]);
            #[expect(clippy::cast_possible_truncation, reason = "0 to 255")]
            [r, g, b].map(|value| (value * 255.0).round() as i32)
        };
        assert_eq!(at([76.245, 84.972, 255.5]), [255, 0, 0]);
        assert_eq!(at([255.0, 128.0, 128.0]), [255; 3]);
        let limited = SampleModel::YCbCrLimited.to_rgba([235.0 / 255.0, CENTER, CENTER, 0.0]);
        assert!(limited.iter().all(|value| (value - 1.0).abs() < 1e-5));
    }

    #[test]
    fn alpha_is_taken_out_of_the_colour() {
        let [r, g, b, a] = SampleModel::Rgba.to_rgba([0.25, 0.5, 0.0, 0.5]);
        let near = |got: [f32; 4], want: [f32; 4]| {
            got.iter()
                .zip(want)
                .all(|(got, want)| (got - want).abs() < 1e-6)
        };
        assert!(near([r, g, b, a], [0.5, 1.0, 0.0, 0.5]));
        assert!(near(SampleModel::Rgba.to_rgba([0.0; 4]), [0.0; 4]));
    }
}
