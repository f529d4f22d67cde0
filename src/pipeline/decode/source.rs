//! At which scale an image is decoded, and what its decoder gives to a sink.

use super::Plane;
#[cfg(feature = "heic")]
use super::heic::HeicHeader;
use super::jpeg::{BlockSize, ColorTransform, JpegHeader};
use super::tiff::TiffColor;
use super::webp::{LoopFilter, WebpHeader};
use crate::color_model::{LumaWeights, SampleModel, SampleRange};
use crate::limits::Limits;
use crate::probe::{Header, ImageInfo};
use crate::{LimitError, PipelineError};

/// What the decoders' scales leave to the resampling at least: samples per pixel of the result.
///
/// A photo at 2 or more is 49 dB or more from one that was decoded whole, at 1 to 2 37 to 49 dB.
const MIN_RESIDUAL: f64 = 2.0;

/// What they leave where an image would not fit in memory otherwise.
const MIN_RESIDUAL_IN_NEED: f64 = 1.0;

/// From this reduction on, the smoothing of block edges does not show in the result.
const SKIP_LOOP_FILTER_FROM: f64 = 4.0;

/// How many source pixels become one pixel of the largest result, for each axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reduction {
    /// Horizontally.
    pub x: f64,
    /// Vertically.
    pub y: f64,
}

/// What a decoder gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The planes that rows are given for.
    pub planes: Vec<Plane>,
    /// What their channels mean.
    pub model: SampleModel,
    /// Whether their pixels come out of order.
    pub scattered: bool,
    /// Bytes that the decoder holds at its peak.
    pub peak_bytes: u64,
    /// How the decoder is set.
    pub scale: Scale,
}

/// How a decoder leaves out what would not show.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// It leaves nothing out.
    Full,
    /// The block sizes of a JPEG's components.
    Blocks(Vec<BlockSize>),
    /// The loop filter of a lossy WebP, or those of a HEIC.
    Filter(LoopFilter),
}

impl Source {
    /// Decides how to decode an image of which the largest result is reduced by `reduction`.
    ///
    /// An image whose decoder would not fit in the memory limit is refused here.
    pub fn choose(
        info: &ImageInfo,
        reduction: Reduction,
        limits: &Limits,
    ) -> Result<Self, PipelineError> {
        let source = match &info.header {
            Header::Jpeg(header) => Self::jpeg(header, reduction, limits),
            Header::Png(header) if info.page > 0 => {
                Self::one_plane(info, info.channels, header.frames_peak_bytes())
            }
            Header::Png(header) => Self {
                scattered: header.interlaced,
                ..Self::one_plane(info, header.channels_out(), header.peak_bytes())
            },
            Header::WebP(header) if info.page > 0 => Self {
                scale: Scale::Filter(loop_filter(reduction)),
                ..Self::one_plane(info, info.channels, header.frames_peak_bytes())
            },
            Header::WebP(header) => Self::webp(header, loop_filter(reduction)),
            Header::Gif(header) if info.page > 0 => {
                Self::one_plane(info, info.channels, header.frames_peak_bytes())
            }
            Header::Gif(header) => Self {
                scattered: header.is_interlaced,
                ..Self::one_plane(info, header.channels(), header.peak_bytes())
            },
            Header::Bmp(header) => Self {
                scattered: header.is_scattered(),
                ..Self::one_plane(info, header.channels(), header.peak_bytes())
            },
            #[cfg(feature = "heic")]
            Header::Heic(header) => Self::heic(header, reduction, limits),
            Header::Tiff(header) => Self {
                planes: header.planes(),
                model: match header.color {
                    TiffColor::Cmyk => SampleModel::Cmyk,
                    color => SampleModel::of_channels(color.channels()),
                },
                ..Self::one_plane(info, header.color.channels(), header.peak_bytes())
            },
        };
        check_memory(info, source.peak_bytes, limits)?;
        Ok(source)
    }

    fn one_plane(info: &ImageInfo, channels: u8, peak_bytes: u64) -> Self {
        Self {
            planes: vec![Plane::whole(info.width, info.height, channels)],
            model: SampleModel::of_channels(channels),
            scattered: false,
            peak_bytes,
            scale: Scale::Full,
        }
    }

    fn jpeg(header: &JpegHeader, reduction: Reduction, limits: &Limits) -> Self {
        let mut blocks = block_sizes(header, reduction, MIN_RESIDUAL);
        if header.peak_bytes(&blocks) > limits.max_memory_bytes {
            blocks = block_sizes(header, reduction, MIN_RESIDUAL_IN_NEED);
        }
        let rgb = header.rgb_planes(&blocks);
        Self {
            model: match header.transform {
                _ if rgb.is_some() => SampleModel::Rgb,
                ColorTransform::Gray => SampleModel::Gray,
                ColorTransform::YCbCr => SampleModel::YCbCr(LumaWeights::Bt601, SampleRange::Full),
                ColorTransform::Rgb => SampleModel::Rgb,
                ColorTransform::Cmyk => SampleModel::CmykInverted,
                ColorTransform::Ycck => SampleModel::YcckInverted,
            },
            planes: rgb.unwrap_or_else(|| header.planes(&blocks)),
            scattered: false,
            peak_bytes: header.peak_bytes(&blocks),
            scale: Scale::Blocks(blocks),
        }
    }

    fn webp(header: &WebpHeader, filter: LoopFilter) -> Self {
        let planes = header.planes();
        Self {
            model: match planes.as_slice() {
                [plane] => SampleModel::of_channels(plane.channels),
                _ => SampleModel::YCbCr(LumaWeights::Bt601, SampleRange::Limited),
            },
            planes,
            scattered: false,
            peak_bytes: header.peak_bytes(),
            scale: Scale::Filter(filter),
        }
    }

    #[cfg(feature = "heic")]
    fn heic(header: &HeicHeader, reduction: Reduction, limits: &Limits) -> Self {
        let mut filter = loop_filter(reduction);
        if header.peak_bytes(filter) > limits.max_memory_bytes {
            filter = LoopFilter::Skip;
        }
        Self {
            planes: header.planes(),
            model: header.sample_model(),
            scattered: false,
            peak_bytes: header.peak_bytes(filter),
            scale: Scale::Filter(filter),
        }
    }
}

fn loop_filter(reduction: Reduction) -> LoopFilter {
    if reduction.x.min(reduction.y) >= SKIP_LOOP_FILTER_FROM {
        LoopFilter::Skip
    } else {
        LoopFilter::Exact
    }
}

/// The smallest blocks that leave `least` samples of each component per pixel of the result, on both axes.
///
/// Components have their own, since those of chroma have fewer samples to begin with.
fn block_sizes(header: &JpegHeader, reduction: Reduction, least: f64) -> Vec<BlockSize> {
    let max = |factor: fn(&super::jpeg::JpegComponent) -> u8| {
        let factors = header.components.iter().map(factor);
        f64::from(factors.max().unwrap_or(1).max(1))
    };
    let (h_max, v_max) = (max(|component| component.h), max(|component| component.v));
    let sizes = [BlockSize::One, BlockSize::Two, BlockSize::Four];
    let components = header.components.iter().map(|component| {
        let x = reduction.x * f64::from(component.h) / h_max;
        let y = reduction.y * f64::from(component.v) / v_max;
        let leaves = |samples: f64| x.min(y) * samples / 8.0;
        sizes
            .into_iter()
            .zip([1.0, 2.0, 4.0])
            .find(|(_, samples)| leaves(*samples) >= least)
            .map_or(BlockSize::Eight, |(size, _)| size)
    });
    components.collect()
}

/// Refuses what takes more memory than there is.
pub fn check_memory(
    info: &ImageInfo,
    need_bytes: u64,
    limits: &Limits,
) -> Result<(), PipelineError> {
    if need_bytes > limits.max_memory_bytes {
        return Err(LimitError::Memory {
            width: info.width,
            height: info.height,
            need_bytes,
            max_bytes: limits.max_memory_bytes,
        }
        .into());
    }
    Ok(())
}
