//! The first directory of a TIFF: TIFF 6.0 section 2.

use image::metadata::Orientation;

use super::bytes::{be16, be32, le16, le32};
use super::{ImageFormat, ImageInfo, PipelineError};

/// The fields that are looked at, by their tags.
#[derive(Debug, Default)]
struct Fields {
    width: u32,
    height: u32,
    bits: Option<u32>,
    photometric: u32,
    samples: Option<u32>,
    orientation: u32,
    planar: u32,
    tile_width: u32,
}

/// Numbers in the byte order of the file.
struct Reader<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl Reader<'_> {
    fn u16(&self, at: usize) -> Option<u16> {
        if self.little {
            le16(self.bytes, at)
        } else {
            be16(self.bytes, at)
        }
    }

    fn u32(&self, at: usize) -> Option<u32> {
        if self.little {
            le32(self.bytes, at)
        } else {
            be32(self.bytes, at)
        }
    }

    /// The first value of the field whose entry is at `at`.
    fn value(&self, at: usize) -> Option<u32> {
        let (kind, count) = (self.u16(at + 2)?, self.u32(at + 4)?);
        match (kind, count) {
            (3, 0..=2) => self.u16(at + 8).map(u32::from),
            (3, _) => {
                let place = usize::try_from(self.u32(at + 8)?).ok()?;
                self.u16(place).map(u32::from)
            }
            _ => self.u32(at + 8),
        }
    }
}

/// Reads the first directory; `None` if the prefix ends before it does.
pub fn read(prefix: &[u8]) -> Result<Option<ImageInfo>, PipelineError> {
    let reader = Reader {
        bytes: prefix,
        little: prefix.first() == Some(&b'I'),
    };
    if reader.u16(2) == Some(43) {
        return Err(PipelineError::unsupported(ImageFormat::Tiff, "BigTIFF"));
    }
    let Some(fields) = directory(&reader) else {
        return Ok(None);
    };
    let samples = fields.samples.unwrap_or(1);
    // The decoder that we use fails an assertion on these.
    if fields.planar == 2 && samples > 1 {
        return Err(PipelineError::unsupported(
            ImageFormat::Tiff,
            if fields.tile_width > 0 {
                "planar tiles"
            } else {
                "planar samples"
            },
        ));
    }
    let color = if fields.photometric == 5 {
        4
    } else if fields.photometric < 2 {
        1
    } else {
        3
    };
    let exif = u8::try_from(fields.orientation).ok();
    Ok(Some(ImageInfo {
        orientation: exif
            .and_then(Orientation::from_exif)
            .unwrap_or(Orientation::NoTransforms),
        channels: u8::try_from(samples).unwrap_or(u8::MAX),
        alpha: samples > color,
        bit_depth: fields
            .bits
            .and_then(|bits| u8::try_from(bits).ok())
            .unwrap_or(1),
        ..ImageInfo::new(ImageFormat::Tiff, fields.width, fields.height)
    }))
}

fn directory(reader: &Reader<'_>) -> Option<Fields> {
    let start = usize::try_from(reader.u32(4)?).ok()?;
    let entries = usize::from(reader.u16(start)?);
    let mut fields = Fields::default();
    for index in 0..entries {
        let at = start.checked_add(2 + 12 * index)?;
        let tag = reader.u16(at)?;
        match tag {
            256 => fields.width = reader.value(at)?,
            257 => fields.height = reader.value(at)?,
            258 => fields.bits = Some(reader.value(at)?),
            262 => fields.photometric = reader.value(at)?,
            274 => fields.orientation = reader.value(at)?,
            277 => fields.samples = Some(reader.value(at)?),
            284 => fields.planar = reader.value(at)?,
            322 => fields.tile_width = reader.value(at)?,
            _ => {}
        }
    }
    Some(fields)
}
