//! The orientation in EXIF metadata, which has the form of a TIFF file (Exif 3.0, 4.5 and 4.6.5).

use image::metadata::Orientation;

/// The tag of the orientation.
const ORIENTATION: u16 = 0x0112;
/// The bytes of an entry of a directory (TIFF 6.0, section 2).
const ENTRY_BYTES: usize = 12;

/// The orientation that EXIF says, from its TIFF header on; `None` if it says none that exists.
///
/// The standard wants one SHORT. Phones and editors also write other whole numbers, or several.
pub fn orientation(exif: &[u8]) -> Option<Orientation> {
    let tiff = Tiff::open(exif)?;
    let directory = usize::try_from(tiff.u32(4)?).ok()?;
    let count = usize::from(tiff.u16(directory)?);
    let entries = directory.checked_add(2)?;
    let entry = (0..count)
        .map(|index| entries + index * ENTRY_BYTES)
        .find(|at| tiff.u16(*at) == Some(ORIENTATION))?;
    let value = tiff.first_value(entry)?;
    Orientation::from_exif(u8::try_from(value).ok()?)
}

/// Bytes in one of the byte orders.
struct Tiff<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

impl<'a> Tiff<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let is_big_endian = match bytes.first_chunk()? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self {
            bytes,
            is_big_endian,
        })
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        let mut array: [u8; N] = *self.bytes.get(at..)?.first_chunk()?;
        if self.is_big_endian {
            array.reverse();
        }
        Some(array)
    }

    fn u16(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    fn u32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// The first value of the entry at `entry`, if it has whole numbers.
    ///
    /// Signed ones are read as unsigned: an orientation is positive.
    fn first_value(&self, entry: usize) -> Option<u32> {
        let kind = self.u16(entry + 2)?;
        let bytes: u32 = match kind {
            // BYTE, SBYTE
            1 | 6 => 1,
            // SHORT, SSHORT
            3 | 8 => 2,
            // LONG, SLONG
            4 | 9 => 4,
            _ => return None,
        };
        let count = self.u32(entry + 4)?;
        // More than four bytes lie elsewhere.
        let at = match count.checked_mul(bytes)? {
            0 => return None,
            1..=4 => entry + 8,
            _ => usize::try_from(self.u32(entry + 8)?).ok()?,
        };
        match bytes {
            1 => self.array(at).map(|[byte]| u32::from(byte)),
            2 => self.u16(at).map(u32::from),
            _ => self.u32(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EXIF with an entry before the orientation, whose `count` values are all `value`.
    fn exif(is_big_endian: bool, kind: u16, count: u32, value: u32) -> Vec<u8> {
        let number = |value: u32, bytes: usize| {
            let le = value.to_le_bytes();
            let mut number = le[..bytes].to_vec();
            if is_big_endian {
                number.reverse();
            }
            number
        };
        let width = match kind {
            1 | 6 => 1,
            3 | 8 => 2,
            _ => 4,
        };
        let values: Vec<u8> = (0..count).flat_map(|_| number(value, width)).collect();
        let mut file = if is_big_endian { *b"MM\0*" } else { *b"II*\0" }.to_vec();
        file.extend(number(8, 4));
        file.extend(number(2, 2));
        for (tag, kind, count, values) in [
            (0x0100, 4, 1, &number(7, 4)),
            (ORIENTATION.into(), u32::from(kind), count, &values),
        ] {
            file.extend([number(tag, 2), number(kind, 2), number(count, 4)].concat());
            if values.len() > 4 {
                file.extend(number(38, 4));
            } else {
                file.extend(values);
                file.resize(file.len().next_multiple_of(ENTRY_BYTES) - 2, 0);
            }
        }
        file.resize(38, 0);
        file.extend(&values);
        file
    }

    #[test]
    fn every_whole_number_turns() {
        for is_big_endian in [false, true] {
            for kind in [1, 3, 4, 6, 8, 9] {
                for count in 1..=5 {
                    let exif = exif(is_big_endian, kind, count, 6);
                    let got = orientation(&exif);
                    assert_eq!(got, Some(Orientation::Rotate90), "{kind} {count}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_orientation_turns_nothing() {
        for (kind, count, value) in [
            (3, 1, 0),
            (3, 1, 9),
            (3, 1, 0x106),
            (4, 1, 0xFFFF_FFFF),
            (3, 0, 6),
            (2, 1, 6),
            (11, 1, 6),
            (4, 0x4000_0001, 6),
        ] {
            let small = exif(false, kind, count.min(8), value);
            let mut file = small;
            // The count of the second entry.
            file[26..30].copy_from_slice(&count.to_le_bytes());
            assert_eq!(orientation(&file), None, "{kind} {count} {value}");
        }
    }

    #[test]
    fn cut_exif_never_panics() {
        let exif = exif(true, 4, 2, 6);
        for end in 0..exif.len() {
            let _ = orientation(&exif[..end]);
        }
        let mut far = exif;
        far[4..8].fill(0xFF);
        assert_eq!(orientation(&far), None);
    }
}
