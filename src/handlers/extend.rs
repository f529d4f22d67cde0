//! Another thumbnail of a job that is done.

use thumbnail_core::api::document::StatusDocument;
use thumbnail_core::api::{Problem, ProblemKind, Reply};
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::Chunks;
use thumbnail_core::service::body::BoundedBody;
use thumbnail_core::service::extend::{asked, extend as extend_job};
use thumbnail_core::service::serve::POLL_SECS;

use super::upload::{admit, close_gate};
use super::{Call, WorkerClock, header, misconfigured};
use crate::platform::{R2Body, RequestBody};

/// The most bytes of a body of options.
const MAX_BODY_BYTES: u64 = 16 << 10;

/// `POST /thumbnails/{id}`
pub async fn extend(mut call: Call, id: JobId) -> Result<Reply<R2Body>, Problem> {
    admit(&call.app, &call.env).await?;
    let url = call.request.url().map_err(|e| misconfigured(&e))?;
    let content_type = header(&call.request, "content-type").unwrap_or_default();
    let body = options(call.body.take(), &content_type).await?;
    let variants = asked(&call.app.config, id, url.query().unwrap_or_default(), &body)?;
    let limits = &call.app.config.limits;
    let extended = extend_job(&call.app.objects, &call.app.jobs, limits, id, variants).await?;
    if extended.overloaded {
        close_gate();
    }
    let document = StatusDocument::new(&extended.record, &call.base);
    let status = if extended.made { 200 } else { 202 };
    let mut reply = Reply::json(status, &document);
    if let Some(file) = extended.file {
        reply = reply.with("location", format!("{}/thumbnails/{file}", call.base));
    }
    Ok(if extended.made {
        reply
    } else {
        reply.with("retry-after", POLL_SECS.to_string())
    })
}

/// A body of options, encoded as in a query; none is as good.
async fn options(body: Option<RequestBody>, content_type: &str) -> Result<String, Problem> {
    let Some(body) = body else {
        return Ok(String::new());
    };
    let mut body = BoundedBody::new(body, MAX_BODY_BYTES, &WorkerClock);
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await? {
        bytes.extend(chunk);
    }
    if !bytes.is_empty() && !content_type.starts_with("application/x-www-form-urlencoded") {
        let detail =
            "options stand in the query, or in a body of application/x-www-form-urlencoded";
        return Err(Problem::new(ProblemKind::UnsupportedMediaType, detail));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
