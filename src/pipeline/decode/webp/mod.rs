//! WebP: lossy, lossless and the first frame of animations (RFC 9649).
//!
//! `riff` finds the picture, `vp8` decodes it by rows if it is lossy, `lossless` whole if it is not.
//! `frames` composes later frames.
//! Opaque lossy pictures come as planes of Y, U and V; those with alpha as RGBA.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "formulas keep the names of the specification; sides have at most 24 bits, chunks 32, and samples are clamped where they shrink"
)]

mod alpha;
mod codes;
mod frames;
mod lossless;
mod riff;
mod vp8;
mod yuv;

use super::buffer::{try_append, try_reserved};
use super::canvas::CanvasRows;
use super::{Completeness, Decode, HeaderStatus, Plane, Progress, RowSink, Samples};
use crate::{ImageFormat, PipelineError};
use alpha::AlphaRows;
use riff::{Container, Layout, MAX_EXIF_BYTES, Span};
use yuv::YuvToRgba;

pub use frames::WebpFrames;

/// Whether the blocks of a lossy picture are smoothed at their edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoopFilter {
    /// As the specification says, so that the pixels are the encoder's.
    #[default]
    Exact,
    /// Not at all, for half the work: a shrink averages over what the filter smooths.
    /// Prediction uses unfiltered pixels (RFC 6386, section 15), so nothing drifts.
    Skip,
}

/// How the picture is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebpCoding {
    /// VP8 without alpha.
    Lossy,
    /// VP8 with an alpha channel.
    LossyAlpha,
    /// VP8L, opaque.
    Lossless,
    /// VP8L with alpha.
    LosslessAlpha,
}

/// The samples that come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    Yuv,
    Rgb,
    Rgba,
}

/// What is known of a WebP file before its picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebpHeader {
    /// Width of the canvas in pixels.
    pub width: u32,
    /// Height of the canvas in pixels.
    pub height: u32,
    /// How the picture, or the first frame, is coded.
    pub coding: WebpCoding,
    /// The file has frames, of which the first is decoded.
    pub is_animated: bool,
    /// The colour profile.
    pub icc_profile: Option<Vec<u8>>,
    /// The file says that it has a colour profile.
    pub promises_icc_profile: bool,
    /// The EXIF data, where they come before the picture.
    pub exif: Option<Vec<u8>>,
    /// The file says that it has EXIF data. They usually follow the picture: [`Decode::trailing_exif`].
    pub promises_exif: bool,
    /// The length of the file, by its container.
    pub file_bytes: u64,
    layout: Layout,
}

impl WebpHeader {
    fn output(&self) -> Output {
        match self.coding {
            _ if !self.layout.placement.covers_canvas() => Output::Rgba,
            WebpCoding::Lossy => Output::Yuv,
            WebpCoding::Lossless => Output::Rgb,
            WebpCoding::LossyAlpha | WebpCoding::LosslessAlpha => Output::Rgba,
        }
    }

    /// Whether pixels can be transparent: those that a frame leaves free are, too.
    pub fn has_alpha(&self) -> bool {
        self.output() == Output::Rgba
    }

    /// Says what decoding takes at most, in bytes, with the compressed picture that it has to hold.
    pub fn peak_bytes(&self) -> u64 {
        let Layout {
            placement,
            picture,
            alpha,
            ..
        } = &self.layout;
        let compressed = u64::from(picture.len) + lossless::HEADER_BYTES as u64;
        let exif = if self.promises_exif && self.exif.is_none() {
            3 * MAX_EXIF_BYTES as u64
        } else {
            0
        };
        let canvas = placement.peak_bytes() + exif;
        let pixels = match (self.coding, alpha) {
            (WebpCoding::Lossless | WebpCoding::LosslessAlpha, _) => {
                lossless::peak_bytes(placement.size)
            }
            (_, None) => vp8::peak_bytes(placement.size.0),
            (_, Some(alpha)) => {
                vp8::peak_bytes(placement.size.0)
                    + u64::from(alpha.len)
                    + lossless::ALPHA_HEADER_BYTES as u64
                    // Rows of what becomes RGBA.
                    + 8 * u64::from(placement.size.0)
                    + lossless::peak_bytes(placement.size)
            }
        };
        compressed.saturating_add(canvas).saturating_add(pixels)
    }
}

/// Reads the container up to the size of the picture.
///
/// The colour profile lies before that and has to be in the prefix.
pub fn read_header(prefix: &[u8]) -> Result<HeaderStatus<WebpHeader>, PipelineError> {
    let container = match riff::read(prefix)? {
        HeaderStatus::NeedMore => return Ok(HeaderStatus::NeedMore),
        HeaderStatus::Ready(container) => container,
    };
    let Container { layout, .. } = container;
    let has_alpha = layout.alpha.is_some() || layout.has_lossless_alpha;
    Ok(HeaderStatus::Ready(WebpHeader {
        width: layout.placement.canvas.0,
        height: layout.placement.canvas.1,
        coding: match (layout.is_lossless, has_alpha) {
            (false, false) => WebpCoding::Lossy,
            (false, true) => WebpCoding::LossyAlpha,
            (true, false) => WebpCoding::Lossless,
            (true, true) => WebpCoding::LosslessAlpha,
        },
        is_animated: container.is_animated,
        icc_profile: container.icc_profile,
        promises_icc_profile: container.has_icc_flag,
        exif: container.exif,
        promises_exif: container.has_exif_flag,
        file_bytes: riff::file_bytes(prefix),
        layout,
    }))
}

/// Decodes the picture of a WebP file, or the first frame of an animated one.
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
    trailer: Trailer,
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
    fn of_frame(header: &WebpHeader, filter: LoopFilter) -> Self {
        Self::with_output(header, filter, Output::Rgba)
    }

    fn with_output(header: &WebpHeader, filter: LoopFilter, output: Output) -> Self {
        let plane = |channels, shift: u32| Plane {
            width: header.width.div_ceil(1 << shift),
            height: header.height.div_ceil(1 << shift),
            channels,
            pixels_per_sample_x: f64::from(1 << shift),
            pixels_per_sample_y: f64::from(1 << shift),
        };
        let wants_exif = header.promises_exif && header.exif.is_none();
        Self {
            layout: header.layout.clone(),
            output,
            filter,
            planes: match output {
                Output::Yuv => vec![plane(1, 0), plane(1, 1), plane(1, 1)],
                Output::Rgb => vec![plane(3, 0)],
                Output::Rgba => vec![plane(4, 0)],
            },
            position: 0,
            alpha_flags: 0,
            alpha: Vec::new(),
            picture: Vec::new(),
            state: State::Collecting,
            completeness: Completeness::Whole,
            trailer: Trailer::new(header.layout.picture.next_chunk(), wants_exif),
        }
    }

    /// Takes what belongs to the picture out of the next bytes of the file.
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
        self.state = State::Failed;
        let picture = std::mem::take(&mut self.picture);
        if picture.is_empty() {
            return Err(PipelineError::truncated(
                ImageFormat::WebP,
                "it ends before the picture",
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

    /// Gives the rows of a picture that was decoded whole.
    fn emit_pixels(&self, pixels: &[u8], sink: &mut dyn RowSink) -> Result<(), PipelineError> {
        let width = self.layout.placement.size.0 as usize;
        let rows = pixels.chunks_exact(4 * width).zip(0..);
        if self.output == Output::Rgb {
            let mut rgb = Vec::with_capacity(3 * width);
            for (row, y) in rows {
                rgb.clear();
                rgb.extend(
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
        self.trailer.feed(bytes, self.position)?;
        self.position += bytes.len() as u64;
        if self.state == State::Collecting && self.position >= self.layout.picture.end() {
            self.decode(sink)?;
        }
        let is_done = self.state == State::Decoded && self.trailer.is_done();
        Ok(if is_done {
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

    fn trailing_exif(&self) -> Option<&[u8]> {
        self.trailer.exif()
    }
}

/// Looks for EXIF data among the chunks behind the picture.
struct Trailer {
    /// Where the next chunk begins.
    next: u64,
    /// The header of that chunk, as far as it was fed.
    header: Vec<u8>,
    found: Option<Span>,
    exif: Vec<u8>,
    is_done: bool,
}

impl Trailer {
    fn new(next: u64, wants_exif: bool) -> Self {
        Self {
            next,
            header: Vec::with_capacity(8),
            found: None,
            exif: Vec::new(),
            is_done: !wants_exif,
        }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn exif(&self) -> Option<&[u8]> {
        self.found.map(|_| self.exif.as_slice())
    }

    fn feed(&mut self, bytes: &[u8], position: u64) -> Result<(), PipelineError> {
        while !self.is_done {
            if let Some(span) = self.found {
                try_append(&mut self.exif, overlap(bytes, position, span))?;
                self.is_done = self.exif.len() as u64 == u64::from(span.len);
                return Ok(());
            }
            let start = self.next + self.header.len() as u64;
            let missing = Span {
                start,
                len: 8 - self.header.len() as u32,
            };
            self.header
                .extend_from_slice(overlap(bytes, position, missing));
            let Some((id, span)) = riff::chunk_at(&self.header, 0) else {
                return Ok(());
            };
            self.header.clear();
            let span = Span {
                start: self.next + span.start,
                ..span
            };
            self.next = span.next_chunk();
            if &id == b"EXIF" && span.len as usize <= MAX_EXIF_BYTES {
                self.found = Some(span);
            }
        }
        Ok(())
    }
}
