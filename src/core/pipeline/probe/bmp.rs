//! The header of a Windows bitmap.

use super::bytes::{le16, le32};
use super::{ImageFormat, ImageInfo, PipelineError};

/// Reads the size; `None` if the prefix ends before it.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the header readers of all formats have one signature"
)]
pub fn read(prefix: &[u8]) -> Result<Option<ImageInfo>, PipelineError> {
    Ok(header(prefix))
}

fn header(prefix: &[u8]) -> Option<ImageInfo> {
    let (width, height, bits) = if le32(prefix, 14)? == 12 {
        // OS/2 1.x has 16-bit sides.
        (
            le16(prefix, 18)?.into(),
            le16(prefix, 20)?.into(),
            le16(prefix, 24)?,
        )
    } else {
        // Sides are signed: a negative height means that the first row is the upper one.
        let width = le32(prefix, 18)?.cast_signed();
        let height = le32(prefix, 22)?.cast_signed();
        (
            width.max(0).cast_unsigned(),
            height.unsigned_abs(),
            le16(prefix, 28)?,
        )
    };
    let alpha = matches!(bits, 16 | 32);
    Some(ImageInfo {
        alpha,
        channels: if alpha { 4 } else { 3 },
        frames: Some(1),
        ..ImageInfo::new(ImageFormat::Bmp, width, height)
    })
}
