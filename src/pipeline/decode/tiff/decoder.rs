//! The rows of one page of a TIFF.

use std::ops::Range;

use super::header::{TiffColor, TiffHeader};
use super::samples::{Converter, read_samples};
use super::unpack::Unpacker;
use crate::decode::buffer::{try_append, try_filled, try_reserved};
use crate::decode::{Completeness, Decode, Plane, Progress, RowSink, Samples};
use crate::work::check_work;
use crate::{ImageFormat, LimitError, PipelineError};

/// Decodes one page of a TIFF.
pub struct TiffDecoder {
    header: TiffHeader,
    planes: Vec<Plane>,
    /// The file from the first chunk to the end of the last one.
    held: Vec<u8>,
    /// Bytes that were fed.
    position: u64,
    completeness: Option<Completeness>,
    /// The most work beyond what the header tells of, in nanoseconds, and what was done of it.
    max_work: u64,
    work: u64,
}

impl TiffDecoder {
    /// Prepares to decode the page whose header was read.
    pub fn new(header: &TiffHeader) -> Self {
        Self {
            planes: header.planes(),
            held: Vec::new(),
            position: 0,
            completeness: None,
            max_work: u64::MAX,
            work: 0,
            header: header.clone(),
        }
    }

    /// Refuses files that take more work than that beyond what the header tells of: all of a page is
    /// decoded at once, so that nobody else can.
    #[must_use]
    pub fn with_max_work(mut self, nanoseconds: u64) -> Self {
        self.max_work = nanoseconds;
        self
    }

    fn decode(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        let header = &self.header;
        let mut unpacker = Unpacker::new(header);
        let layout = &header.layout;
        let mut band = Band::new(header)?;
        let mut converter = Converter::new(header);
        let mut row = Vec::new();
        row.try_reserve_exact(header.width as usize * layout.samples as usize)
            .map_err(|_| LimitError::Allocation {
                bytes: header.peak_bytes(),
            })?;
        let mut has_any = false;
        let mut is_whole = true;
        for index in 0..layout.down() {
            let known = band.load(header, &mut unpacker, &self.held, (index, self.max_work));
            self.work = unpacker.work();
            check_work((header.width, header.height), self.work, self.max_work)?;
            has_any |= known != Known::Nothing;
            is_whole &= known == Known::All;
            if !has_any && index + 1 == layout.down() {
                return Err(PipelineError::truncated(
                    ImageFormat::Tiff,
                    "it has none of its pixels",
                ));
            }
            for y in layout.band_rows(index) {
                band.read_row(header, y - layout.band_rows(index).start, &mut row);
                give(converter.convert(&row), header.color, y, sink);
            }
        }
        Ok(if is_whole {
            Completeness::Whole
        } else {
            Completeness::Truncated
        })
    }
}

impl Decode for TiffDecoder {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn needs(&self) -> Range<u64> {
        self.header.layout.start()..self.header.layout.end()
    }

    fn skip_to(&mut self, at: u64) {
        self.position = at;
    }

    fn feed(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Progress, PipelineError> {
        if self.completeness.is_some() {
            return Ok(Progress::Done);
        }
        let layout = &self.header.layout;
        let (start, end) = (layout.start(), layout.end());
        let within = |at: u64| at.saturating_sub(self.position).min(bytes.len() as u64) as usize;
        if self.held.capacity() == 0 {
            self.held = try_reserved(usize::try_from(end - start).unwrap_or(usize::MAX))?;
        }
        try_append(&mut self.held, &bytes[within(start)..within(end)])?;
        self.position += bytes.len() as u64;
        if self.position < end {
            return Ok(Progress::NeedMore);
        }
        self.completeness = Some(self.decode(sink)?);
        self.held = Vec::new();
        Ok(Progress::Done)
    }

    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        match self.completeness {
            Some(completeness) => Ok(completeness),
            None => self.decode(sink),
        }
    }

    fn work(&self) -> u64 {
        self.work
    }
}

/// Gives a row of pixels to the sink, ink by ink if they are of ink.
fn give(samples: Samples<'_>, color: TiffColor, y: u32, sink: &mut dyn RowSink) {
    if color != TiffColor::Cmyk {
        sink.row(0, y, samples);
        return;
    }
    for plane in 0..usize::from(color.channels()) {
        match samples {
            Samples::U8(samples) => sink.row(plane, y, Samples::U8(&ink(samples, plane))),
            Samples::U16(samples) => sink.row(plane, y, Samples::U16(&ink(samples, plane))),
        }
    }
}

/// The samples of one of four inks.
fn ink<T: Copy>(samples: &[T], plane: usize) -> Vec<T> {
    samples.iter().skip(plane).step_by(4).copied().collect()
}

/// How much of something the file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    Some,
    All,
}

/// The chunks that lie side by side, by plane.
struct Band {
    chunks: Vec<Vec<u8>>,
    row_bytes: usize,
}

impl Band {
    fn new(header: &TiffHeader) -> Result<Self, PipelineError> {
        let layout = &header.layout;
        let too_large = || LimitError::Allocation {
            bytes: layout.band_bytes(),
        };
        let bytes = usize::try_from(layout.chunk_bytes()).map_err(|_| too_large())?;
        let count = layout.across() as usize * layout.planes as usize;
        // No more chunks than the file lists.
        let chunks = (0..count)
            .map(|_| try_filled(bytes, 0))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            chunks,
            row_bytes: layout.chunk_row_bytes() as usize,
        })
    }

    /// Unpacks a row of chunks and says how much of them there is. What is missing is gray.
    fn load(
        &mut self,
        header: &TiffHeader,
        unpacker: &mut Unpacker,
        held: &[u8],
        (band, max_work): (u32, u64),
    ) -> Known {
        let layout = &header.layout;
        let offset = layout.start();
        let places = (0..layout.planes)
            .flat_map(|plane| (0..layout.across()).map(move |column| (plane, column)));
        let (mut has_any, mut is_whole) = (false, true);
        for (chunk, (plane, column)) in self.chunks.iter_mut().zip(places) {
            let stored = self.row_bytes * layout.stored_rows(band) as usize;
            let chunk = &mut chunk[..stored];
            // What a cut chunk lacks stays gray.
            chunk.fill(128);
            let place = layout.chunk(plane, band, column);
            let compressed = place.map_or(&[][..], |place| {
                let within = |at: u64| {
                    let at = usize::try_from(at.saturating_sub(offset));
                    at.map_or(held.len(), |at| at.min(held.len()))
                };
                &held[within(place.start.into())..within(place.end())]
            });
            let len = unpacker.unpack(header, compressed, self.row_bytes, chunk, max_work);
            has_any |= len > 0;
            is_whole &= len == chunk.len();
        }
        match (has_any, is_whole) {
            (_, true) => Known::All,
            (true, false) => Known::Some,
            (false, false) => Known::Nothing,
        }
    }

    /// Gathers a row of pixels from the chunks.
    fn read_row(&self, header: &TiffHeader, y: u32, row: &mut Vec<u16>) {
        let layout = &header.layout;
        let (samples, in_chunk) = (layout.samples as usize, layout.samples_per_chunk() as usize);
        let (width, chunk_width) = (layout.size.0 as usize, layout.chunk_size.0 as usize);
        row.clear();
        row.resize(width * samples, 0);
        for (index, chunk) in self.chunks.iter().enumerate() {
            let (plane, column) = (
                index / layout.across() as usize,
                index % layout.across() as usize,
            );
            let Some(stored) = chunk[y as usize * self.row_bytes..].get(..self.row_bytes) else {
                continue;
            };
            let x = column * chunk_width;
            // Tiles at the right edge reach beyond the image (section 15).
            let pixels = chunk_width.min(width - x);
            // Samples in planes of their own are put together.
            let step = if layout.planes > 1 { samples } else { 1 };
            read_samples(
                stored,
                layout.bits,
                pixels * in_chunk,
                row,
                x * samples + plane,
                step,
            );
        }
    }
}
