//! Properties of an image: its size, its colors, how it is cut and turned (ISO/IEC 23008-12, section 6.5).

use image::metadata::Orientation;

use super::boxes::Reader;
use super::items::{Items, Property};
use super::malformed;
use crate::color::cicp::Cicp;
use crate::{ImageFormat, PipelineError};

/// Profiles beyond this are left out; no real one comes near.
const MAX_ICC_BYTES: usize = 4 << 20;

/// What a reader may know of an image and show it; `pasp` and `clli` and their like do not matter to us,
/// but are never essential.
const KNOWN: [&[u8; 4]; 8] = [
    b"hvcC", b"ispe", b"colr", b"pixi", b"irot", b"imir", b"clap", b"auxC",
];

/// A part of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

/// How an image is cut and then turned.
#[derive(Debug, Clone, Copy)]
pub struct Transforms {
    pub crop: Crop,
    pub orientation: Orientation,
}

/// What is said about the colors of an image.
#[derive(Debug, Clone, Default)]
pub struct Colors {
    pub icc_profile: Option<Vec<u8>>,
    pub cicp: Option<Cicp>,
}

/// Refuses an image that must not be shown without something that we do not know.
pub fn check_essential(items: &Items<'_>, id: u32) -> Result<(), PipelineError> {
    let is_unknown =
        |property: &Property<'_>| property.is_essential && !KNOWN.contains(&&property.name);
    match items.properties(id).find(is_unknown) {
        None => Ok(()),
        Some(property) => {
            let name = property.name.escape_ascii();
            let feature = format!("the property {name}");
            Err(PipelineError::unsupported(ImageFormat::Heic, feature))
        }
    }
}

/// The size that is said of an image.
pub fn size(items: &Items<'_>, id: u32) -> Result<Option<(u32, u32)>, PipelineError> {
    let Some(property) = items.property(id, *b"ispe") else {
        return Ok(None);
    };
    let mut reader = Reader::new(property.payload);
    reader.version()?;
    Ok(Some((reader.u32()?, reader.u32()?)))
}

/// The colors of an image: it can have a profile and code points besides.
pub fn colors(items: &Items<'_>, id: u32) -> Result<Colors, PipelineError> {
    let mut colors = Colors::default();
    for property in items.properties(id) {
        if &property.name != b"colr" {
            continue;
        }
        let mut reader = Reader::new(property.payload);
        match &reader.array()? {
            b"nclx" => {
                // H.273 has fewer than 256 code points of each kind.
                let mut point = || {
                    let word = reader.u16()?;
                    // 2 is "unspecified".
                    Ok::<_, PipelineError>(u8::try_from(word).unwrap_or(2))
                };
                let (primaries, transfer, matrix) = (point()?, point()?, point()?);
                colors.cicp = Some(Cicp {
                    primaries,
                    transfer,
                    matrix,
                    // The flag is the highest bit.
                    full_range: reader.u8()? >> 7,
                });
            }
            b"prof" | b"rICC" if reader.rest().len() <= MAX_ICC_BYTES => {
                colors.icc_profile = Some(reader.rest().to_vec());
            }
            _ => {}
        }
    }
    Ok(colors)
}

/// How an image of `size` is cut and turned, in the order in which its properties stand.
pub fn transforms(
    items: &Items<'_>,
    id: u32,
    (width, height): (u32, u32),
) -> Result<Transforms, PipelineError> {
    let mut crop = Crop {
        left: 0,
        top: 0,
        width,
        height,
    };
    let mut turn = Turn::default();
    for property in items.properties(id) {
        let mut reader = Reader::new(property.payload);
        match &property.name {
            b"clap" if turn == Turn::default() => crop = clean_aperture(&mut reader, crop)?,
            b"clap" => {
                let feature = "a cut (clap) of a turned image";
                return Err(PipelineError::unsupported(ImageFormat::Heic, feature));
            }
            // The angle is against the clock.
            b"irot" => turn.rotate(4 - (reader.u8()? & 3)),
            // ISO/IEC 23008-12:2022, section 6.5.12: 0 exchanges top and bottom, 1 left and right.
            b"imir" if reader.u8()? & 1 == 0 => turn.flip_top_to_bottom(),
            b"imir" => turn.flip_left_to_right(),
            _ => {}
        }
    }
    Ok(Transforms {
        crop,
        orientation: turn.orientation(),
    })
}

/// Quarter turns with the clock, then a flip from left to right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Turn {
    quarters: u8,
    is_flipped: bool,
}

impl Turn {
    fn rotate(&mut self, quarters: u8) {
        // What is turned after a flip might as well be turned the other way before it.
        let quarters = if self.is_flipped {
            4 - quarters % 4
        } else {
            quarters
        };
        self.quarters = (self.quarters + quarters) % 4;
    }

    fn flip_left_to_right(&mut self) {
        self.is_flipped = !self.is_flipped;
    }

    fn flip_top_to_bottom(&mut self) {
        self.rotate(2);
        self.flip_left_to_right();
    }

    const fn orientation(self) -> Orientation {
        match (self.quarters, self.is_flipped) {
            (0, false) => Orientation::NoTransforms,
            (1, false) => Orientation::Rotate90,
            (2, false) => Orientation::Rotate180,
            (_, false) => Orientation::Rotate270,
            (0, true) => Orientation::FlipHorizontal,
            (1, true) => Orientation::Rotate90FlipH,
            (2, true) => Orientation::FlipVertical,
            (_, true) => Orientation::Rotate270FlipH,
        }
    }
}

/// The part that a `clap` box leaves (ISO/IEC 14496-12, section 12.1.4).
fn clean_aperture(reader: &mut Reader<'_>, of: Crop) -> Result<Crop, PipelineError> {
    let side = |whole: u32, len: (u32, u32), offset: (u32, u32)| {
        let (len, len_unit) = (i64::from(len.0), i64::from(len.1));
        let (offset, unit) = (i64::from(offset.0.cast_signed()), i64::from(offset.1));
        if len_unit == 0 || unit == 0 || len % len_unit != 0 {
            return None;
        }
        let len = len / len_unit;
        // Its middle lies `offset` from the middle of the image.
        let twice = (i64::from(whole) - len).checked_mul(unit)? + 2 * offset;
        // Halves are allowed as long as the start is whole.
        let start = (twice % (2 * unit) == 0).then_some(twice / (2 * unit))?;
        let is_within = len > 0 && start >= 0 && start + len <= i64::from(whole);
        let start = u32::try_from(start).ok()?;
        is_within.then_some((start, u32::try_from(len).ok()?))
    };
    let mut pair = || Ok::<_, PipelineError>((reader.u32()?, reader.u32()?));
    let (width, height, x, y) = (pair()?, pair()?, pair()?, pair()?);
    let sides = side(of.width, width, x).zip(side(of.height, height, y));
    let ((left, width), (top, height)) =
        sides.ok_or_else(|| malformed("its cut (clap) is not of whole pixels within it"))?;
    Ok(Crop {
        left,
        top,
        width,
        height,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_and_flips_add_up() {
        let cases: [(&[u8], Orientation); 6] = [
            (&[0], Orientation::FlipVertical),
            (&[1], Orientation::FlipHorizontal),
            (&[0, 1], Orientation::Rotate180),
            (&[11, 1], Orientation::Rotate90FlipH),
            (&[1, 11], Orientation::Rotate270FlipH),
            (&[11, 0, 11, 0], Orientation::NoTransforms),
        ];
        for (steps, want) in cases {
            let mut turn = Turn::default();
            for step in steps {
                match step {
                    0 => turn.flip_top_to_bottom(),
                    1 => turn.flip_left_to_right(),
                    _ => turn.rotate(1),
                }
            }
            assert_eq!(turn.orientation(), want, "{steps:?}");
        }
    }

    #[test]
    fn a_cut_lies_around_the_middle() {
        let whole = Crop {
            left: 0,
            top: 0,
            width: 64,
            height: 48,
        };
        let cut = |numbers: [i32; 8]| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
            clean_aperture(&mut Reader::new(&bytes), whole)
        };
        let want = Crop {
            left: 0,
            top: 0,
            width: 63,
            height: 45,
        };
        assert_eq!(cut([63, 1, 45, 1, -1, 2, -3, 2]), Ok(want));
        for outside in [
            [65, 1, 48, 1, 0, 1, 0, 1],
            [64, 1, 48, 1, 1, 1, 0, 1],
            [63, 1, 48, 1, 0, 1, 0, 1],
            [63, 0, 48, 1, 0, 1, 0, 1],
            [0, 1, 48, 1, 0, 1, 0, 1],
        ] {
            assert!(cut(outside).is_err(), "{outside:?}");
        }
    }
}
