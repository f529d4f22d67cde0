//! GIF: the first frame on its canvas, by rows.
//!
//! Blocks are skipped up to the first image descriptor (GIF89a, sections 17 to 23);
//! its LZW codes are unpacked as they arrive, so that only one row of the canvas is held.

mod header;

use weezl::{BitOrder, LzwStatus, decode::Decoder as Lzw};

use super::canvas::CanvasRows;
use super::{Completeness, Decode, Plane, Progress, RowSink, Samples};
use crate::pipeline::{ImageFormat, PipelineError};
use header::Palette;

pub use header::{GifHeader, read_header};

/// Decodes the first frame of a GIF.
pub struct GifDecoder {
    planes: [Plane; 1],
    rows: FrameRows,
    is_interlaced: bool,
    /// Bytes before the pixels that were not fed yet.
    to_skip: u64,
    lzw: Option<Lzw>,
    /// Bytes of the current sub-block that were not fed yet.
    block_left: usize,
    is_over: bool,
}

impl GifDecoder {
    /// Prepares to decode the file whose header was read.
    pub fn new(header: &GifHeader) -> Result<Self, PipelineError> {
        Ok(Self {
            planes: [Plane {
                width: header.width,
                height: header.height,
                channels: if header.has_alpha { 4 } else { 3 },
                pixels_per_sample_x: 1.0,
                pixels_per_sample_y: 1.0,
            }],
            rows: FrameRows::new(header)?,
            is_interlaced: header.is_interlaced,
            to_skip: header.data_start,
            lzw: None,
            block_left: 0,
            is_over: false,
        })
    }

    /// Unpacks a part of a sub-block.
    fn unpack(&mut self, mut codes: &[u8], sink: &mut dyn RowSink) {
        let Some(lzw) = &mut self.lzw else {
            return;
        };
        let mut pixels = [0; 4096];
        while !self.is_over {
            let result = lzw.decode_bytes(codes, &mut pixels);
            codes = codes.get(result.consumed_in..).unwrap_or_default();
            self.rows.put(&pixels[..result.consumed_out], sink);
            let ends = !matches!(result.status, Ok(LzwStatus::Ok | LzwStatus::NoProgress));
            self.is_over = ends || self.rows.is_complete();
            // The decoder may hold codes that it has taken: it has none when nothing moves any more.
            if result.consumed_in == 0 && result.consumed_out == 0 {
                return;
            }
        }
    }

    /// Takes the byte that gives the size of codes.
    fn start_lzw(&mut self, code_size: u8) -> Result<(), PipelineError> {
        if !(1..=8).contains(&code_size) {
            return Err(PipelineError::malformed(
                ImageFormat::Gif,
                format!("its codes have {code_size} bits"),
            ));
        }
        self.lzw = Some(Lzw::new(BitOrder::Lsb, code_size));
        Ok(())
    }
}

impl Decode for GifDecoder {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn scattered(&self) -> bool {
        self.is_interlaced
    }

    fn feed(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Progress, PipelineError> {
        let skipped = usize::try_from(self.to_skip).map_or(bytes.len(), |len| len.min(bytes.len()));
        self.to_skip -= skipped as u64;
        let mut rest = &bytes[skipped..];
        while !self.is_over && !rest.is_empty() {
            if self.block_left > 0 {
                let (codes, after) = rest.split_at(self.block_left.min(rest.len()));
                self.block_left -= codes.len();
                self.unpack(codes, sink);
                rest = after;
                continue;
            }
            let (byte, after) = (rest[0], &rest[1..]);
            rest = after;
            if self.lzw.is_none() {
                self.start_lzw(byte)?;
            } else {
                self.block_left = usize::from(byte);
                self.is_over = byte == 0;
            }
        }
        Ok(if self.is_over {
            Progress::Done
        } else {
            Progress::NeedMore
        })
    }

    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        self.rows.finish(sink)
    }
}

/// The order in which rows are stored.
struct RowOrder {
    height: u32,
    is_interlaced: bool,
    next: Option<u32>,
    pass: usize,
}

/// First row and distance of rows in the four passes of an interlaced frame (appendix E).
const PASSES: [(u32, u32); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];

impl Iterator for RowOrder {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let current = self.next?;
        self.next = if self.is_interlaced {
            let following = current + PASSES[self.pass].1;
            if following < self.height {
                Some(following)
            } else {
                // Short frames have no rows in some passes.
                (self.pass + 1..PASSES.len())
                    .find(|&pass| PASSES[pass].0 < self.height)
                    .map(|pass| {
                        self.pass = pass;
                        PASSES[pass].0
                    })
            }
        } else {
            (current + 1 < self.height).then_some(current + 1)
        };
        Some(current)
    }
}

/// Gathers pixels to rows and gives those to the sink.
struct FrameRows {
    palette: Palette,
    canvas: Option<CanvasRows>,
    width: usize,
    order: std::iter::Peekable<RowOrder>,
    /// The indices of the current row, as far as they are known.
    indices: Vec<u8>,
    /// The current row in RGB, where there is no alpha.
    rgb: Vec<u8>,
    has_any: bool,
}

impl FrameRows {
    fn new(header: &GifHeader) -> Result<Self, PipelineError> {
        let (width, height) = header.placement.size;
        Ok(Self {
            palette: header.palette.clone(),
            canvas: if header.has_alpha {
                Some(CanvasRows::new(header.placement)?)
            } else {
                None
            },
            width: width as usize,
            order: RowOrder {
                height,
                is_interlaced: header.is_interlaced,
                next: Some(0),
                pass: 0,
            }
            .peekable(),
            // At most 65535 of them.
            indices: Vec::with_capacity(width as usize),
            rgb: Vec::new(),
            has_any: false,
        })
    }

    fn is_complete(&mut self) -> bool {
        self.order.peek().is_none()
    }

    fn put(&mut self, mut pixels: &[u8], sink: &mut dyn RowSink) {
        if !pixels.is_empty() && !self.has_any {
            self.has_any = true;
            if let Some(canvas) = &mut self.canvas {
                canvas.emit_above(sink);
            }
        }
        while !pixels.is_empty() {
            let missing = self.width - self.indices.len();
            let (part, rest) = pixels.split_at(missing.min(pixels.len()));
            self.indices.extend_from_slice(part);
            pixels = rest;
            if self.indices.len() == self.width {
                let Some(y) = self.order.next() else {
                    return;
                };
                self.emit(y, sink);
            }
        }
    }

    /// Gives the row `y` with what is known of it; the rest is transparent, or grey where there is no alpha.
    fn emit(&mut self, y: u32, sink: &mut dyn RowSink) {
        let filler = if self.canvas.is_some() {
            [0; 4]
        } else {
            [128; 4]
        };
        let known = self.indices.iter();
        let colors = known
            .map(|&index| self.palette[usize::from(index)])
            .chain(std::iter::repeat_n(filler, self.width - self.indices.len()));
        if let Some(canvas) = &mut self.canvas {
            canvas.emit(y, sink, |row| {
                for (pixel, color) in row.as_chunks_mut::<4>().0.iter_mut().zip(colors) {
                    *pixel = color;
                }
            });
        } else {
            self.rgb.clear();
            self.rgb.extend(colors.flat_map(|[r, g, b, _]| [r, g, b]));
            sink.row(0, y, Samples::U8(&self.rgb));
        }
        self.indices.clear();
    }

    /// Gives the rows that are missing.
    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        if !self.has_any {
            return Err(PipelineError::truncated(
                ImageFormat::Gif,
                "it ends before the first pixel",
            ));
        }
        let is_whole = self.is_complete();
        while let Some(y) = self.order.next() {
            self.emit(y, sink);
        }
        if let Some(canvas) = &mut self.canvas {
            canvas.emit_below(sink);
        }
        Ok(if is_whole {
            Completeness::Whole
        } else {
            Completeness::Truncated
        })
    }
}
