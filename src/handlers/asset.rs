//! Files that the platform serves by itself: the description of the API, its viewer, and pages.

use thumbnail_core::api::conditional::Precondition;
use thumbnail_core::api::{Method, ReadRequest};
use worker::{Env, Request, Response, ResponseBody, Result};

use super::header;
use crate::bindings;

/// `GET /docs`, `GET /docs/…`, `GET /openapi.json`
///
/// They pass here for the methods that the platform does not know, and for conditions that it does not:
/// it takes one tag in `If-None-Match`, and no list (RFC 9110, section 13.1.2).
/// `None` where there is no such file.
pub async fn asset(request: &Request, env: &Env) -> Result<Option<Response>> {
    let asked = ReadRequest::new(Method::Get, |name| header(request, name));
    let assets = env.assets(bindings::ASSETS)?;
    let response = assets.fetch_request(request.clone()?).await?;
    let tag = response.headers().get("etag")?.unwrap_or_default();
    let opaque = tag.trim_start_matches("W/").trim_matches('"');
    match response.status_code() {
        404 => Ok(None),
        200 if asked.evaluate_tag(opaque) == Precondition::NotModified => {
            not_modified(&response).map(Some)
        }
        _ => Ok(Some(response)),
    }
}

fn not_modified(response: &Response) -> Result<Response> {
    let headers = response.headers().clone();
    for name in ["content-type", "content-length"] {
        headers.delete(name)?;
    }
    let empty = Response::from_body(ResponseBody::Empty)?;
    Ok(empty.with_status(304).with_headers(headers))
}
