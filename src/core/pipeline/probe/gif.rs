//! The logical screen descriptor of a GIF: GIF89a section 18.

use super::bytes::le16;
use super::{ImageFormat, ImageInfo, PipelineError};

/// Reads the screen's size; `None` if the prefix ends before it.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the header readers of all formats have one signature"
)]
pub fn read(prefix: &[u8]) -> Result<Option<ImageInfo>, PipelineError> {
    let (Some(width), Some(height)) = (le16(prefix, 6), le16(prefix, 8)) else {
        return Ok(None);
    };
    Ok(Some(ImageInfo {
        alpha: true,
        ..ImageInfo::new(ImageFormat::Gif, width.into(), height.into())
    }))
}
