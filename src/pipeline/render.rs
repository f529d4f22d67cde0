//! Executes a plan.

use std::ops::Range;

use super::decode::{Completeness, Decode, Progress};
use super::encode::{Encoded, encode};
use super::geometry::Size;
use super::limits::Limits;
use super::options::{Truncated, Variant};
use super::plan::{Plan, VariantPlan, plan};
use super::probe::{probe_file, trailing_orientation};
use super::sink::{Drawn, ThumbnailSink};
use super::thumbhash::thumbhash;
use super::work::{check_work, of_bytes};
use super::{LimitError, PipelineError};

/// A finished thumbnail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The name of its variant.
    pub name: String,
    /// The file.
    pub encoded: Encoded,
}

/// All thumbnails of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// In the order of the variants; one in two formats comes twice.
    pub thumbnails: Vec<Thumbnail>,
    /// A few bytes that a blurred image can be drawn from at once, of the first thumbnail.
    pub thumbhash: String,
    /// The size of the source, as it is shown.
    pub source: Size,
    /// How much of the image there was.
    pub completeness: Completeness,
    /// The most memory that it took by the plan, in bytes.
    pub peak_bytes: u64,
}

/// Renders an image as its bytes arrive.
pub struct Renderer {
    plan: Plan,
    work: Work,
    /// Bytes that were fed.
    bytes: u64,
    /// The next byte of the file: those that were left out count.
    position: u64,
}

enum Work {
    /// Pixels are decoded.
    Decoding(Box<dyn Decode>, ThumbnailSink),
    /// The whole file is needed first, since its orientation decides which part of it is shown.
    Collecting(Vec<u8>),
}

impl Renderer {
    /// A renderer that has not seen any byte of the image yet.
    pub fn new(plan: Plan) -> Result<Self, PipelineError> {
        let work = if plan.info.orientation_follows {
            Work::Collecting(room_for(plan.info.collected_bytes(&plan.limits))?)
        } else {
            // A decoder that does much at once stops where its part is spent.
            let limits = Limits {
                max_work: plan.limits.max_work.saturating_sub(plan.work),
                ..plan.limits
            };
            let decoder = plan.source.open(&plan.info, &limits)?;
            Work::Decoding(decoder, ThumbnailSink::new(&plan)?)
        };
        Ok(Self {
            plan,
            work,
            bytes: 0,
            position: 0,
        })
    }

    /// The bytes of the file that it looks at next, up to and without the end of the range.
    ///
    /// A caller that can seek leaves out those before: see [`Self::skip_to`]. One that cannot feeds all of them.
    pub fn next_range(&self) -> Range<u64> {
        let needs = match &self.work {
            Work::Decoding(decoder, _) => decoder.needs(),
            Work::Collecting(_) => 0..u64::MAX,
        };
        let start = needs.start.max(self.position);
        start..needs.end.max(start)
    }

    /// Leaves out bytes of the file: the next ones that are fed are those from `at` on.
    ///
    /// It cannot go back, nor over what [`Self::next_range`] begins with.
    pub fn skip_to(&mut self, at: u64) -> Result<(), PipelineError> {
        if at < self.position || at > self.next_range().start {
            return Err(PipelineError::Bug(
                "bytes are left out that are needed".into(),
            ));
        }
        if let Work::Decoding(decoder, _) = &mut self.work {
            decoder.skip_to(at);
        }
        self.position = at;
        Ok(())
    }

    /// Takes the next bytes of the file, from its first byte on.
    ///
    /// After [`Progress::Done`] the rest of the file need not be read.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Progress, PipelineError> {
        // What is too much counts only where the image needs it, as it does in small chunks.
        let room = self.plan.limits.max_bytes.saturating_sub(self.bytes);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let (bytes, excess) = bytes.split_at(room.min(bytes.len()));
        self.bytes += bytes.len() as u64;
        self.position += bytes.len() as u64;
        #[cfg(feature = "poison")]
        super::poison::swallow(bytes);
        let progress = match &mut self.work {
            Work::Decoding(decoder, sink) => {
                let progress = decoder.feed(bytes, sink);
                // First: what a chunk ends with must not hide what all of them cost.
                check_counted(&self.plan, decoder.as_ref(), self.bytes)?;
                // A file that is too long is so before what the decoder finds behind its rows.
                sink.check()?;
                progress?
            }
            Work::Collecting(file) => {
                // What follows the container is no part of the file.
                let room = (file.capacity() - file.len()).min(bytes.len());
                file.extend_from_slice(&bytes[..room]);
                Progress::NeedMore
            }
        };
        if progress == Progress::NeedMore && !excess.is_empty() {
            self.plan.limits.check_bytes(self.bytes + 1)?;
        }
        Ok(progress)
    }

    /// Ends the file and makes the thumbnails.
    pub fn finish(self) -> Result<Rendered, PipelineError> {
        let (mut decoder, mut sink) = match self.work {
            Work::Decoding(decoder, sink) => (decoder, sink),
            Work::Collecting(file) => return render_collected(self.plan, &file),
        };
        let completeness = decoder.finish(&mut sink);
        check_counted(&self.plan, decoder.as_ref(), self.bytes)?;
        let completeness = completeness?;
        drop(decoder);
        if completeness == Completeness::Truncated && self.plan.truncated == Truncated::Refuse {
            return Err(PipelineError::truncated(
                self.plan.info.format,
                "parts of the image are missing",
            ));
        }
        let drawn = sink.finish()?;
        let mut thumbhash = None;
        let mut thumbnails = Vec::with_capacity(drawn.len());
        for (drawn, variant) in drawn.into_iter().zip(&self.plan.variants) {
            thumbhash.get_or_insert_with(|| hash(&drawn));
            write(drawn, variant, &mut thumbnails)?;
        }
        Ok(Rendered {
            thumbnails,
            thumbhash: thumbhash.unwrap_or_default(),
            source: self.plan.info.shown_size(),
            completeness,
            peak_bytes: self.plan.peak_bytes,
        })
    }
}

fn hash(drawn: &Drawn) -> String {
    match drawn {
        Drawn::Pixels(pixmap) => thumbhash(pixmap),
        Drawn::File { samples, .. } => samples.hash(),
    }
}

/// Adds the files of a variant.
fn write(
    drawn: Drawn,
    variant: &VariantPlan,
    thumbnails: &mut Vec<Thumbnail>,
) -> Result<(), PipelineError> {
    let mut add = |encoded| {
        thumbnails.push(Thumbnail {
            name: variant.name.clone(),
            encoded,
        });
    };
    match drawn {
        Drawn::File { bytes, size, .. } => add(Encoded {
            bytes,
            format: variant.format,
            width: size.width(),
            height: size.height(),
        }),
        Drawn::Pixels(pixmap) => {
            for format in variant.formats() {
                add(encode(&pixmap, &variant.encode_options(format))?);
            }
        }
    }
    Ok(())
}

/// Refuses work that no header told of.
fn check_counted(plan: &Plan, decoder: &dyn Decode, bytes: u64) -> Result<(), PipelineError> {
    let counted = of_bytes(plan.info.format, bytes).saturating_add(decoder.work());
    let size = (plan.info.width, plan.info.height);
    check_work(
        size,
        plan.work.saturating_add(counted),
        plan.limits.max_work,
    )
}

/// An empty buffer for a file of so many bytes, which the plan counts.
fn room_for(bytes: u64) -> Result<Vec<u8>, PipelineError> {
    let mut file = Vec::new();
    let reserved = usize::try_from(bytes).map(|bytes| file.try_reserve_exact(bytes));
    match reserved {
        Ok(Ok(())) => Ok(file),
        _ => Err(LimitError::Allocation { bytes }.into()),
    }
}

/// Plans again, now that the orientation is known, and renders.
fn render_collected(mut first: Plan, file: &[u8]) -> Result<Rendered, PipelineError> {
    first.info.orientation = trailing_orientation(file);
    first.info.orientation_follows = false;
    let plan = Plan {
        // The first one counts the file, and every way to turn the image.
        peak_bytes: first.peak_bytes,
        ..plan(&first.info, &first.asked, &first.limits)?
    };
    let mut renderer = Renderer::new(plan)?;
    renderer.feed(file)?;
    renderer.finish()
}

/// Renders a complete file: probes, plans and executes.
pub fn render(
    source: &[u8],
    variants: &[Variant],
    limits: &Limits,
) -> Result<Rendered, PipelineError> {
    limits.check_bytes(source.len() as u64)?;
    let info = probe_file(source, Variant::page_of(variants))?;
    let mut renderer = Renderer::new(plan(&info, variants, limits)?)?;
    renderer.feed(source)?;
    renderer.finish()
}
