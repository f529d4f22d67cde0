//! The segments of a JPEG up to its frame header: ITU-T T.81 annex B.

use image::metadata::Orientation;

use super::bytes::be16;
use super::{ImageFormat, ImageInfo, PipelineError};

/// Reads up to the frame header; `None` if the prefix ends before it.
pub fn read(prefix: &[u8]) -> Result<Option<ImageInfo>, PipelineError> {
    let mut orientation = None;
    let mut at = 2;
    loop {
        let Some((marker, start)) = next_marker(prefix, at)? else {
            return Ok(None);
        };
        // TEM and restart markers have no length.
        if matches!(marker, 0x01 | 0xd0..=0xd7) {
            at = start;
            continue;
        }
        if matches!(marker, 0xd9 | 0xda) {
            return Err(malformed("a scan comes before the frame header"));
        }
        let Some(length) = be16(prefix, start) else {
            return Ok(None);
        };
        if length < 2 {
            return Err(malformed("a segment is shorter than its length field"));
        }
        let end = start + usize::from(length);
        let Some(body) = prefix.get(start + 2..end) else {
            return Ok(None);
        };
        match marker {
            0xe1 if orientation.is_none() => {
                orientation = body
                    .strip_prefix(b"Exif\0")
                    .and_then(|exif| Orientation::from_exif_chunk(exif.get(1..)?));
            }
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return frame(marker, body, orientation).map(Some);
            }
            _ => {}
        }
        at = end;
    }
}

/// The next marker at or behind `at`, and where its segment begins.
fn next_marker(prefix: &[u8], at: usize) -> Result<Option<(u8, usize)>, PipelineError> {
    let Some(&[first, ..]) = prefix.get(at..) else {
        return Ok(None);
    };
    if first != 0xff {
        return Err(malformed("something other than a marker follows a segment"));
    }
    // A marker may have any number of fill bytes before it.
    let Some(fill) = prefix[at..].iter().position(|byte| *byte != 0xff) else {
        return Ok(None);
    };
    Ok(Some((prefix[at + fill], at + fill + 1)))
}

fn frame(
    marker: u8,
    body: &[u8],
    orientation: Option<Orientation>,
) -> Result<ImageInfo, PipelineError> {
    let unsupported =
        |feature: &'static str| PipelineError::unsupported(ImageFormat::Jpeg, feature);
    match marker {
        0xc0..=0xc2 => {}
        0xc3 | 0xcb => return Err(unsupported("lossless coding")),
        0xc5..=0xc7 | 0xcd..=0xcf => return Err(unsupported("hierarchical coding")),
        _ => return Err(unsupported("arithmetic coding")),
    }
    let &[precision, h1, h2, w1, w2, channels, ..] = body else {
        return Err(malformed("the frame header is too short"));
    };
    if precision != 8 {
        return Err(unsupported("12-bit samples"));
    }
    let width = u32::from(u16::from_be_bytes([w1, w2]));
    let height = u32::from(u16::from_be_bytes([h1, h2]));
    Ok(ImageInfo {
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        channels,
        interlaced: marker == 0xc2,
        frames: Some(1),
        ..ImageInfo::new(ImageFormat::Jpeg, width, height)
    })
}

fn malformed(detail: &'static str) -> PipelineError {
    PipelineError::malformed(ImageFormat::Jpeg, detail)
}
