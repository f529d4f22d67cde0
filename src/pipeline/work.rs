//! How much work an image is, before it is done and while it is.
//!
//! Work is counted in nanoseconds of the release wasm on one core of a common server, so that a limit
//! says about how many seconds of CPU a job may take. The prices below were measured in
//! the release wasm and are rounded up; `npm run bench -- --costliest 200` compares them with jobs.

use super::color_model::SampleModel;
use super::decode::Plane;
use super::decode::jpeg::{BlockSize, JpegHeader};
use super::decode::source::{Scale, Source};
use super::decode::tiff::TiffHeader;
use super::gravity::Gravity;
use super::plan::VariantPlan;
use super::probe::{Header, ImageInfo};
use super::resize::{Axis, Kernel};
use super::shrink::TreePlan;
use super::{ImageFormat, LimitError, OutputFormat, PipelineError};

/// Picoseconds, in which prices are given.
const PER_NANOSECOND: u64 = 1000;

/// Inflating and unfiltering a byte of a PNG.
const PNG_BYTE: u64 = 1_200;
/// Both tables of a Deflate block.
const TABLES: u64 = 8_000_000;
/// A chunk of a TIFF: its place, and the decompressor set to its start.
const TIFF_CHUNK: u64 = 6_000_000;
/// Unpacking a byte of a TIFF, and undoing its order and its prediction.
const TIFF_BYTE: u64 = 4_000;
/// Gathering a sample of a TIFF.
const TIFF_SAMPLE: u64 = 3_000;
/// Converting a pixel of a TIFF.
const TIFF_PIXEL: u64 = 6_000;
/// A block of a JPEG: its code words, of which most are skipped.
const JPEG_BLOCK: u64 = 40_000;
/// One block of a scan whose coefficients are stored.
const SCAN_BLOCK: u64 = 110_000;
/// A sample that a shrink adds to its box.
const SHRUNKEN: u64 = 200;
/// The same of 16 bits.
const SHRUNKEN_16: u64 = 800;
/// Multiplying a sample of an image with alpha.
const PREMULTIPLIED: u64 = 600;
/// A sample that is looked up the box of, since its row is not complete.
const SCATTERED: u64 = 5_000;
/// A box that becomes a part of a larger one, or an average.
const BOXED: u64 = 2_000;
/// A product of a sample and its weight.
const PRODUCT: u64 = 500;
/// A weight of a kernel, which has two sines.
const WEIGHT: u64 = 60_000;
/// A resampled pixel: its color in sRGB, and its bytes.
const COLORED: u64 = 25_000;
/// The same through an ICC profile, of which those with tables are the slowest, or of ink.
const COLORED_BY_PROFILE: u64 = 300_000;
/// A pixel to linear light or back.
const LIGHT: u64 = 70_000;

/// Says what making all `variants` costs, as far as the header tells.
pub fn planned(
    info: &ImageInfo,
    source: &Source,
    variants: &[VariantPlan],
    trees: &[Vec<TreePlan>],
) -> u64 {
    let shrinks = source.planes.iter().zip(trees).flat_map(|(plane, trees)| {
        let trees = trees.iter();
        trees.map(|tree| shrunken(info, source.scattered, plane, tree))
    });
    let made = variants.iter().map(|variant| made(info, source, variant));
    let all = shrinks
        .chain(made)
        .fold(decoded(info, source), u64::saturating_add);
    all / PER_NANOSECOND
}

/// Refuses work beyond `max_work` for an image of that size.
pub fn check_work(
    (width, height): (u32, u32),
    work: u64,
    max_work: u64,
) -> Result<(), PipelineError> {
    if work > max_work {
        return Err(LimitError::Work {
            width,
            height,
            need_ms: work.div_ceil(1_000_000),
            max_ms: max_work / 1_000_000,
        }
        .into());
    }
    Ok(())
}

/// What bytes of a file cost beside its pixels: the denser it is, the more code words it has.
pub fn of_bytes(format: ImageFormat, bytes: u64) -> u64 {
    let each = match format {
        ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Heic => 30,
        ImageFormat::Bmp => 2,
        _ => 12,
    };
    bytes.saturating_mul(each)
}

/// What the pixels of frames that are painted one over another cost.
pub fn of_frames(format: ImageFormat, pixels: u64) -> u64 {
    let painted = 8_000;
    pixels.saturating_mul(pixel(format) + painted) / PER_NANOSECOND
}

/// What building the tables of Deflate blocks costs.
pub fn of_tables(built: u64) -> u64 {
    built.saturating_mul(TABLES) / PER_NANOSECOND
}

/// What a scan of a JPEG whose coefficients are stored costs.
pub fn of_scan(blocks: u64) -> u64 {
    blocks.saturating_mul(SCAN_BLOCK) / PER_NANOSECOND
}

/// A pixel of a format, if nothing better is known of it.
const fn pixel(format: ImageFormat) -> u64 {
    match format {
        ImageFormat::Png => 4 * PNG_BYTE,
        ImageFormat::WebP => 80_000,
        ImageFormat::Heic => 120_000,
        ImageFormat::Bmp => 3_000,
        _ => 10_000,
    }
}

fn decoded(info: &ImageInfo, source: &Source) -> u64 {
    let pixels = u64::from(info.width) * u64::from(info.height);
    if info.page > 0 && info.format != ImageFormat::Tiff {
        // Frames are counted as they come.
        return 0;
    }
    match (&info.header, &source.scale) {
        (Header::Png(_), _) => {
            let bits = u64::from(info.channels) * u64::from(info.bit_depth);
            pixels * (bits * PNG_BYTE / 8).max(2 * PNG_BYTE)
        }
        (Header::Jpeg(header), Scale::Blocks(sizes)) => blocks(header, sizes, pixels),
        (Header::Tiff(header), _) => tiff(header, pixels),
        // Lossy ones give planes of their own for luma and chroma.
        (Header::WebP(_), _) if source.planes.len() > 1 => pixels * 15_000,
        _ => pixels * pixel(info.format),
    }
}

/// Every chunk as it is stored, what pads it included; and every sample of a pixel, whether it is shown or not.
fn tiff(header: &TiffHeader, pixels: u64) -> u64 {
    let (chunks, bytes) = header.stored();
    let samples = pixels.saturating_mul(header.stored_samples());
    let unpacked = chunks.saturating_mul(TIFF_CHUNK);
    unpacked
        .saturating_add(bytes.saturating_mul(TIFF_BYTE))
        .saturating_add(samples.saturating_mul(TIFF_SAMPLE))
        .saturating_add(pixels.saturating_mul(TIFF_PIXEL))
}

fn blocks(header: &JpegHeader, sizes: &[BlockSize], pixels: u64) -> u64 {
    let most = |factor: u8, other: u8| u64::from(factor.max(other));
    let (h, v) = header.components.iter().fold((1, 1), |(h, v), component| {
        (h.max(component.h), v.max(component.v))
    });
    let all = most(h, 1) * most(v, 1);
    let components = header.components.iter().zip(sizes);
    let costs = components.map(|(component, size)| {
        let share = u64::from(component.h) * u64::from(component.v);
        let blocks = (pixels * share / all).div_ceil(64);
        blocks * (JPEG_BLOCK + transformed(*size))
    });
    costs.sum()
}

/// The inverse transform of a block.
const fn transformed(size: BlockSize) -> u64 {
    match size {
        BlockSize::One => 5_000,
        BlockSize::Two => 20_000,
        BlockSize::Four => 60_000,
        BlockSize::Eight => 150_000,
    }
}

/// All boxes of a plane.
fn shrunken(info: &ImageInfo, is_scattered: bool, plane: &Plane, tree: &TreePlan) -> u64 {
    let channels = u64::from(plane.channels);
    let samples = u64::from(plane.width) * u64::from(plane.height) * channels;
    let mut each = if info.bit_depth > 8 {
        SHRUNKEN_16
    } else {
        SHRUNKEN
    };
    if matches!(plane.channels, 2 | 4) {
        each += PREMULTIPLIED;
    }
    if is_scattered {
        each += SCATTERED;
    }
    let boxes = tree.nodes.iter().enumerate().map(|(index, node)| {
        let count = u64::from(node.bins.0.count()) * u64::from(node.bins.1.count());
        count * channels * (1 + tree.children(index).count() as u64) * BOXED
    });
    samples * each + boxes.sum::<u64>()
}

/// One thumbnail, from its boxes to its file.
fn made(info: &ImageInfo, source: &Source, variant: &VariantPlan) -> u64 {
    let planes = source.planes.iter().zip(&variant.axes);
    let resampled = planes.map(|(plane, axes)| resampled(plane.channels.into(), *axes));
    let mut work: u64 = resampled.sum();
    let colored = if is_transformed(info, source.model) {
        COLORED_BY_PROFILE
    } else {
        COLORED
    };
    work += variant.resampled.pixels() * colored;
    if variant.is_linear() {
        work += resampled_light(variant);
    }
    let drawn = variant.canvas.pixels();
    work += match variant.choice.map(|choice| choice.gravity) {
        None => 0,
        Some(Gravity::Entropy) => drawn * 80_000,
        Some(_) => drawn * 220_000,
    };
    let size = variant.choice.map_or(variant.canvas, |choice| choice.size);
    let formats = [Some(variant.format), variant.other_format];
    let encoded = formats.into_iter().flatten().map(|format| {
        let each = encoded(format, variant.progressive);
        size.pixels() * if variant.alpha { each * 4 / 3 } else { each }
    });
    work + encoded.sum::<u64>()
}

/// Whether colors may go through a transform.
fn is_transformed(info: &ImageInfo, model: SampleModel) -> bool {
    let is_described = match &info.header {
        Header::Jpeg(header) => header.icc.is_some(),
        Header::Png(header) => {
            header.icc.is_some() || header.gamma.is_some() || header.cicp.is_some()
        }
        Header::WebP(header) => header.icc_profile.is_some(),
        Header::Tiff(header) => header.icc_profile.is_some(),
        #[cfg(feature = "heic")]
        Header::Heic(_) => true,
        Header::Gif(_) | Header::Bmp(_) => false,
    };
    let is_light = matches!(
        model,
        SampleModel::Gray
            | SampleModel::GrayAlpha
            | SampleModel::Rgb
            | SampleModel::Rgba
            | SampleModel::YCbCr(..)
    );
    is_described || !is_light
}

fn resampled_light(variant: &VariantPlan) -> u64 {
    let (from, to) = (variant.resampled.pixels(), variant.scaled.pixels());
    (from + to) * LIGHT + resampled(4, variant.halving())
}

fn resampled(channels: u64, (x, y): (Axis, Axis)) -> u64 {
    let taps = |axis: &Axis| u64::from(Kernel::max_taps(axis, axis.bins()));
    let (across, down) = (u64::from(x.out), u64::from(y.out));
    let rows = u64::from(y.bins().count());
    let products = across * taps(&x) * rows + across * down * taps(&y);
    let weights = across * taps(&x) + down * taps(&y);
    products * channels * PRODUCT + weights * WEIGHT
}

/// A pixel that is encoded.
const fn encoded(format: OutputFormat, is_progressive: bool) -> u64 {
    match format {
        OutputFormat::Jpeg if is_progressive => 90_000,
        OutputFormat::Jpeg => 50_000,
        OutputFormat::Png => 280_000,
        OutputFormat::WebP => 60_000,
        OutputFormat::Gif => 420_000,
    }
}
