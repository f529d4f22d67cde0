//! The header of a JPEG file: everything before the data of the first scan.

use super::super::{HeaderStatus, Plane};
use super::layout::{BlockSize, Layout};
use super::segments::{
    APP0, APP1, APP2, APP14, DRI, EOI, SOF0, SOF1, SOF2, SOI, SOS, is_frame, is_standalone,
    malformed,
};
use super::{JPEG, PipelineError};

/// The largest ICC profile that is kept; a larger one is left out. Real ones reach 3 MiB (CMYK).
const MAX_ICC_BYTES: usize = 4 << 20;

/// How the components make colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorTransform {
    /// One component: luminance.
    Gray,
    /// Three components as JFIF defines them.
    YCbCr,
    /// Three components.
    Rgb,
    /// Four components, of which 255 is no ink: with Adobe's marker and without, as libjpeg's users have it.
    Cmyk,
    /// The same, but the first three are stored as `YCbCr`.
    Ycck,
}

/// A component as the frame header declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JpegComponent {
    /// The name that scans use for it.
    pub id: u8,
    /// The horizontal sampling factor, 1…4.
    pub h: u8,
    /// The vertical sampling factor, 1…4.
    pub v: u8,
    /// The number of its quantisation table, 0…3.
    pub tq: u8,
}

/// What a JPEG file says before its first scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JpegHeader {
    /// The width in pixels, 1…65535.
    pub width: u32,
    /// The height in pixels, 1…65535.
    pub height: u32,
    /// The components: one, three or four.
    pub components: Vec<JpegComponent>,
    /// Whether coefficients come in several scans.
    pub progressive: bool,
    /// Whether the first scan has every component.
    pub interleaved: bool,
    /// How the components make colors, by the rules of libjpeg.
    pub transform: ColorTransform,
    /// MCUs between two restart markers, or 0.
    pub restart_interval: u32,
    /// The ICC profile, unless it is incomplete or larger than 4 MiB.
    pub icc: Option<Vec<u8>>,
    /// The first EXIF payload, from its TIFF header on.
    pub exif: Option<Vec<u8>>,
}

impl JpegHeader {
    /// An upper bound of the memory that decoding with these block sizes takes, in bytes.
    ///
    /// `block_sizes` has one entry for each component; missing ones count as full size.
    pub fn peak_bytes(&self, block_sizes: &[BlockSize]) -> u64 {
        Layout::new(self, block_sizes).peak_bytes(self.is_stored())
    }

    /// The planes that decoding with these block sizes gives, one for each component.
    pub fn planes(&self, block_sizes: &[BlockSize]) -> Vec<Plane> {
        Layout::new(self, block_sizes).planes
    }

    /// The planes of red, green and blue that [`JpegDecoder::new_rgb`](super::JpegDecoder::new_rgb) gives
    /// with these block sizes, if it can.
    pub fn rgb_planes(&self, block_sizes: &[BlockSize]) -> Option<Vec<Plane>> {
        let layout = Layout::new(self, block_sizes);
        layout.join(self.transform)?;
        layout.planes.first().map(|luma| vec![*luma; 3])
    }

    /// Whether the coefficients of the whole image must be kept until the last scan.
    pub(super) fn is_stored(&self) -> bool {
        self.progressive || !self.interleaved
    }
}

/// Reads the header from a prefix of a file, from its first byte up to the first SOS segment.
pub fn read_header(prefix: &[u8]) -> Result<HeaderStatus<JpegHeader>, PipelineError> {
    let mut draft = Draft::default();
    let mut pos = 0;
    loop {
        let Some((marker, payload_at)) = next_marker(prefix, pos)? else {
            return Ok(HeaderStatus::NeedMore);
        };
        if is_standalone(marker) {
            if marker == EOI {
                return Err(malformed("the image ends before its first scan"));
            }
            pos = payload_at;
            continue;
        }
        let Some(length) = prefix.get(payload_at..).and_then(<[u8]>::first_chunk) else {
            return Ok(HeaderStatus::NeedMore);
        };
        // The length includes itself (T.81 B.1.1.4); less is damage, taken for an empty segment.
        let end = payload_at + usize::from(u16::from_be_bytes(*length)).max(2);
        let Some(payload) = prefix.get(payload_at + 2..end) else {
            return Ok(HeaderStatus::NeedMore);
        };
        if marker == SOS {
            return draft.finish(payload).map(HeaderStatus::Ready);
        }
        draft.segment(marker, payload)?;
        pos = end;
    }
}

/// The next marker at or after `pos`, and where what follows it begins. Garbage before it is tolerated.
fn next_marker(prefix: &[u8], mut pos: usize) -> Result<Option<(u8, usize)>, PipelineError> {
    let want_soi = pos == 0;
    if want_soi && !prefix.starts_with(&[0xFF, SOI][..prefix.len().min(2)]) {
        return Err(malformed("it does not begin with SOI"));
    }
    loop {
        match (prefix.get(pos), prefix.get(pos + 1)) {
            (Some(0xFF), Some(0)) => pos += 2,
            // Fill bytes (T.81 B.1.1.2).
            (Some(0xFF), Some(0xFF)) => pos += 1,
            (Some(0xFF), Some(&marker)) => return Ok(Some((marker, pos + 2))),
            (None | Some(0xFF), None) => return Ok(None),
            _ => pos += 1,
        }
    }
}

/// A header as far as it was read.
#[derive(Debug, Default)]
struct Draft<'a> {
    frame: Option<Frame>,
    restart_interval: u32,
    jfif: bool,
    adobe_transform: Option<u8>,
    exif: Option<&'a [u8]>,
    icc_parts: Vec<(u8, u8, &'a [u8])>,
    icc_bytes: usize,
}

#[derive(Debug)]
struct Frame {
    width: u32,
    height: u32,
    components: Vec<JpegComponent>,
    progressive: bool,
}

impl<'a> Draft<'a> {
    fn segment(&mut self, marker: u8, payload: &'a [u8]) -> Result<(), PipelineError> {
        match marker {
            APP0 if payload.starts_with(b"JFIF\0") => self.jfif = true,
            APP1 if self.exif.is_none() => self.exif = payload.strip_prefix(b"Exif\0\0"),
            APP2 => self.icc_part(payload),
            APP14 if payload.starts_with(b"Adobe") => {
                // After the name come a version and two words of flags, then the transform (Adobe TN 5116).
                self.adobe_transform = payload.get(11).copied().or(self.adobe_transform);
            }
            DRI => {
                let bytes = payload
                    .first_chunk()
                    .ok_or_else(|| malformed("a DRI segment is too short"))?;
                self.restart_interval = u32::from(u16::from_be_bytes(*bytes));
            }
            _ if is_frame(marker) => {
                if self.frame.is_some() {
                    return Err(malformed("it has two frame headers"));
                }
                self.frame = Some(Frame::parse(marker, payload)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn icc_part(&mut self, payload: &'a [u8]) {
        // ICC.1 annex B: a profile is cut into segments that are numbered from 1.
        if let Some([number, count, data @ ..]) = payload.strip_prefix(b"ICC_PROFILE\0") {
            self.icc_bytes = self.icc_bytes.saturating_add(data.len());
            // There can be 255 parts; more than that are repetitions.
            if self.icc_parts.len() < 256 {
                self.icc_parts.push((*number, *count, data));
            }
        }
    }

    /// The profile, if all its parts are there exactly once and it is not too large.
    fn icc(&mut self) -> Option<Vec<u8>> {
        let count = self.icc_parts.first()?.1;
        self.icc_parts.sort_by_key(|&(number, ..)| number);
        let complete = self.icc_parts.len() == usize::from(count)
            && (1..=count).eq(self.icc_parts.iter().map(|&(number, ..)| number));
        if !complete || self.icc_bytes > MAX_ICC_BYTES {
            return None;
        }
        let mut profile = Vec::new();
        profile.try_reserve_exact(self.icc_bytes).ok()?;
        for (.., data) in &self.icc_parts {
            profile.extend_from_slice(data);
        }
        Some(profile)
    }

    fn finish(mut self, sos: &[u8]) -> Result<JpegHeader, PipelineError> {
        let icc = self.icc();
        let frame = self
            .frame
            .ok_or_else(|| malformed("a scan comes before the frame header"))?;
        let transform = color_transform(&frame.components, self.jfif, self.adobe_transform);
        Ok(JpegHeader {
            width: frame.width,
            height: frame.height,
            progressive: frame.progressive,
            interleaved: sos
                .first()
                .is_some_and(|&n| usize::from(n) == frame.components.len()),
            transform,
            components: frame.components,
            restart_interval: self.restart_interval,
            icc,
            exif: self.exif.map(<[u8]>::to_vec),
        })
    }
}

/// The rules of libjpeg (`default_decompress_parms` in jdapimin.c).
fn color_transform(components: &[JpegComponent], jfif: bool, adobe: Option<u8>) -> ColorTransform {
    match *components {
        [_] => ColorTransform::Gray,
        [a, b, c] => match (jfif, adobe) {
            (false, Some(0)) => ColorTransform::Rgb,
            (false, None) if [a.id, b.id, c.id] == *b"RGB" => ColorTransform::Rgb,
            _ => ColorTransform::YCbCr,
        },
        _ => match adobe {
            Some(0) | None => ColorTransform::Cmyk,
            Some(_) => ColorTransform::Ycck,
        },
    }
}

impl Frame {
    fn parse(marker: u8, payload: &[u8]) -> Result<Self, PipelineError> {
        check_process(marker)?;
        let short = || malformed("the frame header is too short");
        let (&[precision, y1, y0, x1, x0, count], rest) =
            payload.split_first_chunk().ok_or_else(short)?;
        let height = u32::from(u16::from_be_bytes([y1, y0]));
        let width = u32::from(u16::from_be_bytes([x1, x0]));
        // Extended frames may have 12 bits (T.81 table B.2).
        if precision != 8 {
            return Err(unsupported(format!("{precision}-bit samples")));
        }
        // Planes must be sized before the first scan, and only a DNL segment after it would say how (T.81 B.2.5).
        if height == 0 {
            return Err(unsupported(
                "a height that comes after the first scan (DNL)",
            ));
        }
        if width == 0 {
            return Err(malformed("its width is 0"));
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(unsupported(format!("{count} components")));
        }
        let specs = rest.get(..3 * usize::from(count)).ok_or_else(short)?;
        let components: Vec<_> = specs
            .chunks_exact(3)
            .map(|spec| JpegComponent {
                id: spec[0],
                h: spec[1] >> 4,
                v: spec[1] & 15,
                tq: spec[2],
            })
            .collect();
        for c in &components {
            if !(1..=4).contains(&c.h) || !(1..=4).contains(&c.v) || c.tq > 3 {
                return Err(malformed(format!(
                    "a component has sampling {}x{} and quantisation table {}",
                    c.h, c.v, c.tq
                )));
            }
        }
        Ok(Self {
            width,
            height,
            components,
            progressive: marker == SOF2,
        })
    }
}

fn check_process(marker: u8) -> Result<(), PipelineError> {
    match marker {
        SOF0 | SOF1 | SOF2 => Ok(()),
        0xC3 => Err(unsupported("lossless coding (SOF3)")),
        0xC5..=0xC7 => Err(unsupported("hierarchical coding")),
        _ => Err(unsupported("arithmetic coding")),
    }
}

fn unsupported(feature: impl Into<std::borrow::Cow<'static, str>>) -> PipelineError {
    PipelineError::unsupported(JPEG, feature)
}

#[cfg(test)]
mod tests;
