//! Boxes (ISO/IEC 14496-12, section 4.2) and the numbers in them.

use super::malformed;
use crate::decode::HeaderStatus;
use crate::{LimitError, PipelineError};

/// The name of a box, a brand or a kind of item.
pub type Name = [u8; 4];

/// What comes before the image, its data left out, has to end here: as much as the edge looks at.
const MAX_HEADER_BYTES: u64 = 4 << 20;
/// Data that lie in front of their description, as in the files of some phones, are held until it comes.
const MAX_EARLY_DATA_BYTES: u64 = 16 << 20;
/// Boxes on the top level before the description; real files have one or two.
const MAX_TOP_BOXES: usize = 64;

/// Reads numbers of the most significant byte first.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], PipelineError> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| malformed("a box is shorter than what it has to say"))?;
        self.rest = rest;
        Ok(bytes)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], PipelineError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8, PipelineError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Result<u16, PipelineError> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, PipelineError> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number of so many bytes: 0, 4 or 8 in `iloc`.
    pub fn number(&mut self, bytes: u8) -> Result<u64, PipelineError> {
        if bytes > 8 {
            return Err(malformed("it has numbers of more than 8 bytes"));
        }
        let bytes = self.bytes(bytes.into())?.iter();
        Ok(bytes.fold(0, |number, &byte| (number << 8) | u64::from(byte)))
    }

    /// An id, which has 32 bits in later versions of a box.
    pub fn id(&mut self, is_wide: bool) -> Result<u32, PipelineError> {
        if is_wide {
            self.u32()
        } else {
            self.u16().map(u32::from)
        }
    }

    /// The version and the flags at the beginning of a full box.
    pub fn version(&mut self) -> Result<(u8, u32), PipelineError> {
        let word = self.u32()?;
        let [version, ..] = word.to_be_bytes();
        Ok((version, word & 0x00ff_ffff))
    }
}

/// A box within another one.
#[derive(Debug, Clone, Copy)]
pub struct Child<'a> {
    pub name: Name,
    pub payload: &'a [u8],
    /// Where the payload begins in the payload of the other one.
    pub at: usize,
}

/// The boxes that lie one after the other in another one; ends after the first error.
pub fn boxes(bytes: &[u8]) -> impl Iterator<Item = Result<Child<'_>, PipelineError>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let next = split_box(rest);
        rest = next.as_ref().map_or(&[][..], |(_, _, rest)| rest);
        Some(next.map(|(name, payload, rest)| Child {
            name,
            payload,
            at: bytes.len() - rest.len() - payload.len(),
        }))
    })
}

/// Name and payload of the first box, and what follows it.
fn split_box(bytes: &[u8]) -> Result<(Name, &[u8], &[u8]), PipelineError> {
    let head = Head::read(bytes).ok_or_else(|| malformed("a box has no room for its header"))?;
    let end = match head.len {
        None => bytes.len(),
        Some(len) => usize::try_from(len).unwrap_or(usize::MAX),
    };
    let payload = bytes.get(head.payload_at..end).ok_or_else(|| {
        let name = head.name.escape_ascii();
        malformed(format!("its box {name} does not fit where it lies"))
    })?;
    Ok((head.name, payload, &bytes[end..]))
}

/// The beginning of a box.
struct Head {
    name: Name,
    /// The length of the whole box; without one it reaches to the end.
    len: Option<u64>,
    payload_at: usize,
}

impl Head {
    /// `None` if there are too few bytes.
    fn read(bytes: &[u8]) -> Option<Self> {
        let &[l0, l1, l2, l3, n0, n1, n2, n3] = bytes.first_chunk::<8>()?;
        let name = [n0, n1, n2, n3];
        let (len, payload_at) = match u32::from_be_bytes([l0, l1, l2, l3]) {
            // The box reaches to the end of the file (section 4.2).
            0 => (None, 8),
            // The length follows the name, in 64 bits (section 4.2).
            1 => {
                let [_, _, long @ ..] = bytes.first_chunk::<16>()?.as_chunks::<4>().0 else {
                    return None;
                };
                let long = long.as_flattened().first_chunk::<8>()?;
                (Some(u64::from_be_bytes(*long)), 16)
            }
            len => (Some(len.into()), 8),
        };
        Some(Self {
            name,
            len,
            payload_at,
        })
    }
}

/// The description of a file.
pub struct Meta<'a> {
    /// The payload of the `meta` box.
    pub payload: &'a [u8],
    /// Where it begins in the file.
    pub at: u64,
}

/// Finds the description in a prefix of the file.
pub fn find_meta(prefix: &[u8]) -> Result<HeaderStatus<Meta<'_>>, PipelineError> {
    let (mut at, mut data) = (0_u64, 0_u64);
    for _ in 0..MAX_TOP_BOXES {
        let rest = usize::try_from(at).ok().and_then(|at| prefix.get(at..));
        let Some((rest, head)) = rest.and_then(|rest| Some((rest, Head::read(rest)?))) else {
            return Ok(HeaderStatus::NeedMore);
        };
        let len = head.len.filter(|&len| len >= head.payload_at as u64);
        let end = len.and_then(|len| at.checked_add(len));
        // After a box that reaches to the end there is no other.
        let end = end.ok_or_else(|| malformed("it has no meta box that says what is in it"))?;
        // Data that come first are limited on their own.
        if &head.name == b"mdat" {
            data += end - at;
        }
        check_room(
            data,
            MAX_EARLY_DATA_BYTES,
            "bytes of data before their description",
        )?;
        check_room(end - data, MAX_HEADER_BYTES, "bytes before the image")?;
        if &head.name == b"meta" {
            let end = usize::try_from(end - at).unwrap_or(usize::MAX);
            return Ok(match rest.get(head.payload_at..end) {
                Some(payload) => HeaderStatus::Ready(Meta {
                    payload,
                    at: at + head.payload_at as u64,
                }),
                None => HeaderStatus::NeedMore,
            });
        }
        at = end;
    }
    let max = MAX_TOP_BOXES as u64;
    check_room(u64::MAX, max, "boxes before the image").map(|()| HeaderStatus::NeedMore)
}

fn check_room(len: u64, max: u64, what: &'static str) -> Result<(), PipelineError> {
    if len > max {
        return Err(LimitError::Count { what, max }.into());
    }
    Ok(())
}
