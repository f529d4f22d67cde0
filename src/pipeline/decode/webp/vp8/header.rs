//! The frame header of a key frame (RFC 6386, sections 9 and 19.2).

use super::bool_decoder::BoolDecoder;
use super::mode_tables::{AC_STEP, DC_STEP};
use super::token_tables::{DEFAULT_PROBS, UPDATE_PROBS};
use super::tokens::{BlockProbs, expand_bands};
use crate::{ImageFormat, PipelineError};

/// Bytes before the first partition: the frame tag, the start code and the dimensions.
pub const START_BYTES: usize = 10;

/// Step sizes of DC and AC coefficients.
pub type Steps = [i32; 2];

/// What a segment of macroblocks has in common.
#[derive(Debug, Clone, Copy, Default)]
pub struct Segment {
    /// Steps of luma blocks.
    pub luma: Steps,
    /// Steps of the block of luma DC coefficients.
    pub luma_dc: Steps,
    /// Steps of chroma blocks.
    pub chroma: Steps,
    /// Loop filter level before the macroblock's own adjustment, 0…63.
    pub filter_level: i32,
}

/// How the loop filter works in this frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct FilterHeader {
    /// Only luma, with the short filter.
    pub is_simple: bool,
    /// Level of the frame; none is filtered when it is 0.
    pub level: i32,
    /// 0…7.
    pub sharpness: i32,
    /// Added to the level of every macroblock of a key frame.
    pub intra_delta: i32,
    /// Added to the level where each subblock has its own mode.
    pub subblock_delta: i32,
}

/// Everything that is known before the first macroblock.
pub struct FrameHeader<'a> {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Reads what follows in the first partition: the modes.
    pub modes: BoolDecoder<'a>,
    /// The partitions of coefficients, used in turn by the rows of macroblocks.
    pub tokens: Vec<BoolDecoder<'a>>,
    /// The probabilities of the segment tree, if macroblocks name their segment.
    pub segment_probs: Option<[u8; 3]>,
    /// The segments; the first if there is only one.
    pub segments: [Segment; 4],
    /// The loop filter.
    pub filter: FilterHeader,
    /// Probability that a macroblock has coefficients, if any has none.
    pub skip_prob: Option<u8>,
    /// Token probabilities by block type.
    pub probs: [BlockProbs; 4],
}

/// Reads width and height from the first [`START_BYTES`] of a frame, or `None` if there are too few.
pub fn read_size(data: &[u8]) -> Result<Option<(u32, u32)>, PipelineError> {
    let Some(start) = data.first_chunk::<START_BYTES>() else {
        return Ok(None);
    };
    let [tag, _, _, sync @ .., w0, w1, h0, h1] = *start;
    if tag & 1 != 0 {
        return Err(malformed("its image is not a key frame"));
    }
    if sync != [0x9d, 0x01, 0x2a] {
        return Err(malformed("its VP8 start code is wrong"));
    }
    // The two high bits of each are a hint for scaling that no decoder of still images follows.
    let width = u32::from(u16::from_le_bytes([w0, w1]) & 0x3fff);
    let height = u32::from(u16::from_le_bytes([h0, h1]) & 0x3fff);
    if width == 0 || height == 0 {
        return Err(malformed("its image has no pixels"));
    }
    Ok(Some((width, height)))
}

fn malformed(detail: &'static str) -> PipelineError {
    PipelineError::malformed(ImageFormat::WebP, detail)
}

fn truncated(detail: &'static str) -> PipelineError {
    PipelineError::truncated(ImageFormat::WebP, detail)
}

/// Reads the header of a frame, which may be cut after its first partition.
pub fn read(data: &[u8]) -> Result<FrameHeader<'_>, PipelineError> {
    let cut = || truncated("it ends within the VP8 frame header");
    let (width, height) = read_size(data)?.ok_or_else(cut)?;
    let tag = u32::from_le_bytes([data[0], data[1], data[2], 0]);
    // Below the size are the kind of frame, a version and whether it is shown (section 9.1).
    let first_len = (tag >> 5) as usize;
    let (first, rest) = data[START_BYTES..]
        .split_at_checked(first_len)
        .ok_or_else(|| truncated("it ends within the prediction modes"))?;
    let mut bits = BoolDecoder::new(first);
    // Color space and clamping type: the one does not change the decoding, the other may be ignored.
    bits.literal(2);

    let segmentation = Segmentation::read(&mut bits);
    let filter = read_filter(&mut bits);
    let tokens = split_partitions(rest, 1 << bits.literal(2)).ok_or_else(cut)?;
    let segments = read_segments(&mut bits, &segmentation, &filter);
    bits.flag(); // Whether probabilities last beyond this frame: there is no other.
    let probs = read_probs(&mut bits);
    let skip_prob = bits.flag().then(|| bits.literal(8) as u8);
    if bits.is_past_end() {
        return Err(malformed("its first partition ends within the header"));
    }
    Ok(FrameHeader {
        width,
        height,
        modes: bits,
        tokens,
        segment_probs: segmentation.probs,
        segments,
        filter,
        skip_prob,
        probs,
    })
}

/// Section 9.3.
#[derive(Default)]
struct Segmentation {
    enabled: bool,
    is_delta: bool,
    quantizer: [i32; 4],
    filter_level: [i32; 4],
    probs: Option<[u8; 3]>,
}

impl Segmentation {
    fn read(bits: &mut BoolDecoder<'_>) -> Self {
        let mut this = Self {
            enabled: bits.flag(),
            ..Self::default()
        };
        if !this.enabled {
            return this;
        }
        let updates_map = bits.flag();
        if bits.flag() {
            // A flag of 1 means that values are absolute (section 9.3).
            this.is_delta = !bits.flag();
            this.quantizer = [(); 4].map(|()| bits.optional_signed(7).unwrap_or(0));
            this.filter_level = [(); 4].map(|()| bits.optional_signed(6).unwrap_or(0));
        }
        if updates_map {
            this.probs = Some([(); 3].map(|()| {
                if bits.flag() {
                    bits.literal(8) as u8
                } else {
                    255
                }
            }));
        }
        this
    }
}

/// Section 9.4.
fn read_filter(bits: &mut BoolDecoder<'_>) -> FilterHeader {
    let mut filter = FilterHeader {
        is_simple: bits.flag(),
        level: bits.literal(6) as i32,
        sharpness: bits.literal(3) as i32,
        ..FilterHeader::default()
    };
    // Deltas are on, and this frame has some: before the first update all are 0.
    if bits.flag() && bits.flag() {
        let deltas = [(); 8].map(|()| bits.optional_signed(6).unwrap_or(0));
        // The first four are by reference frame, of which intra is the first; the others by mode.
        filter.intra_delta = deltas[0];
        filter.subblock_delta = deltas[4];
    }
    filter
}

/// Section 9.5. `None` if the data end within the sizes; partitions that are cut are given as far as they go.
fn split_partitions(data: &[u8], count: usize) -> Option<Vec<BoolDecoder<'_>>> {
    let (sizes, mut rest) = data.split_at_checked(3 * (count - 1))?;
    let mut partitions = Vec::with_capacity(count);
    for size in sizes.chunks_exact(3) {
        let len = u32::from_le_bytes([size[0], size[1], size[2], 0]) as usize;
        let (partition, after) = rest.split_at(len.min(rest.len()));
        partitions.push(BoolDecoder::new(partition));
        rest = after;
    }
    // The last partition has no size: it takes the rest.
    partitions.push(BoolDecoder::new(rest));
    Some(partitions)
}

/// Sections 9.6 and 14.1: the steps of each segment, and its filter level.
fn read_segments(
    bits: &mut BoolDecoder<'_>,
    segmentation: &Segmentation,
    filter: &FilterHeader,
) -> [Segment; 4] {
    let base = bits.literal(7) as i32;
    let [luma_dc, mean_dc, second_ac, chroma_dc, uv_ac] =
        [(); 5].map(|()| bits.optional_signed(4).unwrap_or(0));
    let dc = |index: i32| i32::from(DC_STEP[index.clamp(0, 127) as usize]);
    let ac = |index: i32| i32::from(AC_STEP[index.clamp(0, 127) as usize]);
    std::array::from_fn(|i| {
        let relative_to = |frame: i32, own: i32| match (segmentation.enabled, segmentation.is_delta)
        {
            (false, _) => frame,
            (true, true) => frame + own,
            (true, false) => own,
        };
        let index = relative_to(base, segmentation.quantizer[i]);
        Segment {
            luma: [dc(index + luma_dc), ac(index)],
            luma_dc: [
                dc(index + mean_dc) * 2,
                (ac(index + second_ac) * 155 / 100).max(8),
            ],
            chroma: [dc(index + chroma_dc).min(132), ac(index + uv_ac)],
            filter_level: relative_to(filter.level, segmentation.filter_level[i]).clamp(0, 63),
        }
    })
}

/// Section 13.4.
fn read_probs(bits: &mut BoolDecoder<'_>) -> [BlockProbs; 4] {
    let mut probs = DEFAULT_PROBS;
    let flat = probs
        .as_flattened_mut()
        .as_flattened_mut()
        .as_flattened_mut();
    let updates = UPDATE_PROBS.as_flattened().as_flattened().as_flattened();
    for (prob, &update) in flat.iter_mut().zip(updates) {
        if bits.bit(update) {
            *prob = bits.literal(8) as u8;
        }
    }
    expand_bands(&probs)
}
