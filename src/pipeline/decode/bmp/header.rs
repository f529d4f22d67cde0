//! The headers of a bitmap: OS/2 1 and 2, Windows 3, 4 and 5.

use crate::decode::HeaderStatus;
use crate::decode::canvas::Size;
use crate::{ImageFormat, PipelineError};

/// The file header, which the info header follows.
const FILE_HEADER_BYTES: usize = 14;
/// The info header of Windows 3; those of later versions continue it.
const INFO_HEADER_BYTES: usize = 40;

/// How pixels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// Palette indices of 1, 2, 4 or 8 bits.
    Indexed(u16),
    /// Runs of palette indices of 4 or 8 bits.
    Runs(u16),
    /// Blue, green, red.
    Bgr,
    /// Blue, green, red and a byte that means nothing.
    Bgrx,
    /// Words of 16 or 32 bits with fields.
    Fields { bits: u16, masks: [u32; 4] },
}

/// What is known of a bitmap before its pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BmpHeader {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// There is an alpha channel.
    pub has_alpha: bool,
    /// Where the color profile lies in the file: start and length in bytes. Usually it follows the pixels.
    pub icc_profile: Option<(u64, u32)>,
    pub(super) is_top_down: bool,
    pub(super) pixels: Pixels,
    pub(super) palette: Vec<[u8; 3]>,
    pub(super) data_start: u64,
}

impl BmpHeader {
    /// Says what decoding takes at most, in bytes: a row as it is stored and one of samples.
    pub fn peak_bytes(&self) -> u64 {
        stored_row_bytes(self) + 4 * u64::from(self.width) + 4 * 1024
    }

    /// Channels of its pixels: 3, or 4 with alpha.
    pub const fn channels(&self) -> u8 {
        if self.has_alpha { 4 } else { 3 }
    }

    /// Whether rows do not simply come from the top down: where there is alpha, they may have to be taken back.
    pub const fn is_scattered(&self) -> bool {
        !self.is_top_down || self.has_alpha
    }
}

/// Bytes of a stored row, padded to words of 32 bits; those of runs as indices.
pub(super) fn stored_row_bytes(header: &BmpHeader) -> u64 {
    let bits = match header.pixels {
        Pixels::Indexed(bits) | Pixels::Fields { bits, .. } => bits,
        Pixels::Runs(_) => 8,
        Pixels::Bgr => 24,
        Pixels::Bgrx => 32,
    };
    row_bytes(header.width, bits)
}

/// Bytes of all rows of an image that is stored without runs.
fn stored_bytes((width, height): Size, bits: u16) -> u64 {
    row_bytes(width, bits).saturating_mul(u64::from(height))
}

fn row_bytes(width: u32, bits: u16) -> u64 {
    // Rows begin at words of 32 bits.
    (u64::from(width) * u64::from(bits)).div_ceil(32) * 4
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> PipelineError {
    PipelineError::malformed(ImageFormat::Bmp, detail)
}

fn unsupported(feature: String) -> PipelineError {
    PipelineError::unsupported(ImageFormat::Bmp, feature)
}

/// Reads both headers and the palette.
pub fn read_header(prefix: &[u8]) -> Result<HeaderStatus<BmpHeader>, PipelineError> {
    if !b"BM".starts_with(&prefix[..prefix.len().min(2)]) {
        return Err(malformed("it does not begin with BM"));
    }
    let Some(info_len) = u32_at(prefix, FILE_HEADER_BYTES) else {
        return Ok(HeaderStatus::NeedMore);
    };
    // 12 is OS/2 1; OS/2 2 may end its header after any field from 16 bytes on.
    if !matches!(info_len, 12 | 16..=124) {
        return Err(malformed(format!("its header has {info_len} bytes")));
    }
    let Some(info) = prefix[FILE_HEADER_BYTES..].get(..info_len as usize) else {
        return Ok(HeaderStatus::NeedMore);
    };
    let info = Info::read(info);
    let size = info.size()?;
    let after = &prefix[FILE_HEADER_BYTES + info_len as usize..];
    let Some((pixels, mask_bytes)) = info.pixels(after)? else {
        return Ok(HeaderStatus::NeedMore);
    };
    let palette_start = FILE_HEADER_BYTES + info_len as usize + mask_bytes;
    // `bfOffBits`, and `bfSize` below.
    let stated_start = u64::from(u32_at(prefix, 10).unwrap_or(0));
    let (palette, palette_end) = match pixels {
        Pixels::Indexed(bits) | Pixels::Runs(bits) => {
            let entry = info.palette_entry_bytes();
            let mut count = info.palette_count(bits);
            let room = stated_start.saturating_sub(palette_start as u64) / entry as u64;
            // Some writers forget the palette when they say where the pixels begin.
            let ends_after_all = (palette_start + count * entry) as u64 + stored_bytes(size, bits)
                == u64::from(u32_at(prefix, 2).unwrap_or(0));
            if room > 0 && !ends_after_all {
                count = count.min(room as usize);
            }
            let Some(bytes) = prefix.get(palette_start..palette_start + count * entry) else {
                return Ok(HeaderStatus::NeedMore);
            };
            // Colors are blue, green, red, and in later versions a byte that means nothing.
            let colors = bytes.chunks_exact(entry).map(|c| [c[2], c[1], c[0]]);
            (colors.collect(), palette_start + count * entry)
        }
        _ => (Vec::new(), palette_start),
    };
    let has_alpha = matches!(pixels, Pixels::Fields { masks, .. } if masks[3] != 0);
    Ok(HeaderStatus::Ready(BmpHeader {
        width: size.0,
        height: size.1,
        has_alpha,
        icc_profile: info.icc_profile(),
        is_top_down: info.is_top_down(),
        pixels,
        palette,
        data_start: stated_start.max(palette_end as u64),
    }))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

/// The fields of an info header of any version; those that it lacks are 0.
struct Info<'a> {
    bytes: &'a [u8],
}

impl<'a> Info<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    fn is_core(&self) -> bool {
        self.bytes.len() == 12
    }

    fn u32(&self, at: usize) -> u32 {
        u32_at(self.bytes, at).unwrap_or(0)
    }

    fn signed_height(&self) -> i64 {
        if self.is_core() {
            i64::from(u16_at(self.bytes, 6).unwrap_or(0))
        } else {
            i64::from(self.u32(8).cast_signed())
        }
    }

    fn is_top_down(&self) -> bool {
        self.signed_height() < 0
    }

    fn size(&self) -> Result<Size, PipelineError> {
        let width = if self.is_core() {
            i64::from(u16_at(self.bytes, 4).unwrap_or(0))
        } else {
            i64::from(self.u32(4).cast_signed())
        };
        let height = self.signed_height();
        if width <= 0 || height == 0 {
            return Err(malformed(format!("it is {width}x{height} pixels large")));
        }
        // Both come from 32 bits.
        Ok((width as u32, height.unsigned_abs() as u32))
    }

    fn bits(&self) -> u16 {
        u16_at(self.bytes, if self.is_core() { 10 } else { 14 }).unwrap_or(0)
    }

    /// How pixels are stored, and how many bytes of masks follow the header. `None` if those are missing.
    fn pixels(&self, after: &[u8]) -> Result<Option<(Pixels, usize)>, PipelineError> {
        let bits = self.bits();
        let compression = if self.is_core() { 0 } else { self.u32(16) };
        // OS/2 gave the numbers from 3 on another meaning.
        let is_os2 = matches!(self.bytes.len(), 12 | 16..INFO_HEADER_BYTES | 64);
        let pixels = match (compression, bits) {
            (0, 1 | 2 | 4 | 8) => Pixels::Indexed(bits),
            // Without masks, 16 bits are five for each color.
            (0, 16) => Pixels::Fields {
                bits,
                masks: [0x7c00, 0x03e0, 0x001f, self.alpha_mask()],
            },
            (0, 24) => Pixels::Bgr,
            (0, 32) if self.alpha_mask() != 0 => Pixels::Fields {
                bits,
                masks: [0xff_0000, 0xff00, 0xff, self.alpha_mask()],
            },
            (0, 32) => Pixels::Bgrx,
            (1, 8) | (2, 4) => Pixels::Runs(bits),
            // BI_BITFIELDS, and BI_ALPHABITFIELDS of Windows CE.
            (3 | 6, 16 | 32) if !is_os2 => {
                let Some((masks, mask_bytes)) = self.masks(compression, after) else {
                    return Ok(None);
                };
                return Ok(Some((Pixels::Fields { bits, masks }, mask_bytes)));
            }
            _ => {
                return Err(unsupported(format!(
                    "compression {compression} with {bits} bits per pixel"
                )));
            }
        };
        Ok(Some((pixels, 0)))
    }

    /// The mask of alpha in a header of version 4 or 5, which counts without masks for colors, too.
    fn alpha_mask(&self) -> u32 {
        const VERSION_4_BYTES: usize = 108;
        if self.bytes.len() < VERSION_4_BYTES {
            return 0;
        }
        // After the masks of red, green and blue, which begin at 40.
        self.u32(52)
    }

    fn masks(&self, compression: u32, after: &[u8]) -> Option<([u32; 4], usize)> {
        let own = self.bytes.len() > INFO_HEADER_BYTES;
        let count = match (own, compression) {
            // Headers of 52 bytes have three masks, longer ones have four.
            (true, _) => self.bytes.len().saturating_sub(INFO_HEADER_BYTES) / 4,
            (false, 6) => 4,
            (false, _) => 3,
        };
        let source = if own {
            &self.bytes[INFO_HEADER_BYTES..]
        } else {
            after
        };
        let mut masks = [0; 4];
        for (index, mask) in masks.iter_mut().enumerate().take(count) {
            *mask = u32_at(source, 4 * index)?;
        }
        Some((masks, if own { 0 } else { 4 * count }))
    }

    fn palette_entry_bytes(&self) -> usize {
        if self.is_core() { 3 } else { 4 }
    }

    fn palette_count(&self, bits: u16) -> usize {
        let all = 1 << bits;
        // 0 means all.
        match self.u32(32) as usize {
            0 => all,
            used => used.min(all),
        }
    }

    /// A profile that is embedded in a header of version 5.
    fn icc_profile(&self) -> Option<(u64, u32)> {
        const EMBEDDED: u32 = u32::from_be_bytes(*b"MBED");
        if self.bytes.len() < 124 || self.u32(56) != EMBEDDED {
            return None;
        }
        // Counted from the info header, not from the start of the file.
        let start = FILE_HEADER_BYTES as u64 + u64::from(self.u32(112));
        Some((start, self.u32(116))).filter(|&(_, len)| len > 0)
    }
}
