//! Every decision about a picture, taken before a byte of its pixels is decoded.

use image::metadata::Orientation;

use super::color_model::SampleModel;
use super::decode::{Plane, whole};
use super::geometry::{Layout, Region, Size, layout};
use super::limits::Limits;
use super::options::{Background, Options, Truncated, Variant};
use super::orient::{to_stored, turn_size};
use super::probe::ImageInfo;
use super::resize::{Axis, Resizer};
use super::shrink::{BoxShrink, MAX_BOX, ScatteredShrink};
use super::{ImageFormat, LimitError, OutputFormat, PipelineError};

/// What the box shrink leaves to the resampling at most: samples per pixel of the result.
///
/// With 2 to 4, the result is 49 to 56 dB from resampling without a box shrink.
const MAX_RESIDUAL: f64 = 4.0;

/// How a picture is rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What the header says.
    pub info: ImageInfo,
    /// The planes that the decoder gives.
    pub planes: Vec<Plane>,
    /// What their channels mean.
    pub model: SampleModel,
    /// Whether their pixels come out of order.
    pub scattered: bool,
    /// The thumbnails.
    pub variants: Vec<VariantPlan>,
    /// What happens to a file that is cut or damaged.
    pub truncated: Truncated,
    /// The most memory that rendering takes, in bytes, without the file.
    pub peak_bytes: u64,
    /// The limits that were kept.
    pub limits: Limits,
    /// What was asked for: needed again where the orientation is found behind the pixels.
    pub asked: Vec<Variant>,
}

/// How one thumbnail is made.
#[derive(Debug, Clone, PartialEq)]
pub struct VariantPlan {
    /// Its name.
    pub name: String,
    /// The part of the stored picture that is shown.
    pub region: Region,
    /// The size that it gets, before it is turned.
    pub scaled: Size,
    /// The size of the thumbnail.
    pub canvas: Size,
    /// Where the picture lies on it.
    pub offset: (u32, u32),
    /// How the stored picture is turned.
    pub orientation: Orientation,
    /// Both axes of each plane.
    pub axes: Vec<(Axis, Axis)>,
    /// Whether the thumbnail has an alpha channel.
    pub alpha: bool,
    /// What is put under a picture whose transparency is not kept.
    pub flatten: Option<[u8; 3]>,
    /// The format.
    pub format: OutputFormat,
    /// Quality of lossy formats, 1…100.
    pub quality: u8,
    /// Whether a JPEG is written progressively.
    pub progressive: bool,
}

/// Decides how to render `variants` of a picture, or says why it cannot be.
pub fn plan(
    info: &ImageInfo,
    variants: &[Variant],
    limits: &Limits,
) -> Result<Plan, PipelineError> {
    Variant::validate_all(variants)?;
    limits.check_size(info.width, info.height)?;
    check_page(info, variants)?;
    let source = whole::source(info);
    let scattered = false;
    let variants_planned: Vec<_> = variants
        .iter()
        .map(|variant| plan_variant(info, variant, &[source.plane]))
        .collect::<Result<_, _>>()?;
    let sink: u64 = variants_planned
        .iter()
        .map(|variant| variant.sink_bytes(&[source.plane], scattered))
        .sum();
    let encode = variants_planned.iter().map(VariantPlan::encode_bytes).max();
    let peak_bytes = (source.peak_bytes + sink).max(sink + encode.unwrap_or(0));
    if peak_bytes > limits.max_memory_bytes {
        return Err(LimitError::Memory {
            width: info.width,
            height: info.height,
            need_bytes: peak_bytes,
            max_bytes: limits.max_memory_bytes,
        }
        .into());
    }
    Ok(Plan {
        info: info.clone(),
        planes: vec![source.plane],
        model: source.model,
        scattered,
        variants: variants_planned,
        truncated: strictest(variants),
        peak_bytes,
        limits: *limits,
        asked: variants.to_vec(),
    })
}

/// A file is decoded once: if one variant refuses damage, none is made.
fn strictest(variants: &[Variant]) -> Truncated {
    let refuse = |variant: &Variant| variant.options.truncated == Truncated::Refuse;
    if variants.iter().any(refuse) {
        Truncated::Refuse
    } else {
        Truncated::Accept
    }
}

fn check_page(info: &ImageInfo, variants: &[Variant]) -> Result<(), PipelineError> {
    let page = variants.first().map_or(0, |variant| variant.options.page);
    if page > 0 {
        return Err(PipelineError::unsupported(
            info.format,
            format!("page {page}: only the first one is decoded"),
        ));
    }
    Ok(())
}

/// The format of a thumbnail of a `source`.
pub const fn output_format(source: ImageFormat, options: &Options) -> OutputFormat {
    if let Some(format) = options.format.fixed() {
        return format;
    }
    match source {
        ImageFormat::Jpeg => OutputFormat::Jpeg,
        ImageFormat::Gif => OutputFormat::Gif,
        ImageFormat::WebP => OutputFormat::WebP,
        _ => OutputFormat::Png,
    }
}

fn plan_variant(
    info: &ImageInfo,
    variant: &Variant,
    planes: &[Plane],
) -> Result<VariantPlan, PipelineError> {
    let options = &variant.options;
    let Layout {
        source,
        scaled,
        canvas,
        offset,
    } = layout(info.shown_size(), options);
    let format = output_format(info.format, options);
    let longest = canvas.width().max(canvas.height());
    if longest > format.max_side() {
        return Err(LimitError::Side {
            width: canvas.width(),
            height: canvas.height(),
            max_side: format.max_side(),
        }
        .into());
    }
    let region = to_stored(source, info.shown_size(), info.orientation);
    let scaled = turn_size(scaled, info.orientation);
    let padded = turn_size(canvas, info.orientation) != scaled;
    let flatten = match (options.background, format.has_alpha()) {
        (Background::Color(color), _) => Some(color),
        (Background::Transparent, false) => Some([255; 3]),
        (Background::Transparent, true) => None,
    };
    Ok(VariantPlan {
        name: variant.name.clone(),
        region,
        scaled,
        canvas,
        offset,
        orientation: info.orientation,
        axes: planes
            .iter()
            .map(|plane| axes(plane, region, scaled))
            .collect(),
        alpha: flatten.is_none() && (info.alpha || padded),
        flatten,
        format,
        quality: options.quality,
        progressive: options.progressive,
    })
}

/// How both axes of a plane are resampled.
fn axes(plane: &Plane, region: Region, scaled: Size) -> (Axis, Axis) {
    let axis = |samples: u32, start: f64, length: f64, per_sample: f64, out: u32| {
        let mut axis = Axis {
            samples,
            start: start / per_sample,
            length: length / per_sample,
            out,
            factor: 1,
        };
        axis.factor = box_factor(axis.ratio());
        axis
    };
    let (px, py) = (plane.pixels_per_sample_x, plane.pixels_per_sample_y);
    let mut x = axis(plane.width, region.x, region.width, px, scaled.width());
    let mut y = axis(plane.height, region.y, region.height, py, scaled.height());
    x.factor = x.factor.min(MAX_BOX);
    y.factor = y.factor.min(MAX_BOX / x.factor);
    (x, y)
}

/// The smallest box that leaves at most [`MAX_RESIDUAL`] samples per pixel.
///
/// That is always more than 2 where there is a box at all.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and the ratio is at most a side of the source"
)]
fn box_factor(ratio: f64) -> u32 {
    ((ratio / MAX_RESIDUAL).ceil() as u32).max(1)
}

impl VariantPlan {
    /// The bytes that the sink holds for this variant, its pixels included.
    fn sink_bytes(&self, planes: &[Plane], scattered: bool) -> u64 {
        let lanes = planes.iter().zip(&self.axes).map(|(plane, (x, y))| {
            let channels = u64::from(plane.channels);
            let shrink = if scattered {
                ScatteredShrink::bytes(channels, x.bins(), y.bins())
            } else {
                BoxShrink::bytes(channels, x.bins())
            };
            // A few finished rows wait for those of the other planes.
            let waiting = 4 * 4 * channels * u64::from(x.out);
            shrink + Resizer::bytes(channels, x, y) + waiting
        });
        let row = 16 * u64::from(self.scaled.width());
        lanes.sum::<u64>() + row + self.pixel_bytes()
    }

    fn pixel_bytes(&self) -> u64 {
        self.canvas.pixels() * if self.alpha { 4 } else { 3 }
    }

    /// What an encoder holds besides the pixels, and what it writes.
    fn encode_bytes(&self) -> u64 {
        (1 << 16) + 3 * self.pixel_bytes()
    }
}
