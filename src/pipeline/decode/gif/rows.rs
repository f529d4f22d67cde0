//! Gathers pixels to rows, in the order in which a frame stores them.

use super::GifHeader;
use crate::decode::canvas::CanvasRows;
use crate::decode::{ColorTable, Completeness, RowSink, Samples};
use crate::{ImageFormat, PipelineError};

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
pub struct FrameRows {
    table: ColorTable,
    /// Where the frame does not cover its canvas.
    canvas: Option<CanvasRows>,
    width: usize,
    order: std::iter::Peekable<RowOrder>,
    /// The indices of the current row, as far as they are known.
    indices: Vec<u8>,
    has_any: bool,
}

impl FrameRows {
    /// Rows for the frame of a header.
    pub fn new(header: &GifHeader) -> Result<Self, PipelineError> {
        let (width, height) = header.placement.size;
        Ok(Self {
            table: ColorTable::new(&header.palette, if header.has_alpha { 4 } else { 3 }),
            canvas: if header.placement.covers_canvas() {
                None
            } else {
                Some(CanvasRows::new(header.placement)?)
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
            has_any: false,
        })
    }

    /// Whether every row was given.
    pub fn is_complete(&mut self) -> bool {
        self.order.peek().is_none()
    }

    /// Takes the next pixels in the order in which they are stored.
    pub fn put(&mut self, mut pixels: &[u8], sink: &mut dyn RowSink) {
        if !pixels.is_empty() && !self.has_any {
            // A frame without a pixel is an error, and nothing may have been given by then.
            self.has_any = true;
            if let Some(canvas) = &mut self.canvas {
                canvas.emit_above(sink);
            }
        }
        while !pixels.is_empty() && !self.is_complete() {
            let missing = self.width - self.indices.len();
            let (part, rest) = pixels.split_at(missing.min(pixels.len()));
            self.indices.extend_from_slice(part);
            pixels = rest;
            if self.indices.len() == self.width {
                self.emit_next(sink);
            }
        }
    }

    /// Gives the next row, of which `indices` is known.
    fn emit_next(&mut self, sink: &mut dyn RowSink) {
        let Some(y) = self.order.next() else {
            return;
        };
        if let Some(canvas) = &mut self.canvas {
            canvas.emit(y, sink, |row| {
                let colors = self.indices.iter().map(|&index| self.table.color(index));
                let pixels = row.as_chunks_mut::<4>().0;
                // What is not known is transparent.
                let colors = colors.chain(std::iter::repeat([0; 4]));
                for (pixel, color) in pixels.iter_mut().zip(colors) {
                    *pixel = color;
                }
            });
        } else if self.indices.len() == self.width {
            sink.indices(0, y, &self.indices, &self.table);
        } else {
            // What is not known is gray, or transparent where there is alpha.
            let (len, filler) = match self.table.channels() {
                4 => (self.width * 4, 0),
                channels => (self.width * channels, 128),
            };
            let mut row = self.table.expand(&self.indices);
            row.resize(len, filler);
            sink.row(0, y, Samples::U8(&row));
        }
        self.indices.clear();
    }

    /// Gives the rows that are missing.
    pub fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        if !self.has_any {
            return Err(PipelineError::truncated(
                ImageFormat::Gif,
                "it ends before the first pixel",
            ));
        }
        let is_whole = self.is_complete();
        while !self.is_complete() {
            self.emit_next(sink);
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
