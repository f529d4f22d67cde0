//! One delivered message: begin the attempt, make the thumbnails, end the attempt.
//!
//! 1. reserve the memory that the attempt plans, or hand the message back with `Defer`
//! 2. `Start` marks the attempt before anything is decoded; a job that ended says stop
//! 3. read the source in chunks: probe → plan → render
//! 4. store each thumbnail under its deterministic key, unless something is there: R2 decides
//!    between this attempt, another one, and the tombstone of a job that was called off
//! 5. `Finish`
//!
//! The file's fault is final. The platform's fault is always tried again.

use crate::api::disposition::stem;
use crate::job::{
    Command, Failure, FailureKind, Finish, Message, Outcome, Record, Thumbnail, Verdict,
};
use crate::keys::{JobId, ThumbnailFile, source_key, thumbnail_key};
use crate::object::ObjectMeta;
use crate::ports::{Clock, JobLedger, ObjectStore, StoreError};
use crate::service::job::thumbnail;
use crate::service::memory::{Full, Memory, Reservation};
use crate::service::render::{Render, RenderError};
use thumbnail_pipeline::decode::Completeness;
use thumbnail_pipeline::{Encoded, Limits, PipelineError};

/// The pause before the next delivery where the job itself could not be asked.
/// With the retries that wrangler.origin.toml allows, a message outlasts more than an hour of it.
const UNREACHABLE_RETRY_SECS: u32 = 60;

/// What a consumer works with.
pub struct Processor<'a, O, L, C, R> {
    /// Sources and thumbnails.
    pub objects: &'a O,
    /// The jobs.
    pub ledger: &'a L,
    /// The time.
    pub clock: &'a C,
    /// The memory of this instance.
    pub memory: &'a Memory,
    /// What makes the images.
    pub renderer: R,
    /// What the pipeline may use.
    pub limits: Limits,
    /// The most memory that this instance has used, in bytes, where it can be known.
    pub memory_high_water: fn() -> Option<u64>,
}

/// Why an attempt made no thumbnail.
enum Fault {
    /// Final.
    File(Failure),
    /// To be tried again.
    Platform(String),
    /// There is no room for as much as it takes: to be begun again.
    Full(Full),
    /// The job has ended meanwhile: a tombstone stands where its thumbnail would go.
    Ended,
}

/// What becomes of a message whose job wants nothing more of it, or could not be asked.
fn settled(job: JobId, answer: &Result<Verdict, StoreError>) -> Outcome {
    match answer {
        Ok(Verdict::Unknown) => Outcome::Discard {
            reason: format!("there is no job {job}"),
        },
        Ok(_) => Outcome::Complete,
        Err(_) => Outcome::Retry {
            after_secs: UNREACHABLE_RETRY_SECS,
        },
    }
}

impl From<PipelineError> for Fault {
    fn from(error: PipelineError) -> Self {
        Self::File(Failure::from(&error))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Platform(error.to_string())
    }
}

impl From<RenderError> for Fault {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Picture(error) => error.into(),
            RenderError::Transfer(error) => Self::Platform(error.to_string()),
            RenderError::Full(full) => Self::Full(full),
        }
    }
}

impl<O: ObjectStore, L: JobLedger, C: Clock, R: Render> Processor<'_, O, L, C, R> {
    /// Handles one message of the resize queue, given as the text of its body.
    pub async fn process(&self, body: &str) -> Outcome {
        let Message { job, planned_bytes } = match Message::decode(body) {
            Ok(message) => message,
            Err(error) => return error.into(),
        };
        let now = self.clock.now();
        let Ok(reserved) = self.memory.reserve(job, planned_bytes, now) else {
            return self.defer(job, None, None).await;
        };
        let alone = Some(reserved.is_whole());
        match self.ledger.call(job, Command::Start { alone }).await {
            Ok(Verdict::Proceed { attempt, record }) => {
                self.attempt(attempt, &record, &reserved).await
            }
            Err(StoreError::Unreadable {
                attempt: Some(attempt),
            }) => self.give_back(job, attempt).await,
            answer => settled(job, &answer),
        }
    }

    /// Gives an attempt back that this build cannot make: a later one may.
    async fn give_back(&self, job: JobId, attempt: u32) -> Outcome {
        let reason = "the origin is older than the edge, and does not know what it asks for";
        let reason = reason.into();
        self.end(job, Command::Retry { attempt, reason }).await
    }

    /// Handles one message that the queue has given up: marks the job, decodes nothing.
    pub async fn bury(&self, body: &str) -> Outcome {
        let job = match Message::decode(body) {
            Ok(message) => message.job,
            Err(error) => return error.into(),
        };
        settled(job, &self.ledger.call(job, Command::DeadLetter).await)
    }

    /// Hands a message back that asks for more than there is room for.
    async fn defer(&self, job: JobId, attempt: Option<u32>, planned_bytes: Option<u64>) -> Outcome {
        let command = Command::Defer {
            attempt,
            planned_bytes,
        };
        match self.ledger.call(job, command).await {
            Ok(Verdict::Recorded { record, .. }) => {
                self.memory.put_off(&record, self.clock.now());
                Outcome::Deferred
            }
            // An edge that does not know the command yet is an error too.
            answer => settled(job, &answer),
        }
    }

    async fn attempt(&self, attempt: u32, record: &Record, reserved: &Reservation<'_>) -> Outcome {
        let job = record.id;
        let end = match self.make(record, reserved).await {
            Ok(finish) => finish,
            Err(Fault::File(failure)) => Command::Fail {
                failure,
                attempt: Some(attempt),
            },
            Err(Fault::Platform(reason)) => Command::Retry { attempt, reason },
            Err(Fault::Ended) => return Outcome::Complete,
            Err(Fault::Full(full)) => {
                let planned_bytes = Some(full.wanted_bytes);
                return self.defer(job, Some(attempt), planned_bytes).await;
            }
        };
        self.end(job, end).await
    }

    async fn end(&self, job: JobId, command: Command) -> Outcome {
        match self.ledger.call(job, command).await {
            Ok(Verdict::RetryAfter { secs }) => Outcome::Retry { after_secs: secs },
            Ok(_) => Outcome::Complete,
            // The attempt's lease stays; when it is over, the job sends a message by itself.
            Err(_) => Outcome::Retry {
                after_secs: UNREACHABLE_RETRY_SECS,
            },
        }
    }

    async fn make(&self, record: &Record, reserved: &Reservation<'_>) -> Result<Command, Fault> {
        let Some((_, body)) = self.objects.get(&source_key(record.id)).await? else {
            let detail = "the uploaded file is no longer stored";
            return Err(Fault::File(Failure::new(
                FailureKind::SourceMissing,
                detail,
            )));
        };
        let reserve = |bytes| reserved.grow(bytes, self.clock.now());
        let rendered = self
            .renderer
            .render(body, record.wanted(), &self.limits, reserve)
            .await?;
        let mut thumbnails = Vec::with_capacity(rendered.thumbnails.len());
        for (thumbnail, file) in rendered.thumbnails.into_iter().zip(record.wanted_files()) {
            thumbnails.push(self.store(record, thumbnail.encoded, file).await?);
        }
        Ok(Command::Finish(Box::new(Finish {
            thumbnails,
            source_width: rendered.source.width(),
            source_height: rendered.source.height(),
            thumbhash: rendered.thumbhash,
            peak_memory_bytes: (self.memory_high_water)(),
            incomplete: rendered.completeness == Completeness::Truncated,
        })))
    }

    /// Stores a thumbnail, unless it is there already, or a tombstone stands in its place.
    async fn store(
        &self,
        record: &Record,
        encoded: Encoded,
        file: ThumbnailFile,
    ) -> Result<Thumbnail, Fault> {
        let Encoded {
            bytes,
            format,
            width,
            height,
        } = encoded;
        let meta = ObjectMeta::Thumbnail {
            format,
            width,
            height,
            expires_at: record.expires_at,
            stem: record.source.filename.as_deref().and_then(stem),
        };
        let key = thumbnail_key(&file);
        let info = match self.objects.put_new(&key, bytes, meta).await? {
            Some(info) => info,
            None => self.objects.head(&key).await?.ok_or(Fault::Ended)?,
        };
        if info.meta == ObjectMeta::Foreign {
            let reason = format!("what is stored at {key} is of a later build");
            return Err(Fault::Platform(reason));
        }
        thumbnail(file.variant, &info).ok_or(Fault::Ended)
    }
}
