//! Reads the coefficients of a block (RFC 6386, section 13).

use super::bool_decoder::BoolDecoder;
use super::token_tables::{BANDS, ProbTables, TokenProbs, ZIGZAG};

/// Token probabilities of one type of block by scan position and context.
///
/// The bands are spelled out, one entry per position, and there is one more for the position past the last.
pub type BlockProbs = [[TokenProbs; 3]; 17];

/// Spells out the bands of the tables, once per image.
pub fn expand_bands(tables: &ProbTables) -> [BlockProbs; 4] {
    tables.map(|table| BANDS.map(|band| table[usize::from(band)]))
}

/// Probabilities of the extra bits of the four largest categories.
const EXTRA_BITS: [&[u8]; 4] = [
    &[173, 148, 140],
    &[176, 155, 140, 135],
    &[180, 157, 141, 134, 130],
    &[254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129],
];

/// Reads the coefficients of a block into `out`, multiplied by their steps and in raster order.
///
/// Returns the scan position after the last one, or `first` if there are none.
#[inline(never)]
pub fn read_block(
    decoder: &mut BoolDecoder<'_>,
    probs: &BlockProbs,
    context: usize,
    first: usize,
    steps: [i32; 2],
    out: &mut [i16; 16],
) -> usize {
    // A copy that the optimizer can hold in registers.
    let mut bits = *decoder;
    let end = read_tokens(&mut bits, probs, context, first, steps, out);
    *decoder = bits;
    end
}

#[inline(always)]
fn read_tokens(
    bits: &mut BoolDecoder<'_>,
    probs: &BlockProbs,
    context: usize,
    first: usize,
    steps: [i32; 2],
    out: &mut [i16; 16],
) -> usize {
    let mut position = first;
    let mut tree = &probs[first][context];
    while position < 16 {
        // The branch for the end of the block.
        if !bits.bit(tree[0]) {
            return position;
        }
        // No end follows a zero, so its branch is not asked again (section 13.2).
        while !bits.bit(tree[1]) {
            position += 1;
            if position == 16 {
                return 16;
            }
            tree = &probs[position][0];
        }
        // The last magnitude, 0, 1 or more, is the context (section 13.3).
        // At the last position, the entry past the end is taken and not used.
        let next = &probs[position + 1];
        let magnitude = if bits.bit(tree[2]) {
            let magnitude = read_magnitude(bits, tree);
            tree = &next[2];
            magnitude
        } else {
            tree = &next[1];
            1
        };
        let step = steps[usize::from(position > 0)];
        // At most 2048 + 66 times 157: only hostile files leave the 16 bits that coefficients have, and wrap.
        // The mask only saves a bounds check.
        out[usize::from(ZIGZAG[position]) & 15] = (bits.signed(magnitude) * step) as i16;
        position += 1;
    }
    16
}

/// Reads the rest of a token that stands for 2 or more.
#[inline(always)]
fn read_magnitude(bits: &mut BoolDecoder<'_>, tree: &TokenProbs) -> i32 {
    if !bits.bit(tree[3]) {
        return if bits.bit(tree[4]) {
            3 + i32::from(bits.bit(tree[5]))
        } else {
            2
        };
    }
    if !bits.bit(tree[6]) {
        return if bits.bit(tree[7]) {
            // The extra bits of the two smallest categories have fixed probabilities (section 13.2).
            let high = i32::from(bits.bit(165));
            7 + 2 * high + i32::from(bits.bit(145))
        } else {
            5 + i32::from(bits.bit(159))
        };
    }
    let category = if bits.bit(tree[8]) {
        2 + usize::from(bits.bit(tree[10]))
    } else {
        usize::from(bits.bit(tree[9]))
    };
    let extra = EXTRA_BITS[category]
        .iter()
        .fold(0, |extra, &prob| (extra << 1) | i32::from(bits.bit(prob)));
    // The categories begin at 11, 19, 35 and 67.
    3 + (8 << category) + extra
}
