//! The beginning of a picture, held until its header can be read.

use crate::pipeline::decode::HeaderStatus;
use crate::pipeline::probe::incomplete;
use crate::pipeline::{ImageFormat, ImageInfo, PipelineError, probe_page};

/// How much of a file the edge searches for a complete header.
/// Camera files carry a preview and profiles in front of it, a few hundred KiB of them.
pub const EDGE_HEADER_BYTES: usize = 4 << 20;

/// Collects bytes until [`probe_page`] understands them.
#[derive(Debug)]
pub struct HeaderReader {
    /// All bytes so far, from the file's first one on.
    pub held: Vec<u8>,
    probed_len: usize,
    max_len: usize,
    page: u32,
}

impl HeaderReader {
    /// A reader that looks for the header of a page in the first `max_len` bytes.
    pub fn new(max_len: usize, page: u32) -> Self {
        Self {
            held: Vec::new(),
            probed_len: 0,
            max_len,
            page,
        }
    }

    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Reads the header, or says with `None` that more bytes are needed.
    ///
    /// `ended` says that there are none: an incomplete header is an error then.
    /// What it says follows from the first `max_len` bytes, however many more are here already.
    pub fn probe(&mut self, ended: bool) -> Result<Option<ImageInfo>, PipelineError> {
        let len = self.held.len().min(self.max_len);
        let is_all = ended || len == self.max_len;
        // Twice as much as last time, so that a header in many chunks is not read anew for each.
        if !is_all && (len == 0 || len < self.probed_len * 2) {
            return Ok(None);
        }
        self.probed_len = len;
        match probe_page(&self.held[..len], self.page)? {
            HeaderStatus::Ready(info) => Ok(Some(info)),
            HeaderStatus::NeedMore if !is_all => Ok(None),
            HeaderStatus::NeedMore if len == self.max_len => Err(PipelineError::UnknownFormat),
            HeaderStatus::NeedMore => Err(incomplete(&self.held[..len])),
        }
    }

    /// Whether a header that was not found may come behind everything else,
    /// as most writers of TIFF and some of HEIC put it.
    pub fn may_come_last(&self) -> bool {
        let format = ImageFormat::sniff(&self.held);
        self.held.len() >= self.max_len
            && matches!(format, Some(ImageFormat::Tiff | ImageFormat::Heic))
    }
}
