//! The container: RIFF chunks up to the first frame's image (RFC 9649, section 2).

use super::vp8;
use crate::decode::HeaderStatus;
use crate::decode::canvas::Placement;
use crate::{ImageFormat, LimitError, PipelineError};

/// Profiles beyond this are left out; no real one comes near.
const MAX_ICC_BYTES: usize = 4 << 20;
/// EXIF data beyond this are left out; in a JPEG they are below 64 KiB.
pub const MAX_EXIF_BYTES: usize = 1 << 20;
/// What an ANMF chunk has before the chunks of its image.
pub const FRAME_HEADER_BYTES: usize = 16;
/// Chunks that may come before the image.
const MAX_CHUNKS: u64 = 256;

/// Where a chunk's payload lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start: u64,
    pub len: u32,
}

impl Span {
    pub fn end(self) -> u64 {
        self.start + u64::from(self.len)
    }

    /// Where the next chunk begins: payloads of odd length are padded.
    pub fn next_chunk(self) -> u64 {
        self.end() + u64::from(self.len & 1)
    }
}

/// The image that will be decoded: the only one, or the first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub placement: Placement,
    pub picture: Span,
    pub is_lossless: bool,
    /// The alpha channel, of a lossy image.
    pub alpha: Option<Span>,
    /// Whether the lossless image says that its alpha channel matters.
    pub has_lossless_alpha: bool,
}

/// What the container says before the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub layout: Layout,
    pub is_animated: bool,
    pub has_icc_flag: bool,
    pub has_exif_flag: bool,
    pub icc_profile: Option<Vec<u8>>,
    pub exif: Option<Vec<u8>>,
}

/// Reads the id and length of the chunk whose header lies at `at`.
pub fn chunk_at(bytes: &[u8], at: u64) -> Option<([u8; 4], Span)> {
    let rest = bytes.get(usize::try_from(at).ok()?..)?;
    let &[a, b, c, d, l0, l1, l2, l3] = rest.first_chunk::<8>()?;
    let span = Span {
        start: at + 8,
        len: u32::from_le_bytes([l0, l1, l2, l3]),
    };
    Some(([a, b, c, d], span))
}

/// Where a frame lies and what is to be done with it, by the first [`FRAME_HEADER_BYTES`] of its chunk.
pub struct FrameHeader {
    pub origin: (u32, u32),
    pub size: (u32, u32),
    /// The last byte: whether its pixels replace what is under them, and whether it is cleared afterwards.
    pub flags: u8,
}

impl FrameHeader {
    pub fn parse(payload: &[u8]) -> Self {
        Self {
            // Offsets are stored halved, sizes less one (RFC 9649, section 2.7.1.1).
            origin: (u24(payload, 0) * 2, u24(payload, 3) * 2),
            size: (u24(payload, 6) + 1, u24(payload, 9) + 1),
            flags: payload.get(15).copied().unwrap_or(0),
        }
    }
}

/// The part of a payload that is in the prefix.
fn payload(prefix: &[u8], span: Span) -> &[u8] {
    let start = usize::try_from(span.start).unwrap_or(usize::MAX);
    let end = usize::try_from(span.end()).unwrap_or(usize::MAX);
    let end = end.min(prefix.len());
    prefix.get(start..end).unwrap_or_default()
}

fn u24(bytes: &[u8], at: usize) -> u32 {
    let byte = |i: usize| u32::from(bytes.get(at + i).copied().unwrap_or(0));
    byte(0) | (byte(1) << 8) | (byte(2) << 16)
}

fn malformed(detail: &'static str) -> PipelineError {
    PipelineError::malformed(ImageFormat::WebP, detail)
}

#[derive(Default)]
struct Walk {
    canvas: Option<(u32, u32)>,
    flags: u8,
    frame: Option<((u32, u32), (u32, u32))>,
    alpha: Option<Span>,
    icc_profile: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
}

/// The length of a file, by what its first bytes say (RFC 9649, section 2.4). What follows is not a part of it.
pub fn file_bytes(prefix: &[u8]) -> u64 {
    let len = prefix.get(4..).and_then(<[u8]>::first_chunk);
    // The length does not count itself and the name before it.
    8 + u64::from(len.map_or(0, |len| u32::from_le_bytes(*len)))
}

/// Reads the container up to the size of the first image.
pub fn read(prefix: &[u8]) -> Result<HeaderStatus<Container>, PipelineError> {
    let signature = [(0, *b"RIFF"), (8, *b"WEBP")];
    for (at, name) in signature {
        let have = prefix.get(at..).unwrap_or_default();
        if !name.starts_with(&have[..have.len().min(4)]) {
            return Err(malformed("it does not begin with RIFF and WEBP"));
        }
    }
    let mut walk = Walk::default();
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let Some((id, span)) = chunk_at(prefix, at) else {
            return Ok(HeaderStatus::NeedMore);
        };
        match walk.take(id, span, payload(prefix, span))? {
            Step::Next => at = span.next_chunk(),
            // The chunks within a frame follow its header, and the next frame follows them.
            Step::Enter => at = span.start + FRAME_HEADER_BYTES as u64,
            Step::NeedMore => return Ok(HeaderStatus::NeedMore),
            Step::Picture(layout) => return Ok(HeaderStatus::Ready(walk.into_container(layout))),
        }
    }
    Err(LimitError::Count {
        what: "chunks before the image",
        max: MAX_CHUNKS,
    }
    .into())
}

enum Step {
    Next,
    Enter,
    NeedMore,
    Picture(Layout),
}

impl Walk {
    fn take(&mut self, id: [u8; 4], span: Span, payload: &[u8]) -> Result<Step, PipelineError> {
        let is_whole = payload.len() as u64 == u64::from(span.len);
        let step = match &id {
            b"VP8X" if payload.len() < 10 && !is_whole => Step::NeedMore,
            b"VP8X" => {
                self.flags = payload.first().copied().unwrap_or(0);
                // Stored less one, in 24 bits (RFC 9649, section 2.7).
                self.canvas = Some((u24(payload, 4) + 1, u24(payload, 7) + 1));
                Step::Next
            }
            b"ICCP" if span.len as usize <= MAX_ICC_BYTES => {
                if !is_whole {
                    return Ok(Step::NeedMore);
                }
                self.icc_profile = Some(payload.to_vec());
                Step::Next
            }
            b"EXIF" if span.len as usize <= MAX_EXIF_BYTES => {
                if !is_whole {
                    return Ok(Step::NeedMore);
                }
                self.exif = Some(payload.to_vec());
                Step::Next
            }
            b"ANMF" if span.len < 24 => return Err(malformed("it has a frame without an image")),
            b"ANMF" if payload.len() < FRAME_HEADER_BYTES => Step::NeedMore,
            b"ANMF" => {
                let FrameHeader { origin, size, .. } = FrameHeader::parse(payload);
                self.frame = Some((origin, size));
                self.alpha = None;
                Step::Enter
            }
            b"ALPH" => {
                self.alpha = Some(span);
                Step::Next
            }
            b"VP8 " => match vp8::read_size(payload)? {
                Some(size) => Step::Picture(self.layout(span, size, None)?),
                None if is_whole => return Err(malformed("its image is too short")),
                None => Step::NeedMore,
            },
            b"VP8L" => match read_lossless_size(payload)? {
                Some((size, alpha)) => Step::Picture(self.layout(span, size, Some(alpha))?),
                None if is_whole => return Err(malformed("its image is too short")),
                None => Step::NeedMore,
            },
            _ => Step::Next,
        };
        Ok(step)
    }

    fn layout(
        &self,
        picture: Span,
        size: (u32, u32),
        lossless_alpha: Option<bool>,
    ) -> Result<Layout, PipelineError> {
        let (origin, frame) = self.frame.unwrap_or(((0, 0), size));
        let canvas = self.canvas.unwrap_or(size);
        // Without an animation, canvas and image are the same.
        if frame != size || (self.frame.is_none() && canvas != size) {
            return Err(malformed(
                "its image has another size than its container says",
            ));
        }
        let placement = Placement::new(canvas, origin, size)
            .ok_or_else(|| malformed("its first frame lies outside of its canvas"))?;
        Ok(Layout {
            placement,
            picture,
            is_lossless: lossless_alpha.is_some(),
            // A lossless image has its own alpha; the chunk does not count.
            alpha: self.alpha.filter(|_| lossless_alpha.is_none()),
            has_lossless_alpha: lossless_alpha.unwrap_or(false),
        })
    }

    fn into_container(self, layout: Layout) -> Container {
        Container {
            layout,
            is_animated: self.frame.is_some(),
            // The flags of VP8X (RFC 9649, section 2.7): ICC profile and EXIF.
            has_icc_flag: self.flags & 0x20 != 0,
            has_exif_flag: self.flags & 0x08 != 0,
            icc_profile: self.icc_profile,
            exif: self.exif,
        }
    }
}

/// Width and height, and whether there is alpha.
type LosslessSize = ((u32, u32), bool);

/// Size of a lossless image and whether it has alpha, or `None` if there are too few bytes.
fn read_lossless_size(data: &[u8]) -> Result<Option<LosslessSize>, PipelineError> {
    let Some(&[signature, a, b, c, d]) = data.first_chunk::<5>() else {
        return Ok(None);
    };
    let fields = u32::from_le_bytes([a, b, c, d]);
    // The version, three bits, is 0.
    if signature != 0x2f || fields >> 29 != 0 {
        return Err(malformed("its lossless signature is wrong"));
    }
    let size = ((fields & 0x3fff) + 1, ((fields >> 14) & 0x3fff) + 1);
    Ok(Some((size, (fields >> 28) & 1 != 0)))
}
