//! Makes the decoder that a plan has chosen.

use super::Decode;
use super::bmp::BmpDecoder;
use super::gif::{GifDecoder, GifFrames};
#[cfg(feature = "heic")]
use super::heic::HeicDecoder;
use super::jpeg::JpegDecoder;
use super::png::{PngDecoder, PngFrames};
use super::source::{Scale, Source};
use super::tiff::TiffDecoder;
use super::webp::{WebpDecoder, WebpFrames};
use crate::limits::Limits;
use crate::probe::{Header, ImageInfo};
use crate::{ImageFormat, PipelineError};

impl Source {
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
