//! Reads of thumbnails and of their status.

use thumbnail_core::api::accept::wants_picture;
use thumbnail_core::api::tagged::tagged;
use thumbnail_core::api::{Problem, ProblemKind, ReadRequest, Reply, prefer, read_query};
use thumbnail_core::keys::{JobId, ThumbnailFile};
use thumbnail_core::service::wait::wait_for_end;

use super::{Call, header, method, misconfigured};
use crate::platform::{R2Body, WorkerClock};

/// `GET /thumbnails/{id}.{ext}`
pub async fn thumbnail(call: &Call, file: &ThumbnailFile) -> Result<Reply<R2Body>, Problem> {
    check_query(call, file.id)?;
    let (reader, request) = (call.reader(), request(call));
    let read = async || reader.thumbnail(file, &request).await;
    when_ready(call, file.id, read).await
}

/// `GET /thumbnails/{id}_{name}`, and `GET /thumbnails/{id}` where an image is asked for
pub async fn negotiated(
    call: &Call,
    id: JobId,
    name: Option<&str>,
) -> Result<Reply<R2Body>, Problem> {
    check_query(call, id)?;
    let (reader, request) = (call.reader(), request(call));
    let read = async || reader.negotiated(id, name, &request).await;
    when_ready(call, id, read).await
}

/// `GET /thumbnails/{id}`
pub async fn status(call: &Call, id: JobId) -> Result<Reply<R2Body>, Problem> {
    if wants_picture(header(&call.request, "accept").as_deref()) {
        return negotiated(call, id, None).await;
    }
    check_query(call, id)?;
    let reply = document(call, id).await?.also("vary", "Accept");
    tagged(reply, &request(call))
}

async fn document(call: &Call, id: JobId) -> Result<Reply<R2Body>, Problem> {
    let Some(secs) = call.wait_secs() else {
        return call.reader().status(id).await;
    };
    let reply = match wait_for_end(&call.app.jobs, &WorkerClock, id, secs).await {
        Some(record) => call.reader().document(&record),
        None => call.reader().status(id).await?,
    };
    Ok(reply.with("preference-applied", prefer::applied(secs)))
}

/// Reads; where there is no thumbnail yet and the client wants to wait, once more at the job's end.
async fn when_ready(
    call: &Call,
    id: JobId,
    read: impl AsyncFn() -> Result<Reply<R2Body>, Problem>,
) -> Result<Reply<R2Body>, Problem> {
    let reply = read().await;
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
    wait_for_end(&call.app.jobs, &WorkerClock, id, secs).await;
    let reply = read()
        .await
        .unwrap_or_else(|problem| problem.reply(&call.base));
    Ok(reply.with("preference-applied", prefer::applied(secs)))
}

fn check_query(call: &Call, id: JobId) -> Result<(), Problem> {
    let url = call.request.url().map_err(|e| misconfigured(&e))?;
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name).collect();
    read_query::check(id, names.iter().map(AsRef::as_ref))
}

pub(super) fn request(call: &Call) -> ReadRequest {
    ReadRequest::new(method(&call.request), |name| header(&call.request, name))
}
