//! Every decision about an image, taken before a byte of its pixels is decoded.

use image::metadata::Orientation;

use super::color_model::Colors;
use super::decode::Plane;
use super::decode::source::{Reduction, Source};
use super::geometry::{Layout, Region, Size, layout, uncropped_cover};
use super::gravity::Gravity;
use super::limits::Limits;
use super::options::{Background, Fit, FormatChoice, Options, Truncated, Variant};
use super::orient::{to_stored, turn_size};
use super::output::{self, Drawing};
use super::probe::ImageInfo;
use super::resize::{Axis, Resizer};
use super::shrink::{MAX_BOX, TreePlan, share};
use super::work::{self, check_work};
use super::{ImageFormat, LimitError, OutputFormat, PipelineError, smart};

/// What the box shrink leaves to the resampling at most: samples per pixel of the result.
///
/// With 2 to 4, the result is 49 to 56 dB from resampling without a box shrink.
const MAX_RESIDUAL: f64 = 4.0;

/// The most pixels of an image that is looked at to choose the part to keep; larger ones keep their middle.
const MAX_LOOKED_AT: u64 = 4 << 20;

/// Whatever does not grow with the image.
const SMALL_BYTES: u64 = 28 << 10;

/// What each thumbnail takes besides its buffers: what is asked for, how it is made, names.
const VARIANT_BYTES: u64 = 4 << 10;

/// How an image is rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What the header says.
    pub info: ImageInfo,
    /// What the decoder gives.
    pub source: Source,
    /// The thumbnails.
    pub variants: Vec<VariantPlan>,
    /// How each plane is shrunk for them.
    pub trees: Vec<Vec<TreePlan>>,
    /// What happens to a file that is cut or damaged.
    pub truncated: Truncated,
    /// The most memory that an image takes at one time, in bytes, from its first byte to its finished files:
    /// the beginning that is held until the header is read ([`ImageInfo::held_bytes`]), the header itself twice
    /// (in the plan, and with whoever asked for it), its color profile as it is read, the decoder and what it
    /// holds of the file, the shrink, all thumbnails as pixels, and the encoder with the files that it writes.
    ///
    /// Not in it: the chunk of the file that is just being fed, which is its sender's; and what the allocator adds
    /// to each piece.
    pub peak_bytes: u64,
    /// How much work it is, as far as the header tells: see [`super::work`].
    pub work: u64,
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
    /// The part of the stored image that is shown.
    pub region: Region,
    /// The size that it is resampled to: `scaled`, or twice that where the last halving is in linear light.
    pub resampled: Size,
    /// The size that it gets, before it is turned.
    pub scaled: Size,
    /// The size of what is drawn: the thumbnail, or what `choice` chooses from.
    pub canvas: Size,
    /// Where the image lies on it.
    pub offset: (u32, u32),
    /// How the stored image is turned.
    pub orientation: Orientation,
    /// Both axes of each plane.
    pub axes: Vec<(Axis, Axis)>,
    /// How the part to keep is chosen by looking at the canvas.
    pub choice: Option<Choice>,
    /// Whether the thumbnail has an alpha channel.
    pub alpha: bool,
    /// What is put under an image whose transparency is not kept.
    pub flatten: Option<[u8; 3]>,
    /// The format.
    pub format: OutputFormat,
    /// The format that it is written in too.
    pub other_format: Option<OutputFormat>,
    /// Quality of lossy formats, 1…100.
    pub quality: u8,
    /// Whether a JPEG is written progressively.
    pub progressive: bool,
    /// How its rows become a file.
    pub drawing: Drawing,
    /// The most bytes that its file may have.
    pub max_file_bytes: u64,
}

/// How the part to keep of a finished image is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// [`Gravity::Entropy`] or [`Gravity::Attention`].
    pub gravity: Gravity,
    /// The size of the part.
    pub size: Size,
}

/// Decides how to render `variants` of an image, or says why it cannot be.
///
/// `info` has to describe their page: see [`ImageInfo::describes`].
pub fn plan(
    info: &ImageInfo,
    variants: &[Variant],
    limits: &Limits,
) -> Result<Plan, PipelineError> {
    Variant::validate_all(variants)?;
    limits.check_size(info.width, info.height)?;
    let info = info.at_page(Variant::page_of(variants))?;
    let asked = variants
        .iter()
        .map(|variant| plan_variant(&info, variant, limits));
    let mut planned = asked.collect::<Result<Vec<_>, _>>()?;
    let source = Source::choose(&info, reduction(&planned), limits)?;
    let trees = plan_axes(&source, &mut planned);
    let always = always_bytes(&info, &source, limits);
    let source_bytes = source_bytes(&source, &planned, &trees).saturating_add(info.held_bytes);
    let mut peak_bytes = draw(&source, (always, source_bytes), &mut planned, limits);
    if info.orientation_follows {
        peak_bytes = peak_bytes.max(peak_if_turned(&info, variants, limits));
    }
    let peak_bytes = peak_bytes.max(probing_bytes(&info));
    output::check(&info, &planned, (peak_bytes, source_bytes), limits)?;
    let work = work::planned(&info, &source, &planned, &trees);
    check_work((info.width, info.height), work, limits.max_work)?;
    Ok(Plan {
        info,
        source,
        variants: planned,
        trees,
        truncated: strictest(variants),
        peak_bytes,
        work,
        limits: *limits,
        asked: variants.to_vec(),
    })
}

/// Decides how all axes of all planes are shrunk and resampled.
fn plan_axes(source: &Source, variants: &mut [VariantPlan]) -> Vec<Vec<TreePlan>> {
    let planes = source.planes.iter().map(|plane| {
        let each = variants.iter();
        let each = each.map(|variant| axes(plane, variant.region, variant.resampled));
        let mut of_plane: Vec<_> = each.collect();
        let trees = share(&mut of_plane, plane.channels.into(), source.scattered);
        for (variant, axes) in variants.iter_mut().zip(of_plane) {
            variant.axes.push(axes);
        }
        trees
    });
    planes.collect()
}

/// How far the image is reduced for the variant that needs most of it.
fn reduction(variants: &[VariantPlan]) -> Reduction {
    let start = Reduction {
        x: f64::INFINITY,
        y: f64::INFINITY,
    };
    variants.iter().fold(start, |least, variant| Reduction {
        x: least
            .x
            .min(variant.region.width / f64::from(variant.resampled.width())),
        y: least
            .y
            .min(variant.region.height / f64::from(variant.resampled.height())),
    })
}

/// Decides how the thumbnails are drawn, and returns the most memory at one time.
fn draw(
    source: &Source,
    (always, source_bytes): (u64, u64),
    variants: &mut [VariantPlan],
    limits: &Limits,
) -> u64 {
    let mut peak = 0;
    for max_canvas_bytes in [output::MAX_CANVAS_BYTES, 0] {
        for variant in &mut *variants {
            variant.drawing = variant.drawing_for(source, max_canvas_bytes);
        }
        peak = peak_bytes(source_bytes, variants).saturating_add(always);
        if peak <= limits.max_memory_bytes {
            break;
        }
    }
    peak
}

/// The most memory of an image that turns out to lie on its side, its file included.
fn peak_if_turned(info: &ImageInfo, variants: &[Variant], limits: &Limits) -> u64 {
    let turned = ImageInfo {
        orientation: Orientation::Rotate90,
        orientation_follows: false,
        ..info.clone()
    };
    let peak = plan(&turned, variants, limits).map_or(0, |plan| plan.peak_bytes);
    peak.saturating_add(info.collected_bytes(limits))
}

/// The most memory while the header is looked for.
fn probing_bytes(info: &ImageInfo) -> u64 {
    // The buffer moves when it grows, and a profile that is inflated moves too.
    (info.held_bytes / 2 * 3)
        .saturating_add(3 * info.heap_bytes())
        .saturating_add(SMALL_BYTES)
}

/// What is held from the header to the last file: the header twice, its color profile as it is read,
/// and the file where its orientation comes last.
fn always_bytes(info: &ImageInfo, source: &Source, limits: &Limits) -> u64 {
    Colors::bytes(info, source.model)
        .saturating_add(2 * info.heap_bytes())
        .saturating_add(info.collected_bytes(limits))
}

/// The most memory at one time: decoding fills the sink, then what is drawn becomes files.
fn peak_bytes(source_bytes: u64, variants: &[VariantPlan]) -> u64 {
    let drawn: u64 = variants.iter().map(VariantPlan::drawn_bytes).sum();
    let choose = variants.iter().map(VariantPlan::choice_bytes).max();
    let small = SMALL_BYTES + VARIANT_BYTES * variants.len() as u64;
    let decoding = source_bytes
        .saturating_add(drawn)
        .saturating_add(choose.unwrap_or(0));
    decoding
        .max(output::finishing_bytes(variants))
        .saturating_add(small)
}

/// What the decoder, the shrinks and the resampling take.
fn source_bytes(source: &Source, variants: &[VariantPlan], trees: &[Vec<TreePlan>]) -> u64 {
    let planes = source.planes.iter().zip(trees);
    let shrinks = planes.flat_map(|(plane, trees)| {
        let channels = plane.channels.into();
        let trees = trees.iter();
        trees.map(move |tree| tree.bytes(channels, source.scattered))
    });
    let sinks = variants
        .iter()
        .map(|variant| variant.resampling_bytes(source));
    source.peak_bytes.saturating_add(shrinks.chain(sinks).sum())
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

/// What is asked for, where the format of the source alone does not say it:
/// a HEIC becomes a JPEG, but a PNG if it has alpha.
///
/// It is for who writes down what is asked for: what was written is what gets planned,
/// so that both agree on the names of files.
pub fn settled(info: &ImageInfo, variants: &[Variant]) -> Vec<Variant> {
    let mut settled = variants.to_vec();
    if info.format == ImageFormat::Heic && info.alpha {
        let open = |variant: &&mut Variant| variant.options.format.fixed().is_none();
        for variant in settled.iter_mut().filter(open) {
            variant.options.format = FormatChoice::Png;
        }
    }
    settled
}

/// The format of a thumbnail of a `source`; see [`settled`] for HEIC.
pub const fn output_format(source: ImageFormat, options: &Options) -> OutputFormat {
    if let Some(format) = options.format.fixed() {
        return format;
    }
    match source {
        ImageFormat::Jpeg | ImageFormat::Heic => OutputFormat::Jpeg,
        ImageFormat::Gif => OutputFormat::Gif,
        ImageFormat::WebP => OutputFormat::WebP,
        _ => OutputFormat::Png,
    }
}

/// The formats of a thumbnail of a `source`: the one that everybody gets, and with
/// [`FormatChoice::Auto`] the one for clients that name it.
///
/// Our WebP is lossless, so it is smaller than a PNG or a GIF, and larger than a JPEG, which is
/// therefore left alone. Who cannot show WebP gets a PNG of it.
pub fn output_formats(
    source: ImageFormat,
    options: &Options,
) -> (OutputFormat, Option<OutputFormat>) {
    let family = output_format(source, options);
    let other = match (options.format, family) {
        (FormatChoice::Auto, OutputFormat::Png | OutputFormat::Gif) => Some(OutputFormat::WebP),
        (FormatChoice::Auto, OutputFormat::WebP) => Some(OutputFormat::Png),
        _ => None,
    };
    (family, other)
}

fn plan_variant(
    info: &ImageInfo,
    variant: &Variant,
    limits: &Limits,
) -> Result<VariantPlan, PipelineError> {
    let options = &variant.options;
    let shown = info.shown_size();
    let final_layout = layout(shown, options);
    let (format, other_format) = output_formats(info.format, options);
    for format in [Some(format), other_format].into_iter().flatten() {
        check_side(final_layout.canvas, format)?;
    }
    let (chosen_from, choice) = choice(shown, options, final_layout);
    let Layout {
        source,
        scaled,
        canvas,
        offset,
    } = chosen_from;
    let flatten = match (options.background, format.has_alpha()) {
        (Background::Color(color), _) => Some(color),
        (Background::Transparent, false) => Some([255; 3]),
        (Background::Transparent, true) => None,
    };
    let stored = turn_size(scaled, info.orientation);
    Ok(VariantPlan {
        name: variant.name.clone(),
        region: to_stored(source, shown, info.orientation),
        resampled: if options.linear {
            twice(stored)
        } else {
            stored
        },
        scaled: stored,
        canvas,
        offset,
        orientation: info.orientation,
        axes: Vec::new(),
        choice,
        alpha: flatten.is_none() && (info.alpha || canvas != scaled),
        flatten,
        format,
        other_format,
        quality: options.quality,
        progressive: options.progressive,
        drawing: Drawing::Canvas,
        max_file_bytes: limits.max_output_bytes,
    })
}

fn twice(size: Size) -> Size {
    Size::new(
        size.width().saturating_mul(2),
        size.height().saturating_mul(2),
    )
}

fn check_side(canvas: Size, format: OutputFormat) -> Result<(), PipelineError> {
    if canvas.width().max(canvas.height()) > format.max_side() {
        return Err(LimitError::Side {
            width: canvas.width(),
            height: canvas.height(),
            max_side: format.max_side(),
        }
        .into());
    }
    Ok(())
}

/// What to draw, and how to choose a part of it, where the pixels decide which part stays.
fn choice(shown: Size, options: &Options, cropped: Layout) -> (Layout, Option<Choice>) {
    let whole = uncropped_cover(shown, options);
    let looks = options.fit == Fit::Cover && options.gravity.looks_at_pixels();
    if !looks || whole == cropped.canvas || whole.pixels() > MAX_LOOKED_AT {
        return (cropped, None);
    }
    let choice = Choice {
        gravity: options.gravity,
        size: cropped.canvas,
    };
    let layout = Layout {
        source: Region::whole(shown),
        scaled: whole,
        canvas: whole,
        offset: (0, 0),
    };
    (layout, Some(choice))
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
            grid: None,
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
    /// Whether the last halving is in linear light.
    pub fn is_linear(&self) -> bool {
        self.resampled != self.scaled
    }

    /// Both axes of the last halving in linear light.
    pub fn halving(&self) -> (Axis, Axis) {
        let axis = |samples: u32, out: u32| Axis {
            samples,
            start: 0.0,
            length: f64::from(samples),
            out,
            factor: 1,
            grid: None,
        };
        let (from, to) = (self.resampled, self.scaled);
        (
            axis(from.width(), to.width()),
            axis(from.height(), to.height()),
        )
    }

    /// The bytes that the sink holds to resample this variant alone.
    fn resampling_bytes(&self, source: &Source) -> u64 {
        let planes = source.planes.iter().zip(&self.axes);
        let lanes: u64 = planes
            .map(|(plane, (x, y))| Resizer::bytes(plane.channels.into(), x, y))
            .sum();
        // A row in RGBA, of 32 bits each.
        let mut rows = 16 * u64::from(self.resampled.width());
        if self.is_linear() {
            let (x, y) = self.halving();
            // That row again in linear light, and the halved one.
            rows += 16 * u64::from(self.resampled.width());
            rows += Resizer::bytes(4, &x, &y) + 16 * u64::from(self.scaled.width());
        }
        lanes + rows
    }

    /// What choosing the part to keep holds.
    fn choice_bytes(&self) -> u64 {
        let gravity = self.choice.map(|choice| choice.gravity);
        gravity.map_or(0, |gravity| smart::bytes(self.canvas, gravity))
    }
}
