//! A later frame of a GIF: those before it are painted as their disposal says (GIF89a, section 23).

use super::GifDecoder;
use super::header::{GifHeader, HAS_PALETTE, Palette, malformed, read_palette};
use crate::decode::canvas::Placement;
use crate::decode::frames::{Area, Blend, FrameCanvas, FrameCounter};
use crate::decode::{Completeness, Decode, Plane, Progress, RowSink};
use crate::{ImageFormat, PipelineError};

/// The longest block that is held: a color table.
const MAX_HELD_BYTES: usize = 3 * 256;

/// What becomes of a frame when the next one comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Disposal {
    #[default]
    Keep,
    /// Its area becomes transparent, as browsers have it.
    Clear,
    /// Its area becomes what it was before the frame.
    Restore,
}

/// The graphic control extension, which is about the next frame.
#[derive(Debug, Clone, Copy, Default)]
struct Control {
    disposal: Disposal,
    transparent: Option<u8>,
}

impl Control {
    fn parse(block: &[u8]) -> Self {
        let &[flags, _, _, index, ..] = block else {
            return Self::default();
        };
        Self {
            // Section 23 leaves 4 to 7 undefined: they count as nothing special.
            disposal: match (flags >> 2) & 7 {
                2 => Disposal::Clear,
                3 => Disposal::Restore,
                _ => Disposal::Keep,
            },
            transparent: (flags & 1 != 0).then_some(index),
        }
    }
}

/// What the next bytes of the file are.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Screen,
    ScreenPalette { bytes: usize },
    Block,
    Label,
    ControlLength,
    Control { bytes: usize },
    SubBlockLength,
    SubBlock { left: usize },
    Descriptor,
    FramePalette { bytes: usize },
    CodeSize,
    PixelsLength,
    Pixels { left: usize },
}

impl Expected {
    /// How many bytes have to be there at once; those of pixels and of what is skipped come as they come.
    const fn held_bytes(self) -> usize {
        match self {
            // With the signature in front of it.
            Self::Screen => 13,
            Self::Descriptor => 9,
            Self::ScreenPalette { bytes }
            | Self::FramePalette { bytes }
            | Self::Control { bytes } => bytes,
            _ => 1,
        }
    }
}

/// The descriptor of a frame.
#[derive(Debug, Clone, Copy)]
struct Frame {
    area: Area,
    is_interlaced: bool,
    control: Control,
}

/// Decodes a GIF up to one of its frames, and gives the canvas as that frame shows it.
pub struct GifFrames {
    planes: [Plane; 1],
    canvas: FrameCanvas,
    walk: FrameCounter,
    expected: Expected,
    /// The bytes of what is expected, as far as they are there.
    held: Vec<u8>,
    palette: Option<Palette>,
    control: Control,
    frame: Option<Frame>,
    /// Of a frame that is painted.
    decoder: Option<GifDecoder>,
    completeness: Completeness,
    is_done: bool,
}

impl GifFrames {
    /// Prepares to decode frame `page` of the file whose header was read, counted from 0.
    ///
    /// A file whose frames up to that one have more than `max_pixels` in all is refused.
    pub fn new(header: &GifHeader, page: u32, max_pixels: u64) -> Result<Self, PipelineError> {
        let size = (header.width, header.height);
        Ok(Self {
            planes: [FrameCanvas::plane(size, 4)],
            canvas: FrameCanvas::new(size, 4)?,
            walk: FrameCounter::new(ImageFormat::Gif, page, max_pixels),
            expected: Expected::Screen,
            held: Vec::with_capacity(MAX_HELD_BYTES),
            palette: None,
            control: Control::default(),
            frame: None,
            decoder: None,
            completeness: Completeness::Whole,
            is_done: false,
        })
    }

    /// Takes bytes off the front of `input`; they are all of what is expected only when that is complete.
    fn hold(&mut self, input: &mut &[u8]) -> bool {
        let missing = self.expected.held_bytes() - self.held.len();
        let (bytes, rest) = input.split_at(missing.min(input.len()));
        self.held.extend_from_slice(bytes);
        *input = rest;
        bytes.len() == missing
    }

    /// Takes what was expected, and says what comes next.
    fn take(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Expected, PipelineError> {
        match self.expected {
            Expected::Screen | Expected::ScreenPalette { .. } | Expected::Block => {
                self.take_screen(bytes)
            }
            Expected::Descriptor => self.begin_frame(bytes),
            Expected::FramePalette { .. } => {
                self.open(Some(read_palette(bytes)))?;
                Ok(Expected::CodeSize)
            }
            Expected::CodeSize | Expected::PixelsLength => self.take_pixels(bytes, sink),
            _ => Ok(self.take_extension(bytes)),
        }
    }

    /// What is about the whole image, and what kind of block follows.
    fn take_screen(&mut self, bytes: &[u8]) -> Result<Expected, PipelineError> {
        Ok(match (self.expected, bytes) {
            (Expected::Screen, &[.., flags, _, _]) if flags & HAS_PALETTE != 0 => {
                Expected::ScreenPalette {
                    bytes: palette_bytes(flags),
                }
            }
            (Expected::ScreenPalette { .. }, _) => {
                self.palette = Some(read_palette(bytes));
                Expected::Block
            }
            (Expected::Block, [0x21]) => Expected::Label,
            (Expected::Block, [0x2c]) => Expected::Descriptor,
            (Expected::Block, [0x3b]) => return Err(self.walk.missing()),
            // Stray terminators are common and harmless.
            (Expected::Screen, _) | (Expected::Block, [0]) => Expected::Block,
            _ => return Err(malformed("it has a block of an unknown kind")),
        })
    }

    /// The parts of an extension; only those of the graphic control matter.
    fn take_extension(&mut self, bytes: &[u8]) -> Expected {
        let first = bytes.first().copied().unwrap_or(0);
        let length = usize::from(first);
        match (self.expected, length) {
            (Expected::Label, _) if first == 0xf9 => Expected::ControlLength,
            (Expected::Label, _) => Expected::SubBlockLength,
            (Expected::ControlLength, 1..) => Expected::Control { bytes: length },
            (Expected::Control { .. }, _) => {
                self.control = Control::parse(bytes);
                Expected::SubBlockLength
            }
            (_, 0) => Expected::Block,
            (_, left) => Expected::SubBlock { left },
        }
    }

    /// The parts around a frame's pixels, which its decoder wants to see as well.
    fn take_pixels(
        &mut self,
        bytes: &[u8],
        sink: &mut dyn RowSink,
    ) -> Result<Expected, PipelineError> {
        self.paint(bytes)?;
        let length = bytes.first().copied().map_or(0, usize::from);
        Ok(match (self.expected, length) {
            (Expected::CodeSize, _) => Expected::PixelsLength,
            (_, 0) => {
                self.end_frame(sink)?;
                Expected::Block
            }
            (_, left) => Expected::Pixels { left },
        })
    }

    fn begin_frame(&mut self, descriptor: &[u8]) -> Result<Expected, PipelineError> {
        let &[x0, x1, y0, y1, w0, w1, h0, h1, flags] = descriptor else {
            return Err(PipelineError::Bug(
                "a GIF descriptor of another length".into(),
            ));
        };
        let number = |low, high| u32::from(u16::from_le_bytes([low, high]));
        self.frame = Some(Frame {
            area: Area {
                origin: (number(x0, x1), number(y0, y1)),
                size: (number(w0, w1), number(h0, h1)),
            },
            is_interlaced: flags & 0x40 != 0,
            // A control extension is about one frame only.
            control: std::mem::take(&mut self.control),
        });
        self.walk.begin();
        if flags & HAS_PALETTE != 0 {
            return Ok(Expected::FramePalette {
                bytes: palette_bytes(flags),
            });
        }
        self.open(self.palette.clone())?;
        Ok(Expected::CodeSize)
    }

    /// Makes the decoder of a frame that leaves something behind, or is the one that is asked for.
    fn open(&mut self, palette: Option<Palette>) -> Result<(), PipelineError> {
        self.decoder = None;
        let Some(frame) = self.frame else {
            return Ok(());
        };
        let is_shown = self.walk.has_arrived() || frame.control.disposal == Disposal::Keep;
        // The decoder knows the frame alone; the painter knows its place.
        let placement = Placement::new(frame.area.size, (0, 0), frame.area.size);
        let Some(placement) = placement.filter(|_| is_shown && frame.area.pixels() > 0) else {
            return Ok(());
        };
        self.walk.pay(frame.area)?;
        let mut palette = palette.ok_or_else(|| malformed("a frame has no colors"))?;
        if let Some(index) = frame.control.transparent {
            palette[usize::from(index)] = [0; 4];
        }
        self.decoder = Some(GifDecoder::new(&GifHeader {
            width: frame.area.size.0,
            height: frame.area.size.1,
            // Rows that never come must not be painted.
            has_alpha: true,
            placement,
            is_interlaced: frame.is_interlaced,
            palette,
            data_start: 0,
        })?);
        Ok(())
    }

    fn paint(&mut self, bytes: &[u8]) -> Result<(), PipelineError> {
        if let (Some(decoder), Some(frame)) = (&mut self.decoder, self.frame) {
            let mut painter = self.canvas.painter(frame.area, Blend::Over);
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
            let mut painter = self.canvas.painter(frame.area, Blend::Over);
            // A frame of which there is nothing shows what is under it.
            let is_whole = matches!(decoder.finish(&mut painter), Ok(Completeness::Whole));
            if !is_whole {
                self.completeness = Completeness::Truncated;
            }
        }
        if self.walk.has_arrived() {
            self.canvas.emit(sink);
            self.is_done = true;
        // Only clearing takes work: a frame that is undone later was not painted at all.
        } else if frame.control.disposal == Disposal::Clear {
            self.walk.pay(frame.area)?;
            self.canvas.clear(frame.area);
        }
        Ok(())
    }
}

/// The bytes of a color table that the flags announce.
fn palette_bytes(flags: u8) -> usize {
    3 << ((flags & 7) + 1)
}

impl Decode for GifFrames {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn work(&self) -> u64 {
        self.walk.work()
    }

    fn feed(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Progress, PipelineError> {
        let mut rest = bytes;
        while !self.is_done && !rest.is_empty() {
            if let Expected::SubBlock { left } | Expected::Pixels { left } = self.expected {
                let (part, after) = rest.split_at(left.min(rest.len()));
                let left = left - part.len();
                rest = after;
                let is_pixels = matches!(self.expected, Expected::Pixels { .. });
                if is_pixels {
                    self.paint(part)?;
                }
                self.expected = match (left, is_pixels) {
                    (0, true) => Expected::PixelsLength,
                    (0, false) => Expected::SubBlockLength,
                    (left, true) => Expected::Pixels { left },
                    (left, false) => Expected::SubBlock { left },
                };
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
        // Some writers leave the trailer out.
        Err(match self.expected {
            Expected::Block => self.walk.missing(),
            _ => self.walk.cut(),
        })
    }
}
