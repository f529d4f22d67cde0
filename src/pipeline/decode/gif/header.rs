//! The blocks of a GIF up to its first frame's pixels (GIF89a, sections 17 to 23).

use super::lzw::LZW_BYTES;
use crate::decode::HeaderStatus;
use crate::decode::canvas::Placement;
use crate::decode::frames::FrameCanvas;
use crate::{ImageFormat, LimitError, PipelineError};

/// Blocks that may come before the first frame.
const MAX_BLOCKS: u64 = 10_000;

/// The flag of a screen or a frame that a color table follows.
pub(super) const HAS_PALETTE: u8 = 0x80;

/// What the LZW tables and the pixels between two calls take, with a color table and small buffers.
const TABLE_BYTES: u64 = LZW_BYTES + (8 << 10);

/// What the rows of the widest frame take, which may be wider than its canvas.
const ROW_BYTES: u64 = 9 * 65_535;

/// What is known of a GIF before its first frame's pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GifHeader {
    /// Width of the canvas in pixels.
    pub width: u32,
    /// Height of the canvas in pixels.
    pub height: u32,
    /// Some pixels of the first frame are transparent, or it does not cover the canvas.
    pub has_alpha: bool,
    pub(super) placement: Placement,
    /// Rows come in four passes.
    pub is_interlaced: bool,
    pub(super) palette: Palette,
    /// Where the pixels begin in the file.
    pub(super) data_start: u64,
}

impl GifHeader {
    /// Says what decoding takes at most, in bytes.
    pub fn peak_bytes(&self) -> u64 {
        let canvas = if self.placement.covers_canvas() {
            0
        } else {
            self.placement.peak_bytes()
        };
        // A row of indices, and of colors where it is cut.
        TABLE_BYTES + canvas + 9 * u64::from(self.width)
    }

    /// Says what decoding a later frame takes at most, in bytes.
    pub fn frames_peak_bytes(&self) -> u64 {
        FrameCanvas::bytes((self.width, self.height), 4) + TABLE_BYTES + ROW_BYTES
    }

    /// Channels of the first frame on its canvas: 3, or 4 with alpha.
    pub const fn channels(&self) -> u8 {
        if self.has_alpha { 4 } else { 3 }
    }
}

pub(super) fn malformed(detail: &'static str) -> PipelineError {
    PipelineError::malformed(ImageFormat::Gif, detail)
}

/// Reads the bytes of a prefix one after the other; `None` where it ends.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..)?.get(..len)?;
        self.at += len;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.first_chunk().copied()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// Reads the color table that the flags announce.
    fn palette(&mut self, flags: u8) -> Option<Palette> {
        // Three bytes for each of 2^(n + 1) colors (sections 18 and 20).
        self.take(3 << ((flags & 7) + 1)).map(read_palette)
    }

    /// Skips sub-blocks up to and with the empty one.
    fn skip_sub_blocks(&mut self) -> Option<()> {
        loop {
            match self.byte()? {
                0 => return Some(()),
                len => self.take(usize::from(len))?,
            };
        }
    }
}

/// RGBA by index.
pub type Palette = Box<[[u8; 4]; 256]>;

/// The palette of a color table's bytes; colors that it does not have are black.
pub(super) fn read_palette(table: &[u8]) -> Palette {
    let mut palette = Box::new([[0, 0, 0, 255]; 256]);
    for (entry, &[r, g, b]) in palette.iter_mut().zip(table.as_chunks::<3>().0) {
        *entry = [r, g, b, 255];
    }
    palette
}

/// Reads up to the first frame's pixels.
pub fn read_header(prefix: &[u8]) -> Result<HeaderStatus<GifHeader>, PipelineError> {
    let known = &prefix[..prefix.len().min(6)];
    if !b"GIF89a".starts_with(known) && !b"GIF87a".starts_with(known) {
        return Err(malformed("it does not begin with GIF87a or GIF89a"));
    }
    let mut cursor = Cursor {
        bytes: prefix,
        at: 6,
    };
    match read_blocks(&mut cursor) {
        Some(header) => header.map(HeaderStatus::Ready),
        None => Ok(HeaderStatus::NeedMore),
    }
}

/// `None` where the prefix ends.
fn read_blocks(cursor: &mut Cursor<'_>) -> Option<Result<GifHeader, PipelineError>> {
    // The background color and the shape of pixels are ignored, as in browsers.
    let [w0, w1, h0, h1, flags, _, _] = cursor.array()?;
    let screen = (u16::from_le_bytes([w0, w1]), u16::from_le_bytes([h0, h1]));
    let global = match flags & HAS_PALETTE {
        0 => None,
        _ => Some(cursor.palette(flags)?),
    };
    let mut transparent = None;
    for _ in 0..MAX_BLOCKS {
        match cursor.byte()? {
            0x2c => return read_frame(cursor, screen, global, transparent),
            0x21 if cursor.byte()? == 0xf9 => {
                let len = cursor.byte()?;
                let control = cursor.take(usize::from(len))?;
                if let &[flags, _, _, index, ..] = control {
                    // The flag for transparency (section 23).
                    transparent = (flags & 1 != 0).then_some(index);
                }
                if len > 0 {
                    cursor.skip_sub_blocks()?;
                }
            }
            0x21 => cursor.skip_sub_blocks()?,
            // Stray zeros between blocks are common and harmless.
            0 => {}
            0x3b => return Some(Err(malformed("it has no frame"))),
            _ => return Some(Err(malformed("it has a block of an unknown kind"))),
        }
    }
    Some(Err(LimitError::Count {
        what: "blocks before the first frame",
        max: MAX_BLOCKS,
    }
    .into()))
}

fn read_frame(
    cursor: &mut Cursor<'_>,
    screen: (u16, u16),
    global: Option<Palette>,
    transparent: Option<u8>,
) -> Option<Result<GifHeader, PipelineError>> {
    let [x0, x1, y0, y1, w0, w1, h0, h1, flags] = cursor.array()?;
    let local = match flags & HAS_PALETTE {
        0 => None,
        _ => Some(cursor.palette(flags)?),
    };
    let number = |low, high| u32::from(u16::from_le_bytes([low, high]));
    let (origin, size) = (
        (number(x0, x1), number(y0, y1)),
        (number(w0, w1), number(h0, h1)),
    );
    if size.0 == 0 || size.1 == 0 {
        return Some(Err(malformed("its first frame has no pixels")));
    }
    let Some(mut palette) = local.or(global) else {
        return Some(Err(malformed("it has no colors")));
    };
    if let Some(index) = transparent {
        palette[usize::from(index)] = [0; 4];
    }
    // A first frame that is larger than the screen enlarges it, as it does in browsers.
    let canvas = (
        u32::from(screen.0).max(origin.0 + size.0),
        u32::from(screen.1).max(origin.1 + size.1),
    );
    let Some(placement) = Placement::new(canvas, origin, size) else {
        return Some(Err(malformed("its first frame lies outside of its canvas")));
    };
    Some(Ok(GifHeader {
        width: canvas.0,
        height: canvas.1,
        has_alpha: transparent.is_some() || !placement.covers_canvas(),
        placement,
        // The flag for interlacing (section 20).
        is_interlaced: flags & 0x40 != 0,
        palette,
        data_start: cursor.at as u64,
    }))
}
