//! A later frame of an animated WebP, on a canvas that is held whole (RFC 9649, section 2.7.1.1).

use super::header::max_frame_bytes;
use super::riff::{FRAME_HEADER_BYTES, FrameHeader, chunk_at};
use super::{LoopFilter, WebpDecoder, WebpHeader, read_header};
use crate::decode::buffer::{try_append, try_reserved};
use crate::decode::canvas::Placement;
use crate::decode::frames::{Area, Blend, FrameCanvas, FrameCounter};
use crate::decode::{Completeness, Decode, HeaderStatus, Plane, Progress, RowSink};
use crate::{ImageFormat, LimitError, PipelineError};

/// RIFF, a length that nobody reads, WEBP.
const FILE_HEADER: [u8; 12] = *b"RIFF\0\0\0\0WEBP";
const CHUNK_HEADER_BYTES: usize = 8;

/// Bit of a frame's flags: its pixels replace what is under them.
const REPLACES: u8 = 2;
/// Bit of a frame's flags: its area becomes transparent when the next frame comes.
const IS_CLEARED: u8 = 1;

/// What the next bytes of the file are.
#[derive(Debug, Clone, Copy)]
enum Expected {
    File,
    Chunk,
    FrameHeader {
        left: u64,
    },
    /// The chunks of a frame's image, which are held.
    Picture {
        left: u64,
    },
    Skip {
        left: u64,
    },
}

impl Expected {
    /// How many bytes have to be there at once.
    const fn held_bytes(self) -> usize {
        match self {
            Self::File => FILE_HEADER.len(),
            Self::Chunk => CHUNK_HEADER_BYTES,
            _ => FRAME_HEADER_BYTES,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    area: Area,
    blend: Blend,
    is_cleared: bool,
    /// Whether it is decoded: it leaves something behind, or is the one that is asked for.
    is_painted: bool,
}

/// Decodes an animated WebP up to one of its frames, and gives the canvas as that frame shows it.
pub struct WebpFrames {
    planes: [Plane; 1],
    size: (u32, u32),
    canvas: FrameCanvas,
    walk: FrameCounter,
    filter: LoopFilter,
    expected: Expected,
    /// The bytes of what is expected, as far as they are there.
    held: Vec<u8>,
    frame: Option<Frame>,
    /// The frame as a file of its own, as far as it is there.
    picture: Vec<u8>,
    completeness: Completeness,
    is_done: bool,
}

impl WebpFrames {
    /// Prepares to decode frame `page` of the file whose header was read, counted from 0.
    ///
    /// A file whose frames up to that one have more than `max_pixels` in all is refused.
    pub fn new(
        header: &WebpHeader,
        page: u32,
        filter: LoopFilter,
        max_pixels: u64,
    ) -> Result<Self, PipelineError> {
        let size = (header.width, header.height);
        Ok(Self {
            planes: [FrameCanvas::plane(size, 4)],
            size,
            canvas: FrameCanvas::new(size, 4)?,
            walk: FrameCounter::new(ImageFormat::WebP, page, max_pixels),
            filter,
            expected: Expected::File,
            held: Vec::with_capacity(FRAME_HEADER_BYTES),
            frame: None,
            picture: Vec::new(),
            completeness: Completeness::Whole,
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

    fn take(&mut self, bytes: &[u8]) -> Result<Expected, PipelineError> {
        Ok(match self.expected {
            Expected::File => Expected::Chunk,
            Expected::Chunk => {
                let Some((id, span)) = chunk_at(bytes, 0) else {
                    return Err(PipelineError::Bug(
                        "a chunk header of another length".into(),
                    ));
                };
                // Padded to an even length.
                let left = u64::from(span.len) + u64::from(span.len & 1);
                match &id {
                    b"ANMF" if span.len < 24 => {
                        return Err(malformed("it has a frame without an image"));
                    }
                    b"ANMF" => Expected::FrameHeader {
                        left: left - FRAME_HEADER_BYTES as u64,
                    },
                    _ => Expected::Skip { left },
                }
            }
            Expected::FrameHeader { left } => self.begin_frame(bytes, left)?,
            Expected::Picture { .. } | Expected::Skip { .. } => self.expected,
        })
    }

    fn begin_frame(&mut self, header: &[u8], left: u64) -> Result<Expected, PipelineError> {
        let FrameHeader {
            origin,
            size,
            flags,
        } = FrameHeader::parse(header);
        if Placement::new(self.size, origin, size).is_none() {
            return Err(malformed("a frame lies outside of its canvas"));
        }
        let is_cleared = flags & IS_CLEARED != 0;
        let frame = Frame {
            area: Area { origin, size },
            blend: if flags & REPLACES != 0 {
                Blend::Source
            } else {
                Blend::Over
            },
            is_cleared,
            is_painted: self.walk.begin() || !is_cleared,
        };
        self.frame = Some(frame);
        if !frame.is_painted {
            return Ok(Expected::Picture { left });
        }
        self.walk.pay(frame.area)?;
        let max = max_frame_bytes(size);
        if left > max {
            let what = "bytes in a frame of its size";
            return Err(LimitError::Count { what, max }.into());
        }
        // At most two bytes for each pixel of a canvas that is held as well.
        self.picture = try_reserved(FILE_HEADER.len() + left as usize)?;
        self.picture.extend_from_slice(&FILE_HEADER);
        Ok(Expected::Picture { left })
    }

    /// Decodes the frame that is held, as far as it is there, and ends it.
    fn end_frame(&mut self, sink: &mut dyn RowSink) -> Result<(), PipelineError> {
        let Some(frame) = self.frame.take() else {
            return Ok(());
        };
        let picture = std::mem::take(&mut self.picture);
        if frame.is_painted && !self.paint(frame, &picture)? {
            self.completeness = Completeness::Truncated;
        }
        if self.walk.has_arrived() {
            // A frame is cleared after it was shown, so the one that is asked for keeps its pixels.
            self.canvas.emit(sink);
            self.is_done = true;
        } else if frame.is_cleared {
            self.walk.pay(frame.area)?;
            self.canvas.clear(frame.area);
        }
        Ok(())
    }

    /// Whether all of the frame was there.
    fn paint(&mut self, frame: Frame, picture: &[u8]) -> Result<bool, PipelineError> {
        let HeaderStatus::Ready(header) = read_header(picture)? else {
            return Ok(false);
        };
        if (header.width, header.height) != frame.area.size {
            return Err(malformed(
                "its image has another size than its container says",
            ));
        }
        let mut painter = self.canvas.painter(frame.area, frame.blend);
        let mut decoder = WebpDecoder::of_frame(&header, self.filter);
        decoder.feed(picture, &mut painter)?;
        Ok(decoder.finish(&mut painter)? == Completeness::Whole)
    }

    /// Takes bytes that need not be there at once.
    fn stream(&mut self, bytes: &mut &[u8], sink: &mut dyn RowSink) -> Result<(), PipelineError> {
        let (left, is_picture) = match self.expected {
            Expected::Picture { left } => (left, true),
            Expected::Skip { left } => (left, false),
            _ => return Ok(()),
        };
        let len = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let (part, rest) = bytes.split_at(len);
        *bytes = rest;
        let left = left - part.len() as u64;
        if is_picture && self.frame.is_some_and(|frame| frame.is_painted) {
            try_append(&mut self.picture, part)?;
        }
        self.expected = match (is_picture, left) {
            (true, 0) => {
                self.end_frame(sink)?;
                Expected::Chunk
            }
            (false, 0) => Expected::Chunk,
            (true, left) => Expected::Picture { left },
            (false, left) => Expected::Skip { left },
        };
        Ok(())
    }
}

fn malformed(detail: &'static str) -> PipelineError {
    PipelineError::malformed(ImageFormat::WebP, detail)
}

impl Decode for WebpFrames {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn work(&self) -> u64 {
        self.walk.work()
    }

    fn feed(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Progress, PipelineError> {
        let mut rest = bytes;
        while !self.is_done && !rest.is_empty() {
            if let Expected::Picture { .. } | Expected::Skip { left: 1.. } = self.expected {
                self.stream(&mut rest, sink)?;
            } else if let Expected::Skip { .. } = self.expected {
                self.expected = Expected::Chunk;
            } else if self.hold(&mut rest) {
                let held = std::mem::take(&mut self.held);
                self.expected = self.take(&held)?;
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
        // What follows the last frame may be cut without anybody missing it.
        Err(match self.expected {
            Expected::FrameHeader { .. } | Expected::Picture { .. } => self.walk.cut(),
            _ => self.walk.missing(),
        })
    }
}
