//! The header and the tag table of a profile, and which of its tags are used.

use super::super::curve::Curve;
use super::super::matrix::{D50, Matrix, transpose};
use super::lut::{Lut, MAX_CHANNELS};
use super::reader::Bytes;
use super::table::{Encoding, Table, lightness_to_light};
use super::tone::read_curve;

/// The largest profile that is read; CMYK profiles in use have 0.5 to 3 MiB.
const MAX_PROFILE_BYTES: usize = 4 << 20;

/// The most tags, as in Little CMS.
const MAX_TAGS: usize = 100;

/// How far the sum of the colorants may be from D50; beyond it colors would be nonsense.
const WHITE_TOLERANCE: f64 = 0.1;

/// What a profile says about its device.
#[derive(Debug)]
pub(in super::super) enum Device {
    /// One channel: gray that is linear light after the curve.
    Gray(Curve),
    /// Three channels: linear light after the curves, XYZ after the matrix.
    Matrix {
        /// Of red, green and blue.
        curves: [Curve; 3],
        /// From linear RGB to XYZ under D50.
        to_xyz: Matrix,
    },
    /// Any channels: a table to XYZ or Lab.
    Table(Table),
}

/// A profile that was read.
#[derive(Debug)]
pub(in super::super) struct Profile {
    /// Its device, by its number of channels and how they become colors.
    pub(in super::super) device: Device,
}

impl Profile {
    /// Reads a profile for images of `channels` channels (1, 3 or 4).
    ///
    /// `None` if it is damaged, too large, or for another kind of image.
    pub(in super::super) fn read(profile: &[u8], channels: usize) -> Option<Self> {
        if profile.len() > MAX_PROFILE_BYTES {
            return None;
        }
        let bytes = Bytes(profile);
        // Some say more than there is: as Little CMS does, tags are taken from what there is.
        let declared = bytes.index(0)?.min(profile.len());
        let tags = Tags {
            bytes: Bytes(profile.get(..declared)?),
        };
        let class = bytes.signature(12)?;
        let model: [u8; 4] = match channels {
            1 => *b"GRAY",
            3 => *b"RGB ",
            _ => *b"CMYK",
        };
        let usable = matches!(&class, b"scnr" | b"mntr" | b"prtr" | b"spac")
            && bytes.signature(16)? == model
            && bytes.signature(36)? == *b"acsp";
        if !usable {
            return None;
        }
        let device = match tags.table(channels) {
            Some(table) => Device::Table(table),
            None => match channels {
                1 => Device::Gray(tags.gray()?),
                3 => tags.matrix()?,
                _ => return None,
            },
        };
        Some(Self { device })
    }

    /// The most bytes that reading a profile takes, what comes of it included.
    pub(in super::super) fn bytes(profile: &[u8], channels: usize) -> u64 {
        if profile.len() > MAX_PROFILE_BYTES {
            return 0;
        }
        let tags = Tags {
            bytes: Bytes(profile),
        };
        let len = |name: &[u8; 4]| tags.find(*name).map_or(0, |tag| tag.0.len() as u64);
        // Samples of 8 bits are held as 16; only one of the first two is.
        let forth = 2 * len(b"A2B1").max(len(b"A2B0"));
        let back = if channels == MAX_CHANNELS {
            2 * len(b"B2A0")
        } else {
            0
        };
        let curve = [b"rTRC", b"gTRC", b"bTRC", b"kTRC"].map(len);
        // A table has curves for its inputs, in its middle and for its outputs, and sRGB has one.
        let curves = match (forth, back) {
            (0, 0) => 4,
            (_, 0) => channels as u64 + 3 + 3 + 1,
            _ => channels as u64 + 3 + 3 + 1 + 3 + 4,
        };
        forth + back + curve.into_iter().max().unwrap_or(0) + curves * Curve::BYTES
    }
}

/// The tag table.
#[derive(Clone, Copy)]
struct Tags<'a> {
    bytes: Bytes<'a>,
}

impl<'a> Tags<'a> {
    fn find(self, signature: [u8; 4]) -> Option<Bytes<'a>> {
        let count = self.bytes.index(128)?;
        (0..count.min(MAX_TAGS))
            .map(|tag| 132 + 12 * tag)
            .find(|at| self.bytes.signature(*at) == Some(signature))
            .and_then(|at| {
                let (offset, len) = (self.bytes.index(at + 4)?, self.bytes.index(at + 8)?);
                self.bytes.slice(offset, len).map(Bytes)
            })
    }

    fn table(self, channels: usize) -> Option<Table> {
        let (lut, encoding) = [*b"A2B1", *b"A2B0"].into_iter().find_map(|signature| {
            let tag = self.find(signature)?;
            let encoding = Encoding::of(self.bytes.signature(20)?, tag.signature(0)?)?;
            Some((Lut::read(tag, channels, 3)?, encoding))
        })?;
        let black = if channels == 4 {
            self.black_ink().unwrap_or([1.0; MAX_CHANNELS])
        } else {
            [0.0; MAX_CHANNELS]
        };
        Some(Table::new(lut, encoding, black))
    }

    /// The ink that the profile prints black with; all of it would be darker than any press prints.
    fn black_ink(self) -> Option<[f32; MAX_CHANNELS]> {
        let tag = self.find(*b"B2A0")?;
        let encoding = Encoding::of(self.bytes.signature(20)?, tag.signature(0)?)?;
        Some(Lut::read(tag, 3, 4)?.at(encoding.black()))
    }

    /// The curve of a gray device, which leads to Y or to L.
    fn gray(self) -> Option<Curve> {
        let curve = self.curve(*b"kTRC")?;
        match &self.bytes.signature(20)? {
            b"XYZ " => Some(curve),
            b"Lab " => Some(curve.map(lightness_to_light)),
            _ => None,
        }
    }

    fn curve(self, signature: [u8; 4]) -> Option<Curve> {
        Some(read_curve(self.find(signature)?)?.curve)
    }

    fn colorant(self, signature: [u8; 4]) -> Option<[f64; 3]> {
        let tag = self.find(signature)?;
        (tag.signature(0)? == *b"XYZ ").then_some(())?;
        Some([tag.fixed(8)?, tag.fixed(12)?, tag.fixed(16)?])
    }

    fn matrix(self) -> Option<Device> {
        if self.bytes.signature(20)? != *b"XYZ " {
            return None;
        }
        let to_xyz = transpose(&[
            self.colorant(*b"rXYZ")?,
            self.colorant(*b"gXYZ")?,
            self.colorant(*b"bXYZ")?,
        ]);
        let plausible = to_xyz
            .iter()
            .zip(D50)
            .all(|(row, want)| (row.iter().sum::<f64>() - want).abs() < WHITE_TOLERANCE);
        plausible.then_some(())?;
        Some(Device::Matrix {
            curves: [
                self.curve(*b"rTRC")?,
                self.curve(*b"gTRC")?,
                self.curve(*b"bTRC")?,
            ],
            to_xyz,
        })
    }
}
