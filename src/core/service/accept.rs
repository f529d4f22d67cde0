//! POST: bytes first, record second, message last.
//!
//! 1. read until the header is known: refuse here what can be refused here, nothing is stored yet
//! 2. store the source, never holding more than its header, or one part where its length is not known
//! 3. create the job, which is durable before it sends its message
//!
//! A crash leaves at worst a source without a job, never a message that points at nothing.

use crate::api::{Problem, ProblemKind};
use crate::hex;
use crate::job::policy::CREATE_WITHIN_SECS;
use crate::job::{Command, NewJob, Record, Source, Verdict};
use crate::keys::{JobId, source_key};
use crate::object::ObjectMeta;
use crate::ports::{Chunks, Clock, JobLedger, ObjectStore, ObjectStream, ObjectUpload, Timer};
use crate::service::admission::Admission;
use crate::service::header::EDGE_HEADER_BYTES;
use crate::service::intake::Intake;
use thumbnail_pipeline::geometry::Size;
use thumbnail_pipeline::plan::settled;
use thumbnail_pipeline::{ImageFormat, ImageInfo, Limits, PipelineError, Variant, plan};

/// How much of a form is held at most: one part.
/// R2 takes parts of equal size, at least 5 MiB, but for the last.
pub(super) const PART_BYTES: usize = 5 << 20;

/// What is longer, and tells its length, is stored while it arrives.
const STREAMED_FROM_BYTES: u64 = 256 << 10;

/// The longest file name that is remembered, in bytes.
const MAX_FILENAME_BYTES: usize = 255;

/// An image that was stored.
pub struct Stored {
    /// The job that it will be.
    pub id: JobId,
    /// What the job remembers of it.
    pub source: Source,
    /// Its header, where the edge has seen it.
    pub info: Option<ImageInfo>,
}

impl Stored {
    /// Refuses what could never be rendered.
    pub fn check(&self, variants: &[Variant], limits: &Limits) -> Result<(), Problem> {
        match &self.info {
            Some(info) => check(info, Some(variants), limits),
            None => Ok(()),
        }
    }

    /// The most memory that making `variants` takes, where the header says so.
    pub fn planned_bytes(&self, variants: &[Variant], limits: &Limits) -> Option<u64> {
        let info = self.info.as_ref()?;
        planned_bytes(info, variants, limits)
    }

    /// What is asked for of it, with the formats that its header decides.
    pub fn settled(&self, variants: &[Variant]) -> Vec<Variant> {
        match &self.info {
            Some(info) => settled(info, variants),
            None => variants.to_vec(),
        }
    }
}

/// Where sources go, by whose leave, and what they may be.
pub struct Store<'a, O, C> {
    /// The objects.
    pub objects: &'a O,
    /// The upload's place among all others.
    pub admission: &'a Admission<'a, C>,
    /// What is accepted.
    pub limits: &'a Limits,
}

/// What is known of an image before it is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Announced<'a> {
    /// What the client calls it.
    pub filename: Option<&'a str>,
    /// How many bytes it has at the most, where that is known.
    pub most_bytes: Option<u64>,
    /// Whether it has exactly as many.
    pub is_exact: bool,
    /// What is asked for, or `None` while a form may still say it: then only the image is judged.
    pub variants: Option<&'a [Variant]>,
}

impl Announced<'_> {
    fn exact_bytes(&self) -> Option<u64> {
        self.most_bytes.filter(|_| self.is_exact)
    }

    /// The length of an image that is stored while it arrives: nothing of it but the header is held.
    pub(crate) fn streamed_bytes(&self) -> Option<u64> {
        self.exact_bytes()
            .filter(|bytes| *bytes > STREAMED_FROM_BYTES)
    }

    /// How much of it is held at the most.
    pub(crate) fn held_bytes(&self) -> usize {
        let most = match self.streamed_bytes() {
            Some(_) => EDGE_HEADER_BYTES,
            None => PART_BYTES,
        };
        let bytes = self.most_bytes.unwrap_or(u64::MAX);
        usize::try_from(bytes).map_or(most, |bytes| bytes.min(most))
    }
}

impl<O: ObjectStore, C: Clock + Timer> Store<'_, O, C> {
    /// Stores an image under the job's id and describes it, or says why it cannot be taken.
    /// Nothing stays stored after a refusal.
    pub async fn source(
        &self,
        id: JobId,
        announced: Announced<'_>,
        chunks: &mut impl Chunks,
    ) -> Result<Stored, Problem> {
        let variants = announced.variants;
        let page = variants.map_or(0, Variant::page_of);
        let room = announced.held_bytes();
        let mut intake = Intake::new(chunks, self.limits.max_bytes, room, page)?;
        let info = self.read_header(&mut intake, variants).await?;
        let key = source_key(id);
        let sniffed = || ImageFormat::sniff(&intake.header.held).unwrap_or(ImageFormat::Tiff);
        let format = info.as_ref().map_or_else(sniffed, |info| info.format);
        let meta = ObjectMeta::Source { format };
        let digest = match announced.streamed_bytes() {
            Some(bytes) => self.stream(&key, bytes, meta, &mut intake).await?,
            None => {
                self.put(&key, announced.exact_bytes(), meta, &mut intake)
                    .await?
            }
        };
        let shown = info.as_ref().map(ImageInfo::shown_size);
        let source = Source {
            filename: announced.filename.map(shortened),
            format,
            width: shown.map(Size::width),
            height: shown.map(Size::height),
            bytes: intake.total,
            sha256: hex::encode(&digest),
        };
        Ok(Stored { id, source, info })
    }

    /// Reads until the header is known, and refuses what could never be rendered.
    ///
    /// `None`: an image whose header comes too late for the edge; the origin will judge it.
    async fn read_header<B: Chunks>(
        &self,
        intake: &mut Intake<'_, B>,
        variants: Option<&[Variant]>,
    ) -> Result<Option<ImageInfo>, Problem> {
        loop {
            let ended = !intake.pull(EDGE_HEADER_BYTES).await?;
            if ended && intake.total == 0 {
                let detail = "the upload has no bytes";
                return Err(Problem::new(ProblemKind::EmptyUpload, detail));
            }
            match intake.header.probe(ended) {
                Ok(Some(info)) => {
                    check(&info, variants, self.limits)?;
                    return Ok(Some(info));
                }
                Ok(None) => {}
                Err(PipelineError::UnknownFormat) if intake.header.may_come_last() => {
                    return Ok(None);
                }
                Err(error) => return Err(refusal(&error)),
            }
        }
    }

    /// Stores an image while the rest of it arrives. Returns its SHA-256, as `put` does.
    async fn stream<B: Chunks>(
        &self,
        key: &str,
        bytes: u64,
        meta: ObjectMeta,
        intake: &mut Intake<'_, B>,
    ) -> Result<[u8; 32], Problem> {
        let mut stream = self.objects.begin_stream(key, bytes, meta).await?;
        let mut written = intake.write_held(&mut stream).await;
        self.admission.release_held();
        if written.is_ok() {
            written = intake.write_rest(&mut stream).await;
        }
        if written.is_ok() {
            written = complete_as(bytes, intake.total);
        }
        match written {
            Ok(()) => Ok(stream.complete().await?),
            Err(problem) => {
                stream.abort().await;
                Err(problem)
            }
        }
    }

    /// Stores an image in one piece where it fits into one, else in parts.
    async fn put<B: Chunks>(
        &self,
        key: &str,
        exact_bytes: Option<u64>,
        meta: ObjectMeta,
        intake: &mut Intake<'_, B>,
    ) -> Result<[u8; 32], Problem> {
        let ended = intake.fill_part().await?;
        if let Some(bytes) = exact_bytes {
            complete_as(bytes, intake.total)?;
        }
        if ended {
            let bytes = std::mem::take(&mut intake.header.held);
            let _turn = self.admission.turn(bytes.len()).await?;
            self.objects.put(key, bytes, meta).await?;
            return Ok(intake.digest());
        }
        let mut upload = self.objects.begin_upload(key, meta).await?;
        match self.send_parts(intake, &mut upload).await {
            Ok(()) => {
                upload.complete().await?;
                Ok(intake.digest())
            }
            Err(problem) => {
                // If this fails too, R2 drops the parts by itself after seven days.
                let _ = upload.abort().await;
                Err(problem)
            }
        }
    }

    async fn send_parts<B: Chunks>(
        &self,
        intake: &mut Intake<'_, B>,
        upload: &mut impl ObjectUpload,
    ) -> Result<(), Problem> {
        loop {
            let part = std::mem::take(&mut intake.header.held);
            let turn = self.admission.turn(part.len()).await?;
            upload.part(part).await?;
            drop(turn);
            if intake.is_ended() {
                return Ok(());
            }
            intake.reserve(PART_BYTES)?;
            intake.fill_part().await?;
        }
    }
}

/// The most memory that making `variants` takes, if `info` describes their page.
pub fn planned_bytes(info: &ImageInfo, variants: &[Variant], limits: &Limits) -> Option<u64> {
    let described = info.describes(Variant::page_of(variants));
    let plan = described.then(|| plan(info, variants, limits).ok())??;
    Some(plan.peak_bytes)
}

fn check(info: &ImageInfo, variants: Option<&[Variant]>, limits: &Limits) -> Result<(), Problem> {
    // Where a form asks for a later page behind its file, the origin will judge that.
    let described = variants.filter(|variants| info.describes(Variant::page_of(variants)));
    let checked = match described {
        Some(variants) => plan(info, variants, limits).map(drop),
        None => limits.check_size(info.width, info.height),
    };
    checked.map_err(|error| refusal(&error))
}

/// Creates the job of a stored source. The flag says that the queue is overloaded.
pub async fn create_job(ledger: &impl JobLedger, new: NewJob) -> Result<(Record, bool), Problem> {
    let id = new.id;
    match ledger.call(id, Command::Create(Box::new(new))).await? {
        Verdict::Recorded { record, overloaded } => Ok((*record, overloaded)),
        Verdict::Found { record } => Ok((*record, false)),
        Verdict::TooLate => Err(Problem::new(
            ProblemKind::BrokenUpload,
            format!("the upload took longer than {CREATE_WITHIN_SECS} s"),
        )),
        verdict => {
            let detail = format!("a new job answered {verdict:?}");
            Err(Problem::new(ProblemKind::Internal, detail))
        }
    }
}

/// Whether as many bytes came as were declared.
fn complete_as(declared: u64, came: u64) -> Result<(), Problem> {
    if came == declared {
        return Ok(());
    }
    let detail = format!("{came} bytes came, and {declared} were declared");
    Err(Problem::new(ProblemKind::BrokenUpload, detail))
}

/// The problem with an upload of more than `max_bytes` bytes.
pub fn too_large(max_bytes: u64) -> Problem {
    Problem::new(
        ProblemKind::UploadTooLarge,
        format!("the upload has more than {max_bytes} bytes"),
    )
}

/// What is refused at upload is the request's fault: a damaged header counts as no image.
fn refusal(error: &PipelineError) -> Problem {
    match error {
        PipelineError::Malformed { .. } | PipelineError::Truncated { .. } => {
            Problem::new(ProblemKind::NotAnImage, error.to_string())
        }
        _ => Problem::from(error),
    }
}

fn shortened(filename: &str) -> String {
    let mut end = filename.len().min(MAX_FILENAME_BYTES);
    while !filename.is_char_boundary(end) {
        end -= 1;
    }
    filename[..end].to_owned()
}
