//! What a directory says about its image, checked against what we decode.

use std::ops::Range;

use super::ifd::{Directory, Missing, Partial, Reader, status};
use super::layout::{Chunk, Layout, MAX_SAMPLES};
use super::malformed;
use crate::decode::inflate::TABLE_BYTES;
use crate::decode::{HeaderStatus, Part, Plane};
use crate::{ImageFormat, PipelineError};

/// Profiles beyond this are left out; no real one comes near.
const MAX_ICC_BYTES: u32 = 4 << 20;

mod tag {
    pub const WIDTH: u16 = 256;
    pub const HEIGHT: u16 = 257;
    pub const BITS: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const ORIENTATION: u16 = 274;
    pub const SAMPLES: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_BYTES: u16 = 279;
    pub const PLANAR: u16 = 284;
    pub const PREDICTOR: u16 = 317;
    pub const COLOR_MAP: u16 = 320;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_HEIGHT: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTES: u16 = 325;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const ICC_PROFILE: u16 = 34675;
}

/// The colors that come out, which say how many channels there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TiffColor {
    /// One channel.
    Gray,
    /// Two channels; alpha is not multiplied into the other.
    GrayAlpha,
    /// Three channels.
    Rgb,
    /// Four channels; alpha is not multiplied into the others.
    Rgba,
    /// Four inks, from 0 for none.
    Cmyk,
}

impl TiffColor {
    /// Channels of a pixel.
    pub const fn channels(self) -> u8 {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }
}

/// How chunks are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Lzw,
    Deflate,
    PackBits,
}

/// What the stored samples of a pixel mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Photometric {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette,
    Cmyk,
}

/// Whether there is an alpha channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alpha {
    None,
    /// Multiplied into the colors.
    Associated,
    Unassociated,
}

/// The tables of `weezl`: strings of 4096 codes, as links and as bytes.
const LZW_BYTES: u64 = 64 << 10;
/// The tables of an inflater, and what else it holds.
const DEFLATE_BYTES: u64 = (TABLE_BYTES + (4 << 10)) as u64;
/// A palette, and whatever else does not grow.
const SMALL_BYTES: u64 = 4 << 10;

/// What is known of a page before its pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TiffHeader {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The colors that come out.
    pub color: TiffColor,
    /// Bits of a sample that comes out: 8 or 16.
    pub bits: u8,
    /// The orientation tag, 1 to 8 in good files.
    pub orientation: u16,
    /// The color profile.
    pub icc_profile: Option<Vec<u8>>,
    pub(super) is_big_endian: bool,
    pub(super) photometric: Photometric,
    pub(super) alpha: Alpha,
    pub(super) compression: Compression,
    pub(super) has_predictor: bool,
    pub(super) is_bit_reversed: bool,
    pub(super) palette: Vec<[u8; 3]>,
    pub(super) layout: Layout,
}

impl TiffHeader {
    /// The planes that come out: one, or one for each ink, since the last of four channels in one would be alpha.
    pub fn planes(&self) -> Vec<Plane> {
        let plane = |channels| Plane {
            width: self.width,
            height: self.height,
            channels,
            pixels_per_sample_x: 1.0,
            pixels_per_sample_y: 1.0,
        };
        match self.color {
            TiffColor::Cmyk => vec![plane(1); 4],
            color => vec![plane(color.channels())],
        }
    }

    /// Says what decoding takes at most, in bytes: this header, the file from the first of its chunks
    /// to the last one, the chunks that lie side by side, a row, and what decompresses.
    pub fn peak_bytes(&self) -> u64 {
        let (samples, channels) = (
            u64::from(self.layout.samples),
            u64::from(self.color.channels()),
        );
        // A row as it is stored in words, with the channels that come out in words, and as they come out;
        // of ink, also each alone.
        let row = u64::from(self.width) * (2 * samples + 4 * channels + 2);
        let band = u64::from(self.layout.across()) * u64::from(self.layout.planes);
        self.heap_bytes()
            .saturating_add(self.layout.end() - self.layout.start())
            .saturating_add(self.layout.band_bytes())
            .saturating_add(row)
            .saturating_add(band * size_of::<Vec<u8>>() as u64)
            .saturating_add(match self.compression {
                Compression::Lzw => LZW_BYTES,
                Compression::Deflate => DEFLATE_BYTES,
                Compression::None | Compression::PackBits => 0,
            })
            .saturating_add(SMALL_BYTES)
    }

    /// How many chunks there are, and the bytes of all of them once they are unpacked.
    pub fn stored(&self) -> (u64, u64) {
        let chunks = self.layout.chunk_count();
        (chunks, chunks.saturating_mul(self.layout.chunk_bytes()))
    }

    /// Samples of a pixel as they are stored, those that are not shown included.
    pub fn stored_samples(&self) -> u64 {
        self.layout.samples.into()
    }

    /// Bytes that it holds besides itself.
    pub fn heap_bytes(&self) -> u64 {
        let profile = self.icc_profile.as_ref().map_or(0, Vec::len);
        let chunks = self.layout.chunks.len() * size_of::<Chunk>();
        (profile + chunks + 3 * self.palette.len()) as u64
    }
}

fn unsupported(feature: impl Into<std::borrow::Cow<'static, str>>) -> PipelineError {
    PipelineError::unsupported(ImageFormat::Tiff, feature)
}

/// Reads the header of the first page.
///
/// Directories may lie anywhere in the file, also at its end.
pub fn read_header(prefix: &[u8]) -> Result<HeaderStatus<TiffHeader>, PipelineError> {
    read_page_header(prefix, 0)
}

/// Reads the header of a page, counted from 0.
pub fn read_page_header(
    prefix: &[u8],
    page: u32,
) -> Result<HeaderStatus<TiffHeader>, PipelineError> {
    let parts = [Part {
        start: 0,
        bytes: prefix,
    }];
    status(read_page(&parts, page))
}

/// Reads the header of a page from parts of the file, or says which bytes of it are missing.
pub fn read_page_parts(
    parts: &[Part<'_>],
    page: u32,
) -> Result<Result<TiffHeader, Range<u64>>, PipelineError> {
    read_page(parts, page).map(|header| header.map_err(|Missing(range)| range))
}

/// Unwraps a [`Partial`], or ends the function with the wish for more bytes.
macro_rules! want {
    ($partial:expr) => {
        match $partial? {
            Ok(value) => value,
            Err(end) => return Ok(Err(end)),
        }
    };
}

fn read_page(parts: &[Part<'_>], page: u32) -> Partial<TiffHeader> {
    let (reader, first) = want!(Reader::open(parts));
    let directory = want!(Directory::read(reader, first, page));
    let width = want!(directory.number(tag::WIDTH, 0));
    let height = want!(directory.number(tag::HEIGHT, 0));
    if width == 0 || height == 0 {
        return Err(malformed(format!("it is {width}x{height} pixels large")));
    }
    let samples = want!(directory.number(tag::SAMPLES, 1));
    if samples == 0 || samples > MAX_SAMPLES {
        return Err(unsupported(format!("{samples} samples per pixel")));
    }
    let bits = want!(read_bits(&directory));
    let photometric = want!(read_photometric(&directory));
    let extra = want!(directory.numbers(tag::EXTRA_SAMPLES));
    let (color, alpha) = color_of(photometric, samples, &extra)?;
    let format = want!(directory.number(tag::SAMPLE_FORMAT, 1));
    check_sample_type(bits, format, photometric, samples)?;
    let compression = want!(read_compression(&directory));
    let predictor = want!(directory.number(tag::PREDICTOR, 1));
    // 2 is horizontal differencing (section 14); 3, of floating point, is not decoded.
    if !(predictor == 1 || (predictor == 2 && bits >= 8)) {
        return Err(unsupported(format!(
            "predictor {predictor} with {bits} bits"
        )));
    }
    let palette = if photometric == Photometric::Palette {
        palette_of(&want!(directory.numbers(tag::COLOR_MAP)))
    } else {
        Vec::new()
    };
    let layout = want!(read_layout(
        &directory,
        (width, height),
        samples,
        bits,
        compression
    ));
    Ok(Ok(TiffHeader {
        width,
        height,
        color,
        bits: if bits == 16 { 16 } else { 8 },
        orientation: want!(directory.number(tag::ORIENTATION, 1)) as u16,
        icc_profile: want!(Ok::<_, PipelineError>(
            directory.bytes(tag::ICC_PROFILE, MAX_ICC_BYTES)
        )),
        is_big_endian: reader.is_big_endian,
        photometric,
        alpha,
        compression,
        has_predictor: predictor == 2,
        is_bit_reversed: want!(directory.number(tag::FILL_ORDER, 1)) == 2,
        palette,
        layout,
    }))
}

fn read_bits(directory: &Directory<'_>) -> Partial<u32> {
    let bits = want!(directory.numbers(tag::BITS));
    // Missing tags have the defaults of section 8.
    let first = bits.first().copied().unwrap_or(1);
    if bits.iter().any(|&other| other != first) {
        return Err(unsupported("samples of different sizes"));
    }
    Ok(Ok(first))
}

fn read_photometric(directory: &Directory<'_>) -> Partial<Photometric> {
    Ok(Ok(match want!(directory.number(tag::PHOTOMETRIC, 1)) {
        0 => Photometric::WhiteIsZero,
        1 => Photometric::BlackIsZero,
        2 => Photometric::Rgb,
        3 => Photometric::Palette,
        5 => Photometric::Cmyk,
        other => return Err(unsupported(format!("photometric interpretation {other}"))),
    }))
}

fn read_compression(directory: &Directory<'_>) -> Partial<Compression> {
    Ok(Ok(match want!(directory.number(tag::COMPRESSION, 1)) {
        1 => Compression::None,
        5 => Compression::Lzw,
        // Adobe's number, and an older one of the same.
        8 | 32946 => Compression::Deflate,
        32773 => Compression::PackBits,
        other => return Err(unsupported(format!("compression {other}"))),
    }))
}

/// The colors of a pixel with so many samples, of which `extra` says what those beyond the colors are.
fn color_of(
    photometric: Photometric,
    samples: u32,
    extra: &[u32],
) -> Result<(TiffColor, Alpha), PipelineError> {
    let colors = match photometric {
        Photometric::Rgb => 3,
        Photometric::Cmyk => 4,
        _ => 1,
    };
    if samples < colors {
        return Err(malformed(format!(
            "it has {samples} of {colors} samples per pixel"
        )));
    }
    let alpha = match extra.first() {
        _ if samples == colors => Alpha::None,
        Some(1) => Alpha::Associated,
        // Some writers do not say what a sample beyond the colors is; everyone takes it for alpha.
        Some(2) | None => Alpha::Unassociated,
        _ => Alpha::None,
    };
    Ok(match (photometric, alpha) {
        (Photometric::Rgb, Alpha::None) => (TiffColor::Rgb, alpha),
        (Photometric::Rgb, _) => (TiffColor::Rgba, alpha),
        // There is no plane for alpha beside those of ink.
        (Photometric::Cmyk, _) => (TiffColor::Cmyk, Alpha::None),
        (Photometric::Palette, _) => (TiffColor::Rgb, Alpha::None),
        (_, Alpha::None) => (TiffColor::Gray, alpha),
        _ => (TiffColor::GrayAlpha, alpha),
    })
}

fn check_sample_type(
    bits: u32,
    format: u32,
    photometric: Photometric,
    samples: u32,
) -> Result<(), PipelineError> {
    let is_good = match bits {
        8 => true,
        16 => photometric != Photometric::Palette,
        1 | 2 | 4 => samples == 1,
        _ => false,
    };
    // 4 is "undefined", which writers give to plain numbers.
    if is_good && matches!(format, 1 | 4) {
        return Ok(());
    }
    Err(unsupported(format!(
        "{samples} samples of {bits} bits in format {format}"
    )))
}

/// Colors are 16 bits wide, except from writers that misread the specification.
fn palette_of(map: &[u32]) -> Vec<[u8; 3]> {
    let shift = if map.iter().all(|&value| value < 256) {
        0
    } else {
        8
    };
    let len = map.len() / 3;
    (0..len)
        // All reds come first, then all greens, then all blues (section 5).
        .map(|i| [0, 1, 2].map(|channel: usize| (map[channel * len + i] >> shift) as u8))
        .collect()
}

fn read_layout(
    directory: &Directory<'_>,
    (width, height): (u32, u32),
    samples: u32,
    bits: u32,
    compression: Compression,
) -> Partial<Layout> {
    let tile = (
        want!(directory.number(tag::TILE_WIDTH, 0)),
        want!(directory.number(tag::TILE_HEIGHT, 0)),
    );
    let is_tiled = tile.0 > 0 && tile.1 > 0;
    let (chunk_size, offsets, lengths) = if is_tiled {
        (tile, tag::TILE_OFFSETS, tag::TILE_BYTES)
    } else {
        // Without the tag, all rows are one strip (section 8).
        let rows = want!(directory.number(tag::ROWS_PER_STRIP, u32::MAX));
        let size = (width, rows.clamp(1, height));
        (size, tag::STRIP_OFFSETS, tag::STRIP_BYTES)
    };
    let is_planar = want!(directory.number(tag::PLANAR, 1)) == 2 && samples > 1;
    let mut layout = Layout {
        size: (width, height),
        chunk_size,
        is_tiled,
        samples,
        bits,
        planes: if is_planar { samples } else { 1 },
        chunks: Vec::new(),
    };
    let needed = layout.chunk_count();
    let offsets = want!(directory.numbers(offsets));
    let mut lengths = want!(directory.numbers(lengths));
    if (offsets.len() as u64) < needed {
        return Err(malformed(format!(
            "it has {} of {needed} chunks",
            offsets.len()
        )));
    }
    if lengths.is_empty() && compression == Compression::None {
        // Some old writers leave the lengths out where anyone can work them out.
        lengths = (0..offsets.len())
            .map(|_| u32::try_from(layout.chunk_bytes()).unwrap_or(u32::MAX))
            .collect();
    }
    let chunks = offsets.into_iter().zip(lengths);
    layout.chunks = chunks
        .map(|(start, len)| Chunk { start, len })
        .take(usize::try_from(needed).unwrap_or(usize::MAX))
        .collect();
    layout.check()?;
    Ok(Ok(layout))
}
