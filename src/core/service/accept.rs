//! POST: bytes first, record second, message last.
//!
//! 1. read until the header is known: refuse here what can be refused here, nothing is stored yet
//! 2. store the source, never holding more than one part of it
//! 3. create the job, which is durable before it sends its message
//!
//! A crash leaves at worst a source without a job, never a message that points at nothing.

use sha2::{Digest, Sha256};

use crate::api::{Problem, ProblemKind};
use crate::hex;
use crate::job::policy::CREATE_WITHIN_SECS;
use crate::job::{Command, NewJob, Record, Source, Verdict};
use crate::keys::{JobId, source_key};
use crate::object::ObjectMeta;
use crate::pipeline::geometry::Size;
use crate::pipeline::plan::settled;
use crate::pipeline::{ImageFormat, ImageInfo, Limits, PipelineError, Variant, plan};
use crate::ports::{Chunks, JobLedger, ObjectStore, ObjectUpload};
use crate::service::header::{EDGE_HEADER_BYTES, HeaderReader};

/// How much of an upload is held at most: one part.
/// R2 takes parts of equal size, at least 5 MiB, but for the last.
const PART_BYTES: usize = 5 << 20;

/// The longest file name that is remembered, in bytes.
const MAX_FILENAME_BYTES: usize = 255;

/// A picture that was stored.
pub struct Stored {
    /// The job that it will be.
    pub id: JobId,
    /// What the job remembers of it.
    pub source: Source,
    /// Its header, where the edge has seen it.
    pub info: Option<ImageInfo>,
    /// How many bytes were held until the header was known.
    pub header_bytes: u64,
}

impl Stored {
    /// Refuses what could never be rendered.
    pub fn check(&self, variants: &[Variant], limits: &Limits) -> Result<(), Problem> {
        match &self.info {
            Some(info) => check(info, Some(variants), limits),
            None => Ok(()),
        }
    }

    /// The most memory that making `variants` takes, where the header says so: what is held until it
    /// is known, and what its plan takes then.
    pub fn planned_bytes(&self, variants: &[Variant], limits: &Limits) -> Option<u64> {
        let info = self.info.as_ref()?;
        planned_bytes(info, self.header_bytes, variants, limits)
    }

    /// What is asked for of it, with the formats that its header decides.
    pub fn settled(&self, variants: &[Variant]) -> Vec<Variant> {
        match &self.info {
            Some(info) => settled(info, variants),
            None => variants.to_vec(),
        }
    }
}

/// Stores a picture under the job's id and describes it, or says why it cannot be taken.
/// Nothing stays stored after a refusal.
///
/// `variants` are `None` while a form may still say what is asked for: then only the picture is judged.
pub async fn store_source<O: ObjectStore>(
    objects: &O,
    id: JobId,
    filename: Option<&str>,
    chunks: &mut impl Chunks,
    variants: Option<&[Variant]>,
    limits: &Limits,
) -> Result<Stored, Problem> {
    let page = variants.map_or(0, Variant::page_of);
    let mut intake = Intake::new(chunks, limits, page);
    let info = intake.read_header(variants).await?;
    let header_bytes = intake.header.held.len() as u64;
    let key = source_key(id);
    let sniffed = || ImageFormat::sniff(&intake.header.held).unwrap_or(ImageFormat::Tiff);
    let format = info.as_ref().map_or_else(sniffed, |info| info.format);
    let meta = ObjectMeta::Source { format };
    if intake.fill_part().await? {
        let bytes = std::mem::take(&mut intake.header.held);
        objects.put(&key, bytes, meta).await?;
    } else {
        let upload = objects.begin_upload(&key, meta).await?;
        intake.upload_parts(upload).await?;
    }
    let shown = info.as_ref().map(ImageInfo::shown_size);
    let source = Source {
        filename: filename.map(shortened),
        format,
        width: shown.map(Size::width),
        height: shown.map(Size::height),
        bytes: intake.total,
        sha256: intake.digest(),
    };
    Ok(Stored {
        id,
        source,
        info,
        header_bytes,
    })
}

/// The most memory that making `variants` takes, if `info` describes their page.
pub fn planned_bytes(
    info: &ImageInfo,
    header_bytes: u64,
    variants: &[Variant],
    limits: &Limits,
) -> Option<u64> {
    let described = info.describes(Variant::page_of(variants));
    let plan = described.then(|| plan(info, variants, limits).ok())??;
    Some(plan.peak_bytes.saturating_add(header_bytes))
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

/// Reads an upload: counts, hashes, and holds what is not stored yet.
struct Intake<'a, C> {
    chunks: &'a mut C,
    limits: &'a Limits,
    header: HeaderReader,
    total: u64,
    hash: Sha256,
}

impl<'a, C: Chunks> Intake<'a, C> {
    fn new(chunks: &'a mut C, limits: &'a Limits, page: u32) -> Self {
        Self {
            chunks,
            limits,
            header: HeaderReader::new(EDGE_HEADER_BYTES, page),
            total: 0,
            hash: Sha256::new(),
        }
    }

    /// Takes one more chunk; false at the end.
    async fn pull(&mut self) -> Result<bool, Problem> {
        let Some(chunk) = self.chunks.next().await? else {
            return Ok(false);
        };
        self.total += chunk.len() as u64;
        if self.total > self.limits.max_bytes {
            return Err(too_large(self.limits.max_bytes));
        }
        self.hash.update(&chunk);
        self.header.push(&chunk);
        Ok(true)
    }

    /// Reads until the header is known, and refuses what could never be rendered.
    ///
    /// `None`: a TIFF or HEIC whose header comes too late for the edge; the origin will judge it.
    async fn read_header(
        &mut self,
        variants: Option<&[Variant]>,
    ) -> Result<Option<ImageInfo>, Problem> {
        loop {
            let ended = !self.pull().await?;
            if ended && self.total == 0 {
                let detail = "the upload has no bytes";
                return Err(Problem::new(ProblemKind::EmptyUpload, detail));
            }
            if !ended && self.header.may_come_last() {
                return Ok(None);
            }
            if let Some(info) = self.header.probe(ended).map_err(|e| refusal(&e))? {
                check(&info, variants, self.limits)?;
                return Ok(Some(info));
            }
        }
    }

    /// Reads on until a part is full; true if the upload ended before.
    async fn fill_part(&mut self) -> Result<bool, Problem> {
        while self.header.held.len() <= PART_BYTES {
            if !self.pull().await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn upload_parts<U: ObjectUpload>(&mut self, mut upload: U) -> Result<(), Problem> {
        match self.send_parts(&mut upload).await {
            Ok(()) => upload.complete().await.map(|_| ()).map_err(Problem::from),
            Err(problem) => {
                // If this fails too, R2 drops the parts by itself after seven days.
                let _ = upload.abort().await;
                Err(problem)
            }
        }
    }

    async fn send_parts<U: ObjectUpload>(&mut self, upload: &mut U) -> Result<(), Problem> {
        let mut ended = false;
        while !ended {
            ended = self.fill_part().await?;
            while self.header.held.len() > PART_BYTES {
                let rest = self.header.held.split_off(PART_BYTES);
                upload
                    .part(std::mem::replace(&mut self.header.held, rest))
                    .await?;
            }
        }
        upload.part(std::mem::take(&mut self.header.held)).await?;
        Ok(())
    }

    fn digest(self) -> String {
        hex::encode(&self.hash.finalize())
    }
}

/// The problem with an upload of more than `max_bytes` bytes.
pub fn too_large(max_bytes: u64) -> Problem {
    Problem::new(
        ProblemKind::UploadTooLarge,
        format!("the upload has more than {max_bytes} bytes"),
    )
}

/// What is refused at upload is the request's fault: a damaged header counts as no picture.
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
