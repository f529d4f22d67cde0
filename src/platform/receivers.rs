//! Requests to the receivers of webhooks.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use thumbnail_core::api::webhook::retry_after_secs;
use thumbnail_core::job::webhook::{Answer, WebhookRequest};
use thumbnail_core::ports::{Clock, Receivers};
use worker::{
    AbortController, AbortSignal, Delay, Fetch, Headers, Method, Request, RequestInit,
    RequestRedirect, Response, Result,
};

use super::WorkerClock;

/// What receivers see in their logs.
const USER_AGENT: &str = "edge-thumbnails-webhooks/1";

/// The receivers, over `fetch`.
pub struct HttpReceivers {
    /// How long a receiver has until the headers of its answer.
    pub timeout: Duration,
}

impl Receivers for HttpReceivers {
    async fn post(&self, request: &WebhookRequest) -> Answer {
        let controller = AbortController::default();
        let sent = pin!(send(request, controller.signal()));
        match select(sent, pin!(Delay::from(self.timeout))).await {
            Either::Left((response, _)) => {
                let answer = response.map_or_else(error, |response| answer(&response));
                // Nobody reads the body, however long it is: the connection is dropped.
                controller.abort();
                answer
            }
            Either::Right(((), sent)) => {
                controller.abort();
                // To its end, which is near: nothing of it outlives the attempt.
                let _ = sent.await;
                Answer::Error {
                    error: format!("no answer within {} s", self.timeout.as_secs()),
                }
            }
        }
    }
}

async fn send(request: &WebhookRequest, signal: AbortSignal) -> Result<Response> {
    let headers = Headers::new();
    let timestamp = request.timestamp.to_string();
    for (name, value) in [
        ("content-type", "application/json"),
        ("user-agent", USER_AGENT),
        ("webhook-id", request.id.as_str()),
        ("webhook-timestamp", timestamp.as_str()),
        ("webhook-signature", request.signature.as_str()),
    ] {
        headers.set(name, value)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_body(Some(request.body.as_str().into()))
        // A redirect could lead to where no receiver may be.
        .with_redirect(RequestRedirect::Manual);
    let request = Request::new_with_init(&request.url, &init)?;
    Fetch::Request(request).send_with_signal(&signal).await
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_or_else` passes"
)]
fn error(error: worker::Error) -> Answer {
    Answer::Error {
        error: error.to_string(),
    }
}

fn answer(response: &Response) -> Answer {
    let retry_after = response.headers().get("retry-after").ok().flatten();
    Answer::Status {
        status: response.status_code(),
        retry_after_secs: retry_after.and_then(|text| retry_after_secs(&text, WorkerClock.now())),
    }
}
