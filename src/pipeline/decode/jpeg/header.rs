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

/// How the components make colours.
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
    /// How the components make colours, by the rules of libjpeg.
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

    /// Whether the coefficients of the whole picture must be kept until the last scan.
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
                return Err(malformed("the picture ends before its first scan"));
            }
            pos = payload_at;
            continue;
        }
        let Some(length) = prefix.get(payload_at..).and_then(<[u8]>::first_chunk) else {
            return Ok(HeaderStatus::NeedMore);
        };
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
        if precision != 8 {
            return Err(unsupported(format!("{precision}-bit samples")));
        }
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
mod tests {
    use super::*;

    fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xFF, marker];
        bytes.extend(u16::try_from(payload.len() + 2).unwrap().to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    fn file(segments: &[Vec<u8>]) -> Vec<u8> {
        [vec![0xFF, SOI], segments.concat()].concat()
    }

    fn frame(marker: u8, ids: &[u8]) -> Vec<u8> {
        let mut payload = vec![8, 0, 50, 1, 0, u8::try_from(ids.len()).unwrap()];
        for &id in ids {
            payload.extend([id, 0x11, 0]);
        }
        segment(marker, &payload)
    }

    fn sos(count: u8) -> Vec<u8> {
        segment(SOS, &[&[count][..], &[0; 11]].concat())
    }

    fn ready(bytes: &[u8]) -> JpegHeader {
        match read_header(bytes) {
            Ok(HeaderStatus::Ready(header)) => header,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn asks_for_more_until_the_first_scan() {
        let bytes = file(&[
            segment(APP0, b"JFIF\0\x01\x01"),
            frame(SOF0, &[1, 2, 3]),
            sos(3),
        ]);
        for end in 0..bytes.len() {
            assert_eq!(
                read_header(&bytes[..end]),
                Ok(HeaderStatus::NeedMore),
                "{end}"
            );
        }
        let header = ready(&bytes);
        assert_eq!((header.width, header.height), (256, 50));
        assert!(header.interleaved && !header.progressive);
    }

    #[test]
    fn decides_colours_as_libjpeg_does() {
        use ColorTransform::{Cmyk, Gray, Rgb, YCbCr, Ycck};
        let jfif = || segment(APP0, b"JFIF\0\x01\x01");
        let adobe = |t| segment(APP14, &[&b"Adobe\0\x64\0\0\0\0"[..], &[t]].concat());
        for (ids, extra, want) in [
            (&[1][..], vec![], Gray),
            (&[1, 2, 3], vec![], YCbCr),
            (b"RGB", vec![], Rgb),
            (b"RGB", vec![jfif()], YCbCr),
            (&[1, 2, 3], vec![adobe(0)], Rgb),
            (&[1, 2, 3], vec![adobe(0), jfif()], YCbCr),
            (b"RGB", vec![adobe(1)], YCbCr),
            (&[0, 1, 2], vec![], YCbCr),
            (b"CMYK", vec![], Cmyk),
            (b"CMYK", vec![adobe(0)], Cmyk),
            (b"CMYK", vec![adobe(2)], Ycck),
        ] {
            let bytes = file(&[extra, vec![frame(SOF0, ids), sos(1)]].concat());
            let header = ready(&bytes);
            assert_eq!(header.transform, want, "{ids:?}");
        }
    }

    #[test]
    fn joins_a_profile_in_the_order_of_its_parts() {
        let part = |n: u8, of: u8, data: &[u8]| {
            segment(APP2, &[b"ICC_PROFILE\0", &[n, of][..], data].concat())
        };
        let with =
            |parts: &[Vec<u8>]| ready(&file(&[parts.concat(), frame(SOF2, &[1]), sos(1)])).icc;
        assert_eq!(
            with(&[part(2, 2, b"cd"), part(1, 2, b"ab")]),
            Some(b"abcd".to_vec())
        );
        assert_eq!(with(&[part(2, 2, b"cd")]), None);
        assert_eq!(with(&[part(1, 2, b"ab"), part(1, 2, b"ab")]), None);
        assert_eq!(with(&[]), None);
        let huge = vec![7; 65_000];
        let many = |n: u8| (1..=n).map(|i| part(i, n, &huge)).collect::<Vec<_>>();
        assert_eq!(with(&many(64)).map(|p| p.len()), Some(64 * 65_000));
        assert_eq!(with(&many(65)), None);
    }

    #[test]
    fn keeps_the_first_exif() {
        let header = ready(&file(&[
            segment(APP1, b"http://ns.adobe.com/xap/1.0/\0"),
            segment(APP1, b"Exif\0\0MM"),
            segment(APP1, b"Exif\0\0II"),
            segment(DRI, &[1, 2]),
            frame(SOF0, &[1]),
            sos(1),
        ]));
        assert_eq!(header.exif.as_deref(), Some(&b"MM"[..]));
        assert_eq!(header.restart_interval, 0x102);
    }

    #[test]
    fn says_what_it_does_not_decode() {
        let sof =
            |marker: u8, payload: &[u8]| read_header(&file(&[segment(marker, payload), sos(1)]));
        let good = [8, 0, 1, 0, 1, 1, 1, 0x11, 0];
        assert!(matches!(sof(SOF0, &good), Ok(HeaderStatus::Ready(_))));
        for marker in [0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF] {
            assert!(matches!(
                sof(marker, &good),
                Err(PipelineError::Unsupported { .. })
            ));
        }
        for (at, value, legal) in [
            (0, 12, true),
            (2, 0, true),
            (5, 2, true),
            (4, 0, false),
            (7, 0x15, false),
            (7, 0x01, false),
            (8, 4, false),
        ] {
            let mut bad = [&good[..], &[2, 0x11, 0]].concat();
            bad[at] = value;
            let got = sof(SOF0, &bad);
            assert_eq!(
                matches!(got, Err(PipelineError::Unsupported { .. })),
                legal,
                "{got:?}"
            );
            assert!(got.is_err());
        }
        assert!(read_header(b"\x89PNG").is_err());
        assert!(read_header(&file(&[sos(1)])).is_err());
        assert!(read_header(&file(&[vec![0xFF, EOI]])).is_err());
    }
}
