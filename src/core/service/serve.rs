//! GET and HEAD: never renders, enqueues or writes.
//!
//! Order of reading: the thumbnail in R2, then the copy in KV, then the job itself where the copy
//! is missing or tells of a state that may have passed.

use crate::api::document::{StatusDocument, job_problem, thumbnail_url};
use crate::api::{Body, Problem, ProblemKind, Reply, conditional};
use crate::job::{Command, Record, State, Verdict};
use crate::keys::{JobId, ThumbnailFile, thumbnail_key};
use crate::ports::{Clock, JobLedger, ObjectInfo, ObjectStore, StatusCache};

/// How old a copy of an unfinished job may be before the job itself is asked.
const FRESH_MILLIS: u64 = 2_000;

/// Seconds after which a client may ask again for what is not there yet.
pub const POLL_SECS: u32 = 1;

/// A year: the name of a thumbnail is never used again.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Nothing in a thumbnail is ever run, framed or fetched.
const IMAGE_CSP: &str = "default-src 'none'; sandbox";

/// What reads are answered from.
pub struct Reader<'a, O, K, L, C> {
    /// Thumbnails.
    pub objects: &'a O,
    /// Copies of records.
    pub status: &'a K,
    /// The jobs.
    pub ledger: &'a L,
    /// The time.
    pub clock: &'a C,
    /// The service's own origin, for URLs.
    pub base: &'a str,
}

impl<O: ObjectStore, K: StatusCache, L: JobLedger, C: Clock> Reader<'_, O, K, L, C> {
    /// Answers `GET /thumbnails/{id}.{ext}`.
    pub async fn thumbnail(
        &self,
        file: &ThumbnailFile,
        if_none_match: Option<&str>,
    ) -> Result<Reply<O::Body>, Problem> {
        if let Some((info, body)) = self.objects.get(&thumbnail_key(file)).await? {
            return Ok(image(file, &info, body, if_none_match));
        }
        let record = self.record(file.id).await?.ok_or_else(unknown)?;
        if !record.files().any(|f| f == *file) {
            return Err(Problem::new(
                ProblemKind::NotFound,
                format!(
                    "this job's thumbnail is at {}",
                    thumbnail_url(&record, self.base)
                ),
            ));
        }
        Err(absent(&record))
    }

    /// Answers `GET /thumbnails/{id}`.
    pub async fn status(&self, id: JobId) -> Result<Reply<O::Body>, Problem> {
        let record = self.record(id).await?.ok_or_else(unknown)?;
        let reply = Reply::json(200, &StatusDocument::new(&record, self.base));
        let waiting = !record.state.is_final();
        Ok(if waiting {
            reply.with("retry-after", POLL_SECS.to_string())
        } else {
            reply
        })
    }

    async fn record(&self, id: JobId) -> Result<Option<Record>, Problem> {
        // A cache that fails is a cache that has nothing.
        if let Ok(Some(copy)) = self.status.get(id).await
            && (copy.state.is_final()
                || self.clock.now().millis_since(copy.updated_at) < FRESH_MILLIS)
        {
            return Ok(Some(copy));
        }
        match self.ledger.call(id, Command::Get).await? {
            Verdict::Found { record } => Ok(Some(*record)),
            _ => Ok(None),
        }
    }
}

fn image<B>(
    file: &ThumbnailFile,
    info: &ObjectInfo,
    body: B,
    if_none_match: Option<&str>,
) -> Reply<B> {
    let fresh =
        if_none_match.is_some_and(|header| conditional::none_match_names(header, &info.etag));
    let reply = if fresh {
        Reply::new(304, Body::Empty)
    } else {
        Reply::new(200, Body::Object(body))
    };
    let reply = reply
        .with("etag", format!("\"{}\"", info.etag))
        .with("cache-control", IMMUTABLE)
        .with("content-security-policy", IMAGE_CSP)
        .with("cross-origin-resource-policy", "cross-origin");
    if fresh {
        return reply;
    }
    reply
        .with("content-type", media_type(&file.extension))
        .with("content-length", info.bytes.to_string())
        .with(
            "content-disposition",
            format!("inline; filename=\"{file}\""),
        )
}

/// Why there is no thumbnail of a job that exists.
fn absent(record: &Record) -> Problem {
    let sentence = format!(
        "Current status of image processing is {}.",
        record.state.celery_name()
    );
    match record.state {
        State::Failed => Problem {
            processing: Some(sentence),
            ..match &record.failure {
                Some(failure) => job_problem(failure),
                None => Problem::new(ProblemKind::DamagedImage, "the job failed"),
            }
        },
        State::Cancelled | State::Expired => Problem {
            processing: Some(sentence),
            ..Problem::new(
                ProblemKind::Gone,
                format!("the job is {}", record.state.name()),
            )
        },
        // Done, and not in R2: a delete is on its way to the record.
        State::Done => Problem::new(ProblemKind::Gone, "the thumbnail was deleted"),
        State::Pending | State::Processing | State::Retrying => Problem {
            processing: Some(sentence),
            retry_after_secs: Some(POLL_SECS),
            ..Problem::new(
                ProblemKind::NotReady,
                format!("the job is {}", record.state.name()),
            )
        },
    }
}

fn unknown() -> Problem {
    Problem::new(ProblemKind::NotFound, "there is no job of this name")
}

fn media_type(extension: &str) -> &'static str {
    match extension {
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        _ => "image/jpeg",
    }
}
