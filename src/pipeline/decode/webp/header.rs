//! What is known of a WebP before its image.

use super::riff::{self, Container, Layout};
use super::{lossless, vp8};
use crate::PipelineError;
use crate::decode::canvas::Size;
use crate::decode::frames::FrameCanvas;
use crate::decode::{HeaderStatus, Plane};

/// Whether the blocks of a lossy image are smoothed at their edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoopFilter {
    /// As the specification says, so that the pixels are the encoder's.
    #[default]
    Exact,
    /// Not at all, for half the work: a shrink averages over what the filter smooths.
    /// Prediction uses unfiltered pixels (RFC 6386, section 15), so nothing drifts.
    Skip,
}

/// How the image is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebpCoding {
    /// VP8 without alpha.
    Lossy,
    /// VP8 with an alpha channel.
    LossyAlpha,
    /// VP8L, opaque.
    Lossless,
    /// VP8L with alpha.
    LosslessAlpha,
}

/// The samples that come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Yuv,
    Rgb,
    Rgba,
}

impl Output {
    /// The planes of an image of that size.
    pub fn planes(self, (width, height): Size) -> Vec<Plane> {
        let plane = |channels, shift: u32| Plane {
            width: width.div_ceil(1 << shift),
            height: height.div_ceil(1 << shift),
            channels,
            pixels_per_sample_x: f64::from(1 << shift),
            pixels_per_sample_y: f64::from(1 << shift),
        };
        match self {
            Self::Yuv => vec![plane(1, 0), plane(1, 1), plane(1, 1)],
            Self::Rgb => vec![plane(3, 0)],
            Self::Rgba => vec![plane(4, 0)],
        }
    }
}

/// What is known of a WebP file before its image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebpHeader {
    /// Width of the canvas in pixels.
    pub width: u32,
    /// Height of the canvas in pixels.
    pub height: u32,
    /// How the image, or the first frame, is coded.
    pub coding: WebpCoding,
    /// The file has frames, of which the first is decoded.
    pub is_animated: bool,
    /// The color profile.
    pub icc_profile: Option<Vec<u8>>,
    /// The file says that it has a color profile.
    pub promises_icc_profile: bool,
    /// The EXIF data, where they come before the image.
    pub exif: Option<Vec<u8>>,
    /// The file says that it has EXIF data. They usually follow the image.
    pub promises_exif: bool,
    /// The length of the file, by its container.
    pub file_bytes: u64,
    pub(super) layout: Layout,
}

impl WebpHeader {
    pub(super) fn output(&self) -> Output {
        match self.coding {
            _ if !self.layout.placement.covers_canvas() => Output::Rgba,
            WebpCoding::Lossy => Output::Yuv,
            WebpCoding::Lossless => Output::Rgb,
            WebpCoding::LossyAlpha | WebpCoding::LosslessAlpha => Output::Rgba,
        }
    }

    /// The planes that come out.
    pub fn planes(&self) -> Vec<Plane> {
        self.output().planes((self.width, self.height))
    }

    /// Whether pixels can be transparent: those that a frame leaves free are, too.
    pub fn has_alpha(&self) -> bool {
        self.output() == Output::Rgba
    }

    /// Says what decoding takes at most, in bytes, with the compressed image that it has to hold.
    pub fn peak_bytes(&self) -> u64 {
        let Layout {
            placement,
            picture,
            alpha,
            ..
        } = &self.layout;
        let compressed = u64::from(picture.len) + lossless::HEADER_BYTES as u64;
        let canvas = placement.peak_bytes();
        let pixels = match (self.coding, alpha) {
            (WebpCoding::Lossless | WebpCoding::LosslessAlpha, _) => {
                lossless::peak_bytes(placement.size)
            }
            (_, None) => vp8::peak_bytes(placement.size.0),
            (_, Some(alpha)) => {
                vp8::peak_bytes(placement.size.0)
                    + u64::from(alpha.len)
                    + lossless::ALPHA_HEADER_BYTES as u64
                    // Rows of what becomes RGBA.
                    + 8 * u64::from(placement.size.0)
                    + lossless::peak_bytes(placement.size)
            }
        };
        compressed.saturating_add(canvas).saturating_add(pixels)
    }

    /// Says what decoding a later frame takes at most, in bytes.
    pub fn frames_peak_bytes(&self) -> u64 {
        let size = (self.width, self.height);
        FrameCanvas::bytes(size, 4)
            // As it came, and once more without its container.
            .saturating_add(2 * max_frame_bytes(size))
            .saturating_add(lossless::peak_bytes(size))
            .saturating_add(vp8::peak_bytes(self.width))
            .saturating_add(16 * u64::from(self.width))
    }
}

/// The longest frame that is held. Photos without loss take about as much, and animations far less.
pub(super) fn max_frame_bytes((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height) * 2 + 64 * 1024
}

/// Reads the container up to the size of the image.
///
/// The color profile lies before that and has to be in the prefix.
pub fn read_header(prefix: &[u8]) -> Result<HeaderStatus<WebpHeader>, PipelineError> {
    let container = match riff::read(prefix)? {
        HeaderStatus::NeedMore => return Ok(HeaderStatus::NeedMore),
        HeaderStatus::Ready(container) => container,
    };
    let Container { layout, .. } = container;
    let has_alpha = layout.alpha.is_some() || layout.has_lossless_alpha;
    Ok(HeaderStatus::Ready(WebpHeader {
        width: layout.placement.canvas.0,
        height: layout.placement.canvas.1,
        coding: match (layout.is_lossless, has_alpha) {
            (false, false) => WebpCoding::Lossy,
            (false, true) => WebpCoding::LossyAlpha,
            (true, false) => WebpCoding::Lossless,
            (true, true) => WebpCoding::LosslessAlpha,
        },
        is_animated: container.is_animated,
        icc_profile: container.icc_profile,
        promises_icc_profile: container.has_icc_flag,
        exif: container.exif,
        promises_exif: container.has_exif_flag,
        file_bytes: riff::file_bytes(prefix),
        layout,
    }))
}
