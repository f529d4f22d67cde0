//! Where finished rows become a file at once: no more of the thumbnail is held than its encoder needs.

use image::metadata::Orientation;

use super::PipelineError;
use super::canvas::{Paint, blank};
use super::encode::RowFile;
use super::plan::VariantPlan;
use super::thumbhash::HashSamples;

/// Encodes rows of an image as they come.
#[derive(Debug)]
pub struct Scroll {
    file: RowFile,
    samples: HashSamples,
    paint: Paint,
    /// A row without any of the image.
    blank: Vec<u8>,
    /// The row that is made; what lies beside the image stays blank.
    line: Vec<u8>,
    /// Where the image lies in a row, in bytes.
    left: usize,
    is_mirrored: bool,
    /// How many rows lie above the image.
    above: u32,
    /// How many rows of the image are still to come.
    rows: u32,
    /// How many rows of the thumbnail are still to be written.
    unwritten: u32,
    /// What went wrong; rows after that are ignored.
    error: Option<PipelineError>,
}

impl Scroll {
    /// The thumbnail of a planned variant, written to `file`.
    pub fn new(plan: &VariantPlan, file: RowFile) -> Self {
        let mut pixel = Vec::with_capacity(4);
        file.pack(blank(plan), &mut pixel);
        let blank = pixel.repeat(plan.canvas.width() as usize);
        Self {
            samples: HashSamples::new(plan.canvas),
            paint: Paint::new(plan),
            line: blank.clone(),
            blank,
            left: plan.offset.0 as usize * pixel.len(),
            is_mirrored: plan.orientation == Orientation::FlipHorizontal,
            above: plan.offset.1,
            rows: plan.scaled.height(),
            unwritten: plan.canvas.height(),
            file,
            error: None,
        }
    }

    /// The bytes that it holds besides the encoder and the file.
    pub fn bytes(plan: &VariantPlan) -> u64 {
        8 * u64::from(plan.canvas.width()) + HashSamples::bytes(plan.canvas)
    }

    /// Writes the next row: RGBA, 0 to 1, not premultiplied.
    pub fn push(&mut self, row: &[[f32; 4]]) {
        if self.rows == 0 || self.error.is_some() {
            return;
        }
        self.rows -= 1;
        for _ in 0..std::mem::take(&mut self.above) {
            self.write(Row::Blank);
        }
        self.line.truncate(self.left);
        let Self {
            line, file, paint, ..
        } = self;
        let pack = |pixel: &[f32; 4]| file.pack(paint.bytes(*pixel), line);
        if self.is_mirrored {
            row.iter().rev().for_each(pack);
        } else {
            row.iter().for_each(pack);
        }
        let drawn = self.line.len();
        self.line.extend_from_slice(&self.blank[drawn..]);
        self.write(Row::Line);
    }

    fn write(&mut self, row: Row) {
        if self.unwritten == 0 || self.error.is_some() {
            return;
        }
        self.unwritten -= 1;
        let row = match row {
            Row::Blank => &self.blank,
            Row::Line => &self.line,
        };
        self.samples.push(row, self.file.channels());
        self.error = self.file.push(row).err();
    }

    /// Whether it went well so far.
    pub fn check(&self) -> Result<(), PipelineError> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// The finished file, and what its hash is made of.
    pub fn finish(mut self) -> Result<(Vec<u8>, HashSamples), PipelineError> {
        for _ in 0..self.unwritten {
            self.write(Row::Blank);
        }
        self.check()?;
        Ok((self.file.finish()?, self.samples))
    }
}

#[derive(Clone, Copy)]
enum Row {
    Blank,
    Line,
}
