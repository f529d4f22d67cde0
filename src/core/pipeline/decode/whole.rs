//! The formats that the `image` crate decodes: the file is collected, the picture decoded at once,
//! and its rows given out.

use std::io::Cursor;

use image::error::{ImageError, ImageFormatHint};
use image::{ColorType, ImageDecoder, ImageReader, Limits};

use super::super::color_model::SampleModel;
use super::super::plan::Plan;
use super::super::probe::ImageInfo;
use super::super::{ImageFormat, PipelineError};
use super::{Completeness, Decode, Plane, Progress, RowSink, Samples};

/// What a picture that is decoded at once gives to a sink, and what that takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// The one plane.
    pub plane: Plane,
    /// What its channels mean.
    pub model: SampleModel,
    /// Bytes at the decoder's peak, without the file.
    pub peak_bytes: u64,
}

/// The plane of a picture, by its header.
pub fn source(info: &ImageInfo) -> Source {
    let pixels = u64::from(info.width) * u64::from(info.height);
    Source {
        plane: Plane {
            width: info.width,
            height: info.height,
            channels: if info.alpha { 4 } else { 3 },
            pixels_per_sample_x: 1.0,
            pixels_per_sample_y: 1.0,
        },
        model: if info.alpha {
            SampleModel::Rgba
        } else {
            SampleModel::Rgb
        },
        peak_bytes: pixels * tenths_per_pixel(info) / 10 + (1 << 20),
    }
}

/// Tenths of bytes for each pixel that decoding takes at its peak, measured with photos of 12 megapixels.
fn tenths_per_pixel(info: &ImageInfo) -> u64 {
    let sample = u64::from(info.bit_depth).div_ceil(8).max(1);
    let channels = u64::from(info.channels.max(1));
    match info.format {
        ImageFormat::Jpeg if info.interlaced && channels > 1 => 95,
        ImageFormat::Jpeg => 35,
        ImageFormat::WebP if info.alpha => 115,
        ImageFormat::WebP => 72,
        ImageFormat::Gif => 55,
        ImageFormat::Tiff => 20 * sample * channels,
        // A palette has fewer bits in the file than in memory, and 2 more for its transparency.
        _ => 10 * sample * channels.max(if info.alpha { 4 } else { 3 }),
    }
}

/// Collects a file and decodes it at its end.
#[derive(Debug)]
pub struct Whole {
    format: ImageFormat,
    plane: Plane,
    bytes: Vec<u8>,
    max_bytes: u64,
    peak_bytes: u64,
}

impl Whole {
    /// A decoder for a planned picture.
    pub fn new(plan: &Plan) -> Result<Self, PipelineError> {
        let Some(plane) = plan.planes.first() else {
            return Err(PipelineError::Bug("a plan without planes".into()));
        };
        Ok(Self {
            format: plan.info.format,
            plane: *plane,
            bytes: Vec::new(),
            max_bytes: plan.limits.max_bytes,
            peak_bytes: plan.peak_bytes,
        })
    }

    fn decode(&mut self, sink: &mut dyn RowSink) -> Result<(), PipelineError> {
        let bytes = std::mem::take(&mut self.bytes);
        let mut reader = ImageReader::new(Cursor::new(bytes));
        reader.set_format(self.image_format()?);
        let mut limits = Limits::no_limits();
        limits.max_image_width = Some(self.plane.width);
        limits.max_image_height = Some(self.plane.height);
        limits.max_alloc = Some(self.peak_bytes);
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(|error| self.error(&error))?;
        if decoder.dimensions() != (self.plane.width, self.plane.height) {
            return Err(PipelineError::malformed(
                self.format,
                "its pixels have another size than its header says",
            ));
        }
        let color = decoder.color_type();
        let mut pixels = Vec::new();
        let total = usize::try_from(decoder.total_bytes()).ok();
        let reserved = total.map(|total| pixels.try_reserve_exact(total));
        let (Some(total), Some(Ok(()))) = (total, reserved) else {
            return Err(PipelineError::Bug("no memory for a planned picture".into()));
        };
        pixels.resize(total, 0);
        decoder
            .read_image(&mut pixels)
            .map_err(|error| self.error(&error))?;
        self.give(&pixels, color, sink)
    }

    fn image_format(&self) -> Result<image::ImageFormat, PipelineError> {
        match self.format {
            ImageFormat::Jpeg => Ok(image::ImageFormat::Jpeg),
            ImageFormat::Png => Ok(image::ImageFormat::Png),
            ImageFormat::Gif => Ok(image::ImageFormat::Gif),
            ImageFormat::WebP => Ok(image::ImageFormat::WebP),
            ImageFormat::Bmp => Ok(image::ImageFormat::Bmp),
            ImageFormat::Tiff => Ok(image::ImageFormat::Tiff),
            other => Err(PipelineError::refused(other)),
        }
    }

    /// Gives out the rows of `pixels`, in the channels that were planned.
    fn give(
        &self,
        pixels: &[u8],
        color: ColorType,
        sink: &mut dyn RowSink,
    ) -> Result<(), PipelineError> {
        let channels = usize::from(color.channel_count());
        let sample = usize::from(color.bytes_per_pixel()) / channels.max(1);
        let planned = usize::from(self.plane.channels);
        let width = self.plane.width as usize;
        let rows = pixels.chunks_exact((width * channels * sample).max(1));
        let mut out8 = vec![u8::MAX; if sample == 1 { width * planned } else { 0 }];
        let mut out16 = vec![u16::MAX; if sample == 1 { 0 } else { width * planned }];
        for (y, row) in (0..self.plane.height).zip(rows) {
            let samples = match sample {
                1 if channels == planned => Samples::U8(row),
                1 => {
                    expand(row.iter().copied(), channels, &mut out8, planned);
                    Samples::U8(&out8)
                }
                2 => {
                    let (pairs, _) = row.as_chunks::<2>();
                    let samples = pairs.iter().map(|pair| u16::from_ne_bytes(*pair));
                    expand(samples, channels, &mut out16, planned);
                    Samples::U16(&out16)
                }
                _ => return Err(self.unsupported("samples of floating point numbers")),
            };
            sink.row(0, y, samples);
        }
        Ok(())
    }

    fn unsupported(&self, feature: &'static str) -> PipelineError {
        PipelineError::unsupported(self.format, feature)
    }

    fn error(&self, error: &ImageError) -> PipelineError {
        match error {
            ImageError::Unsupported(error) => match error.format_hint() {
                ImageFormatHint::Unknown => self.unsupported("something unknown"),
                _ => PipelineError::unsupported(self.format, format!("a feature: {error}")),
            },
            ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                PipelineError::truncated(self.format, "its pixels are not complete")
            }
            error => PipelineError::malformed(self.format, error.to_string()),
        }
    }
}

/// Makes pixels of `from` channels into pixels of `to` channels, 3 or 4; alpha is set already.
fn expand<T: Copy>(samples: impl Iterator<Item = T>, from: usize, out: &mut [T], to: usize) {
    let mut samples = samples;
    for out in out.chunks_exact_mut(to) {
        let mut pixel = [None; 4];
        for slot in pixel.iter_mut().take(from) {
            *slot = samples.next();
        }
        let colors = match (from, pixel) {
            (1 | 2, [gray, alpha, ..]) => [gray, gray, gray, alpha],
            (_, pixel) => pixel,
        };
        for (out, sample) in out.iter_mut().zip(colors) {
            *out = sample.unwrap_or(*out);
        }
    }
}

impl Decode for Whole {
    fn planes(&self) -> &[Plane] {
        std::slice::from_ref(&self.plane)
    }

    fn feed(&mut self, bytes: &[u8], _: &mut dyn RowSink) -> Result<Progress, PipelineError> {
        if self.bytes.len() as u64 + bytes.len() as u64 > self.max_bytes {
            return Err(super::super::LimitError::Count {
                what: "bytes",
                max: self.max_bytes,
            }
            .into());
        }
        self.bytes
            .try_reserve(bytes.len())
            .map_err(|_| PipelineError::Bug("no memory for a file within its limit".into()))?;
        self.bytes.extend_from_slice(bytes);
        Ok(Progress::NeedMore)
    }

    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        self.decode(sink)?;
        Ok(Completeness::Whole)
    }
}
