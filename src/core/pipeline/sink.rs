//! Takes the rows of all planes of a picture and makes the pixels of all its thumbnails.
//!
//! Each variant has a lane per plane: box shrink, then resampling right to the thumbnail's size.
//! Where all lanes have a row, it becomes RGB and is written.

use super::PipelineError;
use super::canvas::Canvas;
use super::color_model::Colors;
use super::decode::{ColorTable, Plane, RowSink, Samples};
use super::halve::Halving;
use super::pixmap::Pixmap;
use super::plan::{Choice, Plan, VariantPlan};
use super::resize::{Axis, Resizer};
use super::shrink::{BoxShrink, ScatteredShrink};
use super::smart;

/// Makes thumbnails of rows.
#[derive(Debug)]
pub struct ThumbnailSink {
    colors: Colors,
    variants: Vec<VariantSink>,
}

impl ThumbnailSink {
    /// A sink for what `plan` says.
    pub fn new(plan: &Plan) -> Result<Self, PipelineError> {
        let variants = plan.variants.iter();
        let sinks = variants.map(|variant| VariantSink::new(plan, variant));
        Ok(Self {
            colors: Colors::new(&plan.info, plan.source.model),
            variants: sinks.collect::<Result<_, _>>()?,
        })
    }

    /// The pixels of all variants, in the order of the plan, once all rows were given.
    pub fn finish(mut self) -> Vec<Pixmap> {
        for variant in &mut self.variants {
            variant.flush(&self.colors);
        }
        self.variants.into_iter().map(VariantSink::finish).collect()
    }
}

impl RowSink for ThumbnailSink {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        for variant in &mut self.variants {
            variant.put(&self.colors, plane, |lane| lane.row(y, samples));
        }
    }

    fn indices(&mut self, plane: usize, y: u32, indices: &[u8], table: &ColorTable) {
        for variant in &mut self.variants {
            variant.put(&self.colors, plane, |lane| lane.indices(y, indices, table));
        }
    }

    fn pixels(&mut self, plane: usize, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        for variant in &mut self.variants {
            if let Some(lane) = variant.lanes.get_mut(plane) {
                lane.pixels(y, x0, dx, samples);
            }
        }
    }
}

#[derive(Debug)]
struct VariantSink {
    lanes: Vec<Lane>,
    halving: Option<Halving>,
    canvas: Canvas,
    choice: Option<Choice>,
    rgba: Vec<[f32; 4]>,
}

impl VariantSink {
    fn new(plan: &Plan, variant: &VariantPlan) -> Result<Self, PipelineError> {
        let planes = plan.source.planes.iter().zip(&variant.axes);
        let width = variant.resampled.width() as usize;
        Ok(Self {
            lanes: planes
                .map(|(plane, axes)| Lane::new(plane, axes, plan.source.scattered))
                .collect(),
            halving: Halving::new(variant),
            canvas: Canvas::new(variant)?,
            choice: variant.choice,
            rgba: vec![[0.0; 4]; width],
        })
    }

    fn put(&mut self, colors: &Colors, plane: usize, put: impl FnOnce(&mut Lane)) {
        if let Some(lane) = self.lanes.get_mut(plane) {
            put(lane);
            self.drain(colors);
        }
    }

    fn flush(&mut self, colors: &Colors) {
        // Row by row, so that no lane runs ahead of what is written.
        loop {
            let mut more = false;
            for lane in &mut self.lanes {
                more |= lane.finish_row();
            }
            self.drain(colors);
            if !more {
                return;
            }
        }
    }

    fn finish(self) -> Pixmap {
        let pixmap = self.canvas.finish();
        let Some(Choice { gravity, size }) = self.choice else {
            return pixmap;
        };
        let (left, top) = smart::choose(&pixmap, gravity, size);
        pixmap.crop(left, top, size)
    }

    /// Writes every row that all lanes have.
    fn drain(&mut self, colors: &Colors) {
        while !self.lanes.is_empty() && self.lanes.iter().all(|lane| lane.resizer.has_row()) {
            let mut channel = 0;
            for lane in &mut self.lanes {
                let row = lane.resizer.next_row();
                for (pixel, samples) in self.rgba.iter_mut().zip(row.chunks_exact(lane.channels)) {
                    for (to, sample) in pixel.iter_mut().skip(channel).zip(samples) {
                        *to = *sample;
                    }
                }
                channel += lane.channels;
            }
            for pixel in &mut self.rgba {
                *pixel = colors.to_srgb(*pixel);
            }
            let canvas = &mut self.canvas;
            match &mut self.halving {
                Some(halving) => halving.push(&self.rgba, |row| canvas.push(row)),
                None => canvas.push(&self.rgba),
            }
        }
    }
}

/// What happens to one plane for one variant.
#[derive(Debug)]
pub struct Lane {
    shrink: Shrink,
    resizer: Resizer,
    channels: usize,
}

#[derive(Debug)]
enum Shrink {
    InOrder(BoxShrink),
    Scattered(ScatteredShrink),
    /// Every row was given to the resizer.
    Done,
}

impl Lane {
    fn new(plane: &Plane, (x, y): &(Axis, Axis), scattered: bool) -> Self {
        let channels = usize::from(plane.channels);
        Self {
            shrink: if scattered {
                Shrink::Scattered(ScatteredShrink::new(channels, x.bins(), y.bins()))
            } else {
                Shrink::InOrder(BoxShrink::new(channels, x.bins(), y.bins()))
            },
            resizer: Resizer::new(channels, x, y),
            channels,
        }
    }

    /// The bytes that the lane of a plane holds.
    pub fn bytes(plane: &Plane, (x, y): &(Axis, Axis), scattered: bool) -> u64 {
        let channels = u64::from(plane.channels);
        let shrink = if scattered {
            ScatteredShrink::bytes(channels, x.bins(), y.bins())
        } else {
            BoxShrink::bytes(channels, x.bins())
        };
        shrink + Resizer::bytes(channels, x, y)
    }

    fn row(&mut self, y: u32, samples: Samples<'_>) {
        let resizer = &mut self.resizer;
        match &mut self.shrink {
            Shrink::InOrder(shrink) => shrink.row(y, samples, |row| resizer.push(row)),
            Shrink::Scattered(shrink) => shrink.pixels(y, 0, 1, samples),
            Shrink::Done => {}
        }
    }

    fn indices(&mut self, y: u32, indices: &[u8], table: &ColorTable) {
        let resizer = &mut self.resizer;
        match &mut self.shrink {
            Shrink::InOrder(shrink) => shrink.indices(y, indices, table, |row| resizer.push(row)),
            Shrink::Scattered(shrink) => shrink.indices(y, indices, table),
            Shrink::Done => {}
        }
    }

    fn pixels(&mut self, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        if let Shrink::Scattered(shrink) = &mut self.shrink {
            shrink.pixels(y, x0, dx, samples);
        }
    }

    /// Gives the resizer one more of the rows that were held back; false when there are none.
    fn finish_row(&mut self) -> bool {
        let resizer = &mut self.resizer;
        let more = match &mut self.shrink {
            Shrink::InOrder(shrink) => {
                shrink.finish(|row| resizer.push(row));
                false
            }
            Shrink::Scattered(shrink) => shrink.next_row().map(|row| resizer.push(&row)).is_some(),
            Shrink::Done => return false,
        };
        if !more {
            self.shrink = Shrink::Done;
        }
        more
    }
}
