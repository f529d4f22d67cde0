//! An upload with its options: a form of one file or many, or an image as it is.
//!
//! Every file of a form is stored as it arrives; their jobs begin when the form has ended, because
//! options may follow. What one file is at fault for costs that file alone, what the form is at
//! fault for costs all of them: nothing of them stays stored.

use futures_util::future::join_all;

use crate::api::form::{FORM_OVERHEAD_BYTES, FilePart, Form, Part};
use crate::api::media_type::media_type;
use crate::api::params::ParsedOptions;
use crate::api::problem::FieldError;
use crate::api::{Params, Problem, ProblemKind, UploadedFile};
use crate::config::Config;
use crate::job::record::ANONYMOUS;
use crate::job::{NewJob, Record, Webhook};
use crate::keys::{JobId, source_key};
use crate::outbound::OutboundError;
use crate::ports::{Chunks, Clock, JobLedger, ObjectStore, Timer};
use crate::service::accept::{Announced, Store, Stored, create_job, too_large};
use crate::service::admission::Admission;
use crate::service::body::BoundedBody;
use crate::service::fetch::filename;

/// An upload as it comes in.
pub struct UploadRequest<B> {
    /// Its content type, as it was sent.
    pub content_type: String,
    /// Its length in bytes, where it is declared.
    pub length: Option<u64>,
    /// The options in the query.
    pub params: Params,
    /// The address that the bytes are fetched from, where they do not come with the request.
    pub source_url: Option<String>,
    /// The bytes, not yet read.
    pub body: B,
}

impl<B> UploadRequest<B> {
    /// Whether it is JSON with the address of an image, where the service fetches such.
    pub fn names_source(&self, config: &Config) -> bool {
        config.sources.enabled && media_type(&self.content_type) == "application/json"
    }
}

/// An upload whose files are stored.
#[derive(Debug)]
pub struct Taken {
    /// The files, in order, and the jobs to begin.
    pub files: Vec<UploadedFile<NewJob>>,
    /// What is asked for of each of them.
    pub asked: ParsedOptions,
    /// The address that they were fetched from.
    pub source_url: Option<String>,
}

/// What takes uploads.
pub struct Uploader<'a, O, C, I> {
    /// Where sources go.
    pub objects: &'a O,
    /// The time.
    pub clock: &'a C,
    /// What is allowed.
    pub config: &'a Config,
    /// Names a new job.
    pub new_id: I,
    /// The service's own origin, for URLs.
    pub base: &'a str,
    /// The upload's place among all others in its instance.
    pub admission: Admission<'a, C>,
}

impl<O, C, I> Uploader<'_, O, C, I>
where
    O: ObjectStore,
    C: Clock + Timer,
    I: Fn() -> Result<JobId, Problem>,
{
    /// Reads an upload and stores its files; their jobs are still to begin.
    pub async fn take<B: Chunks>(&self, request: UploadRequest<B>) -> Result<Taken, Problem> {
        let content_type = &request.content_type;
        match media_type(content_type).as_str() {
            "multipart/form-data" => {
                let length = request.length;
                let body = self.bounded(request.body, length, self.config.max_request_bytes)?;
                let held = file_of_form(length).held_bytes();
                let body = self.admission.place(body, length, held).await?;
                let form = Form::new(content_type, body)?;
                self.form(form, length, request.params).await
            }
            other if other == "application/octet-stream" || other.starts_with("image/") => {
                let length = request.length;
                let body = self.bounded(request.body, length, self.config.max_upload_bytes)?;
                let asked = self.asked(&request.params)?;
                let announced = Announced {
                    most_bytes: length,
                    is_exact: true,
                    ..Announced::default()
                };
                let held = announced.held_bytes();
                let body = self.admission.place(body, length, held).await?;
                self.picture(body, announced, asked, request.source_url)
                    .await
            }
            other => {
                let json = if other == "application/json" {
                    "; this service fetches no images (SOURCE_URLS)"
                } else {
                    ""
                };
                let detail = format!(
                    "the content type is {other:?}; send multipart/form-data, image/* or application/octet-stream{json}"
                );
                Err(Problem::new(ProblemKind::UnsupportedMediaType, detail))
            }
        }
    }

    /// The body of a request whose files may have `max_bytes`. Refuses by the declared length,
    /// before anything is read.
    fn bounded<B: Chunks>(
        &self,
        body: B,
        declared: Option<u64>,
        max_bytes: u64,
    ) -> Result<BoundedBody<'_, B, C>, Problem> {
        let most = max_bytes + FORM_OVERHEAD_BYTES;
        if declared.is_some_and(|bytes| bytes > most) {
            return Err(too_large(max_bytes));
        }
        Ok(BoundedBody::new(body, most, self.clock))
    }

    /// Takes a body that is an image; its options stand in the query.
    async fn picture(
        &self,
        mut body: impl Chunks,
        announced: Announced<'_>,
        asked: ParsedOptions,
        source_url: Option<String>,
    ) -> Result<Taken, Problem> {
        let filename = source_url.as_deref().and_then(filename);
        let announced = Announced {
            filename: filename.as_deref(),
            variants: Some(asked.variants.as_slice()),
            ..announced
        };
        let id = (self.new_id)()?;
        let stored = self.store().source(id, announced, &mut body).await?;
        let file = UploadedFile {
            field: String::new(),
            filename,
            result: Ok(self.job(stored, &asked)),
        };
        Ok(Taken {
            files: vec![file],
            asked,
            source_url,
        })
    }

    /// Takes a form; options stand in the query and in fields before and after the files.
    async fn form<B: Chunks>(
        &self,
        mut form: Form<B>,
        length: Option<u64>,
        mut params: Params,
    ) -> Result<Taken, Problem> {
        let mut files = Vec::new();
        let read = self.read(&mut form, length, &mut params, &mut files);
        let asked = match read.await {
            Ok(asked) => asked,
            Err(problem) => {
                for file in files {
                    self.forget(file.result.ok()).await;
                }
                return Err(problem);
            }
        };
        let mut jobs = Vec::with_capacity(files.len());
        for file in files {
            jobs.push(UploadedFile {
                field: file.field,
                filename: file.filename,
                result: self.check(file.result, &asked).await,
            });
        }
        Ok(Taken {
            files: jobs,
            asked,
            source_url: None,
        })
    }

    async fn read<B: Chunks>(
        &self,
        form: &mut Form<B>,
        length: Option<u64>,
        params: &mut Params,
        files: &mut Vec<UploadedFile<Stored>>,
    ) -> Result<ParsedOptions, Problem> {
        while let Some(part) = form.next_part().await? {
            match part {
                Part::Field { name, value } => params.add_field(&name, &value)?,
                Part::File(file) if is_note(&file, files) => {}
                Part::File(file) => {
                    if file.filename.is_some() {
                        self.drop_notes(files, &file.field).await;
                    }
                    if files.len() >= self.config.max_files {
                        let max = self.config.max_files;
                        let detail = format!("the form has more than {max} files");
                        return Err(Problem::new(ProblemKind::TooManyFiles, detail));
                    }
                    // What is wrong by now stays wrong, whatever follows.
                    self.asked(params)?;
                    files.push(self.file(file, length).await);
                }
            }
        }
        if files.is_empty() {
            let detail = "the form has no file";
            return Err(Problem::new(ProblemKind::MissingFile, detail));
        }
        self.asked(params)
    }

    /// Drops what came for a file before it, in its field and without a file name: some upload widgets
    /// send a text about a file in front of it.
    async fn drop_notes(&self, files: &mut Vec<UploadedFile<Stored>>, field: &str) {
        let is_note =
            |file: &mut UploadedFile<Stored>| file.filename.is_none() && file.field == field;
        for note in files.extract_if(.., is_note) {
            self.forget(note.result.ok()).await;
        }
    }

    /// Stores a file of a form. A form that breaks off in it breaks off once more when it is asked
    /// for its next part.
    async fn file<B: Chunks>(
        &self,
        mut file: FilePart<'_, B>,
        length: Option<u64>,
    ) -> UploadedFile<Stored> {
        let (field, filename) = (file.field.clone(), file.filename.clone());
        let announced = Announced {
            filename: filename.as_deref(),
            ..file_of_form(length)
        };
        let result = match (self.new_id)() {
            Ok(id) => self.store().source(id, announced, &mut file).await,
            Err(problem) => Err(problem),
        };
        UploadedFile {
            field,
            filename,
            result,
        }
    }

    fn store(&self) -> Store<'_, O, C> {
        Store {
            objects: self.objects,
            admission: &self.admission,
            limits: &self.config.limits,
        }
    }

    /// Judges a stored file by the options, which are all known now.
    async fn check(
        &self,
        stored: Result<Stored, Problem>,
        asked: &ParsedOptions,
    ) -> Result<NewJob, Problem> {
        let stored = stored?;
        match stored.check(&asked.variants, &self.config.limits) {
            Ok(()) => Ok(self.job(stored, asked)),
            Err(problem) => {
                self.forget(Some(stored)).await;
                Err(problem)
            }
        }
    }

    /// Begins the jobs of an upload's files when it is their turn; they were stored, and so it comes
    /// in any case. The flag says that the queue is overloaded.
    pub async fn begin(
        &self,
        ledger: &impl JobLedger,
        files: Vec<UploadedFile<NewJob>>,
    ) -> (Vec<UploadedFile<Record>>, bool) {
        let _turn = self.admission.turn(0).await;
        begin(ledger, files).await
    }

    /// Deletes the sources of jobs that will not begin.
    pub async fn discard(&self, files: &[UploadedFile<NewJob>]) {
        for job in files.iter().filter_map(|file| file.result.as_ref().ok()) {
            // If this fails too, the sweep deletes it.
            let _ = self.objects.delete(&source_key(job.id)).await;
        }
    }

    async fn forget(&self, stored: Option<Stored>) {
        if let Some(stored) = stored {
            // If this fails too, the sweep deletes it.
            let _ = self.objects.delete(&source_key(stored.id)).await;
        }
    }

    /// What the options ask for.
    pub fn asked(&self, params: &Params) -> Result<ParsedOptions, Problem> {
        let mut asked = params.parse(&self.config.rules())?;
        if let Some(url) = &asked.webhook {
            let checked = self.config.webhooks.check(url, self.base);
            let wrong = |error: OutboundError| {
                let detail = format!("webhook cannot be used: {error}");
                Problem::invalid(vec![FieldError::new("webhook", detail)])
            };
            asked.webhook = Some(checked.map_err(wrong)?.as_str().into());
        }
        Ok(asked)
    }

    fn webhook(&self, asked: Option<String>) -> Option<Webhook> {
        let url = asked.or_else(|| self.config.webhooks.default_url.clone())?;
        Some(Webhook::new(url, self.base.into()))
    }

    fn job(&self, stored: Stored, asked: &ParsedOptions) -> NewJob {
        let default = self.config.default_expires_secs;
        let lives_secs = asked.expires_in_secs.unwrap_or(default);
        let variants = stored.settled(&asked.variants);
        NewJob {
            id: stored.id,
            owner: ANONYMOUS.into(),
            planned_bytes: stored.planned_bytes(&variants, &self.config.limits),
            variants,
            source: stored.source,
            expires_at: Some(self.clock.now().plus_secs(lives_secs)),
            webhook: self.webhook(asked.webhook.clone()),
        }
    }
}

/// Whether a part without a file name stands in the field of a file.
fn is_note<B>(file: &FilePart<'_, B>, files: &[UploadedFile<Stored>]) -> bool {
    let is_of_field =
        |known: &UploadedFile<Stored>| known.filename.is_some() && known.field == file.field;
    file.filename.is_none() && files.iter().any(is_of_field)
}

/// What is known of a file in a form of so many bytes: it has no more than all of the form.
fn file_of_form<'a>(length: Option<u64>) -> Announced<'a> {
    Announced {
        most_bytes: length,
        ..Announced::default()
    }
}

/// Begins the jobs of an upload's files, all at once. The flag says that the queue is overloaded.
pub async fn begin(
    ledger: &impl JobLedger,
    files: Vec<UploadedFile<NewJob>>,
) -> (Vec<UploadedFile<Record>>, bool) {
    let begun = join_all(files.into_iter().map(|file| async {
        let created = match file.result {
            Ok(new) => create_job(ledger, new).await,
            Err(problem) => Err(problem),
        };
        let overloaded = matches!(created, Ok((_, true)));
        let file = UploadedFile {
            field: file.field,
            filename: file.filename,
            result: created.map(|(record, _)| record),
        };
        (file, overloaded)
    }));
    let (files, overloaded): (Vec<_>, Vec<_>) = begun.await.into_iter().unzip();
    (files, overloaded.contains(&true))
}
