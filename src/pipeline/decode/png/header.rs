//! What a file says before its first IDAT chunk: IHDR, the palette, and the chunks that tell how to show it.

use super::chunks::{CRC_BYTES, ChunkHead, HEAD_BYTES, SIGNATURE, crc, malformed};
use super::expand::OutputLayout;
use super::inflate::Window;
use super::metadata::{Chromaticities, Cicp, MetadataChunks};
use crate::decode::HeaderStatus;
use crate::decode::frames::FrameCanvas;
use crate::{ImageFormat, LimitError, PipelineError};

/// The most bytes before the first IDAT chunk. It bounds what the caller holds to read a header,
/// and with at least twelve bytes to a chunk also the number of chunks.
const MAX_HEADER_BYTES: usize = 8 << 20;

/// Rows that are unfiltered at once …
pub(super) const GROUP_ROWS: usize = 4;
/// … unless they are longer than this.
pub(super) const MAX_GROUPED_ROW_BYTES: u64 = 1 << 20;

/// The most memory a decoder takes, whatever the caller's budget: rows of 2^31 pixels are legal.
const MAX_DECODER_BYTES: u64 = 256 << 20;

/// The color types of PNG (section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorType {
    /// One channel.
    Gray,
    /// Three channels.
    Rgb,
    /// Indices into the palette.
    Indexed,
    /// Gray and alpha.
    GrayAlpha,
    /// Three channels and alpha.
    Rgba,
}

impl ColorType {
    /// Channels of a pixel in the file.
    pub(super) const fn file_channels(self) -> u8 {
        match self {
            Self::Gray | Self::Indexed => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    fn parse(code: u8, bit_depth: u8) -> Option<Self> {
        match (code, bit_depth) {
            (0, 1 | 2 | 4 | 8 | 16) => Some(Self::Gray),
            (2, 8 | 16) => Some(Self::Rgb),
            (3, 1 | 2 | 4 | 8) => Some(Self::Indexed),
            (4, 8 | 16) => Some(Self::GrayAlpha),
            (6, 8 | 16) => Some(Self::Rgba),
            _ => None,
        }
    }
}

/// The transparency of an image without an alpha channel (the tRNS chunk).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transparency {
    /// The one transparent gray, at the file's bit depth.
    Gray(u16),
    /// The one transparent color, at the file's bit depth.
    Rgb([u16; 3]),
    /// Alpha of the first palette entries; the others are opaque.
    Palette(Vec<u8>),
}

/// What a file says about its image.
#[derive(Debug, Clone, PartialEq)]
pub struct PngHeader {
    /// Width in pixels, 1…2^31-1.
    pub width: u32,
    /// Height in pixels, 1…2^31-1.
    pub height: u32,
    /// The channels in the file.
    pub color_type: ColorType,
    /// Bits of a sample in the file: 1, 2, 4, 8 or 16.
    pub bit_depth: u8,
    /// Whether the rows come in the seven passes of Adam7.
    pub interlaced: bool,
    /// The palette of an indexed image; empty otherwise.
    pub palette: Vec<[u8; 3]>,
    /// The tRNS chunk, if it fits the color type.
    pub transparency: Option<Transparency>,
    /// The ICC profile, inflated but not otherwise looked at.
    pub icc: Option<Vec<u8>>,
    /// The encoding gamma times 100,000 (the gAMA chunk).
    pub gamma: Option<u32>,
    /// The primaries and the white point (the cHRM chunk).
    pub chromaticities: Option<Chromaticities>,
    /// The rendering intent of an image in sRGB (the sRGB chunk).
    pub srgb_intent: Option<u8>,
    /// The color space by its code points (the cICP chunk).
    pub cicp: Option<Cicp>,
    /// Exif metadata as a TIFF file (the eXIf chunk).
    pub exif: Option<Vec<u8>>,
    /// Frames of an animated file (the acTL chunk).
    pub frames: Option<u32>,
    /// Whether the default image is the first of them (an fcTL chunk before it).
    pub default_is_frame: bool,
}

impl PngHeader {
    /// Channels of the rows that the decoder gives: 1 to 4.
    pub fn channels_out(&self) -> u8 {
        let color = match self.color_type {
            ColorType::Gray | ColorType::GrayAlpha => 1,
            ColorType::Rgb | ColorType::Indexed | ColorType::Rgba => 3,
        };
        color + u8::from(self.has_alpha())
    }

    /// Whether the last of the channels is alpha.
    pub fn has_alpha(&self) -> bool {
        matches!(self.color_type, ColorType::GrayAlpha | ColorType::Rgba)
            || self.transparency.is_some()
    }

    /// The most memory that decoding takes, in bytes.
    pub fn peak_bytes(&self) -> u64 {
        let row = self.row_bytes();
        let rows = self.group_rows() as u64;
        let sample_bytes = if self.bit_depth == 16 { 2 } else { 1 };
        // A row of samples to give, and one to fill a cut file with.
        let width = u64::from(self.width);
        let given = 2 * width * u64::from(self.channels_out()) * sample_bytes;
        // Before them, indices, or gray that gets alpha, as a byte each.
        let unpacked = if self.bit_depth < 8 { width } else { 0 };
        Window::bytes_for(rows * (row + 1))
            + (rows + 1) * row
            + given
            + unpacked
            + OutputLayout::TABLE_BYTES
    }

    /// Bits of a pixel in the file.
    pub(super) fn bits_per_pixel(&self) -> u8 {
        self.color_type.file_channels() * self.bit_depth
    }

    /// Bytes of a row of `width` pixels in the file, without its filter byte.
    pub(super) fn bytes_for(&self, width: u32) -> u64 {
        (u64::from(width) * u64::from(self.bits_per_pixel())).div_ceil(8)
    }

    /// Bytes of the longest row in the file, without its filter byte.
    pub(super) fn row_bytes(&self) -> u64 {
        self.bytes_for(self.width)
    }

    /// Rows to unfilter at once.
    pub(super) fn group_rows(&self) -> usize {
        if self.row_bytes() <= MAX_GROUPED_ROW_BYTES {
            GROUP_ROWS
        } else {
            1
        }
    }

    /// Refuses rows so long that a decoder cannot hold a few of them.
    pub(super) fn check_memory(&self) -> Result<Allocate, PipelineError> {
        let allocate = Allocate {
            width: self.width,
            height: self.height,
            need_bytes: self.peak_bytes(),
        };
        if allocate.need_bytes > MAX_DECODER_BYTES {
            return Err(allocate.refused());
        }
        Ok(allocate)
    }
}

impl PngHeader {
    /// How many pages there are: the default image, and the frames that it is not.
    pub fn pages(&self) -> u32 {
        let others = self.frames.map_or(0, |frames| {
            frames.saturating_sub(u32::from(self.default_is_frame))
        });
        others.saturating_add(1)
    }

    /// Channels of a canvas for frames: 2 or 4, since what no frame covers is transparent.
    pub fn frame_channels(&self) -> u8 {
        match self.color_type {
            ColorType::Gray | ColorType::GrayAlpha => 2,
            ColorType::Rgb | ColorType::Indexed | ColorType::Rgba => 4,
        }
    }

    /// Says what decoding a frame takes at most, in bytes.
    pub fn frames_peak_bytes(&self) -> u64 {
        let canvas = FrameCanvas::bytes((self.width, self.height), self.frame_channels());
        // Frames that are less wide than the canvas may have their rows unfiltered in groups.
        let grouped = if self.row_bytes() > MAX_GROUPED_ROW_BYTES {
            3 * GROUP_ROWS as u64 * MAX_GROUPED_ROW_BYTES
        } else {
            0
        };
        canvas
            .saturating_add(self.peak_bytes())
            .saturating_add(grouped)
    }
}

/// Makes buffers and, when there is no memory for one, an error that names the image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allocate {
    width: u32,
    height: u32,
    need_bytes: u64,
}

impl Allocate {
    /// A buffer of `length` zeros.
    pub(super) fn zeroed<T: Copy + Default>(self, length: usize) -> Result<Vec<T>, PipelineError> {
        let mut buffer = Vec::new();
        buffer
            .try_reserve_exact(length)
            .map_err(|_| self.refused())?;
        buffer.resize(length, T::default());
        Ok(buffer)
    }

    fn refused(self) -> PipelineError {
        PipelineError::Limit(LimitError::Memory {
            width: self.width,
            height: self.height,
            need_bytes: self.need_bytes,
            max_bytes: MAX_DECODER_BYTES,
        })
    }
}

/// Reads everything before the first IDAT chunk from a prefix of a file.
pub fn read_header(prefix: &[u8]) -> Result<HeaderStatus<PngHeader>, PipelineError> {
    let (start, rest) = prefix.split_at(prefix.len().min(SIGNATURE.len()));
    if !SIGNATURE.starts_with(start) {
        return Err(malformed("the signature is wrong"));
    }
    let mut chunks = Chunks { rest };
    let Some((head, data)) = chunks.next_chunk()? else {
        return Ok(HeaderStatus::NeedMore);
    };
    let mut header = parse_ihdr(head, data)?;
    let mut metadata = MetadataChunks::default();
    while let Some(head) = chunks.peek_head()? {
        match &head.kind {
            b"IDAT" => {
                metadata.apply(&mut header)?;
                return Ok(HeaderStatus::Ready(header));
            }
            b"IEND" => return Err(malformed("there is no IDAT chunk")),
            b"IHDR" => return Err(malformed("there are two IHDR chunks")),
            // An image may be wrong without a critical chunk (PNG section 5.4).
            _ if head.is_ancillary() || &head.kind == b"PLTE" => {}
            kind => {
                let name: String = kind.iter().map(|&byte| char::from(byte)).collect();
                return Err(PipelineError::unsupported(
                    ImageFormat::Png,
                    format!("the critical chunk {name}"),
                ));
            }
        }
        // Asked before the data of the chunk come, so that they are not waited for.
        check_header_size(prefix.len() - chunks.rest.len(), head)?;
        let Some((head, data)) = chunks.next_chunk()? else {
            break;
        };
        metadata.see(head, data);
    }
    check_header_size(
        prefix.len() - chunks.rest.len(),
        ChunkHead { length: 0, ..head },
    )?;
    Ok(HeaderStatus::NeedMore)
}

/// Says at once that a header is too large when a chunk's length tells.
fn check_header_size(before: usize, head: ChunkHead) -> Result<(), PipelineError> {
    if before as u64 + u64::from(head.length) > MAX_HEADER_BYTES as u64 {
        return Err(PipelineError::Limit(LimitError::Count {
            what: "bytes before the image",
            max: MAX_HEADER_BYTES as u64,
        }));
    }
    Ok(())
}

/// The chunks in a prefix.
struct Chunks<'a> {
    rest: &'a [u8],
}

/// A chunk's data and the CRC behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkData<'a> {
    pub(super) bytes: &'a [u8],
    crc: u32,
}

impl ChunkData<'_> {
    /// Whether the data are what the writer of the file wrote.
    pub(super) fn is_intact(self, kind: [u8; 4]) -> bool {
        crc(kind, self.bytes) == self.crc
    }
}

impl<'a> Chunks<'a> {
    /// The next chunk's length and type, if they are in the prefix.
    fn peek_head(&self) -> Result<Option<ChunkHead>, PipelineError> {
        let head = self.rest.first_chunk::<HEAD_BYTES>();
        head.map(|bytes| ChunkHead::parse(*bytes)).transpose()
    }

    /// The next chunk, if all of it is in the prefix.
    fn next_chunk(&mut self) -> Result<Option<(ChunkHead, ChunkData<'a>)>, PipelineError> {
        let Some(head) = self.peek_head()? else {
            return Ok(None);
        };
        let Some(bytes) = self.rest[HEAD_BYTES..].get(..head.length as usize) else {
            return Ok(None);
        };
        let Some(crc) = self.rest[HEAD_BYTES + bytes.len()..].first_chunk::<CRC_BYTES>() else {
            return Ok(None);
        };
        self.rest = &self.rest[HEAD_BYTES + bytes.len() + CRC_BYTES..];
        let crc = u32::from_be_bytes(*crc);
        Ok(Some((head, ChunkData { bytes, crc })))
    }
}

fn parse_ihdr(head: ChunkHead, data: ChunkData<'_>) -> Result<PngHeader, PipelineError> {
    if &head.kind != b"IHDR" {
        return Err(malformed("the first chunk is not IHDR"));
    }
    let Ok(bytes) = <[u8; 13]>::try_from(data.bytes) else {
        return Err(malformed("the IHDR chunk does not have 13 bytes"));
    };
    // A wrong size would be believed otherwise.
    if !data.is_intact(head.kind) {
        return Err(malformed("the CRC of the IHDR chunk is wrong"));
    }
    let [
        w0,
        w1,
        w2,
        w3,
        h0,
        h1,
        h2,
        h3,
        bit_depth,
        color,
        compression,
        filter,
        interlace,
    ] = bytes;
    let width = u32::from_be_bytes([w0, w1, w2, w3]);
    let height = u32::from_be_bytes([h0, h1, h2, h3]);
    // PNG 11.2.1: sides are 1…2^31-1.
    let sides = 1..=i32::MAX as u32;
    if !sides.contains(&width) || !sides.contains(&height) {
        return Err(malformed("a side is zero or above 2^31 - 1"));
    }
    let Some(color_type) = ColorType::parse(color, bit_depth) else {
        return Err(malformed("the bit depth does not fit the color type"));
    };
    if compression != 0 || filter != 0 || interlace > 1 {
        return Err(malformed(
            "the compression, filter or interlace method is unknown",
        ));
    }
    Ok(PngHeader {
        width,
        height,
        color_type,
        bit_depth,
        interlaced: interlace == 1,
        palette: Vec::new(),
        transparency: None,
        icc: None,
        gamma: None,
        chromaticities: None,
        srgb_intent: None,
        cicp: None,
        exif: None,
        frames: None,
        default_is_frame: false,
    })
}
