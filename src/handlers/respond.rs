//! A [`Reply`] to a response: the only place where headers are written.

use thumbnail_core::api::{Body, Reply};
use worker::{Response, ResponseBody, Result};

use crate::platform::Payload;

/// The response of a reply.
pub fn respond(reply: Reply<Payload>) -> Result<Response> {
    let mut response = match reply.body {
        Body::Empty => Response::from_body(ResponseBody::Empty)?,
        Body::Text(text) => Response::from_body(ResponseBody::Body(text.into_bytes()))?,
        Body::Object(payload) => payload.into_response()?,
    };
    response = response.with_status(reply.status);
    let headers = response.headers_mut();
    for (name, value) in &reply.headers {
        headers.set(name, value)?;
    }
    Ok(response)
}
