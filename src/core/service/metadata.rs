//! Drops the metadata that a JPEG has in front of its image, as it arrives.
//!
//! A phone writes a second image there, an editor megabytes of XMP. Its pixels do not need them,
//! nor does its decoder: it is fed what is left.

use State::{Begins, Drops, Keeps, Over, Segment};

/// Beyond this an ICC profile is left out, by the decoder, too.
const MAX_ICC_BYTES: usize = 4 << 20;

/// The marker that a file begins with.
const SOI_BYTES: usize = 2;

/// What stands for a segment that was dropped.
const EMPTY_COMMENT: [u8; 4] = [0xFF, 0xFE, 0x00, 0x02];

/// How much of a segment's payload says what it is.
const NAME_BYTES: usize = 12;

/// Where a file is.
#[derive(Debug, Clone, Copy)]
enum State {
    /// Before the first segment.
    Begins,
    /// At a segment, of which what is held from `start` on does not say yet what it is.
    Segment { start: usize },
    /// In a segment of which so many bytes are kept yet.
    Keeps(usize),
    /// In a segment of which so many bytes are dropped yet.
    Drops(usize),
    /// Behind the header, or in something else: all is kept.
    Over,
}

/// What is kept of a file.
#[derive(Debug)]
pub struct MetadataFilter {
    state: State,
    has_exif: bool,
    icc_bytes: usize,
}

impl MetadataFilter {
    /// The filter of a file, before its first byte.
    pub fn new() -> Self {
        Self {
            state: Begins,
            has_exif: false,
            icc_bytes: 0,
        }
    }

    /// Adds to `held` what it keeps of `bytes`.
    pub fn push(&mut self, held: &mut Vec<u8>, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            match self.state {
                Over => {
                    held.extend_from_slice(bytes);
                    return;
                }
                Keeps(left) | Drops(left) => {
                    let (part, rest) = bytes.split_at(left.min(bytes.len()));
                    let left = left - part.len();
                    if matches!(self.state, Keeps(_)) {
                        held.extend_from_slice(part);
                        self.state = Keeps(left);
                    } else {
                        self.state = Drops(left);
                    }
                    bytes = rest;
                }
                Begins | Segment { .. } => {
                    held.push(*first);
                    bytes = rest;
                    self.sort_segment(held);
                }
            }
            if let Keeps(0) | Drops(0) = self.state {
                self.state = Segment { start: held.len() };
            }
        }
    }

    /// Says what becomes of a segment, once what is held of it tells.
    fn sort_segment(&mut self, held: &mut Vec<u8>) {
        let Segment { start } = self.state else {
            self.state = match held.as_slice() {
                [0xFF] => Begins,
                [0xFF, 0xD8] => Keeps(0),
                _ => Over,
            };
            return;
        };
        let (marker, payload) = match held.get(start..).unwrap_or_default() {
            [0xFF] | [0xFF, 0xC0..=0xCF | 0xDB..=0xFE] | [0xFF, 0xC0..=0xCF | 0xDB..=0xFE, _] => {
                return;
            }
            [0xFF, marker @ (0xC0..=0xCF | 0xDB..=0xFE), payload @ ..] => (*marker, payload),
            // The first scan, or nothing that needs to be understood here.
            _ => {
                self.state = Over;
                return;
            }
        };
        let [high, low, name @ ..] = payload else {
            return;
        };
        let length = usize::from(u16::from_be_bytes([*high, *low])).max(2);
        let is_metadata = matches!(marker, 0xE0..=0xEF | 0xFE);
        if is_metadata && name.len() < NAME_BYTES.min(length - 2) {
            return;
        }
        let left = length - payload.len();
        self.state = if !is_metadata || self.matters(marker, name, length) {
            Keeps(left)
        } else {
            held.truncate(start);
            if start == SOI_BYTES {
                // A JPEG is told by the marker that comes first.
                held.extend_from_slice(&EMPTY_COMMENT);
            }
            Drops(left)
        };
    }

    /// Whether the decoder's header reads it.
    fn matters(&mut self, marker: u8, name: &[u8], length: usize) -> bool {
        match marker {
            0xE0 => name.starts_with(b"JFIF\0"),
            0xE1 => name.starts_with(b"Exif\0\0") && !std::mem::replace(&mut self.has_exif, true),
            0xE2 if name.starts_with(b"ICC_PROFILE\0") => {
                self.icc_bytes += length;
                self.icc_bytes <= MAX_ICC_BYTES + (64 << 10)
            }
            0xEE => name.starts_with(b"Adobe"),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, marker], &length[..], payload].concat()
    }

    fn kept(file: &[u8], chunk: usize) -> Vec<u8> {
        let mut filter = MetadataFilter::new();
        let mut held = Vec::new();
        for bytes in file.chunks(chunk) {
            filter.push(&mut held, bytes);
        }
        held
    }

    #[test]
    fn what_the_decoder_reads_is_kept() {
        let xmp = segment(
            0xE1,
            &[
                b"http://ns.adobe.com/xap/1.0/\0".as_slice(),
                &vec![7; 60_000],
            ]
            .concat(),
        );
        let exif = segment(0xE1, b"Exif\0\0MM\0*");
        let needed = [
            vec![0xFF, 0xD8],
            segment(0xE0, b"JFIF\0\x01\x01"),
            exif.clone(),
            segment(0xE2, b"ICC_PROFILE\0\x01\x01profile"),
            segment(0xEE, b"Adobe\0\x64\0\0\0\0\0"),
            segment(0xDB, &[1; 65]),
            segment(0xC0, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]),
        ];
        let behind = [segment(0xDA, &[1; 8]), xmp.clone(), vec![1, 2, 3]].concat();
        let extra = [
            xmp.clone(),
            exif,
            segment(0xFE, b"a comment"),
            segment(0xE2, b"MPF\0"),
            segment(0xED, b""),
            segment(0xE0, b"JFXX\0"),
        ];
        let mut file = needed[0].clone();
        for (index, part) in needed[1..].iter().enumerate() {
            file.extend(part);
            // The second EXIF comes behind the first.
            if index > 0 {
                file.extend(extra.concat());
            }
        }
        file.extend(&behind);
        let want = [needed.concat(), behind].concat();
        for chunk in [1, 5, file.len()] {
            assert!(kept(&file, chunk) == want, "{chunk}");
        }
    }

    #[test]
    fn what_is_no_chain_of_segments_is_kept() {
        let xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0");
        for start in [
            &b"\x89PNG"[..],
            b"\xFF",
            b"\xFF\xD8garbage",
            b"\xFF\xD8\xFF\xD8",
            b"\xFF\xD8\xFF\xFF",
            b"",
        ] {
            let file = [start, &xmp].concat();
            for chunk in [1, file.len()] {
                assert_eq!(kept(&file, chunk), file);
            }
        }
    }
}
