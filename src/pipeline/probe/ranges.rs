//! Reads a header from ranges of a file, for whoever can seek in it.

use std::ops::Range;

use super::{ImageInfo, check_size, probe_page, tiff_info};
use crate::decode::tiff::read_page_parts;
use crate::decode::{HeaderStatus, Part};
use crate::format::SNIFF_BYTES;
use crate::{ImageFormat, PipelineError};

/// How much of a file is asked for first.
const FIRST_BYTES: u64 = 4 << 10;

/// What parts of a file say.
#[derive(Debug, Clone, PartialEq)]
pub enum RangeStatus {
    /// The header was read.
    Ready(Box<ImageInfo>),
    /// These bytes are needed too, in one part. The file may end before the last of them.
    Need(Range<u64>),
}

/// Reads the header of a page from parts of a file, the first of which begins it.
///
/// Call it without parts, then with each range that it asks for added as a part. A TIFF is read by the ranges of its
/// directories, wherever they lie; other formats are read from the front, with a range that doubles. If the
/// file ends before a range that is asked for, its header is not complete.
pub fn probe_ranges(parts: &[Part<'_>], page: u32) -> Result<RangeStatus, PipelineError> {
    let first = parts.iter().filter(|part| part.start == 0);
    let prefix = first.map(|part| part.bytes).max_by_key(|bytes| bytes.len());
    let prefix = prefix.unwrap_or_default();
    if prefix.len() < SNIFF_BYTES {
        return Ok(RangeStatus::Need(0..FIRST_BYTES));
    }
    if ImageFormat::sniff(prefix) == Some(ImageFormat::Tiff) {
        return match read_page_parts(parts, page)? {
            Err(range) => Ok(RangeStatus::Need(range)),
            Ok(header) => {
                let info = ImageInfo {
                    page,
                    ..tiff_info(header)
                };
                check_size(&info)?;
                Ok(RangeStatus::Ready(Box::new(info)))
            }
        };
    }
    Ok(match probe_page(prefix, page)? {
        HeaderStatus::Ready(info) => RangeStatus::Ready(Box::new(info)),
        HeaderStatus::NeedMore => RangeStatus::Need(0..2 * prefix.len() as u64),
    })
}
