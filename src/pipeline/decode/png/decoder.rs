//! The decoder: a file in pieces on one side, rows of samples on the other.

use super::adam7::{Pass, Passes};
use super::chunks::{Framing, Part};
use super::expand::OutputLayout;
use super::header::{Allocate, PngHeader};
use super::inflate::{Inflated, Window};
use super::unfilter::Unfilter;
use crate::decode::{Completeness, Decode, Plane, Progress, RowSink};
use crate::{ImageFormat, PipelineError};

/// An image of which less than this part was decoded is an error: see the module's rules.
const LEAST_PART: u64 = 1000;

/// Why no more rows will come.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// The file or its compressed data are over.
    Cut,
    /// The file goes on, but makes no sense.
    Damage(&'static str),
}

const UNKNOWN_FILTER: Ending = Ending::Damage("a row has an unknown filter");
const BROKEN_CHUNK: Ending = Ending::Damage("a chunk's head is damaged");

impl Ending {
    fn error(self, given: u64, pixels: u64) -> PipelineError {
        match self {
            Self::Cut => PipelineError::truncated(
                ImageFormat::Png,
                format!("it has {given} of {pixels} pixels"),
            ),
            Self::Damage(why) => PipelineError::malformed(
                ImageFormat::Png,
                format!("{why} after {given} of {pixels} pixels"),
            ),
        }
    }
}

/// Decodes a PNG file, fed in pieces from its first byte, into one plane of 1 to 4 channels.
///
/// Rows of interlaced files are scattered: they all come through [`RowSink::pixels`].
pub struct PngDecoder {
    planes: [Plane; 1],
    framing: Framing,
    window: Window,
    rows: Rows,
    /// Set when no more rows will come.
    outcome: Option<Completeness>,
}

impl PngDecoder {
    /// A decoder for the file that `header` was read from.
    pub fn new(header: &PngHeader) -> Result<Self, PipelineError> {
        let allocate = header.check_memory()?;
        let rows = Rows::new(header, allocate)?;
        // `check_memory` limits the rows to a fraction of 2^31 bytes.
        let unread = header.group_rows() * (header.row_bytes() as usize + 1);
        Ok(Self {
            planes: [Plane {
                width: header.width,
                height: header.height,
                channels: header.channels_out(),
                pixels_per_sample_x: 1.0,
                pixels_per_sample_y: 1.0,
            }],
            framing: Framing::new(),
            window: Window::new(unread, rows.total_bytes(), allocate)?,
            rows,
            outcome: None,
        })
    }

    /// Inflates all of `data` and gives the rows in it.
    fn inflate(
        &mut self,
        mut data: &[u8],
        sink: &mut dyn RowSink,
    ) -> Result<Progress, PipelineError> {
        loop {
            let inflated = self.window.fill(&mut data);
            let goes_on = matches!(inflated, Inflated::NeedInput | Inflated::NeedOutput);
            // A group that is not full is given only if no more bytes will come.
            let ends = self.window.is_complete() || !goes_on;
            // Rows before the damage come first.
            let intact = self.rows.give(&mut self.window, Group::when(ends), sink);
            if self.rows.passes.current().is_none() {
                self.outcome = Some(Completeness::Whole);
                return Ok(Progress::Done);
            }
            match inflated {
                _ if !intact => return self.end_early(UNKNOWN_FILTER, sink),
                Inflated::Over => return self.end_early(Ending::Cut, sink),
                Inflated::Broken(why) => return self.end_early(Ending::Damage(why), sink),
                Inflated::NeedInput => return Ok(Progress::NeedMore),
                Inflated::NeedOutput => {}
            }
        }
    }

    /// Gives what there is of a damaged or cut image and fills the rest.
    fn end_early(
        &mut self,
        ending: Ending,
        sink: &mut dyn RowSink,
    ) -> Result<Progress, PipelineError> {
        self.rows.give(&mut self.window, Group::Any, sink);
        // Damage may follow the last row, so that none is missing.
        if self.rows.passes.current().is_some() {
            let [Plane { width, height, .. }] = self.planes;
            let pixels = u64::from(width) * u64::from(height);
            if self.rows.given_pixels == 0 || self.rows.given_pixels < pixels / LEAST_PART {
                return Err(ending.error(self.rows.given_pixels, pixels));
            }
            self.rows.fill(sink)?;
        }
        self.outcome = Some(Completeness::Truncated);
        Ok(Progress::Done)
    }
}

impl Decode for PngDecoder {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn feed(
        &mut self,
        mut bytes: &[u8],
        sink: &mut dyn RowSink,
    ) -> Result<Progress, PipelineError> {
        while self.outcome.is_none() {
            match self.framing.next(&mut bytes) {
                Ok(None) => return Ok(Progress::NeedMore),
                Ok(Some(Part::Idat(data))) => {
                    self.inflate(data, sink)?;
                }
                Ok(Some(Part::End)) => return self.end_early(Ending::Cut, sink),
                Err(_) => return self.end_early(BROKEN_CHUNK, sink),
            }
        }
        Ok(Progress::Done)
    }

    fn work(&self) -> u64 {
        self.window.work()
    }

    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        if self.outcome.is_none() {
            self.end_early(Ending::Cut, sink)?;
        }
        Ok(self.outcome.unwrap_or(Completeness::Truncated))
    }
}

/// Which rows to give: unfiltering is faster in full groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Full,
    Any,
}

impl Group {
    fn when(ends: bool) -> Self {
        if ends { Self::Any } else { Self::Full }
    }
}

/// Takes rows out of the window, unfilters and expands them, and gives them to the sink.
struct Rows {
    passes: Passes,
    interlaced: bool,
    group: usize,
    bits_per_pixel: u64,
    unfilter: Unfilter,
    output: OutputLayout,
    allocate: Allocate,
    given_pixels: u64,
}

impl Rows {
    fn new(header: &PngHeader, allocate: Allocate) -> Result<Self, PipelineError> {
        let passes = if header.interlaced {
            Passes::adam7(header.width, header.height)
        } else {
            Passes::in_order(header.width, header.height)
        };
        Ok(Self {
            passes,
            interlaced: header.interlaced,
            group: header.group_rows(),
            bits_per_pixel: u64::from(header.bits_per_pixel()),
            unfilter: Unfilter::new(header, allocate)?,
            output: OutputLayout::new(header, allocate)?,
            allocate,
            given_pixels: 0,
        })
    }

    /// Bytes of a row of a pass, without its filter byte.
    fn row_bytes(&self, pass: Pass) -> usize {
        // No longer than the rows that `check_memory` let pass.
        (u64::from(pass.width) * self.bits_per_pixel).div_ceil(8) as usize
    }

    /// Filtered bytes of the whole image.
    fn total_bytes(&self) -> u64 {
        let passes = self.passes.all().iter();
        passes
            .map(|&pass| u64::from(pass.height) * (self.row_bytes(pass) as u64 + 1))
            .sum()
    }

    /// Gives the rows in the window; `false` when one has a filter that does not exist.
    fn give(&mut self, window: &mut Window, group: Group, sink: &mut dyn RowSink) -> bool {
        while let Some(pass) = self.passes.current() {
            let length = self.row_bytes(pass);
            let left = usize::try_from(pass.height - self.passes.row()).unwrap_or(usize::MAX);
            let wanted = self.group.min(left);
            let there = (window.unread().len() / (length + 1)).min(wanted);
            if there == 0 || (there < wanted && group == Group::Full) {
                return true;
            }
            let valid = self.unfilter.unfilter(window.unread(), length, there);
            for i in 0..valid {
                let samples = self
                    .output
                    .samples(&self.unfilter.row(i)[..length], pass.width as usize);
                let y = pass.y0 + self.passes.row() * pass.dy;
                if self.interlaced {
                    sink.pixels(0, y, pass.x0, pass.dx, samples);
                } else {
                    sink.row(0, y, samples);
                }
                self.given_pixels += u64::from(pass.width);
                // Filters do not look into the pass before (PNG section 9).
                if self.passes.advance() {
                    self.unfilter.restart();
                // The last row of the group is above the next one.
                } else if i + 1 == valid {
                    self.unfilter.advance(valid);
                }
            }
            window.consume(valid * (length + 1));
            if valid < there {
                return false;
            }
        }
        true
    }

    /// Fills the rows that are missing.
    fn fill(&mut self, sink: &mut dyn RowSink) -> Result<(), PipelineError> {
        let widest = self.passes.all().iter().map(|pass| pass.width).max();
        let missing = self
            .output
            .missing(widest.unwrap_or(0) as usize, self.allocate)?;
        while let Some(pass) = self.passes.current() {
            let samples = missing.samples(pass.width as usize);
            let y = pass.y0 + self.passes.row() * pass.dy;
            if self.interlaced {
                sink.pixels(0, y, pass.x0, pass.dx, samples);
            } else {
                sink.row(0, y, samples);
            }
            self.passes.advance();
        }
        Ok(())
    }
}
