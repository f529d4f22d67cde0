//! A [`Reply`] to a response: the only place where headers are written.

use thumbnail_core::api::{Body, Reply};
use worker::{Headers, Response, ResponseBody, Result};

use crate::platform::R2Body;

/// The response of a reply.
pub fn respond(reply: Reply<R2Body>) -> Result<Response> {
    let headers = Headers::new();
    for (name, value) in &reply.headers {
        headers.set(name, value)?;
    }
    let body = match reply.body {
        Body::Empty => ResponseBody::Empty,
        Body::Text(text) => ResponseBody::Body(text.into_bytes()),
        Body::Object(object) => object.into_response_body()?,
    };
    Ok(Response::from_body(body)?
        .with_status(reply.status)
        .with_headers(headers))
}
