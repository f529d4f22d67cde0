//! Images at addresses that clients name.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use thumbnail_core::Config;
use thumbnail_core::outbound::Destination;
use thumbnail_core::ports::{ChunkError, Chunks, FetchError, SourceAnswer, Sources};
use worker::{
    AbortController, AbortSignal, ByteStream, Delay, Fetch, Headers, Method, Request, RequestInit,
    RequestRedirect, Response, Result,
};

/// What servers see in their logs.
const USER_AGENT: &str = "edge-thumbnails/1";

/// The servers, over `fetch`.
pub struct HttpSources {
    /// How long a server has until the headers of its answer, and between two pieces of it.
    timeout: Duration,
}

impl HttpSources {
    /// As the configuration has it.
    pub fn new(config: &Config) -> Self {
        let timeout = Duration::from_secs(config.sources.timeout_secs.into());
        Self { timeout }
    }
}

/// The body of an answer. Its connection ends with it.
pub struct HttpBody {
    stream: Option<ByteStream>,
    timeout: Duration,
    controller: Option<AbortController>,
}

impl Drop for HttpBody {
    fn drop(&mut self) {
        // Whoever has seen enough does not want the rest.
        if let Some(controller) = self.controller.take() {
            controller.abort();
        }
    }
}

impl Sources for HttpSources {
    type Body = HttpBody;

    async fn get(
        &self,
        from: &Destination,
    ) -> std::result::Result<SourceAnswer<HttpBody>, FetchError> {
        let controller = AbortController::default();
        let sent = pin!(send(from, controller.signal()));
        match select(sent, pin!(Delay::from(self.timeout))).await {
            Either::Left((Ok(response), _)) => Ok(self.answer(response, controller)),
            Either::Left((Err(error), _)) => Err(FetchError::Failed(error.to_string())),
            Either::Right(((), sent)) => {
                controller.abort();
                // To its end, which is near: nothing of it outlives the request.
                let _ = sent.await;
                Err(FetchError::Failed(late(self.timeout)))
            }
        }
    }
}

impl HttpSources {
    fn answer(
        &self,
        mut response: Response,
        controller: AbortController,
    ) -> SourceAnswer<HttpBody> {
        SourceAnswer {
            status: response.status_code(),
            location: response.headers().get("location").ok().flatten(),
            body: HttpBody {
                stream: response.stream().ok(),
                timeout: self.timeout,
                controller: Some(controller),
            },
        }
    }
}

async fn send(from: &Destination, signal: AbortSignal) -> Result<Response> {
    let headers = Headers::new();
    headers.set("accept", "image/*")?;
    headers.set("user-agent", USER_AGENT)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Get)
        .with_headers(headers)
        // Each address is judged before it is asked.
        .with_redirect(RequestRedirect::Manual);
    let request = Request::new_with_init(from.as_str(), &init)?;
    Fetch::Request(request).send_with_signal(&signal).await
}

fn late(timeout: Duration) -> String {
    format!("nothing came within {} s", timeout.as_secs())
}

impl Chunks for HttpBody {
    async fn next(&mut self) -> std::result::Result<Option<Vec<u8>>, ChunkError> {
        let Some(stream) = &mut self.stream else {
            return Ok(None);
        };
        match select(stream.next(), pin!(Delay::from(self.timeout))).await {
            Either::Left((chunk, _)) => chunk
                .transpose()
                .map_err(|e| ChunkError::Aborted(e.to_string())),
            Either::Right(_) => Err(ChunkError::Aborted(late(self.timeout))),
        }
    }
}
