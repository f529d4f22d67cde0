//! The first chunk of a WebP, and its EXIF: RFC 9649.

use image::metadata::Orientation;

use super::bytes::{array, le16, le24, le32};
use super::{ImageFormat, ImageInfo, PipelineError};

/// The chunk after which nothing more is looked at, so that empty chunks cannot keep the search busy.
const MAX_CHUNKS: usize = 10_000;

/// Reads the size; `None` if the prefix ends before it.
pub fn read(prefix: &[u8]) -> Result<Option<ImageInfo>, PipelineError> {
    let Some(kind) = array::<4>(prefix, 12) else {
        return Ok(None);
    };
    match &kind {
        b"VP8 " => Ok(lossy(prefix)),
        b"VP8L" => Ok(lossless(prefix)),
        b"VP8X" => Ok(extended(prefix)),
        _ => Err(PipelineError::malformed(
            ImageFormat::WebP,
            "its first chunk is no picture",
        )),
    }
}

fn lossy(prefix: &[u8]) -> Option<ImageInfo> {
    let (width, height) = (le16(prefix, 26)? & 0x3fff, le16(prefix, 28)? & 0x3fff);
    Some(still(width.into(), height.into(), false))
}

fn lossless(prefix: &[u8]) -> Option<ImageInfo> {
    let bits = le32(prefix, 21)?;
    let (width, height) = ((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
    Some(still(width, height, bits >> 28 & 1 == 1))
}

fn extended(prefix: &[u8]) -> Option<ImageInfo> {
    let [flags] = array::<1>(prefix, 20)?;
    let (width, height) = (le24(prefix, 24)? + 1, le24(prefix, 27)? + 1);
    let animated = flags & 0x02 != 0;
    Some(ImageInfo {
        orientation_follows: flags & 0x08 != 0,
        frames: (!animated).then_some(1),
        // The frames of an animation may leave parts of the canvas empty.
        ..still(width, height, animated || flags & 0x10 != 0)
    })
}

fn still(width: u32, height: u32, alpha: bool) -> ImageInfo {
    ImageInfo {
        alpha,
        channels: if alpha { 4 } else { 3 },
        frames: Some(1),
        ..ImageInfo::new(ImageFormat::WebP, width, height)
    }
}

/// The orientation in the EXIF chunk of a complete file.
pub fn orientation(source: &[u8]) -> Option<Orientation> {
    let mut at = 12_usize;
    for _ in 0..MAX_CHUNKS {
        let length = usize::try_from(le32(source, at.checked_add(4)?)?).ok()?;
        let start = at.checked_add(8)?;
        let end = start.checked_add(length)?;
        if array::<4>(source, at)? == *b"EXIF" {
            let chunk = source.get(start..end.min(source.len()))?;
            // Some writers keep the name that EXIF has in JPEG.
            let tiff = chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk);
            return Orientation::from_exif_chunk(tiff);
        }
        at = end.checked_add(length & 1)?;
    }
    None
}
