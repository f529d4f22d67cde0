//! Listings of jobs.

use thumbnail_core::api::listing::ListQuery;
use thumbnail_core::api::{Problem, Reply};
use thumbnail_core::job::record::ANONYMOUS;
use thumbnail_core::service::list;

use super::{Call, misconfigured};
use crate::app;
use crate::platform::{R2Body, WorkerClock};

/// `GET /thumbnails`
pub async fn list(call: &Call) -> Result<Reply<R2Body>, Problem> {
    list::admit(call.app.config.listing)?;
    let url = call.request.url().map_err(|e| misconfigured(&e))?;
    let query = ListQuery::parse(url.query_pairs())?;
    let index = app::index(&call.env).map_err(|e| misconfigured(&e))?;
    list::list(&index, ANONYMOUS, &query, &call.base, &WorkerClock).await
}
