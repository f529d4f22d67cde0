//! The image of a WebP, or the first frame of an animated one.

use super::alpha::AlphaRows;
use super::header::{LoopFilter, Output, WebpHeader};
use super::riff::{Layout, Span};
use super::yuv::YuvToRgba;
use super::{lossless, vp8};
use crate::decode::buffer::{try_append, try_reserved};
use crate::decode::canvas::CanvasRows;
use crate::decode::{Completeness, Decode, Plane, Progress, RowSink, Samples};
use crate::{ImageFormat, PipelineError};

/// Decodes the image of a WebP file, or the first frame of an animated one.
pub struct WebpDecoder {
    layout: Layout,
    output: Output,
    filter: LoopFilter,
    planes: Vec<Plane>,
    /// Bytes of the file that were fed.
    position: u64,
    /// The first byte of the alpha chunk.
    alpha_flags: u8,
    alpha: Vec<u8>,
    picture: Vec<u8>,
    state: State,
    completeness: Completeness,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Collecting,
    Decoded,
    Failed,
}

impl WebpDecoder {
    /// Prepares to decode the file whose header was read.
    pub fn new(header: &WebpHeader, filter: LoopFilter) -> Self {
        Self::with_output(header, filter, header.output())
    }

    /// A decoder of a frame for a canvas: it gives RGBA, whatever the coding is.
    pub(super) fn of_frame(header: &WebpHeader, filter: LoopFilter) -> Self {
        Self::with_output(header, filter, Output::Rgba)
    }

    fn with_output(header: &WebpHeader, filter: LoopFilter, output: Output) -> Self {
        Self {
            layout: header.layout.clone(),
            output,
            filter,
            planes: output.planes((header.width, header.height)),
            position: 0,
            alpha_flags: 0,
            alpha: Vec::new(),
            picture: Vec::new(),
            state: State::Collecting,
            completeness: Completeness::Whole,
        }
    }

    /// Takes what belongs to the image out of the next bytes of the file.
    fn collect(&mut self, bytes: &[u8]) -> Result<(), PipelineError> {
        let picture = overlap(bytes, self.position, self.layout.picture);
        if self.picture.is_empty() && !picture.is_empty() {
            // Its length is a part of the plan.
            let header = if self.layout.is_lossless {
                lossless::HEADER_BYTES
            } else {
                0
            };
            self.picture = try_reserved(header + self.layout.picture.len as usize)?;
            try_append(&mut self.picture, &[0; lossless::HEADER_BYTES][..header])?;
        }
        try_append(&mut self.picture, picture)?;
        let Some(span) = self.layout.alpha else {
            return Ok(());
        };
        let mut alpha = overlap(bytes, self.position, span);
        if self.alpha.is_empty()
            && let Some((&flags, rest)) = alpha.split_first()
        {
            self.alpha_flags = flags;
            alpha = rest;
            self.alpha = try_reserved(lossless::ALPHA_HEADER_BYTES + span.len as usize)?;
            try_append(&mut self.alpha, &[0; lossless::ALPHA_HEADER_BYTES])?;
        }
        try_append(&mut self.alpha, alpha)
    }

    fn decode(&mut self, sink: &mut dyn RowSink) -> Result<(), PipelineError> {
        // Until it succeeds: after an error nothing is decoded again.
        self.state = State::Failed;
        let picture = std::mem::take(&mut self.picture);
        if picture.is_empty() {
            return Err(PipelineError::truncated(
                ImageFormat::WebP,
                "it ends before the image",
            ));
        }
        let size = self.layout.placement.size;
        if self.layout.is_lossless {
            let pixels = lossless::decode(picture, size)?;
            self.emit_pixels(&pixels, sink)?;
        } else if self.output == Output::Yuv {
            self.completeness = vp8::decode(&picture, self.filter, sink)?;
        } else {
            let alpha = match self.layout.alpha {
                Some(_) => {
                    AlphaRows::decode(self.alpha_flags, std::mem::take(&mut self.alpha), size)?
                }
                None => AlphaRows::opaque(size.0),
            };
            let mut canvas = CanvasRows::new(self.layout.placement)?;
            canvas.emit_above(sink);
            let mut rgba = YuvToRgba::new(canvas, alpha, size.1, sink);
            self.completeness = vp8::decode(&picture, self.filter, &mut rgba)?;
            let YuvToRgba { mut canvas, .. } = rgba;
            canvas.emit_below(sink);
        }
        self.state = State::Decoded;
        Ok(())
    }

    /// Gives the rows of an image that was decoded whole.
    fn emit_pixels(&self, pixels: &[u8], sink: &mut dyn RowSink) -> Result<(), PipelineError> {
        let width = self.layout.placement.size.0 as usize;
        let rows = pixels.chunks_exact(4 * width).zip(0..);
        if self.output == Output::Rgb {
            let mut rgb = Vec::with_capacity(3 * width);
            for (row, y) in rows {
                rgb.clear();
                rgb.extend(
                    // Opaque: the decoder always gives RGBA.
                    row.as_chunks::<4>()
                        .0
                        .iter()
                        .flat_map(|&[r, g, b, _]| [r, g, b]),
                );
                sink.row(0, y, Samples::U8(&rgb));
            }
            return Ok(());
        }
        let is_opaque = !self.layout.has_lossless_alpha;
        let mut canvas = CanvasRows::new(self.layout.placement)?;
        canvas.emit_above(sink);
        for (row, y) in rows {
            canvas.emit(y, sink, |target| {
                target.copy_from_slice(row);
                // The file says that its alpha does not matter, so what is there may be anything.
                if is_opaque {
                    for pixel in target.as_chunks_mut::<4>().0 {
                        pixel[3] = 255;
                    }
                }
            });
        }
        canvas.emit_below(sink);
        Ok(())
    }
}

/// The part of `bytes`, which lie at `position` in the file, that is within `span`.
fn overlap(bytes: &[u8], position: u64, span: Span) -> &[u8] {
    let clamp = |at: u64| at.saturating_sub(position).min(bytes.len() as u64) as usize;
    &bytes[clamp(span.start)..clamp(span.end())]
}

impl Decode for WebpDecoder {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn feed(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Progress, PipelineError> {
        if self.state == State::Collecting {
            self.collect(bytes)?;
        }
        self.position += bytes.len() as u64;
        if self.state == State::Collecting && self.position >= self.layout.picture.end() {
            self.decode(sink)?;
        }
        Ok(if self.state == State::Decoded {
            Progress::Done
        } else {
            Progress::NeedMore
        })
    }

    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        if self.state == State::Collecting {
            self.decode(sink)?;
            self.completeness = Completeness::Truncated;
        }
        Ok(self.completeness)
    }
}
