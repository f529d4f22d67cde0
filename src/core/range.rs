//! Ranges of bytes: RFC 9110, section 14.

/// Some bytes of a representation; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte, counted from 0.
    pub first: u64,
    /// The last byte.
    pub last: u64,
}

/// What a request asks for of a representation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// All of it.
    All,
    /// 206: a part of it.
    Part(ByteRange),
    /// 416: a part that it does not have.
    Unsatisfiable,
}

impl ByteRange {
    /// How many bytes it has: one at the least.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub const fn len(&self) -> u64 {
        self.last - self.first + 1
    }

    /// For `Content-Range`, `complete` being the length of the whole.
    pub fn content_range(&self, complete: u64) -> String {
        let Self { first, last } = self;
        format!("bytes {first}-{last}/{complete}")
    }
}

/// Reads `Range` for a representation of `len` bytes.
///
/// Several ranges, other units and what breaks the grammar are answered with all of it, which
/// section 14.2 allows: nobody asks for two parts of a thumbnail.
pub fn select(header: &str, len: u64) -> Selection {
    parse(header, len).unwrap_or(Selection::All)
}

fn parse(header: &str, len: u64) -> Option<Selection> {
    let (unit, set) = header.trim().split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    let range = if first.is_empty() {
        let suffix = number(last)?.min(len);
        (len - suffix, len.saturating_sub(1))
    } else {
        let first = number(first)?;
        let last = match last {
            "" => u64::MAX,
            last => number(last)?,
        };
        if first > last {
            return None;
        }
        (first, last.min(len.saturating_sub(1)))
    };
    Some(match range {
        (first, _) if first >= len => Selection::Unsatisfiable,
        (first, last) => Selection::Part(ByteRange { first, last }),
    })
}

/// Digits only: `u64::from_str` would take a sign too. What is too large is beyond every end.
fn number(digits: &str) -> Option<u64> {
    let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::Selection::{All, Unsatisfiable};
    use super::*;

    const fn part(first: u64, last: u64) -> Selection {
        Selection::Part(ByteRange { first, last })
    }

    #[test]
    fn one_range_of_bytes_is_a_part() {
        for (header, want) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=0-9", part(0, 9)),
            ("bytes=5-", part(5, 9)),
            ("bytes=9-9", part(9, 9)),
            ("bytes=8-99", part(8, 9)),
            ("bytes=8-99999999999999999999999999", part(8, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-99", part(0, 9)),
            ("BYTES=0-1", part(0, 1)),
            ("bytes=10-", Unsatisfiable),
            ("bytes=10-11", Unsatisfiable),
            ("bytes=99999999999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
        ] {
            assert_eq!(select(header, 10), want, "{header}");
        }
    }

    #[test]
    fn everything_else_is_the_whole() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=1-0",
            "bytes=+1-2",
            "bytes=1-+2",
            "bytes=--1",
            "bytes=0-1,3-4",
            "bytes=0-1,",
            "bytes 0-1",
            "pages=0-1",
            "bytes=1-2-3",
            "bytes=0x1-2",
            "bytes=1 -2",
        ] {
            assert_eq!(select(header, 10), All, "{header}");
        }
    }

    #[test]
    fn nothing_has_no_parts() {
        for header in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(select(header, 0), Unsatisfiable, "{header}");
        }
    }

    #[test]
    fn a_part_never_exceeds_the_whole() {
        for len in 1..5 {
            for first in 0..7 {
                for last in 0..7 {
                    for header in [
                        format!("bytes={first}-{last}"),
                        format!("bytes={first}-"),
                        format!("bytes=-{last}"),
                    ] {
                        if let Selection::Part(range) = select(&header, len) {
                            assert!(range.first <= range.last && range.last < len, "{header}");
                            assert!((1..=len).contains(&range.len()));
                        }
                    }
                }
            }
        }
        let range = ByteRange { first: 2, last: 4 };
        assert_eq!(
            (range.len(), range.content_range(9)),
            (3, "bytes 2-4/9".into())
        );
    }
}
