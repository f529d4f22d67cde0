//! GET and HEAD: never renders, enqueues or writes.
//!
//! Order of reading: what R2 holds under the thumbnail's key, then the copy in KV, then the job
//! itself where the copy is missing, may be out of date, or does not fit what R2 holds.
//!
//! Each of the three says when the job's time is over; from then on the answer is 410, whether the
//! alarm that deletes it has rung or not.

use crate::api::conditional::{Precondition, ReadRequest};
use crate::api::document::{StatusDocument, job_problem, thumbnail_url};
use crate::api::link::links;
use crate::api::{Body, Method, Problem, ProblemKind, Reply, accept, tagged};
use crate::job::{Command, Record, State, Verdict, Webhook};
use crate::keys::{JobId, ThumbnailFile, thumbnail_key};
use crate::object::ObjectMeta;
use crate::ports::{Clock, JobLedger, ObjectInfo, ObjectStore, StatusCache};
use crate::range::{ByteRange, Selection};
use crate::service::thumbnail_reply::ThumbnailReply;
use thumbnail_pipeline::Variant;

/// How old a copy of an unfinished job may be before the job itself is asked.
const FRESH_MILLIS: u64 = 2_000;

/// Seconds after which a client may ask again for what is not there yet.
pub const POLL_SECS: u32 = 1;

/// Seconds after which what a later build has stored may be asked for again.
const LATER_RETRY_SECS: u32 = 5;

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
    /// The longest that caches may keep a thumbnail.
    pub cache_secs: u64,
}

/// What R2 says about a job. It is never out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// A thumbnail: done.
    Thumbnail,
    /// A tombstone: failed, cancelled or expired.
    Tombstone,
    /// Nothing: not ended, or never begun.
    Nothing,
}

/// What a look into R2 comes to.
enum Look<B> {
    /// The answer.
    Answer(Reply<B>),
    /// There is no thumbnail.
    Absent(Presence),
}

impl<O: ObjectStore, K: StatusCache, L: JobLedger, C: Clock> Reader<'_, O, K, L, C> {
    /// Answers `GET /thumbnails/{id}.{ext}`.
    pub async fn thumbnail(
        &self,
        file: &ThumbnailFile,
        request: &ReadRequest,
    ) -> Result<Reply<O::Body>, Problem> {
        let presence = match self.look(file, request).await? {
            Look::Answer(reply) => return Ok(reply),
            Look::Absent(presence) => presence,
        };
        let mut record = self
            .record(file.id, presence)
            .await?
            .ok_or_else(Problem::no_job)?;
        if !record.files().any(|f| f == *file) {
            // It may have been asked for since the copy was made.
            record = self.ask(file.id).await?.ok_or_else(Problem::no_job)?;
        }
        if !record.files().any(|f| f == *file) {
            return Err(elsewhere(&record, self.base));
        }
        let mut made = record.thumbnails.iter();
        let made = made.any(|t| record.file(&t.name, t.format) == *file);
        // The job ended after R2 was read: what was not there then is there now.
        if made && let Look::Answer(reply) = self.look(file, request).await? {
            return Ok(reply);
        }
        Err(absent(&record, file))
    }

    /// Answers `GET /thumbnails/{id}_{name}`, and for the first variant `GET /thumbnails/{id}`
    /// where an image is asked for: in the format that the client likes.
    pub async fn negotiated(
        &self,
        id: JobId,
        name: Option<&str>,
        request: &ReadRequest,
    ) -> Result<Reply<O::Body>, Problem> {
        let record = self
            .with_variant(id, name)
            .await?
            .ok_or_else(Problem::no_job)?;
        let Some(variant) = find(&record, name) else {
            return Err(elsewhere(&record, self.base));
        };
        let (family, other) = record.formats(variant);
        let format = accept::choose(request.accept.as_deref(), family, other);
        let file = record.file(&variant.name, format);
        let reply = self.thumbnail(&file, request).await?;
        // Also with one format only: at this URL it depends on the job, and caches know no jobs.
        Ok(reply
            .also("vary", "Accept")
            .with("content-location", format!("/thumbnails/{file}")))
    }

    /// A record that has the variant, if there is one. What is asked for never changes, so an old
    /// copy will do.
    async fn with_variant(&self, id: JobId, name: Option<&str>) -> Result<Option<Record>, Problem> {
        match self.status.get(id).await {
            Ok(Some(copy)) if find(&copy, name).is_some() => Ok(Some(copy.as_of(self.clock.now()))),
            _ => self.ask(id).await,
        }
    }

    /// Looks into R2. Bytes are opened only where they are sent: 304 and HEAD take one `head`.
    async fn look(
        &self,
        file: &ThumbnailFile,
        request: &ReadRequest,
    ) -> Result<Look<O::Body>, Problem> {
        let key = thumbnail_key(file);
        if request.wants_all() {
            return self.all(file).await;
        }
        let Some(info) = self.objects.head(&key).await? else {
            return Ok(Look::Absent(Presence::Nothing));
        };
        let presence = presence(&info)?;
        if presence != Presence::Thumbnail {
            return Ok(Look::Absent(presence));
        }
        self.check_alive(&info)?;
        let image = self.image(file, &info);
        let current = image.validators();
        match request.evaluate(&current) {
            Precondition::Failed => return Err(image.another()),
            Precondition::NotModified => return Ok(Look::Answer(image.not_modified())),
            Precondition::Passed => {}
        }
        match request.selection(&current, info.bytes) {
            _ if request.method == Method::Head => Ok(Look::Answer(image.whole(Body::Empty))),
            Selection::All => self.all(file).await,
            Selection::Part(range) => self.part(file, range, &info).await,
            Selection::Unsatisfiable => Err(image.no_such_bytes()),
        }
    }

    async fn all(&self, file: &ThumbnailFile) -> Result<Look<O::Body>, Problem> {
        let Some((info, body)) = self.objects.get(&thumbnail_key(file)).await? else {
            return Ok(Look::Absent(Presence::Nothing));
        };
        Ok(match presence(&info)? {
            Presence::Thumbnail => {
                self.check_alive(&info)?;
                let image = self.image(file, &info);
                Look::Answer(image.whole(Body::Object(body)))
            }
            absent => Look::Absent(absent),
        })
    }

    async fn part(
        &self,
        file: &ThumbnailFile,
        range: ByteRange,
        known: &ObjectInfo,
    ) -> Result<Look<O::Body>, Problem> {
        let found = self.objects.get_range(&thumbnail_key(file), range).await?;
        Ok(match found {
            Some((info, body)) if info.etag == known.etag => {
                let image = self.image(file, &info);
                Look::Answer(image.part(range, Body::Object(body)))
            }
            // Deleted since it was looked at.
            Some((info, _)) => Look::Absent(presence(&info)?),
            None => Look::Absent(Presence::Nothing),
        })
    }

    /// A thumbnail whose time is over is gone, whoever was to delete it.
    fn check_alive(&self, info: &ObjectInfo) -> Result<(), Problem> {
        match info.meta {
            ObjectMeta::Thumbnail {
                expires_at: Some(at),
                ..
            } if at <= self.clock.now() => Err(ended(State::Expired)),
            _ => Ok(()),
        }
    }

    /// Answers `GET /thumbnails/{id}`.
    pub async fn status(&self, id: JobId) -> Result<Reply<O::Body>, Problem> {
        let record = self.current(id).await?.ok_or_else(Problem::no_job)?;
        Ok(self.document(&record))
    }

    /// The status of a job that has been read already; 410 where nothing of it is left but the document.
    pub fn document(&self, record: &Record) -> Reply<O::Body> {
        let record = &record.clone().as_of(self.clock.now());
        let status = match record.state {
            State::Cancelled | State::Expired => ProblemKind::Gone.status(),
            _ => 200,
        };
        let path = format!("/thumbnails/{}", record.id);
        let reply = Reply::json(status, &StatusDocument::new(record, self.base))
            .with("link", links(path, record.id));
        if record.is_settled() {
            reply
        } else {
            reply.with("retry-after", POLL_SECS.to_string())
        }
    }

    /// Refuses a change of a job that is not as the request goes by: its `If-Match` names neither the
    /// status document nor a thumbnail. The job is asked itself, as it is to be changed.
    pub async fn unchanged(&self, id: JobId, request: &ReadRequest) -> Result<(), Problem> {
        let record = self.ask(id).await?.ok_or_else(Problem::no_job)?;
        let Reply {
            status: 200,
            body: Body::Text(text),
            ..
        } = self.document(&record)
        else {
            // Nothing is left that could have changed: the change itself says so.
            return Ok(());
        };
        let document = tagged::etag(&text);
        let thumbnails = record.thumbnails.iter().map(|made| made.etag.as_str());
        let named = |tag: &str| request.evaluate_tag(tag) != Precondition::Failed;
        if std::iter::once(document.as_str())
            .chain(thumbnails)
            .any(named)
        {
            Ok(())
        } else {
            Err(tagged::another(&document))
        }
    }

    /// The record as it is now: the copy, where R2 bears it out.
    async fn current(&self, id: JobId) -> Result<Option<Record>, Problem> {
        // A cache that fails is a cache that has nothing.
        if let Ok(Some(copy)) = self.status.get(id).await
            && let Some(file) = copy.first_file()
        {
            if copy.has_outlived(self.clock.now()) {
                return Ok(Some(copy));
            }
            let info = self.objects.head(&thumbnail_key(&file)).await?;
            // What a webhook's receiver answers changes nothing that R2 could bear out.
            let told = !copy.webhook.as_ref().is_some_and(Webhook::is_waiting);
            let presence = info.as_ref().map_or(Ok(Presence::Nothing), presence)?;
            if told && self.holds(&copy, presence) {
                return Ok(Some(copy));
            }
        }
        let record = self.ask(id).await?;
        if let Some(record) = &record {
            self.check_unburied(record).await?;
        }
        Ok(record)
    }

    /// Where the thumbnails of a job that is done are being deleted, they answer 410 already: so does it.
    async fn check_unburied(&self, record: &Record) -> Result<(), Problem> {
        if record.state == State::Done
            && let Some(file) = record.first_file()
            && let Some(info) = self.objects.head(&thumbnail_key(&file)).await?
            && presence(&info)? == Presence::Tombstone
        {
            return Err(absent(record, &file));
        }
        Ok(())
    }

    async fn record(&self, id: JobId, presence: Presence) -> Result<Option<Record>, Problem> {
        match self.status.get(id).await {
            Ok(Some(copy)) if copy.has_outlived(self.clock.now()) => {
                Ok(Some(copy.as_of(self.clock.now())))
            }
            Ok(Some(copy)) if self.holds(&copy, presence) => Ok(Some(copy)),
            _ => self.ask(id).await,
        }
    }

    /// Whether a copy is to be believed. KV may be a minute behind, R2 never is.
    fn holds(&self, copy: &Record, presence: Presence) -> bool {
        match copy.state {
            State::Done if copy.extension.is_none() => presence == Presence::Thumbnail,
            State::Done => presence == Presence::Thumbnail && self.is_fresh(copy),
            // Nothing follows these two but being forgotten.
            State::Cancelled | State::Expired => presence == Presence::Tombstone,
            // A failed job can be tried again, or deleted: only the job knows.
            State::Failed => false,
            _ => presence == Presence::Nothing && self.is_fresh(copy),
        }
    }

    fn is_fresh(&self, copy: &Record) -> bool {
        self.clock.now().millis_since(copy.updated_at) < FRESH_MILLIS
    }

    async fn ask(&self, id: JobId) -> Result<Option<Record>, Problem> {
        match self.ledger.call(id, Command::Get).await? {
            // Its clock may be behind.
            Verdict::Found { record } => Ok(Some(record.as_of(self.clock.now()))),
            _ => Ok(None),
        }
    }

    fn image<'a>(&self, file: &'a ThumbnailFile, info: &'a ObjectInfo) -> ThumbnailReply<'a> {
        ThumbnailReply {
            file,
            info,
            cache_secs: self.cache_secs,
            now: self.clock.now(),
        }
    }
}

/// What an object says of its job. One of a later build is for that build to serve.
fn presence(info: &ObjectInfo) -> Result<Presence, Problem> {
    match info.meta {
        ObjectMeta::Thumbnail { .. } => Ok(Presence::Thumbnail),
        ObjectMeta::Tombstone => Ok(Presence::Tombstone),
        _ => Err(Problem {
            retry_after_secs: Some(LATER_RETRY_SECS),
            ..Problem::new(
                ProblemKind::Unavailable,
                "a later version of the service has stored this; ask again",
            )
        }),
    }
}

/// Why there is no thumbnail of a job that exists.
fn absent(record: &Record, file: &ThumbnailFile) -> Problem {
    let refused = record
        .refused
        .iter()
        .find(|r| r.variant.name == file.variant);
    let wanted = record.wanted().iter().any(|v| v.name == file.variant);
    let (state, failure) = match refused {
        Some(refused) => (State::Failed, Some(&refused.failure)),
        None if wanted => (record.phase(), record.failure.as_ref()),
        None => (record.state, record.failure.as_ref()),
    };
    let name = state.name();
    let problem = match state {
        State::Failed => match failure {
            Some(failure) => job_problem(failure),
            None => Problem::new(
                ProblemKind::Internal,
                "the job failed for an unknown reason",
            ),
        },
        State::Cancelled | State::Expired => return ended(state),
        // Done, and not in R2: it is being deleted right now.
        State::Done => Problem::new(ProblemKind::Gone, "the thumbnail was deleted"),
        State::Pending | State::Processing | State::Retrying => Problem {
            retry_after_secs: Some(POLL_SECS),
            ..Problem::new(ProblemKind::NotReady, format!("the job is {name}"))
        },
    };
    Problem {
        processing: Some(processing(state)),
        ..problem
    }
}

/// Nothing of the job is served any more.
fn ended(state: State) -> Problem {
    Problem {
        processing: Some(processing(state)),
        ..Problem::new(ProblemKind::Gone, format!("the job is {}", state.name()))
    }
}

/// What the clients of the service that this one replaces look for.
fn processing(state: State) -> String {
    let celery_name = state.celery_name();
    format!("Current status of image processing is {celery_name}.")
}

/// The variant of a name, or the first one.
fn find<'a>(record: &'a Record, name: Option<&str>) -> Option<&'a Variant> {
    let mut variants = record.all_variants();
    variants.find(|variant| name.is_none_or(|name| variant.name == name))
}

fn elsewhere(record: &Record, base: &str) -> Problem {
    let url = thumbnail_url(record, base);
    let detail = format!("this job's thumbnail is at {url}");
    Problem::new(ProblemKind::NotFound, detail)
}
