//! Baseline and progressive JPEG.

use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder};

use super::super::PipelineError;
use super::super::pixmap::Pixmap;
use super::{EncodeOptions, buffer, sides_u16};

/// Encodes a picture; a progressive one gets Huffman tables of its own.
///
/// Chroma is halved below quality 90, as libvips does; grey pictures have none.
/// Transparent pixels get the background under them.
pub(super) fn encode(pixmap: &Pixmap, options: EncodeOptions) -> Result<Vec<u8>, PipelineError> {
    let (width, height) = sides_u16(pixmap)?;
    let flat;
    let data = if pixmap.has_alpha() {
        flat = flatten(pixmap.data(), options.background)?;
        &flat
    } else {
        pixmap.data()
    };
    let mut bytes = buffer(data.len() / 8 + 1024)?;
    let mut encoder = Encoder::new(&mut bytes, options.quality.clamp(1, 100));
    // In a baseline file, tables made for the picture would save 7 % but cost the interleaving:
    // this encoder then writes a scan per component, and zune-jpeg decodes those wrongly.
    encoder.set_optimized_huffman_tables(options.progressive);
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder.set_progressive(options.progressive);
    let pixels = data.as_chunks::<3>().0;
    let written = if pixels.iter().all(|[r, g, b]| r == g && g == b) {
        let mut grey = buffer(pixels.len())?;
        grey.extend(pixels.iter().map(|[r, ..]| *r));
        encoder.encode(&grey, width, height, ColorType::Luma)
    } else {
        encoder.encode(data, width, height, ColorType::Rgb)
    };
    match written {
        Ok(()) => Ok(bytes),
        Err(error) => Err(PipelineError::Bug(error.to_string().into())),
    }
}

/// Puts RGBA on a background.
fn flatten(rgba: &[u8], background: [u8; 3]) -> Result<Vec<u8>, PipelineError> {
    let mut flat = buffer(rgba.len() / 4 * 3)?;
    for [color @ .., alpha] in rgba.as_chunks::<4>().0 {
        for (color, background) in color.iter().zip(background) {
            flat.push(mix(*color, background, *alpha));
        }
    }
    Ok(flat)
}

/// `over` at `alpha` of 255 on `under`, rounded.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a mean of two bytes is a byte"
)]
fn mix(over: u8, under: u8, alpha: u8) -> u8 {
    let sum = u32::from(over) * u32::from(alpha) + u32::from(under) * u32::from(255 - alpha);
    ((sum + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_rounds_and_keeps_the_ends() {
        for (over, under, alpha, want) in [
            (200, 10, 255, 200),
            (200, 10, 0, 10),
            (255, 255, 77, 255),
            (0, 255, 128, 127),
            (100, 50, 51, 60),
        ] {
            assert_eq!(mix(over, under, alpha), want);
        }
    }
}
