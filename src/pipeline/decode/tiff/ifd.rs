//! Directories: tags and their values (TIFF 6.0, section 2).

use std::collections::BTreeSet;
use std::ops::Range;

use super::malformed;
use crate::decode::{HeaderStatus, Part};
use crate::{ImageFormat, OptionsError, PipelineError};

/// Values of one tag that we read at most: strips of a tall image with one row each.
const MAX_VALUES: u32 = 1 << 20;

/// Parts of the file and its byte order.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    parts: &'a [Part<'a>],
    pub is_big_endian: bool,
}

/// What is wanted of the file and in none of its parts.
#[derive(Debug, PartialEq)]
pub struct Missing(pub Range<u64>);

/// What an operation on parts gives: a value, the wish for more bytes, or an error.
pub type Partial<T> = Result<Result<T, Missing>, PipelineError>;

impl<'a> Reader<'a> {
    /// Reads the file header, and gives where the first directory lies.
    pub fn open(parts: &'a [Part<'a>]) -> Partial<(Self, u32)> {
        let little = Self {
            parts,
            is_big_endian: false,
        };
        let [order0, order1, version0, version1] = match little.array(0) {
            Ok(bytes) => bytes,
            Err(missing) => return Ok(Err(missing)),
        };
        let is_big_endian = match &[order0, order1] {
            b"II" => false,
            b"MM" => true,
            _ => return Err(malformed("it does not begin with II or MM")),
        };
        let reader = Self {
            parts,
            is_big_endian,
        };
        match reader.u16_of([version0, version1]) {
            42 => Ok(reader.u32(4).map(|first| (reader, first))),
            43 => Err(PipelineError::unsupported(ImageFormat::Tiff, "BigTIFF")),
            version => Err(malformed(format!("its version is {version}"))),
        }
    }

    fn u16_of(self, bytes: [u8; 2]) -> u16 {
        if self.is_big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    /// Bytes that lie in one of the parts.
    fn bytes(self, at: u64, len: u64) -> Result<&'a [u8], Missing> {
        let find = |part: &Part<'a>| {
            let start = usize::try_from(at.checked_sub(part.start)?).ok()?;
            let end = start.checked_add(usize::try_from(len).ok()?)?;
            part.bytes.get(start..end)
        };
        let found = self.parts.iter().find_map(find);
        found.ok_or(Missing(at..at.saturating_add(len)))
    }

    fn array<const N: usize>(self, at: u64) -> Result<[u8; N], Missing> {
        let bytes = self.bytes(at, N as u64)?;
        bytes
            .first_chunk()
            .copied()
            .ok_or(Missing(at..at.saturating_add(N as u64)))
    }

    fn u16(self, at: u64) -> Result<u16, Missing> {
        self.array(at).map(|bytes| self.u16_of(bytes))
    }

    fn u32(self, at: u64) -> Result<u32, Missing> {
        self.array(at).map(|bytes| {
            if self.is_big_endian {
                u32::from_be_bytes(bytes)
            } else {
                u32::from_le_bytes(bytes)
            }
        })
    }
}

fn no_page(page: u32, pages: u32) -> PipelineError {
    OptionsError::NoPage {
        page,
        format: ImageFormat::Tiff,
        pages,
    }
    .into()
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    /// Where the values lie.
    at: u64,
}

impl Entry {
    fn value_bytes(self) -> u64 {
        match self.kind {
            // The types of section 2; 13 (IFD) came later.
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 => 8,
            _ => 1,
        }
    }
}

/// One directory, all of which is there.
pub struct Directory<'a> {
    reader: Reader<'a>,
    entries: Vec<Entry>,
}

impl<'a> Directory<'a> {
    /// Reads the directory of page `page`, which follows those of the pages before it.
    pub fn read(reader: Reader<'a>, first: u32, page: u32) -> Partial<Self> {
        let mut at = u64::from(first);
        let mut seen = BTreeSet::from([at]);
        for pages in 1..=page {
            let next = reader
                .u16(at)
                // The offset of the next directory follows the entries (section 2).
                .and_then(|count| reader.u32(at + 2 + 12 * u64::from(count)));
            at = match next {
                Ok(0) => return Err(no_page(page, pages)),
                Ok(next) => u64::from(next),
                Err(missing) => return Ok(Err(missing)),
            };
            if !seen.insert(at) {
                return Err(malformed("its directories go round in a circle"));
            }
        }
        Ok(Self::read_at(reader, at))
    }

    fn read_at(reader: Reader<'a>, at: u64) -> Result<Self, Missing> {
        let count = u64::from(reader.u16(at)?);
        // All of it is asked for at once, and not entry by entry.
        reader.bytes(at, 2 + 12 * count)?;
        let entry = |index: u64| {
            let at = at + 2 + 12 * index;
            let mut entry = Entry {
                tag: reader.u16(at)?,
                kind: reader.u16(at + 2)?,
                count: reader.u32(at + 4)?,
                at: at + 8,
            };
            // Values of more than four bytes lie elsewhere.
            let offset = reader.u32(at + 8)?;
            if u64::from(entry.count) * entry.value_bytes() > 4 {
                entry.at = u64::from(offset);
            }
            Ok(entry)
        };
        let entries = (0..count).map(entry).collect::<Result<_, _>>()?;
        Ok(Self { reader, entries })
    }

    fn find(&self, tag: u16) -> Option<Entry> {
        self.entries.iter().copied().find(|entry| entry.tag == tag)
    }

    /// All values of a tag of whole numbers; none if it is absent.
    pub fn numbers(&self, tag: u16) -> Partial<Vec<u32>> {
        let Some(entry) = self.find(tag) else {
            return Ok(Ok(Vec::new()));
        };
        if entry.count > MAX_VALUES {
            return Err(malformed(format!("tag {tag} has {} values", entry.count)));
        }
        let bytes = entry.value_bytes();
        // Signed ones, which some writers use, are read as unsigned: nothing that is read here is negative.
        if !matches!(entry.kind, 1 | 3 | 4 | 6 | 8 | 9) {
            return Err(malformed(format!("tag {tag} has the type {}", entry.kind)));
        }
        let values = match self.reader.bytes(entry.at, u64::from(entry.count) * bytes) {
            Ok(values) => values,
            Err(missing) => return Ok(Err(missing)),
        };
        let value = |value: &[u8]| match *value {
            [byte] => u32::from(byte),
            [byte0, byte1] => u32::from(self.reader.u16_of([byte0, byte1])),
            [byte0, byte1, byte2, byte3] if self.reader.is_big_endian => {
                u32::from_be_bytes([byte0, byte1, byte2, byte3])
            }
            [byte0, byte1, byte2, byte3] => u32::from_le_bytes([byte0, byte1, byte2, byte3]),
            _ => 0,
        };
        Ok(Ok(values.chunks_exact(bytes as usize).map(value).collect()))
    }

    /// The first value of a tag, or `default` if it is absent.
    pub fn number(&self, tag: u16, default: u32) -> Partial<u32> {
        let values = self.numbers(tag)?;
        Ok(values.map(|values| values.first().copied().unwrap_or(default)))
    }

    /// The bytes of a tag of at most `max` bytes; `None` if it is absent or longer.
    pub fn bytes(&self, tag: u16, max: u32) -> Result<Option<Vec<u8>>, Missing> {
        let entry = self.find(tag).filter(|entry| entry.count <= max);
        // BYTE or UNDEFINED.
        let Some(entry) = entry.filter(|entry| matches!(entry.kind, 1 | 7)) else {
            return Ok(None);
        };
        let bytes = self.reader.bytes(entry.at, entry.count.into())?;
        Ok(Some(bytes.to_vec()))
    }
}

/// Turns what a prefix gave into what header readers say.
pub fn status<T>(partial: Partial<T>) -> Result<HeaderStatus<T>, PipelineError> {
    partial.map(|result| match result {
        Ok(value) => HeaderStatus::Ready(value),
        Err(Missing(_)) => HeaderStatus::NeedMore,
    })
}
