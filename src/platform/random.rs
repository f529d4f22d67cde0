//! Randomness.

use thumbnail_core::api::{Problem, ProblemKind};
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::Clock;

use super::WorkerClock;

/// The id of a new job.
pub fn new_job_id() -> Result<JobId, Problem> {
    let mut bytes = [0; 10];
    let failed = |e: getrandom::Error| Problem::new(ProblemKind::Internal, e.to_string());
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(JobId::new(WorkerClock.now(), bytes))
}

/// Random bytes for the id of a request; a request is answered also where there are none.
pub fn request_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    bytes
}
