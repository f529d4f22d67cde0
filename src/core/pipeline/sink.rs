//! Takes the rows of all planes of a picture and makes the pixels of all its thumbnails.
//!
//! Each variant has a lane per plane: box shrink, then resampling right to the thumbnail's size.
//! Where all lanes have a row, it becomes RGB and is written.

use super::PipelineError;
use super::canvas::Canvas;
use super::color_model::SampleModel;
use super::decode::{Plane, RowSink, Samples};
use super::pixmap::Pixmap;
use super::plan::{Plan, VariantPlan};
use super::resize::{Axis, Resizer};
use super::shrink::{BoxShrink, ScatteredShrink};

/// Makes thumbnails of rows.
#[derive(Debug)]
pub struct ThumbnailSink {
    variants: Vec<VariantSink>,
}

impl ThumbnailSink {
    /// A sink for what `plan` says.
    pub fn new(plan: &Plan) -> Result<Self, PipelineError> {
        let variants = plan.variants.iter();
        let sinks = variants.map(|variant| VariantSink::new(plan, variant));
        Ok(Self {
            variants: sinks.collect::<Result<_, _>>()?,
        })
    }

    /// The pixels of all variants, in the order of the plan, once all rows were given.
    pub fn finish(mut self) -> Vec<Pixmap> {
        self.variants.iter_mut().for_each(VariantSink::flush);
        let canvases = self.variants.into_iter().map(|variant| variant.canvas);
        canvases.map(Canvas::finish).collect()
    }
}

impl RowSink for ThumbnailSink {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        for variant in &mut self.variants {
            variant.row(plane, y, samples);
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
    model: SampleModel,
    canvas: Canvas,
    rgba: Vec<[f32; 4]>,
}

impl VariantSink {
    fn new(plan: &Plan, variant: &VariantPlan) -> Result<Self, PipelineError> {
        let planes = plan.planes.iter().zip(&variant.axes);
        let width = variant.scaled.width() as usize;
        Ok(Self {
            lanes: planes
                .map(|(plane, axes)| Lane::new(plane, axes, plan.scattered))
                .collect(),
            model: plan.model,
            canvas: Canvas::new(variant)?,
            rgba: vec![[0.0; 4]; width],
        })
    }

    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        if let Some(lane) = self.lanes.get_mut(plane) {
            lane.row(y, samples);
            self.drain();
        }
    }

    fn flush(&mut self) {
        self.lanes.iter_mut().for_each(Lane::finish);
        self.drain();
    }

    /// Writes every row that all lanes have.
    fn drain(&mut self) {
        while !self.lanes.is_empty() && self.lanes.iter().all(Lane::has_row) {
            let mut channel = 0;
            for lane in &mut self.lanes {
                let row = lane.next_row();
                for (pixel, samples) in self.rgba.iter_mut().zip(row.chunks_exact(lane.channels)) {
                    for (to, sample) in pixel.iter_mut().skip(channel).zip(samples) {
                        *to = *sample;
                    }
                }
                lane.queue.consume(lane.row);
                channel += lane.channels;
            }
            for pixel in &mut self.rgba {
                *pixel = self.model.to_rgba(*pixel);
            }
            self.canvas.push(&self.rgba);
        }
    }
}

/// What happens to one plane for one variant.
#[derive(Debug)]
struct Lane {
    shrink: Shrink,
    resizer: Resizer,
    queue: Queue,
    channels: usize,
    row: usize,
}

#[derive(Debug)]
enum Shrink {
    InOrder(BoxShrink),
    Scattered(ScatteredShrink),
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
            queue: Queue::default(),
            channels,
            row: x.out as usize * channels,
        }
    }

    fn row(&mut self, y: u32, samples: Samples<'_>) {
        let (resizer, queue) = (&mut self.resizer, &mut self.queue);
        match &mut self.shrink {
            Shrink::InOrder(shrink) => shrink.row(y, samples, |row| {
                resizer.push(row, |row| queue.push(row));
            }),
            Shrink::Scattered(shrink) => shrink.pixels(y, 0, 1, samples),
        }
    }

    fn pixels(&mut self, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        if let Shrink::Scattered(shrink) = &mut self.shrink {
            shrink.pixels(y, x0, dx, samples);
        }
    }

    fn finish(&mut self) {
        let (resizer, queue) = (&mut self.resizer, &mut self.queue);
        let give = |row: &[f32]| resizer.push(row, |row| queue.push(row));
        match &mut self.shrink {
            Shrink::InOrder(shrink) => shrink.finish(give),
            Shrink::Scattered(shrink) => shrink.finish(give),
        }
    }

    fn has_row(&self) -> bool {
        self.queue.waiting().len() >= self.row
    }

    fn next_row(&self) -> &[f32] {
        &self.queue.waiting()[..self.row]
    }
}

/// Samples that wait for the other planes.
#[derive(Debug, Default)]
struct Queue {
    samples: Vec<f32>,
    used: usize,
}

impl Queue {
    fn push(&mut self, row: &[f32]) {
        // What was used is given back when it is more than what is waiting, so that moving costs little.
        if self.used * 2 > self.samples.len() {
            self.samples.drain(..self.used);
            self.used = 0;
        }
        self.samples.extend_from_slice(row);
    }

    fn waiting(&self) -> &[f32] {
        &self.samples[self.used..]
    }

    fn consume(&mut self, samples: usize) {
        self.used = (self.used + samples).min(self.samples.len());
    }
}
