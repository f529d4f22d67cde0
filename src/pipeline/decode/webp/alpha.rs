//! The alpha channel of a lossy image (RFC 9649, section 2.7.1.2).

use super::lossless;
use crate::{ImageFormat, PipelineError};

/// How an alpha value is predicted from those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    None,
    Horizontal,
    Vertical,
    Gradient,
}

/// What the values are read from.
enum Source {
    /// One byte for each pixel.
    Plain(Vec<u8>),
    /// The green channel of a lossless RGBA image.
    Green(Vec<u8>),
    /// There is no alpha channel.
    Opaque,
}

/// Gives the rows of the alpha channel one after the other.
pub struct AlphaRows {
    source: Source,
    filter: Filter,
    width: usize,
    next: usize,
    above: Vec<u8>,
    row: Vec<u8>,
}

impl AlphaRows {
    /// An alpha channel that is opaque everywhere.
    pub fn opaque(width: u32) -> Self {
        Self::from_source(Source::Opaque, Filter::None, width)
    }

    fn from_source(source: Source, filter: Filter, width: u32) -> Self {
        let width = width as usize;
        let value = if matches!(source, Source::Opaque) {
            255
        } else {
            0
        };
        Self {
            source,
            filter,
            width,
            next: 0,
            above: vec![0; width],
            row: vec![value; width],
        }
    }

    /// Decodes a chunk of which the first byte, `flags`, was taken off.
    ///
    /// `file` has room for a file header in front of its data: see [`lossless::start_file`].
    pub fn decode(flags: u8, mut file: Vec<u8>, size: (u32, u32)) -> Result<Self, PipelineError> {
        if file.len() < lossless::ALPHA_HEADER_BYTES {
            return Err(PipelineError::malformed(
                ImageFormat::WebP,
                "its alpha channel is empty",
            ));
        }
        // The bits between filter and reserve say how alpha was reduced, which a decoder need not know.
        let filter = match (flags >> 2) & 3 {
            0 => Filter::None,
            1 => Filter::Horizontal,
            2 => Filter::Vertical,
            _ => Filter::Gradient,
        };
        let source = match flags & 3 {
            0 => {
                file.drain(..lossless::ALPHA_HEADER_BYTES);
                let need = u64::from(size.0) * u64::from(size.1);
                if (file.len() as u64) < need {
                    return Err(PipelineError::malformed(
                        ImageFormat::WebP,
                        format!("its alpha has {} of {need} bytes", file.len()),
                    ));
                }
                Source::Plain(file)
            }
            1 => Source::Green(lossless::decode(file, size)?),
            method => {
                return Err(PipelineError::unsupported(
                    ImageFormat::WebP,
                    format!("alpha compression method {method}"),
                ));
            }
        };
        Ok(Self::from_source(source, filter, size.0))
    }

    /// The next row, of as many values as the image is wide.
    pub fn next_row(&mut self) -> &[u8] {
        let start = self.next * self.width;
        match &self.source {
            Source::Opaque => return &self.row,
            Source::Plain(bytes) => {
                // Its length was checked before, so this is the whole row.
                let rest = bytes.get(start..).unwrap_or_default();
                for (value, &byte) in self.row.iter_mut().zip(rest) {
                    *value = byte;
                }
            }
            Source::Green(pixels) => {
                let rest = pixels.get(4 * start..).unwrap_or_default();
                for (value, pixel) in self.row.iter_mut().zip(rest.as_chunks::<4>().0) {
                    // Lossless alpha stands in the green channel.
                    *value = pixel[1];
                }
            }
        }
        unfilter(&mut self.row, &self.above, self.filter, self.next == 0);
        self.above.copy_from_slice(&self.row);
        self.next += 1;
        &self.row
    }
}

/// Adds the prediction to each value of a row.
fn unfilter(row: &mut [u8], above: &[u8], filter: Filter, is_first: bool) {
    let filter = match filter {
        Filter::None => return,
        // There is nothing above the first row.
        _ if is_first => Filter::Horizontal,
        filter => filter,
    };
    // The first column has nothing to its left and is predicted from above, which is 0 in the first row.
    let mut left = above.first().copied().unwrap_or(0);
    let mut corner = left;
    for (value, &above) in row.iter_mut().zip(above) {
        let prediction = match filter {
            Filter::Horizontal => left,
            Filter::Gradient => {
                let sum = i16::from(left) + i16::from(above) - i16::from(corner);
                sum.clamp(0, 255) as u8
            }
            Filter::Vertical | Filter::None => above,
        };
        *value = value.wrapping_add(prediction);
        left = *value;
        corner = above;
    }
}
