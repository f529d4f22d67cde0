//! Directories: tags and their values (TIFF 6.0, section 2).

use std::collections::BTreeSet;

use super::malformed;
use crate::decode::HeaderStatus;
use crate::{ImageFormat, OptionsError, PipelineError};

/// Values of one tag that we read at most: strips of a tall picture with one row each.
const MAX_VALUES: u32 = 1 << 20;

/// A prefix of the file and its byte order.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    pub is_big_endian: bool,
}

/// Where the prefix ends before what is wanted.
pub struct EndOfPrefix;

/// What an operation on a prefix gives: a value, the wish for more bytes, or an error.
pub type Partial<T> = Result<Result<T, EndOfPrefix>, PipelineError>;

impl<'a> Reader<'a> {
    /// Reads the file header, and gives where the first directory lies.
    pub fn open(bytes: &'a [u8]) -> Partial<(Self, u32)> {
        let Some(&[order0, order1, version0, version1]) = bytes.first_chunk::<4>() else {
            return Ok(Err(EndOfPrefix));
        };
        let is_big_endian = match &[order0, order1] {
            b"II" => false,
            b"MM" => true,
            _ => return Err(malformed("it does not begin with II or MM")),
        };
        let reader = Self {
            bytes,
            is_big_endian,
        };
        match reader.u16_of([version0, version1]) {
            42 => Ok(reader
                .u32(4)
                .map(|first| (reader, first))
                .ok_or(EndOfPrefix)),
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

    fn array<const N: usize>(self, at: u64) -> Option<[u8; N]> {
        let rest = self.bytes.get(usize::try_from(at).ok()?..)?;
        rest.first_chunk().copied()
    }

    fn u16(self, at: u64) -> Option<u16> {
        self.array(at).map(|bytes| self.u16_of(bytes))
    }

    fn u32(self, at: u64) -> Option<u32> {
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
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 => 8,
            _ => 1,
        }
    }
}

/// One directory, all of which lies in the prefix.
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
            let Some(count) = reader.u16(at) else {
                return Ok(Err(EndOfPrefix));
            };
            at = match reader.u32(at + 2 + 12 * u64::from(count)) {
                Some(0) => return Err(no_page(page, pages)),
                Some(next) => u64::from(next),
                None => return Ok(Err(EndOfPrefix)),
            };
            if !seen.insert(at) {
                return Err(malformed("its directories go round in a circle"));
            }
        }
        Ok(Self::read_at(reader, at).ok_or(EndOfPrefix))
    }

    fn read_at(reader: Reader<'a>, at: u64) -> Option<Self> {
        let count = u64::from(reader.u16(at)?);
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
            Some(entry)
        };
        let entries = (0..count).map(entry).collect::<Option<_>>()?;
        Some(Self { reader, entries })
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
        let end = entry.at + u64::from(entry.count) * bytes;
        if end > self.reader.bytes.len() as u64 {
            return Ok(Err(EndOfPrefix));
        }
        let value = |index: u32| {
            let at = entry.at + u64::from(index) * bytes;
            match bytes {
                1 => self.reader.array(at).map(|[byte]| u32::from(byte)),
                2 => self.reader.u16(at).map(u32::from),
                _ => self.reader.u32(at),
            }
        };
        let values = (0..entry.count).map(value).collect::<Option<_>>();
        Ok(values.ok_or(EndOfPrefix))
    }

    /// The first value of a tag, or `default` if it is absent.
    pub fn number(&self, tag: u16, default: u32) -> Partial<u32> {
        let values = self.numbers(tag)?;
        Ok(values.map(|values| values.first().copied().unwrap_or(default)))
    }

    /// The bytes of a tag of at most `max` bytes; `None` if it is absent or longer.
    pub fn bytes(&self, tag: u16, max: u32) -> Result<Option<Vec<u8>>, EndOfPrefix> {
        let entry = self.find(tag).filter(|entry| entry.count <= max);
        let Some(entry) = entry.filter(|entry| matches!(entry.kind, 1 | 7)) else {
            return Ok(None);
        };
        let range = usize::try_from(entry.at).ok().and_then(|start| {
            let end = start.checked_add(entry.count as usize)?;
            self.reader.bytes.get(start..end)
        });
        range.map(|bytes| Some(bytes.to_vec())).ok_or(EndOfPrefix)
    }
}

/// Turns what a prefix gave into what header readers say.
pub fn status<T>(partial: Partial<T>) -> Result<HeaderStatus<T>, PipelineError> {
    partial.map(|result| match result {
        Ok(value) => HeaderStatus::Ready(value),
        Err(EndOfPrefix) => HeaderStatus::NeedMore,
    })
}
