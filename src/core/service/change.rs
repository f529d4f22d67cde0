//! DELETE and retry: changes that the client asks of a job. Decided in the job, once.

use crate::api::{Problem, ProblemKind};
use crate::job::{Command, Record, State, Verdict, WebhookCommand};
use crate::keys::{JobId, source_key};
use crate::ports::{JobLedger, ObjectStore, StoreError};

/// Calls a job off that has not ended, deletes what was made of one that has.
///
/// When this answers without a problem, no thumbnail of the job is served any more.
pub async fn cancel(ledger: &impl JobLedger, id: JobId) -> Result<(), Problem> {
    match call(ledger, id, Command::Cancel).await? {
        Verdict::Recorded { .. } => Ok(()),
        Verdict::Rejected { state } => Err(gone(state)),
        _ => Err(Problem::no_job()),
    }
}

/// Tries a failed job again, as long as its source is there.
pub async fn rerun(
    objects: &impl ObjectStore,
    ledger: &impl JobLedger,
    id: JobId,
) -> Result<Record, Problem> {
    if objects.head(&source_key(id)).await?.is_none() {
        return Err(match call(ledger, id, Command::Get).await? {
            Verdict::Found { .. } => {
                Problem::new(ProblemKind::Gone, "the uploaded file is no longer stored")
            }
            _ => Problem::no_job(),
        });
    }
    match call(ledger, id, Command::Rerun).await? {
        Verdict::Recorded { record, .. } => Ok(*record),
        Verdict::Rejected {
            state: state @ (State::Cancelled | State::Expired),
        } => Err(gone(state)),
        Verdict::RetryAfter { secs } => Err(too_early("tried again", secs)),
        Verdict::UsedUp { most } => Err(used_up("tried again", most)),
        Verdict::Rejected { state } => Err(Problem::new(
            ProblemKind::NotFailed,
            format!(
                "the job is {}; only a failed one can be tried again",
                state.name()
            ),
        )),
        _ => Err(Problem::no_job()),
    }
}

/// Tells a job's webhook everything that it has not taken, or else the last event once more.
pub async fn redeliver(ledger: &impl JobLedger, id: JobId) -> Result<Record, Problem> {
    match call(ledger, id, Command::Webhook(WebhookCommand::Redeliver)).await? {
        Verdict::Recorded { record, .. } => Ok(*record),
        Verdict::RetryAfter { secs } => Err(too_early("told again", secs)),
        Verdict::UsedUp { most } => Err(used_up("told again", most)),
        Verdict::Rejected { state } => Err(Problem::new(
            ProblemKind::NothingToTell,
            format!(
                "the job is {}, and its webhook has nothing to learn",
                state.name()
            ),
        )),
        _ => Err(Problem::no_job()),
    }
}

/// The change may have been noted, and happen later, even if the answer is lost on its way.
async fn call(ledger: &impl JobLedger, id: JobId, command: Command) -> Result<Verdict, Problem> {
    let retry_later = |error: StoreError| Problem {
        detail: "the job did not answer; send the request again to be sure".into(),
        ..Problem::from(error)
    };
    ledger.call(id, command).await.map_err(retry_later)
}

fn too_early(what: &str, secs: u32) -> Problem {
    Problem {
        retry_after_secs: Some(secs),
        ..Problem::new(
            ProblemKind::TooEarly,
            format!("the job can be {what} in {secs} s"),
        )
    }
}

fn used_up(what: &str, most: u32) -> Problem {
    let detail = format!("the job was {what} {most} times, as often as it may be");
    Problem::new(ProblemKind::UsedUp, detail)
}

fn gone(state: State) -> Problem {
    Problem::new(ProblemKind::Gone, format!("the job is {}", state.name()))
}
