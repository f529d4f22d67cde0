//! POST of a job that is done: another thumbnail of the image that is still stored.

use url::form_urlencoded;

use crate::api::document::job_problem;
use crate::api::later::VariantsLater;
use crate::api::options_body::options;
use crate::api::params::Freedom;
use crate::api::problem::FieldError;
use crate::api::{Params, Problem, ProblemKind};
use crate::config::Config;
use crate::job::extension::{MAX_THUMBNAILS, name_of};
use crate::job::record::Refused;
use crate::job::{Command, Record, State, Verdict};
use crate::keys::{DEFAULT_VARIANT, JobId, ThumbnailFile, source_key};
use crate::ports::{Chunks, JobLedger, ObjectStore, StoreError};
use crate::service::accept::planned_bytes;
use crate::service::header::HeaderReader;
use thumbnail_pipeline::{Limits, Options, Variant};

/// How much of a stored image is read for its header: in most files it stands in front of that.
const HEADER_BYTES: usize = 256 << 10;

/// What became of a request for more thumbnails.
#[derive(Debug)]
pub struct Extended {
    /// The job as it is now.
    pub record: Record,
    /// Where the first of the thumbnails is, or will be.
    pub file: Option<ThumbnailFile>,
    /// Whether all of them are there already.
    pub made: bool,
    /// Whether the queue said that it is overloaded.
    pub overloaded: bool,
}

/// What a request for more thumbnails asks for, if it may: its options stand in its query, or in
/// its body, which the caller bounds.
pub async fn asked(
    config: &Config,
    id: JobId,
    query: &str,
    content_type: &str,
    mut body: impl Chunks,
) -> Result<Vec<Variant>, Problem> {
    let mut rules = config.rules();
    let query = match &config.variants_later {
        VariantsLater::Off => {
            let detail = "this service makes no more thumbnails of a job that is done";
            return Err(Problem::new(ProblemKind::VariantsOff, detail));
        }
        VariantsLater::Presets => {
            rules.freedom = Freedom::PresetsOnly;
            query
        }
        VariantsLater::Any => query,
        VariantsLater::Signed(_) if body.next().await?.is_some() => {
            let detail = "options are signed in the query; the body must be empty";
            return Err(Problem::new(ProblemKind::BadSignature, detail));
        }
        VariantsLater::Signed(key) => key.verify(id, query)?,
    };
    let mut params = Params::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        params.add(&name, &value)?;
    }
    options(content_type, body, &mut params).await?;
    if let Some(name) = params.about_job() {
        let detail = format!("{name} belongs to the upload; it cannot be changed later");
        return Err(Problem::invalid(vec![FieldError::new(name, detail)]));
    }
    let asked = params.parse(&rules)?;
    Ok(asked.variants.into_iter().map(renamed).collect())
}

/// The name of the thumbnail of always is for that one alone.
fn renamed(variant: Variant) -> Variant {
    let Variant { name, options } = variant;
    if name == DEFAULT_VARIANT && options != Options::default() {
        return Variant {
            name: name_of(&options),
            options,
        };
    }
    Variant { name, options }
}

/// Begins to make more thumbnails of a job, unless they are there or on their way.
pub async fn extend(
    objects: &impl ObjectStore,
    ledger: &impl JobLedger,
    limits: &Limits,
    id: JobId,
    variants: Vec<Variant>,
) -> Result<Extended, Problem> {
    let source = objects.get(&source_key(id)).await?;
    let stored = source.is_some();
    let command = match source {
        Some((_, body)) => Command::Extend {
            planned_bytes: planned(body, &variants, limits).await,
            variants: variants.clone(),
        },
        None => Command::Get,
    };
    let (record, overloaded) = match ledger.call(id, command).await.map_err(unsure)? {
        Verdict::Recorded { record, overloaded } => (*record, overloaded),
        Verdict::Found { record } => (*record, false),
        verdict => return Err(refusal(&verdict)),
    };
    let extended = Extended::of(record, &variants, overloaded);
    if !stored && !extended.made {
        let state = extended.record.state;
        return Err(if state.is_final() {
            Problem::new(ProblemKind::Gone, "the uploaded file is no longer stored")
        } else {
            refusal(&Verdict::Rejected { state })
        });
    }
    Ok(extended)
}

/// What became of `variants` once the client has waited for their end: a problem where they could not be made.
pub fn ended(record: Record, variants: &[Variant]) -> Result<Extended, Problem> {
    let asked = |refused: &&Refused| {
        variants
            .iter()
            .any(|variant| variant.options == refused.variant.options)
    };
    match record.refused.iter().find(asked) {
        Some(refused) if record.is_settled() => Err(job_problem(&refused.failure)),
        _ => Ok(Extended::of(record, variants, false)),
    }
}

impl Extended {
    fn of(record: Record, variants: &[Variant], overloaded: bool) -> Self {
        let known = |asked: &Variant| record.all_variants().find(|v| v.options == asked.options);
        let is_made = |asked: &Variant| {
            let name = known(asked).map(|variant| &variant.name);
            let mut thumbnails = record.thumbnails.iter();
            thumbnails.any(|made| Some(&made.name) == name)
        };
        let made = variants.iter().all(is_made);
        let file = variants
            .first()
            .and_then(known)
            .and_then(|v| record.files_of(v).next());
        Self {
            record,
            file,
            made,
            overloaded,
        }
    }
}

/// What making `variants` of a stored image takes, if its header is at its beginning: the rest of it
/// is not read.
async fn planned(mut body: impl Chunks, variants: &[Variant], limits: &Limits) -> Option<u64> {
    let mut header = HeaderReader::without_metadata(HEADER_BYTES, Variant::page_of(variants));
    loop {
        let chunk = body.next().await.ok()?;
        header.push(chunk.as_deref().unwrap_or_default());
        if let Some(info) = header.probe(chunk.is_none()).ok()? {
            return planned_bytes(&info, variants, limits);
        }
    }
}

/// The change may have been noted, and happen later, even if the answer is lost on its way.
fn unsure(error: StoreError) -> Problem {
    Problem {
        detail: "the job did not answer; send the request again to be sure".into(),
        ..Problem::from(error)
    }
}

fn refusal(verdict: &Verdict) -> Problem {
    match verdict {
        Verdict::RetryAfter { secs } => Problem {
            retry_after_secs: Some(*secs),
            ..Problem::new(
                ProblemKind::NotReady,
                "another thumbnail of this job is being made; ask again when it is there",
            )
        },
        Verdict::Full => Problem::new(
            ProblemKind::TooManyThumbnails,
            format!("the job has {MAX_THUMBNAILS} thumbnails, as many as a job may have"),
        ),
        Verdict::Rejected {
            state: state @ (State::Cancelled | State::Expired),
        } => Problem::new(ProblemKind::Gone, format!("the job is {}", state.name())),
        Verdict::Refused { failure } => job_problem(failure),
        Verdict::Rejected {
            state: State::Failed,
        } => Problem::new(
            ProblemKind::NotDone,
            "the job has failed; there is no thumbnail of its image",
        ),
        Verdict::Rejected { state } => Problem {
            retry_after_secs: Some(1),
            ..Problem::new(
                ProblemKind::NotReady,
                format!("the job is {}; ask again when it is done", state.name()),
            )
        },
        _ => Problem::no_job(),
    }
}
