//! Splits a file that comes in chunks into segments and the data of scans.

use super::super::{Completeness, Decode, Plane, Progress};
use super::bits::find_marker;
use super::layout::BlockSize;
use super::picture::Picture;
use super::scan::{Input, ScanStatus};
use super::segments::{DHT, DQT, DRI, EOI, SOS, is_standalone, malformed};
use super::{JpegHeader, PipelineError, RowSink};

/// What is copied at once to complete what the last chunk left; more than the longest MCU.
const PIECE: usize = 8 << 10;

/// The longest segment that is held until all of it is there. All tables that there can be take 2700 bytes.
const MAX_HELD_SEGMENT: usize = 4 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between segments.
    Markers,
    /// In a segment of which so many bytes are left that mean nothing to us.
    Skip(usize),
    /// In the data of a scan.
    Entropy,
    /// After the last byte that matters.
    Ended,
    /// After the last row was given to the sink.
    Complete,
}

/// Decodes a JPEG file at a scale of its own for each component.
///
/// There is one plane of one channel for each component, or of red, green and blue.
/// Rows come in lockstep, a row of MCUs at a time: as they are decoded if the file has one scan, all at the end otherwise.
#[derive(Debug)]
pub struct JpegDecoder {
    picture: Picture,
    state: State,
    /// What was not used of the chunks so far.
    carry: Vec<u8>,
    /// The position in the file of the next byte that was not used.
    base: u64,
}

impl JpegDecoder {
    /// Prepares to decode the file that `header` was read from; `block_sizes` has one entry for each component.
    pub fn new(header: &JpegHeader, block_sizes: &[BlockSize]) -> Result<Self, PipelineError> {
        Self::with(header, block_sizes, None)
    }

    /// The same in RGB, where [`JpegHeader::rgb_planes`] is not `None`: colors out of gamut are cut off for each sample.
    pub fn new_rgb(header: &JpegHeader, block_sizes: &[BlockSize]) -> Result<Self, PipelineError> {
        Self::with(header, block_sizes, header.rgb_planes(block_sizes))
    }

    fn with(
        header: &JpegHeader,
        block_sizes: &[BlockSize],
        rgb: Option<Vec<Plane>>,
    ) -> Result<Self, PipelineError> {
        if block_sizes.len() != header.components.len() || !(1..=4).contains(&block_sizes.len()) {
            return Err(PipelineError::Bug(
                "a JPEG decoder needs one scale per component".into(),
            ));
        }
        Ok(Self {
            picture: Picture::new(header, block_sizes, rgb)?,
            state: State::Markers,
            carry: Vec::new(),
            base: 0,
        })
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Ended | State::Complete)
    }

    /// Uses as much of the input as possible and returns how much that was.
    fn advance(
        &mut self,
        input: Input<'_>,
        sink: &mut dyn RowSink,
    ) -> Result<usize, PipelineError> {
        let mut pos = 0;
        loop {
            match self.state {
                State::Ended | State::Complete => {
                    self.complete(sink)?;
                    return Ok(input.data.len());
                }
                State::Skip(left) => {
                    let step = left.min(input.data.len() - pos);
                    pos += step;
                    if step < left {
                        self.state = State::Skip(left - step);
                        return Ok(pos);
                    }
                    self.state = State::Markers;
                }
                State::Markers => match self.segment(input, pos) {
                    Ok(Some(next)) => pos = next,
                    // What comes before the next marker is not carried on.
                    Ok(None) => return Ok(find_marker(input.data, pos).unwrap_or_else(|at| at)),
                    Err(error) => self.give_up(error)?,
                },
                State::Entropy => {
                    if self.picture.run_scan(input, &mut pos, sink)? == ScanStatus::NeedMore {
                        return Ok(pos);
                    }
                    let ended = self.picture.end_scan();
                    self.state = if ended { State::Ended } else { State::Markers };
                }
            }
        }
    }

    /// Ends a damaged file with what there is, if that is anything. Limits are no damage.
    fn give_up(&mut self, error: PipelineError) -> Result<(), PipelineError> {
        if !self.picture.worthwhile
            || matches!(error, PipelineError::Limit(_) | PipelineError::Bug(_))
        {
            return Err(error);
        }
        self.picture.damaged = true;
        self.state = State::Ended;
        Ok(())
    }

    /// Takes the next marker and its segment, and returns where to go on, or `None` if it is not all there.
    fn segment(&mut self, input: Input<'_>, pos: usize) -> Result<Option<usize>, PipelineError> {
        let data = input.data;
        let Ok(at) = find_marker(data, pos) else {
            return Ok(None);
        };
        let marker = data.get(at + 1).copied().unwrap_or(0xFF);
        if marker == 0xFF {
            return Ok(Some(at + 1));
        }
        if is_standalone(marker) {
            if marker == EOI {
                // Scans of other components may be missing.
                self.picture.damaged |= !self.picture.has_every_dc();
                self.state = State::Ended;
            }
            return Ok(Some(at + 2));
        }
        let Some(length) = data.get(at + 2..).and_then(<[u8]>::first_chunk) else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes(*length)).max(2);
        // The header was read before, so a long APPn (EXIF, ICC) need not be held.
        if !matches!(marker, DQT | DHT | DRI | SOS) {
            self.state = State::Skip(length);
            return Ok(Some(at + 2));
        }
        if length > MAX_HELD_SEGMENT {
            return Err(malformed("a segment of tables is too long"));
        }
        let Some(payload) = data.get(at + 4..at + 2 + length) else {
            return Ok(None);
        };
        match marker {
            DQT => self.picture.tables.define_quant(payload)?,
            DHT => self.picture.tables.define_huffman(payload)?,
            DRI => self.picture.tables.define_restart(payload)?,
            // The data of a scan that is not needed is searched for a marker like garbage between segments.
            _ if self.picture.begin_scan(payload)? => self.state = State::Entropy,
            _ => {}
        }
        Ok(Some(at + 2 + length))
    }

    /// Gives the sink the rows that it has not had, once.
    fn complete(&mut self, sink: &mut dyn RowSink) -> Result<(), PipelineError> {
        if self.state != State::Complete {
            self.picture.emit_rest(sink)?;
            self.state = State::Complete;
            self.carry = Vec::new();
        }
        Ok(())
    }

    /// Decodes what is carried from earlier chunks, completed by pieces of `bytes`; returns what is left of them.
    fn advance_carry<'a>(
        &mut self,
        mut bytes: &'a [u8],
        sink: &mut dyn RowSink,
    ) -> Result<&'a [u8], PipelineError> {
        while !self.carry.is_empty() && !bytes.is_empty() {
            // A piece completes what is carried; after that the chunk is used where it lies.
            let (piece, rest) = bytes.split_at(bytes.len().min(PIECE));
            let old = self.carry.len();
            let mut carry = std::mem::take(&mut self.carry);
            carry.extend_from_slice(piece);
            let input = Input {
                data: &carry,
                base: self.base,
                eof: false,
            };
            let used = self.advance(input, sink)?;
            self.base += used as u64;
            if used >= old {
                // From here on the chunk itself will do.
                carry.clear();
                bytes = bytes.get(used - old..).unwrap_or_default();
            } else {
                carry.drain(..used);
                bytes = rest;
            }
            self.carry = carry;
        }
        Ok(bytes)
    }
}

impl Decode for JpegDecoder {
    fn planes(&self) -> &[Plane] {
        self.picture.planes()
    }

    fn work(&self) -> u64 {
        self.picture.work()
    }

    fn feed(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Progress, PipelineError> {
        let bytes = self.advance_carry(bytes, sink)?;
        if !bytes.is_empty() && self.state != State::Complete {
            let input = Input {
                data: bytes,
                base: self.base,
                eof: false,
            };
            let used = self.advance(input, sink)?;
            self.base += used as u64;
            self.carry
                .extend_from_slice(bytes.get(used..).unwrap_or_default());
        }
        if self.is_over() {
            self.complete(sink)?;
            return Ok(Progress::Done);
        }
        Ok(Progress::NeedMore)
    }

    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        if !self.is_over() {
            let carry = std::mem::take(&mut self.carry);
            let input = Input {
                data: &carry,
                base: self.base,
                eof: true,
            };
            self.advance(input, sink)?;
            // Without EOI, scans that refine the image may be missing.
            self.picture.damaged |= !self.is_over();
        }
        self.complete(sink)?;
        Ok(if self.picture.damaged {
            Completeness::Truncated
        } else {
            Completeness::Whole
        })
    }
}
