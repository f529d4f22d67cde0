//! What an `hvcC` box says: the parameter sets, and how images are cut into units (ISO/IEC 14496-15, section 8.3.3).

use heifer_hevc_dec::nal::{NalUnit, NalUnitType};
use heifer_hevc_dec::params::{Sps, Vui};
use heifer_hevc_dec::syntax::SaoParams;

use super::boxes::Reader;
use super::{fault, malformed};
use crate::decode::webp::LoopFilter;
use crate::{ImageFormat, LimitError, PipelineError};

/// The longest side of a coded image; the highest level of HEVC has less than 17,000.
const MAX_CODED_SIDE: u32 = 1 << 15;
/// Parameter sets of an image; three are usual.
const MAX_PARAMETER_SETS: usize = 64;

/// Bytes of all parameter sets of an image, which are read anew for each tile; a few hundred are usual.
const MAX_CONFIG_BYTES: usize = 16 << 10;

/// The parameter sets of a coded image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Units of parameter sets, in the order in which they stand.
    pub sets: Vec<Vec<u8>>,
    /// Bytes of the length in front of each unit of the image.
    pub length_bytes: u8,
}

/// What is left out of each side of a coded image, in its samples of luma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub left: u32,
    pub top: u32,
}

/// What a parameter set says about the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The size as it is coded.
    pub coded: (u32, u32),
    /// The size that comes out.
    pub size: (u32, u32),
    pub window: Window,
    pub chroma: Chroma,
    /// Bits of a sample of luma and of chroma.
    pub bits: [u8; 2],
    ctb_size: u32,
}

/// How many samples of chroma there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chroma {
    None,
    Half,
    HalfWidth,
    Full,
}

impl Chroma {
    /// Samples of luma that one of chroma covers, on both axes.
    pub const fn pixels_per_sample(self) -> (u32, u32) {
        match self {
            Self::Half => (2, 2),
            Self::HalfWidth => (2, 1),
            Self::None | Self::Full => (1, 1),
        }
    }
}

impl Config {
    pub fn read(payload: &[u8]) -> Result<Self, PipelineError> {
        if payload.len() > MAX_CONFIG_BYTES {
            let (what, max) = ("bytes of parameter sets", MAX_CONFIG_BYTES as u64);
            return Err(LimitError::Count { what, max }.into());
        }
        let mut reader = Reader::new(payload);
        if reader.u8()? != 1 {
            return Err(malformed("the version of its hvcC box is not 1"));
        }
        // Profile, level and format: the parameter sets say so too.
        reader.bytes(20)?;
        let length_bytes = (reader.u8()? & 3) + 1;
        let mut sets = Vec::new();
        for _ in 0..reader.u8()? {
            // The kind of the units, which they say themselves.
            reader.u8()?;
            for _ in 0..reader.u16()? {
                if sets.len() >= MAX_PARAMETER_SETS {
                    let (what, max) = ("parameter sets", MAX_PARAMETER_SETS as u64);
                    return Err(LimitError::Count { what, max }.into());
                }
                let len = reader.u16()?;
                sets.push(reader.bytes(len.into())?.to_vec());
            }
        }
        Ok(Self { sets, length_bytes })
    }

    /// The shape of the image, and what is said about its colors.
    pub fn shape(&self) -> Result<(Shape, Option<Vui>), PipelineError> {
        for unit in &self.sets {
            let unit = NalUnit::parse(unit).map_err(|error| fault(&error))?;
            // Only the base layer is decoded.
            if unit.header.unit_type == NalUnitType::Sps && unit.header.layer_id == 0 {
                let sps = Sps::parse(&unit.rbsp).map_err(|error| fault(&error))?;
                return Ok((Shape::of(&sps)?, sps.vui));
            }
        }
        let feature = "parameter sets outside of its hvcC box";
        Err(PipelineError::unsupported(ImageFormat::Heic, feature))
    }

    /// Bytes that it holds.
    pub fn heap_bytes(&self) -> u64 {
        let sets = self.sets.iter();
        sets.map(|set| (size_of::<Vec<u8>>() + set.len()) as u64)
            .sum()
    }
}

impl Shape {
    pub fn of(sps: &Sps) -> Result<Self, PipelineError> {
        let coded = (
            sps.pic_width_in_luma_samples,
            sps.pic_height_in_luma_samples,
        );
        if coded.0.max(coded.1) > MAX_CODED_SIDE {
            return Err(LimitError::Side {
                width: coded.0,
                height: coded.1,
                max_side: MAX_CODED_SIDE,
            }
            .into());
        }
        let chroma = match (sps.separate_colour_plane_flag, sps.chroma_format_idc) {
            (true, _) => {
                let feature = "separate color planes";
                return Err(PipelineError::unsupported(ImageFormat::Heic, feature));
            }
            (false, 0) => Chroma::None,
            (false, 1) => Chroma::Half,
            (false, 2) => Chroma::HalfWidth,
            (false, _) => Chroma::Full,
        };
        let (x, y) = chroma.pixels_per_sample();
        // Counted in samples of chroma (H.265, section 7.4.3.2.1).
        let [left, _, top, _] = sps.conf_win_offsets;
        Ok(Self {
            coded,
            size: sps.output_size(),
            window: Window {
                // Both are within the image, as the size was found not to be empty.
                left: left.saturating_mul(x),
                top: top.saturating_mul(y),
            },
            chroma,
            bits: [sps.bit_depth_luma, sps.bit_depth_chroma],
            ctb_size: sps.ctb_size(),
        })
    }

    /// Bytes of the samples of a decoded image: 16 bits for each.
    pub fn frame_bytes(&self) -> u64 {
        let luma = self.luma_samples();
        let (x, y) = self.chroma.pixels_per_sample();
        match self.chroma {
            Chroma::None => 2 * luma,
            // Two planes of chroma.
            _ => 2 * (luma + 2 * luma / u64::from(x * y)),
        }
    }

    /// Bytes that decoding `len` bytes takes besides the samples.
    pub fn work_bytes(&self, len: u64, filter: LoopFilter) -> u64 {
        let blocks = |size: u32| {
            u64::from(self.coded.0.div_ceil(size)) * u64::from(self.coded.1.div_ceil(size))
        };
        // Of each block of 4x4: slice, depth, mode, PCM and quantiser for parsing (8 bytes),
        // what was decoded (4), edges, quantiser, PCM and slice for the filters (5).
        let small = 17 * blocks(4);
        // Of each coding tree block: its SAO parameters, and three addresses, twice.
        let trees = (2 * size_of::<SaoParams>() as u64 + 24) * blocks(self.ctb_size);
        let filtered = match filter {
            LoopFilter::Exact => 2 * self.luma_samples(),
            LoopFilter::Skip => 0,
        };
        // The image's data without their escapes, coefficients, contexts, tables, parameter sets.
        small + trees + filtered + len + (128 << 10)
    }

    fn luma_samples(&self) -> u64 {
        u64::from(self.coded.0) * u64::from(self.coded.1)
    }
}
