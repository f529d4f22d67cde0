//! Reads the header of an image, and nothing else of it.

mod ranges;
mod webp;

pub use ranges::{RangeStatus, probe_ranges};

use image::metadata::Orientation;

use super::decode::bmp::{self, BmpHeader};
use super::decode::gif::{self, GifHeader};
#[cfg(feature = "heic")]
use super::decode::heic::{self, HeicHeader};
use super::decode::jpeg::{self, JpegHeader};
use super::decode::png::{self, PngHeader};
use super::decode::tiff::{self, TiffColor, TiffHeader};
use super::decode::webp::WebpHeader;
use super::decode::{self, HeaderStatus};
use super::exif;
use super::format::{ImageFormat, SNIFF_BYTES};
use super::geometry::Size;
use super::limits::Limits;
use super::orient::turn_size;
use super::{OptionsError, PipelineError};

/// What the header of an image says.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageInfo {
    /// The format, by the file's bytes.
    pub format: ImageFormat,
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// How the stored image is turned to be shown; values that EXIF does not know turn nothing.
    pub orientation: Orientation,
    /// Whether the orientation comes behind the pixels, so that `orientation` does not say it yet.
    pub orientation_follows: bool,
    /// Channels of the stored image, alpha included; a palette counts as the colors in it.
    pub channels: u8,
    /// Whether pixels can be transparent.
    pub alpha: bool,
    /// Bits of a sample.
    pub bit_depth: u8,
    /// Whether the pixels do not come from top to bottom at once: progressive JPEG, interlaced PNG and GIF.
    pub interlaced: bool,
    /// Frames or pages, where the header says how many.
    pub frames: Option<u32>,
    /// Which frame or page the image is, from 0.
    pub page: u32,
    /// Bytes of the file that are held until its decoder has had them: who reads the header says how many.
    pub held_bytes: u64,
    /// What the header says in the words of its format, for its decoder.
    pub header: Header,
}

/// The header of a file, in the words of its format.
#[derive(Debug, Clone, PartialEq)]
pub enum Header {
    /// JPEG.
    Jpeg(Box<JpegHeader>),
    /// PNG.
    Png(Box<PngHeader>),
    /// WebP.
    WebP(Box<WebpHeader>),
    /// GIF.
    Gif(GifHeader),
    /// BMP.
    Bmp(Box<BmpHeader>),
    /// TIFF.
    Tiff(Box<TiffHeader>),
    /// HEIC.
    #[cfg(feature = "heic")]
    Heic(Box<HeicHeader>),
}

/// What any header takes without what grows, a palette included.
const HEADER_BYTES: u64 = 2 << 10;

impl ImageInfo {
    /// A still image of eight bits in three channels, to be changed where the header says otherwise.
    const fn new(format: ImageFormat, width: u32, height: u32, header: Header) -> Self {
        Self {
            format,
            width,
            height,
            orientation: Orientation::NoTransforms,
            orientation_follows: false,
            channels: 3,
            alpha: false,
            bit_depth: 8,
            interlaced: false,
            frames: None,
            page: 0,
            held_bytes: 0,
            header,
        }
    }

    /// The bytes of the file that are held where its orientation follows the pixels.
    pub fn collected_bytes(&self, limits: &Limits) -> u64 {
        match &self.header {
            Header::WebP(header) if self.orientation_follows => {
                header.file_bytes.min(limits.max_bytes)
            }
            _ => 0,
        }
    }

    /// Bytes that this holds besides itself, and that every copy of it takes:
    /// profiles, Exif, palettes, lists of chunks.
    pub fn heap_bytes(&self) -> u64 {
        let held = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len) as u64;
        let own = match &self.header {
            Header::Jpeg(header) => held(&header.icc),
            Header::Png(header) => held(&header.icc),
            Header::WebP(header) => held(&header.icc_profile) + held(&header.exif),
            Header::Tiff(header) => header.heap_bytes(),
            #[cfg(feature = "heic")]
            Header::Heic(header) => header.heap_bytes(),
            Header::Gif(_) | Header::Bmp(_) => 0,
        };
        own + HEADER_BYTES
    }

    /// The size as stored.
    pub fn stored_size(&self) -> Size {
        Size::new(self.width, self.height)
    }

    /// Whether this says what is known of a page: those of a TIFF have headers of their own.
    pub fn describes(&self, page: u32) -> bool {
        page == self.page || self.format != ImageFormat::Tiff
    }

    /// What is known of another frame or page.
    ///
    /// Frames are painted on a canvas, which is transparent where none has been.
    pub fn at_page(&self, page: u32) -> Result<Self, PipelineError> {
        let mut info = self.clone();
        if page == self.page {
            return Ok(info);
        }
        if let Some(pages) = self.frames.filter(|&pages| page >= pages) {
            let format = self.format;
            let missing = OptionsError::NoPage {
                page,
                format,
                pages,
            };
            return Err(missing.into());
        }
        if !self.describes(page) {
            return Err(PipelineError::Bug("the header of another page".into()));
        }
        info.page = page;
        info.alpha = true;
        info.channels = match &self.header {
            Header::Png(header) => header.frame_channels(),
            _ => 4,
        };
        Ok(info)
    }

    /// The size as shown.
    pub fn shown_size(&self) -> Size {
        turn_size(self.stored_size(), self.orientation)
    }
}

/// Reads the header from a prefix of a file.
///
/// Formats that are recognized but not decoded are errors that name the format and say what to do.
pub fn probe(prefix: &[u8]) -> Result<HeaderStatus<ImageInfo>, PipelineError> {
    probe_page(prefix, 0)
}

/// Reads the header of a page, or that of the file where one header is for all.
pub fn probe_page(prefix: &[u8], page: u32) -> Result<HeaderStatus<ImageInfo>, PipelineError> {
    let Some(format) = ImageFormat::sniff(prefix) else {
        return if prefix.len() < SNIFF_BYTES {
            Ok(HeaderStatus::NeedMore)
        } else {
            Err(PipelineError::UnknownFormat)
        };
    };
    let status = match format {
        ImageFormat::Jpeg => map(jpeg::read_header(prefix)?, jpeg_info),
        ImageFormat::Png => map(png::read_header(prefix)?, png_info),
        ImageFormat::WebP => map(decode::webp::read_header(prefix)?, webp_info),
        ImageFormat::Gif => map(gif::read_header(prefix)?, gif_info),
        ImageFormat::Bmp => map(bmp::read_header(prefix)?, bmp_info),
        ImageFormat::Tiff => map(tiff::read_page_header(prefix, page)?, |header| ImageInfo {
            page,
            ..tiff_info(header)
        }),
        #[cfg(feature = "heic")]
        ImageFormat::Heic => map(heic::read_header(prefix)?, heic_info),
        _ => return Err(PipelineError::refused(format)),
    };
    if let HeaderStatus::Ready(info) = &status {
        check_size(info)?;
    }
    Ok(status)
}

fn check_size(info: &ImageInfo) -> Result<(), PipelineError> {
    if info.width == 0 || info.height == 0 {
        let detail = format!("its size is {}x{}", info.width, info.height);
        return Err(PipelineError::malformed(info.format, detail));
    }
    Ok(())
}

fn map<H>(
    status: HeaderStatus<H>,
    to_info: impl FnOnce(H) -> ImageInfo,
) -> HeaderStatus<ImageInfo> {
    match status {
        HeaderStatus::Ready(header) => HeaderStatus::Ready(to_info(header)),
        HeaderStatus::NeedMore => HeaderStatus::NeedMore,
    }
}

fn jpeg_info(mut header: JpegHeader) -> ImageInfo {
    ImageInfo {
        // Nothing else of it is looked at, so that it need not be held.
        orientation: exif_orientation(header.exif.take().as_deref()),
        channels: u8::try_from(header.components.len()).unwrap_or(u8::MAX),
        interlaced: header.progressive,
        frames: Some(1),
        ..ImageInfo::new(
            ImageFormat::Jpeg,
            header.width,
            header.height,
            Header::Jpeg(Box::new(header)),
        )
    }
}

fn png_info(mut header: PngHeader) -> ImageInfo {
    ImageInfo {
        orientation: exif_orientation(header.exif.take().as_deref()),
        channels: header.channels_out(),
        alpha: header.has_alpha(),
        bit_depth: header.bit_depth,
        interlaced: header.interlaced,
        frames: Some(header.pages()),
        ..ImageInfo::new(
            ImageFormat::Png,
            header.width,
            header.height,
            Header::Png(Box::new(header)),
        )
    }
}

fn webp_info(header: WebpHeader) -> ImageInfo {
    let alpha = header.has_alpha();
    ImageInfo {
        orientation: header
            .exif
            .as_deref()
            .and_then(webp::from_exif)
            .unwrap_or(Orientation::NoTransforms),
        orientation_follows: header.promises_exif && header.exif.is_none(),
        channels: if alpha { 4 } else { 3 },
        alpha,
        frames: (!header.is_animated).then_some(1),
        ..ImageInfo::new(
            ImageFormat::WebP,
            header.width,
            header.height,
            Header::WebP(Box::new(header)),
        )
    }
}

fn gif_info(header: GifHeader) -> ImageInfo {
    ImageInfo {
        channels: if header.has_alpha { 4 } else { 3 },
        alpha: header.has_alpha,
        ..ImageInfo::new(
            ImageFormat::Gif,
            header.width,
            header.height,
            Header::Gif(header),
        )
    }
}

fn bmp_info(header: BmpHeader) -> ImageInfo {
    ImageInfo {
        channels: if header.has_alpha { 4 } else { 3 },
        alpha: header.has_alpha,
        frames: Some(1),
        ..ImageInfo::new(
            ImageFormat::Bmp,
            header.width,
            header.height,
            Header::Bmp(Box::new(header)),
        )
    }
}

fn tiff_info(header: TiffHeader) -> ImageInfo {
    let orientation = u8::try_from(header.orientation)
        .ok()
        .and_then(Orientation::from_exif);
    ImageInfo {
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        channels: header.color.channels(),
        alpha: matches!(header.color, TiffColor::GrayAlpha | TiffColor::Rgba),
        bit_depth: header.bits,
        ..ImageInfo::new(
            ImageFormat::Tiff,
            header.width,
            header.height,
            Header::Tiff(Box::new(header)),
        )
    }
}

#[cfg(feature = "heic")]
fn heic_info(header: HeicHeader) -> ImageInfo {
    let channels = header.planes().iter().map(|plane| plane.channels).sum();
    ImageInfo {
        orientation: header.orientation,
        channels,
        alpha: header.has_alpha(),
        bit_depth: header.bits,
        frames: Some(1),
        ..ImageInfo::new(
            ImageFormat::Heic,
            header.width,
            header.height,
            Header::Heic(Box::new(header)),
        )
    }
}

/// What EXIF says, from its TIFF header on; what it cannot say turns nothing.
fn exif_orientation(exif: Option<&[u8]>) -> Orientation {
    exif.and_then(exif::orientation)
        .unwrap_or(Orientation::NoTransforms)
}

/// Reads the header of a page of a complete file: one that is not there is an error.
pub fn probe_file(source: &[u8], page: u32) -> Result<ImageInfo, PipelineError> {
    match probe_page(source, page)? {
        HeaderStatus::Ready(info) => Ok(info),
        HeaderStatus::NeedMore => Err(incomplete(source, source.len())),
    }
}

/// The error of a file whose header is not in all that there is of it, which are `bytes`;
/// `source` may lack some of them.
pub fn incomplete(source: &[u8], bytes: usize) -> PipelineError {
    match ImageFormat::sniff(source) {
        Some(format) => PipelineError::truncated(
            format,
            format!("its header is not complete after {bytes} bytes"),
        ),
        None => PipelineError::UnknownFormat,
    }
}

/// The orientation of a WebP whose EXIF comes behind its pixels, from the complete file.
pub fn trailing_orientation(source: &[u8]) -> Orientation {
    webp::orientation(source).unwrap_or(Orientation::NoTransforms)
}
