//! The chunks before the image that tell how to show it: palette, transparency, color, orientation.

use super::chunks::{ChunkHead, malformed};
use super::header::{ChunkData, ColorType, PngHeader, Transparency};
use crate::PipelineError;
use crate::decode::inflate::{Inflated, Inflater};

/// Profiles for displays and printers stay below 4 MiB; what inflates to more is a bomb.
const MAX_ICC_BYTES: usize = 4 << 20;
/// The most Deflate blocks with tables of their own: a real profile has one or two.
const MAX_ICC_TABLES: u64 = 4096;
/// How much the buffer for a profile grows at a time.
const ICC_STEP_BYTES: usize = 64 << 10;

/// The primaries and the white point, as CIE x and y times 100,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chromaticities {
    /// The white point.
    pub white: [u32; 2],
    /// The red primary.
    pub red: [u32; 2],
    /// The green primary.
    pub green: [u32; 2],
    /// The blue primary.
    pub blue: [u32; 2],
}

/// A color space by its code points (ITU-T H.273).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cicp {
    /// Color primaries.
    pub primaries: u8,
    /// Transfer function.
    pub transfer: u8,
    /// Matrix coefficients: 0 in a valid PNG.
    pub matrix: u8,
    /// Whether black is 0 and white the largest value.
    pub full_range: bool,
}

/// The chunks that matter, still where they lie in the file.
///
/// They are read only once the header is complete, because a header is often looked at several times
/// while it arrives. Of chunks that occur twice the first one counts.
#[derive(Default)]
pub(super) struct MetadataChunks<'a> {
    palette: Option<ChunkData<'a>>,
    transparency: Option<ChunkData<'a>>,
    gamma: Option<ChunkData<'a>>,
    chromaticities: Option<ChunkData<'a>>,
    srgb: Option<ChunkData<'a>>,
    icc: Option<ChunkData<'a>>,
    cicp: Option<ChunkData<'a>>,
    exif: Option<ChunkData<'a>>,
    animation: Option<ChunkData<'a>>,
    frame: Option<ChunkData<'a>>,
}

impl<'a> MetadataChunks<'a> {
    /// Remembers a chunk if it matters.
    pub(super) fn see(&mut self, head: ChunkHead, data: ChunkData<'a>) {
        let place = match &head.kind {
            b"PLTE" => &mut self.palette,
            b"tRNS" => &mut self.transparency,
            b"gAMA" => &mut self.gamma,
            b"cHRM" => &mut self.chromaticities,
            b"sRGB" => &mut self.srgb,
            b"iCCP" => &mut self.icc,
            b"cICP" => &mut self.cicp,
            b"eXIf" => &mut self.exif,
            b"acTL" => &mut self.animation,
            b"fcTL" => &mut self.frame,
            _ => return,
        };
        place.get_or_insert(data);
    }

    /// Reads the chunks into the header.
    pub(super) fn apply(&self, header: &mut PngHeader) -> Result<(), PipelineError> {
        if header.color_type == ColorType::Indexed {
            header.palette = parse_palette(self.palette)?;
        }
        header.transparency = bytes(self.transparency).and_then(|b| parse_transparency(header, b));
        header.gamma = bytes(self.gamma).and_then(parse_gamma);
        header.chromaticities = bytes(self.chromaticities).and_then(parse_chromaticities);
        header.srgb_intent = match bytes(self.srgb) {
            Some(&[intent @ 0..=3]) => Some(intent),
            _ => None,
        };
        header.cicp = bytes(self.cicp).and_then(parse_cicp);
        header.icc = bytes(self.icc).and_then(parse_icc);
        header.exif = bytes(self.exif).and_then(copied);
        header.frames = bytes(self.animation).and_then(parse_frames);
        header.default_is_frame = self.frame.is_some();
        Ok(())
    }
}

fn bytes(chunk: Option<ChunkData<'_>>) -> Option<&[u8]> {
    chunk.map(|chunk| chunk.bytes)
}

/// A copy, or `None` when there is no memory for it.
fn copied(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).ok()?;
    copy.extend_from_slice(bytes);
    Some(copy)
}

fn parse_palette(chunk: Option<ChunkData<'_>>) -> Result<Vec<[u8; 3]>, PipelineError> {
    let Some(chunk) = chunk else {
        return Err(malformed("there is no palette before the image"));
    };
    let (entries, rest) = chunk.bytes.as_chunks::<3>();
    if !rest.is_empty() || !(1..=256).contains(&entries.len()) {
        return Err(malformed("the palette does not have 1 to 256 entries"));
    }
    // A wrong palette spoils every pixel, so it is worth a check.
    if !chunk.is_intact(*b"PLTE") {
        return Err(malformed("the CRC of the palette is wrong"));
    }
    Ok(entries.to_vec())
}

fn parse_transparency(header: &PngHeader, bytes: &[u8]) -> Option<Transparency> {
    // PNG 11.3.1.1: only the low bits count when the bit depth is less than 16.
    let mask = u16::MAX >> (16 - header.bit_depth);
    let sample = |high: u8, low: u8| u16::from_be_bytes([high, low]) & mask;
    match (header.color_type, bytes) {
        (ColorType::Gray, &[high, low]) => Some(Transparency::Gray(sample(high, low))),
        (ColorType::Rgb, &[r0, r1, g0, g1, b0, b1]) => Some(Transparency::Rgb([
            sample(r0, r1),
            sample(g0, g1),
            sample(b0, b1),
        ])),
        (ColorType::Indexed, alphas) if !alphas.is_empty() => {
            // More alphas than colors are an error that does no harm.
            let used = alphas.len().min(header.palette.len());
            Some(Transparency::Palette(alphas[..used].to_vec()))
        }
        _ => None,
    }
}

fn parse_gamma(bytes: &[u8]) -> Option<u32> {
    let gamma = u32::from_be_bytes(bytes.try_into().ok()?);
    (1..=i32::MAX as u32).contains(&gamma).then_some(gamma)
}

fn parse_chromaticities(bytes: &[u8]) -> Option<Chromaticities> {
    let (&[wx, wy, rx, ry, gx, gy, bx, by], []) = bytes.as_chunks::<4>() else {
        return None;
    };
    let point = |x, y| [u32::from_be_bytes(x), u32::from_be_bytes(y)];
    Some(Chromaticities {
        white: point(wx, wy),
        red: point(rx, ry),
        green: point(gx, gy),
        blue: point(bx, by),
    })
}

fn parse_cicp(bytes: &[u8]) -> Option<Cicp> {
    let &[primaries, transfer, matrix, range @ 0..=1] = bytes else {
        return None;
    };
    Some(Cicp {
        primaries,
        transfer,
        matrix,
        full_range: range == 1,
    })
}

fn parse_frames(bytes: &[u8]) -> Option<u32> {
    let (frames, _plays) = bytes.split_first_chunk::<4>()?;
    let frames = u32::from_be_bytes(*frames);
    (frames > 0 && bytes.len() == 8).then_some(frames)
}

/// The profile of an iCCP chunk: a name of 1 to 79 bytes, a zero, the method 0, a zlib stream.
fn parse_icc(bytes: &[u8]) -> Option<Vec<u8>> {
    let name = bytes.iter().take(80).position(|&byte| byte == 0)?;
    let stream = bytes[name + 1..].strip_prefix(&[0])?;
    if name == 0 {
        return None;
    }
    inflate(stream)
}

/// Inflates a whole zlib stream; `None` if it is damaged or too large.
fn inflate(mut stream: &[u8]) -> Option<Vec<u8>> {
    let mut inflater = Inflater::new();
    let mut output = Vec::new();
    let mut written = 0;
    loop {
        if written == output.len() {
            if written > MAX_ICC_BYTES || inflater.built_tables() > MAX_ICC_TABLES {
                return None;
            }
            // One byte beyond the limit: who writes it is too long, and who does not is over.
            let room = ICC_STEP_BYTES.min(MAX_ICC_BYTES + 1 - written);
            output.try_reserve(room).ok()?;
            output.resize(written + room, 0);
        }
        let until = output.len();
        let (end, stop) = inflater.inflate(&mut stream, &mut output, written, until);
        written = end;
        match stop {
            Inflated::NeedOutput => {}
            Inflated::Over => break,
            Inflated::NeedInput | Inflated::Broken(_) => return None,
        }
    }
    output.truncate(written);
    output.shrink_to_fit();
    (!output.is_empty()).then_some(output)
}
