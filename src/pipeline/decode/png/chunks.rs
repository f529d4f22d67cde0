//! The frame of a PNG file: its signature and its chunks (PNG section 5).

use crate::{ImageFormat, PipelineError};

/// The first eight bytes of every PNG file.
pub(super) const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// A chunk has a length and a type before its data …
pub(super) const HEAD_BYTES: usize = 8;
/// … and a CRC behind it.
pub(super) const CRC_BYTES: usize = 4;

/// The length and the type of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChunkHead {
    pub(super) length: u32,
    pub(super) kind: [u8; 4],
}

impl ChunkHead {
    /// Reads the eight bytes before a chunk's data.
    pub(super) fn parse(bytes: [u8; HEAD_BYTES]) -> Result<Self, PipelineError> {
        let [l0, l1, l2, l3, kind @ ..] = bytes;
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        if !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err(malformed("a chunk's type is not four letters"));
        }
        // PNG 5.3: lengths stay below 2^31.
        if length > i32::MAX as u32 {
            return Err(malformed("a chunk is longer than 2^31 - 1 bytes"));
        }
        Ok(Self { length, kind })
    }

    /// Whether a decoder may ignore the chunk if it does not know it (PNG 5.4).
    pub(super) fn is_ancillary(self) -> bool {
        self.kind[0].is_ascii_lowercase()
    }
}

/// The CRC of a chunk's type and data (PNG annex D), bit by bit: only small chunks are checked.
pub(super) fn crc(kind: [u8; 4], data: &[u8]) -> u32 {
    // Starts with all ones and ends inverted (PNG annex D).
    !kind.iter().chain(data).fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            // All ones if the lowest bit is set, so there is no branch.
            (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

/// A piece of the image's compressed data, or the news that there is no more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Data of an IDAT chunk.
    Idat(&'a [u8]),
    /// IEND.
    End,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Signature,
    Head,
    Idat { left: u32 },
    Skip { left: u32, crc: bool },
    End,
}

/// Finds the IDAT chunks in a file that comes in pieces, holding at most eight bytes of it.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    partial: [u8; HEAD_BYTES],
    partial_len: usize,
}

impl Framing {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Signature,
            partial: [0; HEAD_BYTES],
            partial_len: 0,
        }
    }

    /// Takes bytes off the front of `input` up to the next part; `None` when they are used up.
    pub(super) fn next<'a>(
        &mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<Part<'a>>, PipelineError> {
        loop {
            match self.state {
                State::Signature => {
                    let Some(bytes) = self.collect(input) else {
                        return Ok(None);
                    };
                    if bytes != SIGNATURE {
                        return Err(malformed("the signature is wrong"));
                    }
                    self.state = State::Head;
                }
                State::Head => {
                    let Some(bytes) = self.collect(input) else {
                        return Ok(None);
                    };
                    self.state = after_head(ChunkHead::parse(bytes)?);
                }
                State::Idat { left } => {
                    if left == 0 {
                        self.state = State::Skip { left, crc: true };
                        continue;
                    }
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let data = take(input, left);
                    self.state = State::Idat {
                        left: left - data.len() as u32,
                    };
                    return Ok(Some(Part::Idat(data)));
                }
                State::Skip { left, crc } => {
                    let left = left - take(input, left).len() as u32;
                    self.state = match (left, crc) {
                        (0, false) => State::Head,
                        (0, true) => State::Skip {
                            left: CRC_BYTES as u32,
                            crc: false,
                        },
                        (left, crc) => State::Skip { left, crc },
                    };
                    if left > 0 {
                        return Ok(None);
                    }
                }
                State::End => return Ok(Some(Part::End)),
            }
        }
    }

    /// Collects eight bytes, perhaps over several pieces.
    fn collect(&mut self, input: &mut &[u8]) -> Option<[u8; HEAD_BYTES]> {
        let bytes = take(input, (HEAD_BYTES - self.partial_len) as u32);
        self.partial[self.partial_len..][..bytes.len()].copy_from_slice(bytes);
        self.partial_len += bytes.len();
        (self.partial_len == HEAD_BYTES).then(|| {
            self.partial_len = 0;
            self.partial
        })
    }
}

fn after_head(head: ChunkHead) -> State {
    match &head.kind {
        b"IDAT" => State::Idat { left: head.length },
        b"IEND" => State::End,
        _ => State::Skip {
            left: head.length,
            crc: true,
        },
    }
}

/// Takes at most `max` bytes off the front of `input`.
fn take<'a>(input: &mut &'a [u8], max: u32) -> &'a [u8] {
    let length = usize::try_from(max).map_or(input.len(), |max| max.min(input.len()));
    let (taken, rest) = input.split_at(length);
    *input = rest;
    taken
}

/// A [`PipelineError::Malformed`] for this format.
pub(super) fn malformed(detail: &'static str) -> PipelineError {
    PipelineError::malformed(ImageFormat::Png, detail)
}
