//! Which decoder reads a picture, at which scale, and what it gives to a sink.

use super::bmp::BmpDecoder;
use super::gif::{GifDecoder, GifFrames};
#[cfg(feature = "heic")]
use super::heic::{HeicDecoder, HeicHeader};
use super::jpeg::{BlockSize, ColorTransform, JpegDecoder, JpegHeader};
use super::png::{PngDecoder, PngFrames};
use super::tiff::{TiffColor, TiffDecoder};
use super::webp::{LoopFilter, WebpDecoder, WebpFrames, WebpHeader};
use super::{Decode, Plane};
use crate::color_model::{LumaWeights, SampleModel, SampleRange};
use crate::limits::Limits;
use crate::probe::{Header, ImageInfo};
use crate::{ImageFormat, LimitError, PipelineError};

/// What the decoders' scales leave to the resampling at least: samples per pixel of the result.
///
/// A photo at 2 or more is 49 dB or more from one that was decoded whole, at 1 to 2 37 to 49 dB.
const MIN_RESIDUAL: f64 = 2.0;

/// What they leave where a picture would not fit in memory otherwise.
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
    /// Decides how to decode a picture of which the largest result is reduced by `reduction`.
    ///
    /// A picture whose decoder would not fit in the memory limit is refused here.
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
            Header::Gif(header) => {
                Self::opened(info, header.peak_bytes(), &GifDecoder::new(header)?)
            }
            Header::Bmp(header) => {
                Self::opened(info, header.peak_bytes(), &BmpDecoder::new(header)?)
            }
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
            planes: vec![Plane {
                width: info.width,
                height: info.height,
                channels,
                pixels_per_sample_x: 1.0,
                pixels_per_sample_y: 1.0,
            }],
            model: SampleModel::of_channels(channels),
            scattered: false,
            peak_bytes,
            scale: Scale::Full,
        }
    }

    /// What an opened decoder says of itself.
    fn opened(info: &ImageInfo, peak_bytes: u64, decoder: &impl Decode) -> Self {
        Self {
            scattered: decoder.scattered(),
            ..Self::one_plane(info, if info.alpha { 4 } else { 3 }, peak_bytes)
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
        let planes = WebpDecoder::new(header, filter).planes().to_vec();
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

    /// Makes the decoder.
    pub fn open(
        &self,
        info: &ImageInfo,
        limits: &Limits,
    ) -> Result<Box<dyn Decode>, PipelineError> {
        if info.page > 0 && info.format != ImageFormat::Tiff {
            return self.open_frames(info, limits.max_pixels);
        }
        Ok(match (&info.header, &self.scale) {
            (Header::Jpeg(header), Scale::Blocks(blocks)) => {
                Box::new(JpegDecoder::new_rgb(header, blocks)?)
            }
            (Header::Png(header), _) => Box::new(PngDecoder::new(header)?),
            (Header::WebP(header), Scale::Filter(filter)) => {
                Box::new(WebpDecoder::new(header, *filter))
            }
            #[cfg(feature = "heic")]
            (Header::Heic(header), Scale::Filter(filter)) => {
                Box::new(HeicDecoder::new(header, *filter))
            }
            (Header::Gif(header), _) => Box::new(GifDecoder::new(header)?),
            (Header::Bmp(header), _) => Box::new(BmpDecoder::new(header)?),
            (Header::Tiff(header), _) => {
                Box::new(TiffDecoder::new(header).with_max_work(limits.max_work))
            }
            _ => return Err(PipelineError::Bug("a source of another format".into())),
        })
    }

    /// Makes the decoder of a later frame of an animation.
    fn open_frames(
        &self,
        info: &ImageInfo,
        max_pixels: u64,
    ) -> Result<Box<dyn Decode>, PipelineError> {
        let page = info.page;
        Ok(match (&info.header, &self.scale) {
            (Header::Gif(header), _) => Box::new(GifFrames::new(header, page, max_pixels)?),
            (Header::Png(header), _) => Box::new(PngFrames::new(header, page, max_pixels)?),
            (Header::WebP(header), Scale::Filter(filter)) => {
                Box::new(WebpFrames::new(header, page, *filter, max_pixels)?)
            }
            _ => return Err(PipelineError::Bug("a format without frames".into())),
        })
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
