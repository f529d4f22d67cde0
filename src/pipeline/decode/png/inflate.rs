//! A window over the inflated image: rows are read out of it while the next ones are written.
//!
//! Deflate refers back up to 32 KiB, so what was read stays in front of what is unread
//! until the window is full and both move to its start.

pub(super) use crate::decode::inflate::Inflated;
use crate::decode::inflate::{HISTORY_BYTES, Inflater, SLACK_BYTES, TABLE_BYTES};

use super::header::Allocate;
use crate::PipelineError;
use crate::work::of_tables;

/// Room for new bytes whenever the window was moved, so that moving costs less than a copy per byte.
const NEW_BYTES: usize = 96 << 10;
/// The most to inflate in one go: rows are taken out while they are in the cache.
const STEP_BYTES: usize = 4 << 10;
/// What the inflater takes besides its tables.
const STATE_BYTES: usize = 2 << 10;

/// The inflated bytes of the image, as far as they are needed at one time.
pub(super) struct Window {
    inflater: Box<Inflater>,
    buffer: Vec<u8>,
    read: usize,
    written: usize,
    /// Inflated bytes that the image still needs; the rest of the stream is not inflated.
    missing: u64,
}

impl Window {
    /// What a window that may hold `unread` bytes takes.
    pub(super) const fn bytes_for(unread: u64) -> u64 {
        let fixed = HISTORY_BYTES + NEW_BYTES + SLACK_BYTES + TABLE_BYTES + STATE_BYTES;
        unread + fixed as u64
    }

    /// A window for an image of `total` filtered bytes, of which up to `unread` may wait to be read.
    pub(super) fn new(
        unread: usize,
        total: u64,
        allocate: Allocate,
    ) -> Result<Self, PipelineError> {
        Ok(Self {
            inflater: Box::new(Inflater::new()),
            buffer: allocate.zeroed(HISTORY_BYTES + NEW_BYTES + SLACK_BYTES + unread)?,
            read: 0,
            written: 0,
            missing: total,
        })
    }

    /// The bytes to read.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.read..self.written]
    }

    /// Marks bytes as read.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.read = (self.read + bytes).min(self.written);
    }

    /// Whether every byte of the image has been inflated.
    pub(super) const fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// The work that the header did not tell of: tables of blocks, however little is in them.
    pub(super) fn work(&self) -> u64 {
        of_tables(self.inflater.built_tables())
    }

    /// Inflates some of `input` and takes it off its front.
    pub(super) fn fill(&mut self, input: &mut &[u8]) -> Inflated {
        self.make_room();
        // What the image does not need is not inflated.
        let room = self.buffer.len() - self.written;
        let room = usize::try_from(self.missing).map_or(room, |missing| missing.min(room));
        let output = &mut self.buffer[..self.written + room];
        let until = self.written + STEP_BYTES;
        let (end, stop) = self.inflater.inflate(input, output, self.written, until);
        self.missing -= (end - self.written) as u64;
        self.written = end;
        stop
    }

    /// Moves what is still needed to the start when the end is near.
    fn make_room(&mut self) {
        if self.buffer.len() - self.written >= STEP_BYTES + SLACK_BYTES {
            return;
        }
        // Deflate may refer back to history that was read long ago.
        let keep = self.read.min(self.written.saturating_sub(HISTORY_BYTES));
        self.buffer.copy_within(keep..self.written, 0);
        self.read -= keep;
        self.written -= keep;
    }
}
