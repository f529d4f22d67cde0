//! The EXIF of a complete WebP file: RFC 9649.

use image::metadata::Orientation;

use crate::exif;

/// The chunk after which nothing more is looked at, so that empty chunks cannot keep the search busy.
const MAX_CHUNKS: usize = 10_000;

/// The orientation that the EXIF chunk says, wherever it is.
pub fn orientation(source: &[u8]) -> Option<Orientation> {
    let mut at = 12_usize;
    for _ in 0..MAX_CHUNKS {
        let head: [u8; 8] = source.get(at..at.checked_add(8)?)?.try_into().ok()?;
        let [name @ .., a, b, c, d] = head;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
        let start = at.checked_add(8)?;
        let end = start.checked_add(length)?;
        if name == *b"EXIF" {
            return from_exif(source.get(start..end.min(source.len()))?);
        }
        at = end.checked_add(length & 1)?;
    }
    None
}

/// The orientation in the body of an EXIF chunk.
pub fn from_exif(chunk: &[u8]) -> Option<Orientation> {
    // Some writers keep the name that EXIF has in JPEG.
    exif::orientation(chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk))
}
