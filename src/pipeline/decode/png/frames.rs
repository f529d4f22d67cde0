//! A later frame of an animated PNG, on a canvas that is held whole (PNG third edition, sections 4.10 and 11.3.4).
//!
//! Page 0 is the default image, which viewers without animation show, too.
//! Where that is no frame of the animation, the frames are the pages from 1 on.

use super::PngDecoder;
use super::chunks::{CRC_BYTES, ChunkHead, HEAD_BYTES, SIGNATURE, malformed};
use super::header::PngHeader;
use crate::decode::canvas::Placement;
use crate::decode::frames::{Area, Blend, FrameCanvas, FrameCounter};
use crate::decode::{Completeness, Decode, Plane, Progress, RowSink};
use crate::{ImageFormat, PipelineError};

/// The data of an fcTL chunk.
const CONTROL_BYTES: usize = 26;
/// What an fdAT chunk has before the data that an IDAT chunk would have.
const SEQUENCE_BYTES: usize = 4;

/// What becomes of a frame when the next one comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disposal {
    Keep,
    Clear,
    Restore,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    area: Area,
    disposal: Disposal,
    blend: Blend,
}

impl Frame {
    /// Reads the data of an fcTL chunk.
    fn parse(control: &[u8], canvas: (u32, u32)) -> Result<Self, PipelineError> {
        let (words, _) = control.as_chunks::<4>();
        let &[_, width, height, x, y, ..] = words else {
            return Err(malformed("an fcTL chunk is too short"));
        };
        let [width, height, x, y] = [width, height, x, y].map(u32::from_be_bytes);
        let (origin, size) = ((x, y), (width, height));
        if width == 0 || height == 0 || Placement::new(canvas, origin, size).is_none() {
            return Err(malformed("a frame lies outside of the image"));
        }
        Ok(Self {
            area: Area { origin, size },
            // APNG_DISPOSE_OP_BACKGROUND and APNG_DISPOSE_OP_PREVIOUS.
            disposal: match control.get(24) {
                Some(1) => Disposal::Clear,
                Some(2) => Disposal::Restore,
                _ => Disposal::Keep,
            },
            blend: match control.get(25) {
                Some(1) => Blend::Over,
                _ => Blend::Source,
            },
        })
    }
}

/// What the next bytes of the file are.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Signature,
    Head,
    Control { left: u32 },
    Sequence { left: u32 },
    Pixels { left: u32 },
    Skip { left: u64 },
}

impl Expected {
    /// How many bytes have to be there at once.
    const fn held_bytes(self) -> usize {
        match self {
            Self::Signature | Self::Head => HEAD_BYTES,
            Self::Control { .. } => CONTROL_BYTES,
            _ => SEQUENCE_BYTES,
        }
    }
}

/// Decodes an animated PNG up to one of its frames, and gives the canvas as that frame shows it.
pub struct PngFrames {
    planes: [Plane; 1],
    header: PngHeader,
    canvas: FrameCanvas,
    walk: FrameCounter,
    expected: Expected,
    /// The bytes of what is expected, as far as they are there.
    held: Vec<u8>,
    frame: Option<Frame>,
    /// Of a frame that is painted.
    decoder: Option<PngDecoder>,
    /// The work of the frames before, that no header told of.
    ended_work: u64,
    completeness: Completeness,
    has_ended: bool,
    is_done: bool,
}

impl PngFrames {
    /// Prepares to decode a page of the file that `header` was read from, 1 or more.
    ///
    /// A file whose frames up to that one have more than `max_pixels` in all is refused.
    pub fn new(header: &PngHeader, page: u32, max_pixels: u64) -> Result<Self, PipelineError> {
        let size = (header.width, header.height);
        let channels = header.frame_channels();
        Ok(Self {
            planes: [FrameCanvas::plane(size, channels)],
            // Every frame has a copy of it: without what can be large and is not about pixels.
            header: PngHeader {
                icc: None,
                exif: None,
                ..header.clone()
            },
            canvas: FrameCanvas::new(size, channels)?,
            walk: FrameCounter::new(ImageFormat::Png, page, max_pixels),
            expected: Expected::Signature,
            held: Vec::with_capacity(CONTROL_BYTES),
            frame: None,
            decoder: None,
            ended_work: 0,
            completeness: Completeness::Whole,
            has_ended: false,
            is_done: false,
        })
    }

    /// Takes bytes off the front of `input`; false where they are not all of what is expected.
    fn hold(&mut self, input: &mut &[u8]) -> bool {
        let missing = self.expected.held_bytes() - self.held.len();
        let (bytes, rest) = input.split_at(missing.min(input.len()));
        self.held.extend_from_slice(bytes);
        *input = rest;
        bytes.len() == missing
    }

    fn take(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Expected, PipelineError> {
        match self.expected {
            Expected::Signature if bytes == SIGNATURE => Ok(Expected::Head),
            Expected::Signature => Err(malformed("the signature is wrong")),
            Expected::Head => {
                let head = bytes.first_chunk().copied().unwrap_or_default();
                self.take_head(ChunkHead::parse(head)?, sink)
            }
            Expected::Control { left } => {
                self.begin_frame(bytes)?;
                Ok(skip(left))
            }
            Expected::Sequence { left } => self.begin_pixels(left),
            Expected::Pixels { .. } | Expected::Skip { .. } => Ok(self.expected),
        }
    }

    fn take_head(
        &mut self,
        head: ChunkHead,
        sink: &mut dyn RowSink,
    ) -> Result<Expected, PipelineError> {
        let length = head.length as usize;
        Ok(match &head.kind {
            b"fcTL" if length < CONTROL_BYTES => {
                return Err(malformed("an fcTL chunk is too short"));
            }
            b"fcTL" => {
                self.end_frame(sink)?;
                Expected::Control {
                    left: head.length - CONTROL_BYTES as u32,
                }
            }
            // Without an fcTL chunk before it, the default image is a page and no frame.
            b"IDAT" if self.frame.is_some() => return self.begin_pixels(head.length),
            b"fdAT" if self.frame.is_some() && length >= SEQUENCE_BYTES => Expected::Sequence {
                left: head.length - SEQUENCE_BYTES as u32,
            },
            b"IEND" => {
                self.end_frame(sink)?;
                self.has_ended = true;
                skip(head.length)
            }
            _ => skip(head.length),
        })
    }

    fn begin_frame(&mut self, control: &[u8]) -> Result<(), PipelineError> {
        let canvas = (self.header.width, self.header.height);
        let mut frame = Frame::parse(control, canvas)?;
        if !self.walk.has_begun() {
            match self.header.default_is_frame {
                true if frame.area.size != canvas => {
                    return Err(malformed("its first frame does not cover the image"));
                }
                true => {}
                // That was the default image.
                false => _ = self.walk.begin(),
            }
            // Before the first frame the canvas is empty.
            if frame.disposal == Disposal::Restore {
                frame.disposal = Disposal::Clear;
            }
        }
        self.frame = Some(frame);
        // A frame that is cleared or undone leaves nothing, so it is skipped unless it is asked for.
        if self.walk.begin() || frame.disposal == Disposal::Keep {
            self.open(frame)?;
        }
        Ok(())
    }

    fn open(&mut self, frame: Frame) -> Result<(), PipelineError> {
        self.walk.pay(frame.area)?;
        let mut decoder = PngDecoder::new(&PngHeader {
            width: frame.area.size.0,
            height: frame.area.size.1,
            ..self.header.clone()
        })?;
        let mut painter = self.canvas.painter(frame.area, frame.blend);
        decoder.feed(&SIGNATURE, &mut painter)?;
        self.decoder = Some(decoder);
        Ok(())
    }

    /// The decoder of a frame is given IDAT chunks, whatever the file has.
    fn begin_pixels(&mut self, length: u32) -> Result<Expected, PipelineError> {
        let [l0, l1, l2, l3] = length.to_be_bytes();
        self.paint(&[l0, l1, l2, l3, b'I', b'D', b'A', b'T'])?;
        Ok(Expected::Pixels { left: length })
    }

    fn paint(&mut self, bytes: &[u8]) -> Result<(), PipelineError> {
        if let (Some(decoder), Some(frame)) = (&mut self.decoder, self.frame) {
            let mut painter = self.canvas.painter(frame.area, frame.blend);
            decoder.feed(bytes, &mut painter)?;
        }
        Ok(())
    }

    /// Ends a frame: gives the canvas if it is the one that is asked for, or makes room for the next one.
    fn end_frame(&mut self, sink: &mut dyn RowSink) -> Result<(), PipelineError> {
        let Some(frame) = self.frame.take() else {
            return Ok(());
        };
        if let Some(mut decoder) = self.decoder.take() {
            let mut painter = self.canvas.painter(frame.area, frame.blend);
            // A frame of which there is nothing shows what is under it.
            if decoder.finish(&mut painter) != Ok(Completeness::Whole) {
                self.completeness = Completeness::Truncated;
            }
            self.ended_work = self.ended_work.saturating_add(decoder.work());
        }
        if self.walk.has_arrived() {
            self.canvas.emit(sink);
            self.is_done = true;
        // Undoing takes no work: such a frame was not painted.
        } else if frame.disposal == Disposal::Clear {
            self.walk.pay(frame.area)?;
            self.canvas.clear(frame.area);
        }
        Ok(())
    }

    /// Takes bytes that need not be there at once.
    fn stream(&mut self, bytes: &mut &[u8]) -> Result<(), PipelineError> {
        let (left, is_pixels) = match self.expected {
            Expected::Pixels { left } => (u64::from(left), true),
            Expected::Skip { left } => (left, false),
            _ => return Ok(()),
        };
        let len = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let (part, rest) = bytes.split_at(len);
        *bytes = rest;
        let left = left - part.len() as u64;
        if is_pixels {
            self.paint(part)?;
        }
        self.expected = match (is_pixels, left) {
            (true, 0) => {
                // The decoder does not check it, but it wants to see one.
                self.paint(&[0; CRC_BYTES])?;
                skip(0)
            }
            (true, left) => Expected::Pixels { left: left as u32 },
            (false, 0) => Expected::Head,
            (false, left) => Expected::Skip { left },
        };
        Ok(())
    }
}

/// Skips the rest of a chunk and its CRC.
fn skip(left: u32) -> Expected {
    Expected::Skip {
        left: u64::from(left) + CRC_BYTES as u64,
    }
}

impl Decode for PngFrames {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn work(&self) -> u64 {
        let running = self.decoder.as_ref().map_or(0, PngDecoder::work);
        let frames = self.ended_work.saturating_add(running);
        self.walk.work().saturating_add(frames)
    }

    fn feed(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Progress, PipelineError> {
        let mut rest = bytes;
        while !self.is_done && !rest.is_empty() {
            if self.has_ended {
                return Err(self.walk.missing());
            }
            let streams = matches!(
                self.expected,
                Expected::Pixels { left: 1.. } | Expected::Skip { .. }
            );
            if streams {
                self.stream(&mut rest)?;
            } else if matches!(self.expected, Expected::Pixels { .. }) {
                self.paint(&[0; CRC_BYTES])?;
                self.expected = skip(0);
            } else if self.hold(&mut rest) {
                let held = std::mem::take(&mut self.held);
                self.expected = self.take(&held, sink)?;
                self.held = held;
                self.held.clear();
            }
        }
        Ok(if self.is_done {
            Progress::Done
        } else {
            Progress::NeedMore
        })
    }

    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        if self.is_done {
            return Ok(self.completeness);
        }
        if self.walk.has_arrived() {
            self.completeness = Completeness::Truncated;
            self.end_frame(sink)?;
            return Ok(self.completeness);
        }
        Err(if self.has_ended {
            self.walk.missing()
        } else {
            self.walk.cut()
        })
    }
}
