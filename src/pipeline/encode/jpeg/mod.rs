//! Baseline and progressive JPEG.

mod bits;
mod bound;
mod fdct;
mod header;
mod rows;
mod tables;

use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, EncodingError, SamplingFactor};

pub(super) use bound::max_bytes;
pub use rows::{JpegColor, JpegRows};

use super::super::geometry::Size;
use super::super::pixmap::Pixmap;
use super::super::{OutputFormat, PipelineError};
use super::output::Output;
use super::{EncodeOptions, buffer, too_large};

/// Encodes an image; a progressive one gets Huffman tables of its own.
///
/// Chroma is halved below quality 90, as libvips does, but not in images of at most 200 pixels a side;
/// gray images have none.
/// Transparent pixels get the background under them.
pub(super) fn encode(pixmap: &Pixmap, options: &EncodeOptions) -> Result<Vec<u8>, PipelineError> {
    if options.progressive {
        return encode_progressive(pixmap, options);
    }
    let is_gray = is_gray(pixmap, options.background);
    let color = JpegColor::new(is_gray, pixmap.size(), options.quality);
    let mut file = JpegRows::new(pixmap.size(), color, options)?;
    let row_len = pixmap.width() as usize * pixmap.channels();
    let mut flat = buffer(if pixmap.has_alpha() { row_len / 4 } else { 0 })?;
    for row in pixmap.data().chunks_exact(row_len) {
        if pixmap.has_alpha() {
            flat.clear();
            flat.extend(flattened(row, options.background));
            file.push(&flat)?;
        } else {
            file.push(row.as_chunks().0)?;
        }
    }
    file.finish()
}

fn is_gray(pixmap: &Pixmap, background: [u8; 3]) -> bool {
    let is_gray = |[r, g, b]: [u8; 3]| r == g && g == b;
    if pixmap.has_alpha() {
        flattened(pixmap.data(), background).all(is_gray)
    } else {
        pixmap.data().as_chunks().0.iter().copied().all(is_gray)
    }
}

fn encode_progressive(pixmap: &Pixmap, options: &EncodeOptions) -> Result<Vec<u8>, PipelineError> {
    let size = pixmap.size();
    let (width, height) = (side(size, size.width())?, side(size, size.height())?);
    let flat;
    let data = if pixmap.has_alpha() {
        let mut pixels = buffer(pixmap.data().len() / 4 * 3)?;
        pixels.extend(flattened(pixmap.data(), options.background).flatten());
        flat = pixels;
        &flat
    } else {
        pixmap.data()
    };
    let mut output = Output::new(options.max_bytes);
    let mut encoder = Encoder::new(&mut output, options.quality.clamp(1, 100));
    encoder.set_optimized_huffman_tables(true);
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder.set_progressive(true);
    let color = JpegColor::new(is_gray(pixmap, options.background), size, options.quality);
    encoder.set_sampling_factor(sampling(color));
    let written = if color == JpegColor::Gray {
        let mut gray = buffer(data.len() / 3)?;
        gray.extend(data.as_chunks::<3>().0.iter().map(|[r, ..]| *r));
        encoder.encode(&gray, width, height, ColorType::Luma)
    } else {
        encoder.encode(data, width, height, ColorType::Rgb)
    };
    match written {
        Ok(()) | Err(EncodingError::IoError(_)) => output.finish(OutputFormat::Jpeg, size),
        Err(error) => Err(PipelineError::Bug(error.to_string().into())),
    }
}

const fn sampling(color: JpegColor) -> SamplingFactor {
    match color {
        JpegColor::Gray | JpegColor::Full => SamplingFactor::F_1_1,
        JpegColor::Halved => SamplingFactor::F_2_2,
    }
}

/// A side as the format has it, in 16 bits.
fn side(size: Size, side: u32) -> Result<u16, PipelineError> {
    u16::try_from(side).map_err(|_| too_large(size))
}

/// Pixels of RGBA on a background.
fn flattened(rgba: &[u8], background: [u8; 3]) -> impl Iterator<Item = [u8; 3]> {
    rgba.as_chunks::<4>().0.iter().map(move |[r, g, b, alpha]| {
        let [under_r, under_g, under_b] = background;
        [
            mix(*r, under_r, *alpha),
            mix(*g, under_g, *alpha),
            mix(*b, under_b, *alpha),
        ]
    })
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

    /// Noise, whose files have every code in them.
    fn noise(size: Size, is_gray: bool) -> Pixmap {
        let mut pixmap = Pixmap::rgb(size, [0; 3]).expect("small");
        let mut seed = 1_u32;
        for pixel in pixmap.data_mut().as_chunks_mut::<3>().0 {
            for at in 0..3 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let sample = (seed >> 24).to_le_bytes()[0];
                pixel[at] = if is_gray && at > 0 { pixel[0] } else { sample };
            }
        }
        pixmap
    }

    #[test]
    fn files_are_those_of_another_encoder_to_the_byte() {
        for (width, height) in [(1, 1), (16, 16), (17, 33), (200, 67), (201, 9), (8, 300)] {
            let size = Size::new(width, height);
            for (is_gray, quality) in [
                (false, 1),
                (false, 80),
                (false, 90),
                (false, 100),
                (true, 75),
                (true, 100),
            ] {
                let pixmap = noise(size, is_gray);
                let options = EncodeOptions {
                    quality,
                    ..EncodeOptions::new(OutputFormat::Jpeg)
                };
                let mut want = Vec::new();
                let mut encoder = Encoder::new(&mut want, quality);
                encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
                let is_full = quality >= 90 || width.max(height) <= 200;
                encoder.set_sampling_factor(if is_full {
                    SamplingFactor::F_1_1
                } else {
                    SamplingFactor::F_2_2
                });
                let gray: Vec<u8> = pixmap.data().iter().step_by(3).copied().collect();
                let (width, height) = (side(size, width).unwrap(), side(size, height).unwrap());
                if is_gray {
                    encoder.encode(&gray, width, height, ColorType::Luma)
                } else {
                    encoder.encode(pixmap.data(), width, height, ColorType::Rgb)
                }
                .expect("encodes");
                let got = encode(&pixmap, &options).expect("encodes");
                assert!(got == want, "{size}, gray: {is_gray}, quality {quality}");
            }
        }
    }
}
