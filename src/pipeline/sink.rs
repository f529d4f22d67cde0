//! Takes the rows of all planes of an image and makes the pixels of all its thumbnails.
//!
//! Variants share the box shrink of each plane; then each has a lane per plane, which resamples right to
//! the thumbnail's size. Where all lanes of a variant have a row, it becomes RGB and is written.

use std::ops::Range;

use super::PipelineError;
use super::canvas::Canvas;
use super::color_model::Colors;
use super::decode::{ColorTable, Plane, RowSink, Samples};
use super::encode::RowFile;
use super::geometry::Size;
use super::halve::LinearHalving;
use super::output::Drawing;
use super::pixmap::Pixmap;
use super::plan::{Choice, Plan, VariantPlan};
use super::resize::{Axis, Resizer};
use super::scroll::Scroll;
use super::shrink::{Node, Tree, TreePlan};
use super::smart;
use super::thumbhash::HashSamples;

/// What became of a variant once all rows were given.
#[derive(Debug)]
pub enum Drawn {
    /// Its pixels, to be encoded.
    Pixels(Pixmap),
    /// Its file.
    File {
        /// The file.
        bytes: Vec<u8>,
        /// Width and height.
        size: Size,
        /// What its hash is made of.
        samples: HashSamples,
    },
}

/// Makes thumbnails of rows.
#[derive(Debug)]
pub struct ThumbnailSink {
    colors: Colors,
    planes: Vec<Vec<Shrink>>,
    variants: Vec<VariantSink>,
}

impl ThumbnailSink {
    /// A sink for what `plan` says.
    pub fn new(plan: &Plan) -> Result<Self, PipelineError> {
        let planes = plan.source.planes.iter().zip(&plan.trees);
        let planes = planes.map(|(plane, trees)| {
            let trees = trees.iter();
            let shrinks = trees.map(|tree| Shrink::new(plane, tree, plan.source.scattered));
            shrinks.collect()
        });
        let variants = plan.variants.iter().enumerate();
        let sinks = variants.map(|(index, variant)| VariantSink::new(plan, index, variant));
        Ok(Self {
            colors: Colors::new(&plan.info, plan.source.model),
            planes: planes.collect(),
            variants: sinks.collect::<Result<_, _>>()?,
        })
    }

    /// Whether all files that grow with the rows are within their limits so far.
    pub fn check(&self) -> Result<(), PipelineError> {
        self.variants.iter().try_for_each(VariantSink::check)
    }

    /// What became of all variants, in the order of the plan, once all rows were given.
    pub fn finish(mut self) -> Result<Vec<Drawn>, PipelineError> {
        self.flush();
        self.variants.into_iter().map(VariantSink::finish).collect()
    }

    /// Gives the lanes what was held back.
    fn flush(&mut self) {
        // Row by row, so that no lane runs ahead of what is written.
        loop {
            let mut more = false;
            for plane in 0..self.planes.len() {
                self.put(plane, |tree, give| more |= tree.finish_row(give));
            }
            if !more {
                return;
            }
        }
    }

    /// Lets the shrinks of a plane take something, and the variants what comes of it.
    fn put(&mut self, plane: usize, mut put: impl FnMut(&mut Tree, &mut dyn FnMut(usize, &[f32]))) {
        let Self {
            colors,
            planes,
            variants,
        } = self;
        for Shrink { tree, readers } in planes.get_mut(plane).into_iter().flatten() {
            put(tree, &mut |node, averages| {
                for reader in readers.get(node).into_iter().flatten() {
                    if let Some(variant) = variants.get_mut(*reader) {
                        variant.take(colors, plane, averages);
                    }
                }
            });
        }
    }
}

impl RowSink for ThumbnailSink {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        self.put(plane, |tree, give| tree.row(y, samples, give));
    }

    fn indices(&mut self, plane: usize, y: u32, indices: &[u8], table: &ColorTable) {
        self.put(plane, |tree, give| tree.indices(y, indices, table, give));
    }

    fn clear(&mut self, plane: usize) {
        self.put(plane, |tree, _| tree.clear());
    }

    fn pixels(&mut self, plane: usize, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        self.put(plane, |tree, _| tree.pixels(y, x0, dx, samples));
    }
}

/// The shrink of a plane, and who reads each of its nodes.
#[derive(Debug)]
struct Shrink {
    tree: Tree,
    readers: Vec<Vec<usize>>,
}

impl Shrink {
    fn new(plane: &Plane, plan: &TreePlan, is_scattered: bool) -> Self {
        let readers = plan.nodes.iter().map(|node| node.readers.clone());
        Self {
            tree: Tree::new(plan, plane.channels.into(), is_scattered),
            readers: readers.collect(),
        }
    }
}

#[derive(Debug)]
struct VariantSink {
    lanes: Vec<Lane>,
    halving: Option<LinearHalving>,
    target: Target,
    size: Size,
    choice: Option<Choice>,
    rgba: Vec<[f32; 4]>,
}

/// Where finished rows go.
#[derive(Debug)]
enum Target {
    Canvas(Canvas),
    Rows(Box<Scroll>),
}

impl Target {
    fn new(variant: &VariantPlan) -> Result<Self, PipelineError> {
        Ok(match variant.drawing {
            Drawing::Canvas => Self::Canvas(Canvas::new(variant)?),
            Drawing::Rows(color) => {
                let options = variant.encode_options(variant.format);
                let file = RowFile::new(variant.canvas, color, &options)?;
                Self::Rows(Box::new(Scroll::new(variant, file)))
            }
        })
    }

    fn push(&mut self, row: &[[f32; 4]]) {
        match self {
            Self::Canvas(canvas) => canvas.push(row),
            Self::Rows(rows) => rows.push(row),
        }
    }
}

impl VariantSink {
    fn new(plan: &Plan, index: usize, variant: &VariantPlan) -> Result<Self, PipelineError> {
        let planes = plan.source.planes.iter().zip(&variant.axes);
        let lanes = planes
            .zip(&plan.trees)
            .filter_map(|((plane, axes), trees)| {
                let mut nodes = trees.iter().flat_map(|tree| &tree.nodes);
                let node = nodes.find(|node| node.readers.contains(&index))?;
                Some(Lane::new(plane, axes, node))
            });
        let width = variant.resampled.width() as usize;
        Ok(Self {
            lanes: lanes.collect(),
            halving: LinearHalving::new(variant),
            target: Target::new(variant)?,
            size: variant.canvas,
            choice: variant.choice,
            rgba: vec![[0.0; 4]; width],
        })
    }

    /// Takes a shrunken row of a plane.
    fn take(&mut self, colors: &Colors, plane: usize, averages: &[f32]) {
        if let Some(lane) = self.lanes.get_mut(plane) {
            lane.take(averages);
            self.drain(colors);
        }
    }

    fn check(&self) -> Result<(), PipelineError> {
        match &self.target {
            Target::Canvas(_) => Ok(()),
            Target::Rows(rows) => rows.check(),
        }
    }

    fn finish(self) -> Result<Drawn, PipelineError> {
        let pixmap = match self.target {
            Target::Canvas(canvas) => canvas.finish(),
            Target::Rows(rows) => {
                let (bytes, samples) = rows.finish()?;
                return Ok(Drawn::File {
                    bytes,
                    size: self.size,
                    samples,
                });
            }
        };
        let Some(Choice { gravity, size }) = self.choice else {
            return Ok(Drawn::Pixels(pixmap));
        };
        let (left, top) = smart::choose(&pixmap, gravity, size);
        Ok(Drawn::Pixels(pixmap.crop(left, top, size)))
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
            let target = &mut self.target;
            match &mut self.halving {
                Some(halving) => halving.push(&self.rgba, |row| target.push(row)),
                None => target.push(&self.rgba),
            }
        }
    }
}

/// The resampling of one plane for one variant.
#[derive(Debug)]
struct Lane {
    resizer: Resizer,
    channels: usize,
    /// The part of a shrunken row that matters to it.
    part: Range<usize>,
    /// The shrunken rows that matter to it.
    rows: Range<u32>,
    /// The shrunken rows that came.
    taken: u32,
}

impl Lane {
    /// The lane of a plane whose shrunken rows are those of `node`.
    fn new(plane: &Plane, (x, y): &(Axis, Axis), node: &Node) -> Self {
        let channels = usize::from(plane.channels);
        let (across, down) = (x.bins(), y.bins());
        let from = (across.first - node.bins.0.first) / across.factor;
        let top = (down.first - node.bins.1.first) / down.factor;
        Self {
            resizer: Resizer::new(channels, x, y),
            channels,
            part: from as usize * channels..(from + across.count()) as usize * channels,
            rows: top..top + down.count(),
            taken: 0,
        }
    }

    fn take(&mut self, averages: &[f32]) {
        if self.rows.contains(&self.taken)
            && let Some(part) = averages.get(self.part.clone())
        {
            self.resizer.push(part);
        }
        self.taken += 1;
    }
}
