//! The rows of the primary image of a HEIC file.

use super::coded::{self, Decoded};
use super::header::HeicHeader;
use super::layer::Layer;
use super::malformed;
use super::rows::{Band, Rows};
use super::schedule::{Held, Schedule, Step};
use crate::decode::webp::LoopFilter;
use crate::decode::{Completeness, Decode, Plane, Progress, RowSink};
use crate::{ImageFormat, PipelineError};

/// Decodes the primary image of a HEIC file.
pub struct HeicDecoder {
    header: HeicHeader,
    filter: LoopFilter,
    planes: Vec<Plane>,
    held: Held,
    /// The next step of the schedule.
    next: usize,
    /// The rows of tiles that are there, of colors and of alpha.
    bands: [Option<Band>; 2],
    rows: Rows,
    /// Rows that were given.
    given: u32,
    has_any: bool,
    completeness: Completeness,
}

impl HeicDecoder {
    /// Prepares to decode the file whose header was read.
    pub fn new(header: &HeicHeader, filter: LoopFilter) -> Self {
        Self {
            planes: header.planes(),
            held: Held::new(Schedule::new(header)),
            rows: Rows::new(header),
            header: header.clone(),
            filter,
            next: 0,
            bands: [None, None],
            given: 0,
            has_any: false,
            completeness: Completeness::Whole,
        }
    }

    fn layer(&self, number: usize) -> Option<&Layer> {
        self.header.layers().nth(number)
    }

    /// Decodes the tile of a step, all or none of whose bytes are there, and gives the rows that it completes.
    fn decode(
        &mut self,
        step: Step,
        data: &[u8],
        sink: &mut dyn RowSink,
    ) -> Result<(), PipelineError> {
        let bug = || PipelineError::Bug("a step without a tile".into());
        let layer = self.layer(step.layer).ok_or_else(bug)?;
        let (column, row) = (
            step.tile % layer.columns as usize,
            step.tile / layer.columns as usize,
        );
        let (columns, top) = (layer.columns as usize, row as u32 * layer.shape.size.1);
        if column == 0 {
            // The memory of the last row of tiles goes first.
            let frames = Vec::with_capacity(columns);
            self.bands[step.layer] = Some(Band { top, frames });
        }
        let frame = if data.is_empty() {
            self.completeness = Completeness::Truncated;
            None
        } else {
            self.decode_tile(step, data)?
        };
        if let Some(band) = &mut self.bands[step.layer] {
            band.frames.push(frame);
        }
        if column + 1 == columns {
            self.give_rows(sink);
        }
        Ok(())
    }

    fn decode_tile(
        &mut self,
        step: Step,
        data: &[u8],
    ) -> Result<Option<heifer_hevc_dec::recon::Frame>, PipelineError> {
        let layer = self.layer(step.layer);
        let tile = layer.and_then(|layer| Some((layer, layer.tiles.get(step.tile)?)));
        let found = tile
            .and_then(|(layer, tile)| Some((layer, layer.configs.get(usize::from(tile.config))?)));
        let (layer, config) =
            found.ok_or_else(|| PipelineError::Bug("a tile without its configuration".into()))?;
        match coded::decode(config, &layer.shape, data, self.filter) {
            Ok(Decoded {
                frame,
                has_any,
                is_whole,
            }) => {
                self.has_any |= has_any;
                if !is_whole {
                    self.completeness = Completeness::Truncated;
                }
                Ok(Some(frame))
            }
            // Of an image of many tiles, the others may be sound.
            Err(PipelineError::Malformed { .. }) if self.held.steps() > 1 => {
                self.completeness = Completeness::Truncated;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives the rows that the bands of all layers cover.
    fn give_rows(&mut self, sink: &mut dyn RowSink) {
        let crop_top = self.header.crop.top;
        let mut end = self.header.height;
        // Color and alpha may have tiles of different heights: rows need both.
        for (layer, band) in self.header.layers().zip(&self.bands) {
            let whole = band
                .as_ref()
                .filter(|band| band.frames.len() == layer.columns as usize);
            let covered = whole.map_or(0, |band| band.top + layer.shape.size.1);
            end = end.min(covered.saturating_sub(crop_top));
        }
        while self.given < end {
            self.rows.emit(&self.header, &self.bands, self.given, sink);
            self.given += 1;
        }
    }

    fn is_done(&self) -> bool {
        self.next == self.held.steps()
    }

    fn nothing_left(&self) -> PipelineError {
        let detail = "nothing of its image could be decoded";
        if self.completeness == Completeness::Truncated {
            return PipelineError::truncated(ImageFormat::Heic, detail);
        }
        malformed(detail)
    }
}

impl Decode for HeicDecoder {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn feed(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Progress, PipelineError> {
        let mut bytes = bytes;
        while let Some(step) = self.held.step(self.next) {
            let (rest, is_complete) = self.held.take(bytes, step)?;
            bytes = rest;
            if !is_complete {
                return Ok(Progress::NeedMore);
            }
            let data = self.held.release(self.next);
            self.next += 1;
            self.decode(step, &data, sink)?;
        }
        Ok(Progress::Done)
    }

    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        if !self.is_done() && !self.has_any {
            let (steps, left) = (self.held.steps(), self.held.steps() - self.next);
            let detail = format!("{left} of its {steps} coded images are not complete");
            return Err(PipelineError::truncated(ImageFormat::Heic, detail));
        }
        while let Some(step) = self.held.step(self.next) {
            self.held.release(self.next);
            self.next += 1;
            self.decode(step, &[], sink)?;
        }
        if self.has_any {
            Ok(self.completeness)
        } else {
            Err(self.nothing_left())
        }
    }
}
