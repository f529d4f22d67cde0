//! The answer to an upload that was accepted: at once, or when its jobs have ended.

use futures_util::future::join_all;
use thumbnail_core::api::{Reply, UploadedFile, prefer, uploaded};
use thumbnail_core::job::Record;
use thumbnail_core::service::serve::POLL_SECS;
use thumbnail_core::service::wait::wait_for_end;

use crate::platform::{JobClient, R2Body, WorkerClock};

/// Answers for these files; waits for the ends of their jobs before, if the client asks for it.
pub async fn accepted(
    mut files: Vec<UploadedFile<Record>>,
    wait_secs: Option<u32>,
    jobs: &JobClient,
    base: &str,
) -> Reply<R2Body> {
    if let Some(secs) = wait_secs {
        let records = files
            .iter_mut()
            .filter_map(|file| file.result.as_mut().ok());
        join_all(records.map(|record| async {
            if let Some(now) = wait_for_end(jobs, &WorkerClock, record.id, secs).await {
                *record = now;
            }
        }))
        .await;
    }
    waited(polled(uploaded::reply(&files, base)), wait_secs)
}

/// Answers for a job that was begun anew; waits for its end before, if the client asks for it.
pub async fn begun(
    record: Record,
    wait_secs: Option<u32>,
    jobs: &JobClient,
    base: &str,
) -> Reply<R2Body> {
    let ended = match wait_secs {
        Some(secs) => wait_for_end(jobs, &WorkerClock, record.id, secs).await,
        None => None,
    };
    let reply = uploaded::job(&ended.unwrap_or(record), base);
    waited(polled(reply), wait_secs)
}

/// The answer with how long it would have waited, where it was to wait.
pub fn waited(reply: Reply<R2Body>, wait_secs: Option<u32>) -> Reply<R2Body> {
    match wait_secs {
        Some(secs) => reply.with("preference-applied", prefer::applied(secs)),
        None => reply,
    }
}

/// The answer with the time after which asking for more makes sense, where more is to come.
pub fn polled(reply: Reply<R2Body>) -> Reply<R2Body> {
    if reply.status == 202 {
        reply.with("retry-after", POLL_SECS.to_string())
    } else {
        reply
    }
}
