//! Another thumbnail of a job that is done.

use thumbnail_core::api::document::StatusDocument;
use thumbnail_core::api::{Problem, Reply, content_encoding};
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::{ChunkError, Chunks};
use thumbnail_core::service::body::BoundedBody;
use thumbnail_core::service::extend::{asked, ended, extend as extend_job};
use thumbnail_core::service::wait::wait_for_end;

use super::accepted::{polled, waited};
use super::{Call, WorkerClock, gate, header, misconfigured};
use crate::platform::{R2Body, RequestBody};

/// The most bytes of a body of options.
const MAX_BODY_BYTES: u64 = 16 << 10;

/// `POST /thumbnails/{id}`
pub async fn extend(mut call: Call, id: JobId) -> Result<Reply<R2Body>, Problem> {
    content_encoding::check(header(&call.request, "content-encoding").as_deref())?;
    gate::admit(&call.app, &call.env).await?;
    let url = call.request.url().map_err(|e| misconfigured(&e))?;
    let content_type = header(&call.request, "content-type").unwrap_or_default();
    let body = BoundedBody::new(Given(call.body.take()), MAX_BODY_BYTES, &WorkerClock);
    let query = url.query().unwrap_or_default();
    let variants = asked(&call.app.config, id, query, &content_type, body).await?;
    let limits = &call.app.config.limits;
    let (objects, jobs) = (&call.app.objects, &call.app.jobs);
    let mut extended = extend_job(objects, jobs, limits, id, variants.clone()).await?;
    if extended.overloaded {
        gate::close();
    }
    let mut made_status = 200;
    let wait_secs = call.wait_secs().filter(|_| !extended.made);
    if let Some(secs) = wait_secs
        && let Some(record) = wait_for_end(jobs, &WorkerClock, id, secs).await
    {
        extended = ended(record, &variants)?;
        made_status = 201;
    }
    let document = StatusDocument::new(&extended.record, &call.base);
    let status = if extended.made { made_status } else { 202 };
    let reply = waited(polled(Reply::json(status, &document)), wait_secs);
    Ok(match extended.file {
        Some(file) => reply.with("location", format!("{}/thumbnails/{file}", call.base)),
        None => reply,
    })
}

/// The body of a request that needs none.
struct Given(Option<RequestBody>);

impl Chunks for Given {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        match &mut self.0 {
            Some(body) => body.next().await,
            None => Ok(None),
        }
    }
}
