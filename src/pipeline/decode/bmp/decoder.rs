//! The rows of a bitmap.

use super::header::{BmpHeader, Pixels, stored_row_bytes};
use super::rows::Unpacker;
use super::runs::{Event, RunReader};
use crate::decode::buffer::try_filled;
use crate::decode::{Completeness, Decode, Plane, Progress, RowSink, Samples};
use crate::{ImageFormat, LimitError, PipelineError};

/// Decodes a bitmap.
pub struct BmpDecoder {
    planes: [Plane; 1],
    unpacker: Unpacker,
    runs: Option<RunReader>,
    is_top_down: bool,
    /// Bytes before the pixels that were not fed yet.
    to_skip: u64,
    /// The current row as it is stored, of which `known` bytes were fed.
    stored: Vec<u8>,
    known: usize,
    samples: Vec<u8>,
    /// There is an alpha channel, in which all pixels so far have 0.
    is_alpha_unused: bool,
    /// Rows that were given.
    done: u32,
    has_any: bool,
}

impl BmpDecoder {
    /// Prepares to decode the file whose header was read.
    pub fn new(header: &BmpHeader) -> Result<Self, PipelineError> {
        let too_wide = LimitError::Allocation {
            bytes: header.peak_bytes(),
        };
        let stored = usize::try_from(stored_row_bytes(header)).map_err(|_| too_wide)?;
        let channels = header.channels();
        let row = (header.width as usize)
            .checked_mul(usize::from(channels))
            .ok_or(too_wide)?;
        Ok(Self {
            planes: [Plane::whole(header.width, header.height, channels)],
            unpacker: Unpacker::new(header),
            runs: match header.pixels {
                Pixels::Runs(bits) => Some(RunReader::new(bits)),
                _ => None,
            },
            is_top_down: header.is_top_down,
            to_skip: header.data_start,
            stored: try_filled(stored, 0)?,
            known: 0,
            samples: try_filled(row, 0)?,
            is_alpha_unused: header.has_alpha,
            done: 0,
            has_any: false,
        })
    }

    fn is_over(&self) -> bool {
        self.done == self.planes[0].height
    }

    /// Gives the current row and begins the next one.
    fn emit(&mut self, sink: &mut dyn RowSink) {
        self.unpacker.unpack(&self.stored, &mut self.samples);
        if self.is_alpha_unused {
            self.look_for_alpha(sink);
        }
        self.emit_samples(sink);
        self.known = 0;
    }

    /// Shows the current row opaque where no pixel has had any alpha so far.
    ///
    /// Many programs write a mask for alpha and zeros into it: such an image is opaque.
    /// If one pixel has some, then those before it were meant to be transparent.
    fn look_for_alpha(&mut self, sink: &mut dyn RowSink) {
        let (pixels, _) = self.samples.as_chunks_mut::<4>();
        if pixels.iter().all(|&[.., alpha]| alpha == 0) {
            for [.., alpha] in pixels {
                *alpha = 255;
            }
            return;
        }
        self.is_alpha_unused = false;
        // What was given as opaque was wrong: all rows before become transparent.
        sink.clear(0);
    }

    fn emit_samples(&mut self, sink: &mut dyn RowSink) {
        let height = self.planes[0].height;
        // Rows begin at the bottom unless the height is negative.
        let y = if self.is_top_down {
            self.done
        } else {
            height - 1 - self.done
        };
        sink.row(0, y, Samples::U8(&self.samples));
        self.done += 1;
        self.has_any = true;
    }

    fn take_rows(&mut self, mut bytes: &[u8], sink: &mut dyn RowSink) {
        while !self.is_over() && !bytes.is_empty() {
            let missing = self.stored.len() - self.known;
            let (part, rest) = bytes.split_at(missing.min(bytes.len()));
            self.stored[self.known..self.known + part.len()].copy_from_slice(part);
            self.known += part.len();
            bytes = rest;
            if self.known == self.stored.len() {
                self.emit(sink);
            }
        }
    }

    /// Ends a row of runs. Pixels that no run has set have index 0.
    fn end_row_of_runs(&mut self, sink: &mut dyn RowSink) {
        self.emit(sink);
        self.stored.fill(0);
    }

    fn take_event(&mut self, event: Event, sink: &mut dyn RowSink) {
        let width = self.planes[0].width as usize;
        match event {
            Event::Pixels { count, indices } => {
                // Runs that are too long end with their row.
                let end = width.min(self.known + usize::from(count));
                let pixels = self.stored[self.known.min(end)..end].iter_mut();
                for (pixel, index) in pixels.zip(indices.into_iter().cycle()) {
                    *pixel = index;
                }
                self.known = end;
                self.has_any = true;
            }
            Event::Move { columns, rows } => {
                let column = width.min(self.known + usize::from(columns));
                for _ in 0..rows {
                    if !self.is_over() {
                        self.end_row_of_runs(sink);
                    }
                }
                // Indices that are passed over stay 0.
                self.known = column;
            }
            Event::EndOfRow => self.end_row_of_runs(sink),
            Event::EndOfPicture => {
                while !self.is_over() {
                    self.end_row_of_runs(sink);
                }
            }
        }
    }
}

impl Decode for BmpDecoder {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn scattered(&self) -> bool {
        // Where there is alpha, rows may have to be taken back.
        !self.is_top_down || self.planes[0].channels == 4
    }

    fn feed(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Progress, PipelineError> {
        if self.is_over() {
            return Ok(Progress::Done);
        }
        let skipped = usize::try_from(self.to_skip).map_or(bytes.len(), |len| len.min(bytes.len()));
        self.to_skip -= skipped as u64;
        let bytes = &bytes[skipped..];
        if self.runs.is_none() {
            self.take_rows(bytes, sink);
        } else {
            for &byte in bytes {
                let event = self.runs.as_mut().and_then(|runs| runs.next(byte));
                if let Some(event) = event {
                    self.take_event(event, sink);
                }
                if self.is_over() {
                    break;
                }
            }
        }
        Ok(if self.is_over() {
            Progress::Done
        } else {
            Progress::NeedMore
        })
    }

    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        if self.is_over() {
            return Ok(Completeness::Whole);
        }
        if !self.has_any {
            return Err(PipelineError::truncated(
                ImageFormat::Bmp,
                "it ends before the first row is complete",
            ));
        }
        // The row that the end cuts is given as far as it came.
        if self.runs.is_some() && self.known > 0 {
            self.emit(sink);
        }
        self.samples.fill(128);
        while !self.is_over() {
            self.emit_samples(sink);
        }
        Ok(Completeness::Truncated)
    }
}
