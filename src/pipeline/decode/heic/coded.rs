//! Decodes one coded image: the slices of the first image in the data of an item.
//!
//! The decoder of other hands is driven slice by slice, because it believes what it is told:
//! sizes are compared with those that the plan knows before anything is allocated for them,
//! and each slice has to begin where the last one ended, so that no file has an image decoded twice.

use heifer_hevc_dec::Error;
use heifer_hevc_dec::nal::{NalUnit, NalUnitType};
use heifer_hevc_dec::params::{ParameterSets, Sps};
use heifer_hevc_dec::recon::{Frame, Reconstructor};
use heifer_hevc_dec::slice::SliceHeader;
use heifer_hevc_dec::syntax::{Picture, decode_slice_segment};

use super::config::{Config, Shape};
use super::{fault, malformed};
use crate::PipelineError;
use crate::decode::webp::LoopFilter;

/// An image, and how much of it there was.
pub struct Decoded {
    pub frame: Frame,
    /// Whether anything was decoded.
    pub has_any: bool,
    /// Whether all of it was.
    pub is_whole: bool,
}

/// Decodes the data of an item. What is damaged stays gray; an error is what we do not decode at all.
pub fn decode(
    config: &Config,
    shape: &Shape,
    data: &[u8],
    filter: LoopFilter,
) -> Result<Decoded, PipelineError> {
    let sets = parameter_sets(config, shape)?;
    let mut decoding = Decoding {
        sets: &sets,
        state: None,
        previous: None,
    };
    let mut damage = None;
    for unit in units(data, config.length_bytes) {
        match unit
            .map_err(|error| fault(&error))
            .and_then(|unit| decoding.take(&unit))
        {
            Ok(Step::More) => {}
            Ok(Step::Done) => break,
            // Behind a slice that was decoded, what looks foreign is damaged.
            Err(error @ PipelineError::Unsupported { .. }) if decoding.state.is_none() => {
                return Err(error);
            }
            Err(error) => {
                damage = Some(error);
                break;
            }
        }
    }
    let Some(State { picture, recon, .. }) = decoding.state else {
        return Err(damage.unwrap_or_else(|| malformed("an image has no slice")));
    };
    let is_whole = damage.is_none() && picture.is_complete();
    let has_any = picture.decoded_ctbs > 0;
    // Its memory goes before the filters take theirs.
    drop(picture);
    Ok(Decoded {
        // Filters would smooth what is lost into what is there.
        frame: recon.finish(filter == LoopFilter::Skip || !is_whole),
        has_any,
        is_whole,
    })
}

/// Reads the parameter sets of an image, all of which have to be of one shape.
fn parameter_sets(config: &Config, shape: &Shape) -> Result<ParameterSets, PipelineError> {
    let mut sets = ParameterSets::default();
    for unit in &config.sets {
        let unit = NalUnit::parse(unit).map_err(|error| fault(&error))?;
        if unit.header.layer_id != 0 {
            continue;
        }
        // What an image parameter set may have allocated depends on the size in its sequence parameter set.
        if unit.header.unit_type == NalUnitType::Sps {
            let sps = Sps::parse(&unit.rbsp).map_err(|error| fault(&error))?;
            if Shape::of(&sps)? != *shape {
                return Err(malformed("its parameter sets are of different shapes"));
            }
        }
        sets.add(&unit).map_err(|error| fault(&error))?;
    }
    Ok(sets)
}

/// The units of an image, each behind its length.
fn units(data: &[u8], length_bytes: u8) -> impl Iterator<Item = Result<NalUnit<'_>, Error>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let unit = rest
            .split_at_checked(length_bytes.into())
            .and_then(|(length, data)| {
                let length = length
                    .iter()
                    .fold(0_usize, |sum, &byte| (sum << 8) | usize::from(byte));
                data.split_at_checked(length)
            });
        let Some((unit, after)) = unit else {
            rest = &[];
            return Some(Err(Error::UnexpectedEof));
        };
        rest = after;
        Some(NalUnit::parse(unit))
    })
}

enum Step {
    More,
    Done,
}

struct Decoding<'a> {
    sets: &'a ParameterSets,
    state: Option<State<'a>>,
    /// The last slice segment that depends on no other.
    previous: Option<SliceHeader>,
}

struct State<'a> {
    picture: Picture<'a>,
    recon: Reconstructor<'a>,
    parameters: u8,
}

impl Decoding<'_> {
    fn take(&mut self, unit: &NalUnit<'_>) -> Result<Step, PipelineError> {
        if !unit.header.unit_type.is_slice() || unit.header.layer_id != 0 {
            return Ok(Step::More);
        }
        // `first_slice_segment_in_pic_flag` (H.265, section 7.3.6.1).
        let is_first = unit.rbsp.first().is_some_and(|byte| byte & 0x80 != 0);
        if is_first && self.state.is_some() {
            return Ok(Step::Done);
        }
        let header =
            SliceHeader::parse(&unit.rbsp, &unit.header, self.sets, self.previous.as_ref())
                .map_err(|error| fault(&error))?;
        let parameters = header.slice_pic_parameter_set_id;
        let (pps, sps) = self
            .sets
            .get(parameters.into())
            .map_err(|error| fault(&error))?;
        let state = self.state.get_or_insert_with(|| State {
            picture: Picture::new(sps, pps),
            recon: Reconstructor::new(sps, pps),
            parameters,
        });
        // Addresses count in rows, but units of coding come tile by tile (H.265, section 6.5.1).
        let address = state
            .picture
            .layout
            .rs_to_ts
            .get(header.slice_segment_address as usize);
        if parameters != state.parameters || address != Some(&state.picture.decoded_ctbs) {
            return Err(malformed("a slice does not begin where the last one ended"));
        }
        let quantiser = header
            .slice_qp_y(self.sets)
            .map_err(|error| fault(&error))?;
        let data = unit.rbsp.get(header.header_size..).unwrap_or_default();
        state.recon.start_slice(&header);
        decode_slice_segment(
            &mut state.picture,
            &header,
            quantiser,
            data,
            &mut state.recon,
        )
        .map_err(|error| fault(&error))?;
        if let Some(error) = state.recon.error.take() {
            return Err(fault(&error));
        }
        // Dependent segments take most of their header from this one (H.265, section 7.4.7.1).
        if !header.dependent_slice_segment_flag {
            self.previous = Some(header);
        }
        Ok(Step::More)
    }
}
