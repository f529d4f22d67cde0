//! An upload while it is read: counted, hashed, and held until it is stored.

use sha2::{Digest, Sha256};

use crate::api::Problem;
use crate::ports::{ChunkError, Chunks, ObjectStream};
use crate::service::accept::{PART_BYTES, too_large};
use crate::service::admission::CHUNK_BYTES;
use crate::service::header::{EDGE_HEADER_BYTES, HeaderReader};

/// Reads an upload. What it holds was reserved before, all of it: nothing ever grows.
pub struct Intake<'a, B> {
    chunks: &'a mut B,
    max_bytes: u64,
    /// The bytes that are held: from the file's first one on, or those of the next part.
    pub header: HeaderReader,
    /// How many fit.
    room: usize,
    /// The chunk that is being taken, and how much of it was.
    chunk: Vec<u8>,
    taken: usize,
    ended: bool,
    /// How many bytes have arrived.
    pub total: u64,
    hash: Sha256,
}

impl<'a, B: Chunks> Intake<'a, B> {
    /// An intake of at most `max_bytes` that holds `room` of them.
    pub fn new(
        chunks: &'a mut B,
        max_bytes: u64,
        room: usize,
        page: u32,
    ) -> Result<Self, ChunkError> {
        let mut intake = Self {
            chunks,
            max_bytes,
            header: HeaderReader::new(EDGE_HEADER_BYTES, page),
            room: 0,
            chunk: Vec::new(),
            taken: 0,
            ended: false,
            total: 0,
            hash: Sha256::new(),
        };
        intake.reserve(room)?;
        Ok(intake)
    }

    /// Makes room for so many bytes, where none are held.
    pub fn reserve(&mut self, room: usize) -> Result<(), ChunkError> {
        self.room = room;
        let reserved = self.header.held.try_reserve_exact(room);
        reserved.map_err(|_| ChunkError::NoMemory { bytes: room })
    }

    /// Whether nothing is left to be taken, and nothing comes any more.
    pub fn is_ended(&self) -> bool {
        self.ended && self.taken == self.chunk.len()
    }

    /// Takes what has arrived until `most` bytes are held; false at the end, or where no more fit.
    pub async fn pull(&mut self, most: usize) -> Result<bool, Problem> {
        if !self.arrive().await? {
            return Ok(false);
        }
        let arrived = &self.chunk[self.taken..];
        let most = most.min(self.room);
        let fits = arrived
            .len()
            .min(most.saturating_sub(self.header.held.len()));
        self.header.push(&arrived[..fits]);
        self.hash.update(&arrived[..fits]);
        self.taken += fits;
        Ok(fits > 0)
    }

    /// Waits for bytes that are still to be taken; false at the end.
    async fn arrive(&mut self) -> Result<bool, Problem> {
        while self.taken == self.chunk.len() {
            if self.ended {
                return Ok(false);
            }
            self.taken = 0;
            // The old one first: only one is ever held.
            self.chunk = Vec::new();
            let Some(chunk) = self.chunks.next().await? else {
                self.ended = true;
                return Ok(false);
            };
            self.total += chunk.len() as u64;
            if self.total > self.max_bytes {
                return Err(too_large(self.max_bytes));
            }
            self.chunk = chunk;
        }
        Ok(true)
    }

    /// Reads on until a part is full; true if the upload ended within it.
    pub async fn fill_part(&mut self) -> Result<bool, Problem> {
        while self.pull(PART_BYTES).await? {}
        // One that is as long as a part has ended too, if nothing follows.
        Ok(!self.arrive().await?)
    }

    /// Writes what is held, and holds nothing any more.
    pub async fn write_held(&mut self, stream: &mut impl ObjectStream) -> Result<(), Problem> {
        let held = std::mem::take(&mut self.header.held);
        for piece in held.chunks(CHUNK_BYTES) {
            stream.write(piece).await?;
        }
        Ok(())
    }

    /// Writes all that is still to come.
    pub async fn write_rest(&mut self, stream: &mut impl ObjectStream) -> Result<(), Problem> {
        while self.arrive().await? {
            stream.write(&self.chunk[self.taken..]).await?;
            self.taken = self.chunk.len();
        }
        Ok(())
    }

    /// The SHA-256 of all that was held.
    pub fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }
}
