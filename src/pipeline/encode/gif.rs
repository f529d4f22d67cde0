//! GIF with one frame.

use ::gif::{Encoder, EncodingError, Frame};
use color_quant::NeuQuant;

use super::super::pixmap::Pixmap;
use super::super::{OutputFormat, PipelineError};
use super::output::Output;
use super::palette::index;
use super::{buffer, sides_u16};

/// From here on, pixels are opaque; GIF knows nothing between.
const OPAQUE: u8 = 128;

/// Pixels that train the palette; more do not make it better.
const TRAINING_PIXELS: usize = 1 << 16;

/// The palette and the indices of an image.
struct Quantized {
    palette: Vec<u8>,
    pixels: Vec<u8>,
    transparent: Option<u8>,
}

/// Encodes with the exact colors where there are at most 256, otherwise with the nearest
/// of a palette that was trained on the image; pixels are not dithered.
pub(super) fn encode(pixmap: &Pixmap, max_bytes: u64) -> Result<Vec<u8>, PipelineError> {
    let (width, height) = sides_u16(pixmap)?;
    let exact = index(pixels(pixmap), 256).map(|indexed| Quantized {
        transparent: (indexed.colors.first() == Some(&[0; 4])).then_some(0),
        palette: indexed
            .colors
            .iter()
            .flat_map(|c| [c[0], c[1], c[2]])
            .collect(),
        pixels: indexed.pixels,
    });
    let quantized = match exact {
        Some(quantized) => quantized,
        None => quantize(pixmap)?,
    };
    let Quantized {
        palette,
        pixels,
        transparent,
    } = quantized;
    let frame = Frame::from_palette_pixels(width, height, pixels, palette, transparent);
    let mut output = Output::new(max_bytes);
    match write(&mut output, &frame) {
        Ok(()) | Err(EncodingError::Io(_)) => output.finish(OutputFormat::Gif, pixmap.size()),
        Err(error) => Err(PipelineError::Bug(error.to_string().into())),
    }
}

fn write(output: &mut Output, frame: &Frame<'_>) -> Result<(), EncodingError> {
    let mut encoder = Encoder::new(output, frame.width, frame.height, &[])?;
    encoder.write_frame(frame)?;
    encoder.into_inner()?;
    Ok(())
}

/// Pixels as GIF has them: opaque, or nothing at all.
fn pixels(pixmap: &Pixmap) -> impl ExactSizeIterator<Item = [u8; 4]> + Clone {
    let data = pixmap.data().chunks_exact(pixmap.channels());
    data.map(|pixel| match *pixel {
        [_, _, _, alpha] if alpha < OPAQUE => [0; 4],
        [r, g, b, ..] => [r, g, b, 255],
        _ => [0; 4],
    })
}

fn quantize(pixmap: &Pixmap) -> Result<Quantized, PipelineError> {
    let mut opaque = buffer(4 * pixels(pixmap).len())?;
    opaque.extend(pixels(pixmap).filter(|pixel| pixel[3] == 255).flatten());
    let has_transparent = opaque.len() < 4 * pixels(pixmap).len();
    let colors = if has_transparent { 255 } else { 256 };
    // 1 is all pixels, 30 the most that the algorithm takes.
    let factor = (opaque.len() / 4 / TRAINING_PIXELS).clamp(1, 30);
    let factor = i32::try_from(factor).unwrap_or(30);
    let quantizer = NeuQuant::new(factor, colors, &opaque);
    drop(opaque);
    let mut indices = buffer(pixels(pixmap).len())?;
    let mut last = ([0; 4], 255);
    for pixel in pixels(pixmap) {
        if pixel != last.0 {
            last = (
                pixel,
                u8::try_from(quantizer.index_of(&pixel)).unwrap_or(255),
            );
        }
        indices.push(if pixel[3] == 0 { 255 } else { last.1 });
    }
    Ok(Quantized {
        palette: quantizer.color_map_rgb(),
        pixels: indices,
        transparent: has_transparent.then_some(255),
    })
}
