//! Where the chunks of an image (strips or tiles) lie, in the file and on the image.

use super::malformed;
use crate::PipelineError;

/// Samples of a pixel that we take; those beyond the colors and alpha are left out.
pub const MAX_SAMPLES: u32 = 16;

/// A strip or tile in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    pub start: u32,
    pub len: u32,
}

impl Chunk {
    pub fn end(self) -> u64 {
        u64::from(self.start) + u64::from(self.len)
    }
}

/// How an image is cut into chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub size: (u32, u32),
    pub chunk_size: (u32, u32),
    pub is_tiled: bool,
    /// Samples of a pixel, in all planes together.
    pub samples: u32,
    pub bits: u32,
    /// 1, or the number of samples if each has chunks of its own.
    pub planes: u32,
    /// By plane, then from the top left.
    pub chunks: Vec<Chunk>,
}

impl Layout {
    /// Chunks side by side.
    pub fn across(&self) -> u32 {
        self.size.0.div_ceil(self.chunk_size.0)
    }

    /// Rows of chunks.
    pub fn down(&self) -> u32 {
        self.size.1.div_ceil(self.chunk_size.1)
    }

    pub fn chunk_count(&self) -> u64 {
        u64::from(self.across()) * u64::from(self.down()) * u64::from(self.planes)
    }

    /// Samples of a pixel in one chunk.
    pub fn samples_per_chunk(&self) -> u32 {
        self.samples / self.planes
    }

    /// Bytes of a row of a chunk.
    pub fn chunk_row_bytes(&self) -> u64 {
        let bits = u64::from(self.samples_per_chunk()) * u64::from(self.bits);
        // Rows begin at whole bytes.
        (u64::from(self.chunk_size.0) * bits).div_ceil(8)
    }

    /// Bytes of an unpacked chunk.
    pub fn chunk_bytes(&self) -> u64 {
        self.chunk_row_bytes()
            .saturating_mul(u64::from(self.chunk_size.1))
    }

    /// Bytes of all chunks that a row of pixels needs.
    pub fn band_bytes(&self) -> u64 {
        self.chunk_bytes()
            .saturating_mul(u64::from(self.across()) * u64::from(self.planes))
    }

    /// The rows of the image that a row of chunks covers.
    pub fn band_rows(&self, band: u32) -> std::ops::Range<u32> {
        let start = band * self.chunk_size.1;
        start..self.size.1.min(start.saturating_add(self.chunk_size.1))
    }

    /// Rows that the chunks of a band store: only tiles are padded.
    pub fn stored_rows(&self, band: u32) -> u32 {
        if self.is_tiled {
            self.chunk_size.1
        } else {
            let rows = self.band_rows(band);
            rows.end - rows.start
        }
    }

    /// A chunk by its plane and its place on the image.
    pub fn chunk(&self, plane: u32, band: u32, column: u32) -> Option<Chunk> {
        // All chunks of a plane come before those of the next one.
        let index = (u64::from(plane) * u64::from(self.down()) + u64::from(band))
            * u64::from(self.across())
            + u64::from(column);
        self.chunks.get(usize::try_from(index).ok()?).copied()
    }

    /// Where the first chunk begins in the file. Empty ones lie nowhere.
    pub fn start(&self) -> u64 {
        let chunks = self.chunks.iter().filter(|chunk| chunk.len > 0);
        chunks
            .map(|chunk| u64::from(chunk.start))
            .min()
            .unwrap_or(self.end())
    }

    /// Where the last chunk ends in the file.
    pub fn end(&self) -> u64 {
        self.chunks
            .iter()
            .map(|chunk| chunk.end())
            .max()
            .unwrap_or(0)
    }

    /// Refuses chunks that overlap so often that unpacking them takes more work than a file of that size may.
    pub fn check(&self) -> Result<(), PipelineError> {
        if (self.chunks.len() as u64) < self.chunk_count() {
            return Err(malformed("some of its chunks have no length"));
        }
        let total: u64 = self.chunks.iter().map(|chunk| u64::from(chunk.len)).sum();
        if total > 2 * (self.end() - self.start()) {
            return Err(malformed("its chunks overlap"));
        }
        Ok(())
    }
}
