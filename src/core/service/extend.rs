//! POST of a job that is done: another thumbnail of the picture that is still stored.

use crate::api::document::job_problem;
use crate::api::{Problem, ProblemKind};
use crate::job::extension::MAX_THUMBNAILS;
use crate::job::{Command, Record, State, Verdict};
use crate::keys::{JobId, ThumbnailFile, source_key};
use crate::pipeline::Variant;
use crate::ports::{JobLedger, ObjectStore, StoreError};

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

/// Begins to make more thumbnails of a job, unless they are there or on their way.
pub async fn extend(
    objects: &impl ObjectStore,
    ledger: &impl JobLedger,
    id: JobId,
    variants: Vec<Variant>,
) -> Result<Extended, Problem> {
    let source = objects.head(&source_key(id)).await?;
    let command = match source {
        Some(_) => Command::Extend {
            variants: variants.clone(),
        },
        None => Command::Get,
    };
    let (record, overloaded) = match ledger.call(id, command).await.map_err(unsure)? {
        Verdict::Recorded { record, overloaded } => (*record, overloaded),
        Verdict::Found { record } => (*record, false),
        verdict => return Err(refusal(&verdict)),
    };
    let known = |asked: &Variant| record.all_variants().find(|v| v.options == asked.options);
    let is_made = |asked: &Variant| {
        let name = known(asked).map(|variant| &variant.name);
        record
            .thumbnails
            .iter()
            .any(|made| Some(&made.name) == name)
    };
    let made = variants.iter().all(is_made);
    if source.is_none() && !made {
        return Err(if record.state.is_final() {
            Problem::new(ProblemKind::Gone, "the uploaded file is no longer stored")
        } else {
            refusal(&Verdict::Rejected {
                state: record.state,
            })
        });
    }
    let file = variants
        .first()
        .and_then(known)
        .and_then(|v| record.files_of(v).next());
    Ok(Extended {
        record,
        file,
        made,
        overloaded,
    })
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
            "the job has failed; there is no thumbnail of its picture",
        ),
        Verdict::Rejected { state } => Problem {
            retry_after_secs: Some(1),
            ..Problem::new(
                ProblemKind::NotReady,
                format!("the job is {}; ask again when it is done", state.name()),
            )
        },
        _ => Problem::new(ProblemKind::NotFound, "there is no job of this name"),
    }
}
