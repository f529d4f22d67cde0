//! The beginning of an image, held until its header can be read.

use crate::service::metadata::MetadataFilter;
use thumbnail_pipeline::decode::HeaderStatus;
use thumbnail_pipeline::probe::incomplete;
use thumbnail_pipeline::{ImageFormat, ImageInfo, PipelineError, probe_page};

/// How much of a file the edge searches for a complete header.
/// Camera files carry a preview and profiles in front of it, a few hundred KiB of them.
pub const EDGE_HEADER_BYTES: usize = 4 << 20;

/// How many bytes of a file are looked at first: enough for most headers without metadata.
const FIRST_LEN: usize = 1 << 10;

/// Collects bytes until [`probe_page`] understands them.
#[derive(Debug)]
pub struct HeaderReader {
    /// All bytes so far, from the file's first one on, without the metadata that are dropped.
    pub held: Vec<u8>,
    filter: Option<MetadataFilter>,
    /// How many bytes came, those that were dropped included.
    received: usize,
    /// How many bytes are looked at next.
    next_len: usize,
    max_len: usize,
    page: u32,
}

impl HeaderReader {
    /// A reader that looks for the header of a page in the first `max_len` bytes.
    pub fn new(max_len: usize, page: u32) -> Self {
        Self {
            held: Vec::new(),
            filter: None,
            received: 0,
            next_len: FIRST_LEN.min(max_len),
            max_len,
            page,
        }
    }

    /// The same for who does not store what is held: metadata in front of a JPEG's image that its decoder
    /// does not read are not held, however long they are.
    pub fn without_metadata(max_len: usize, page: u32) -> Self {
        Self {
            filter: Some(MetadataFilter::new()),
            ..Self::new(max_len, page)
        }
    }

    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.received += bytes.len();
        let len = self.held.len() + bytes.len();
        if len > self.held.capacity() {
            let room = len.max(self.next_len) - self.held.len();
            self.held.reserve_exact(room);
        }
        match &mut self.filter {
            Some(filter) => filter.push(&mut self.held, bytes),
            None => self.held.extend_from_slice(bytes),
        }
    }

    /// How many bytes are needed before there is anything new to see.
    pub fn missing(&self) -> usize {
        self.next_len.saturating_sub(self.held.len())
    }

    /// Reads the header, or says with `None` that more bytes are needed.
    ///
    /// `ended` says that there are none: an incomplete header is an error then.
    ///
    /// Looked at are certain lengths of the file, each twice the one before: a header in many chunks is not read
    /// anew for each, and what is found, and how much is held for it, does not depend on them.
    pub fn probe(&mut self, ended: bool) -> Result<Option<ImageInfo>, PipelineError> {
        while self.missing() == 0 || ended {
            let len = self.next_len.min(self.held.len());
            if let HeaderStatus::Ready(info) = probe_page(&self.held[..len], self.page)? {
                return Ok(Some(ImageInfo {
                    held_bytes: self.next_len as u64,
                    ..info
                }));
            }
            if len >= self.max_len {
                return Err(PipelineError::UnknownFormat);
            }
            if ended && len == self.held.len() {
                return Err(incomplete(&self.held, self.received));
            }
            self.next_len = self.next_len.saturating_mul(2).min(self.max_len);
        }
        Ok(None)
    }

    /// Whether a header that was not found may come behind what is held:
    /// most writers of TIFF and some of HEIC put it behind everything else, and JPEG and PNG have metadata before it.
    pub fn may_come_last(&self) -> bool {
        let format = ImageFormat::sniff(&self.held);
        self.held.len() >= self.max_len
            && matches!(
                format,
                Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Tiff | ImageFormat::Heic)
            )
    }
}
