//! Changes that a client asks of a job.

use thumbnail_core::api::document::{StatusDocument, status_url};
use thumbnail_core::api::{Body, Problem, Reply};
use thumbnail_core::keys::JobId;
use thumbnail_core::service::change::{cancel, redeliver, rerun};

use super::Call;
use super::accepted::begun;
use super::thumbnail::request;
use crate::platform::R2Body;

/// `DELETE /thumbnails/{id}`
pub async fn delete(call: &Call, id: JobId) -> Result<Reply<R2Body>, Problem> {
    let request = request(call);
    if request.has_if_match() {
        call.reader().unchanged(id, &request).await?;
    }
    cancel(&call.app.jobs, id).await?;
    Ok(Reply::new(204, Body::Empty).with("cache-control", "no-store"))
}

/// `POST /thumbnails/{id}/retry`
pub async fn retry(call: &Call, id: JobId) -> Result<Reply<R2Body>, Problem> {
    let record = rerun(&call.app.objects, &call.app.jobs, id).await?;
    Ok(begun(record, call.wait_secs(), &call.app.jobs, &call.base).await)
}

/// `POST /thumbnails/{id}/webhook/retry`
pub async fn retry_webhook(call: &Call, id: JobId) -> Result<Reply<R2Body>, Problem> {
    let record = redeliver(&call.app.jobs, id).await?;
    Ok(Reply::json(202, &StatusDocument::new(&record, &call.base))
        .with("location", status_url(&record, &call.base)))
}
