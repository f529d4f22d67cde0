//! A window over the inflated picture: rows are read out of it while the next ones are written.
//!
//! Deflate refers back up to 32 KiB, so what was read stays in front of what is unread
//! until the window is full and both move to its start.

use fdeflate::Decompressor;

use super::header::Allocate;
use crate::pipeline::PipelineError;

/// How far back deflate may refer (RFC 1951, section 2).
const HISTORY_BYTES: usize = 32 << 10;
/// Room for new bytes whenever the window was moved, so that moving costs less than a copy per byte.
const SLACK_BYTES: usize = 96 << 10;
/// The most to inflate in one go. An error loses what the same go produced before it,
/// so this is what a damaged file may lose in good bytes.
const STEP_BYTES: usize = 4 << 10;
/// Compressed bytes allowed per inflated byte: an honest stream has hardly more than one.
/// Blocks that build large tables and then produce nothing cost up to a microsecond per byte.
const MAX_EXPANSION: u64 = 4;
/// Compressed bytes that [`MAX_EXPANSION`] does not count.
const FREE_INPUT_BYTES: u64 = 64 << 10;

/// Why inflating stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inflated {
    /// The input is used up.
    NeedInput,
    /// There are new bytes to read, and perhaps more in the input.
    Some,
    /// The stream is over, and the picture is not complete.
    Over,
    /// The stream is damaged: no more bytes will come.
    Broken(&'static str),
}

impl Inflated {
    /// Whether more bytes may come.
    pub(super) const fn goes_on(self) -> bool {
        matches!(self, Self::NeedInput | Self::Some)
    }
}

/// The inflated bytes of the picture, as far as they are needed at one time.
pub(super) struct Window {
    inflater: Box<Decompressor>,
    buffer: Vec<u8>,
    read: usize,
    written: usize,
    /// Inflated bytes that the picture still needs; the rest of the stream is not inflated.
    missing: u64,
    produced: u64,
    consumed: u64,
}

impl Window {
    /// What a window that may hold `unread` bytes takes.
    pub(super) const fn bytes_for(unread: u64) -> u64 {
        // The inflater's tables take about 24 KiB.
        unread + (HISTORY_BYTES + SLACK_BYTES + (24 << 10)) as u64
    }

    /// A window for a picture of `total` filtered bytes, of which up to `unread` may wait to be read.
    pub(super) fn new(
        unread: usize,
        total: u64,
        allocate: Allocate,
    ) -> Result<Self, PipelineError> {
        let mut inflater = Box::new(Decompressor::new());
        inflater.ignore_adler32();
        Ok(Self {
            inflater,
            buffer: allocate.zeroed(HISTORY_BYTES + SLACK_BYTES + unread)?,
            read: 0,
            written: 0,
            missing: total,
            produced: 0,
            consumed: 0,
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

    /// Whether every byte of the picture has been inflated.
    pub(super) const fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// Inflates some of `input` and takes it off its front.
    pub(super) fn fill(&mut self, input: &mut &[u8]) -> Inflated {
        if self.inflater.is_done() {
            return Inflated::Over;
        }
        self.make_room();
        let room = (self.buffer.len() - self.written).min(STEP_BYTES);
        let room = usize::try_from(self.missing).map_or(room, |missing| missing.min(room));
        let end = self.written + room;
        let result = self
            .inflater
            .read(input, &mut self.buffer[..end], self.written, false);
        let Ok((consumed, produced)) = result else {
            return Inflated::Broken("the compressed data is damaged");
        };
        *input = &input[consumed..];
        self.written += produced;
        self.missing -= produced as u64;
        self.produced += produced as u64;
        self.consumed += consumed as u64;
        if self.consumed > FREE_INPUT_BYTES + MAX_EXPANSION * self.produced {
            return Inflated::Broken("the compressed data is larger than the picture");
        }
        match (produced, input.is_empty()) {
            (0, true) => Inflated::NeedInput,
            (0, false) if consumed == 0 && !self.inflater.is_done() => {
                Inflated::Broken("the compressed data does not go on")
            }
            _ => Inflated::Some,
        }
    }

    /// Moves what is still needed to the start when the end is near.
    fn make_room(&mut self) {
        if self.buffer.len() - self.written >= STEP_BYTES {
            return;
        }
        let keep = self.read.min(self.written.saturating_sub(HISTORY_BYTES));
        self.buffer.copy_within(keep..self.written, 0);
        self.read -= keep;
        self.written -= keep;
    }
}
