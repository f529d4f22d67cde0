//! Reads of thumbnails and of their status.

use thumbnail_core::api::{Problem, ProblemKind, Reply, prefer};
use thumbnail_core::keys::{JobId, ThumbnailFile};
use thumbnail_core::service::wait::wait_for_end;

use super::{Call, header};
use crate::platform::{R2Body, WorkerClock};

/// `GET /thumbnails/{id}.{ext}`
pub async fn thumbnail(call: &Call, file: &ThumbnailFile) -> Result<Reply<R2Body>, Problem> {
    let if_none_match = header(&call.request, "if-none-match");
    let (reader, if_none_match) = (call.reader(), if_none_match.as_deref());
    let reply = reader.thumbnail(file, if_none_match).await;
    let (
        Some(secs),
        Err(Problem {
            kind: ProblemKind::NotReady,
            ..
        }),
    ) = (call.wait_secs(), &reply)
    else {
        return reply;
    };
    wait_for_end(&call.app.jobs, &WorkerClock, file.id, secs).await;
    let reply = reader.thumbnail(file, if_none_match).await;
    let reply = reply.unwrap_or_else(|problem| problem.reply(&call.base));
    Ok(reply.with("preference-applied", prefer::applied(secs)))
}

/// `GET /thumbnails/{id}`
pub async fn status(call: &Call, id: JobId) -> Result<Reply<R2Body>, Problem> {
    let Some(secs) = call.wait_secs() else {
        return call.reader().status(id).await;
    };
    let reply = match wait_for_end(&call.app.jobs, &WorkerClock, id, secs).await {
        Some(record) => call.reader().document(&record),
        None => call.reader().status(id).await?,
    };
    Ok(reply.with("preference-applied", prefer::applied(secs)))
}
