//! The chunks of a PNG up to its pixels: PNG third edition, sections 5 and 11.

use image::metadata::Orientation;

use super::bytes::{array, be32};
use super::{ImageFormat, ImageInfo, PipelineError};

/// Reads up to the first IDAT; `None` if the prefix ends before it.
pub fn read(prefix: &[u8]) -> Result<Option<ImageInfo>, PipelineError> {
    let mut info = None;
    let mut at = 8_usize;
    loop {
        let (Some(length), Some(kind)) =
            (be32(prefix, at), array::<4>(prefix, at.saturating_add(4)))
        else {
            return Ok(None);
        };
        let Some(info) = &mut info else {
            if kind != *b"IHDR" || length != 13 {
                return Err(malformed("it does not begin with an image header"));
            }
            let Some(body) = array::<13>(prefix, at + 8) else {
                return Ok(None);
            };
            info = Some(header(body)?);
            at += 12 + 13;
            continue;
        };
        if kind == *b"IDAT" || kind == *b"IEND" {
            return Ok(Some(info.clone()));
        }
        let start = at + 8;
        let Some(end) = usize::try_from(length)
            .ok()
            .and_then(|length| start.checked_add(length))
        else {
            return Err(malformed("a chunk is too long"));
        };
        let body = prefix.get(start..end);
        match &kind {
            b"tRNS" => info.alpha = true,
            b"acTL" => info.frames = be32(prefix, start),
            b"eXIf" => {
                let Some(body) = body else { return Ok(None) };
                if let Some(orientation) = Orientation::from_exif_chunk(body) {
                    info.orientation = orientation;
                }
            }
            _ => {}
        }
        at = end.saturating_add(4);
    }
}

fn header(body: [u8; 13]) -> Result<ImageInfo, PipelineError> {
    let [w @ .., h1, h2, h3, h4, bit_depth, color, _, _, interlace] = body;
    let (channels, alpha) = match color {
        0 => (1, false),
        2 | 3 => (3, false),
        4 => (2, true),
        6 => (4, true),
        _ => return Err(malformed("its colour type does not exist")),
    };
    Ok(ImageInfo {
        channels,
        alpha,
        bit_depth,
        interlaced: interlace != 0,
        frames: Some(1),
        ..ImageInfo::new(
            ImageFormat::Png,
            u32::from_be_bytes(w),
            u32::from_be_bytes([h1, h2, h3, h4]),
        )
    })
}

fn malformed(detail: &'static str) -> PipelineError {
    PipelineError::malformed(ImageFormat::Png, detail)
}
