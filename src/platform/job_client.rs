//! The jobs, from outside: commands to their Durable Objects.

use thumbnail_core::api::events::Listener;
use thumbnail_core::job::{Command, Verdict};
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::{JobLedger, JobWatch, StoreError};
use worker::{Headers, Method, ObjectNamespace, Request, RequestInit, Response, WebSocket};

use super::{Timings, store_error};

/// Where a Durable Object is asked. The name is never resolved.
const HOST: &str = "https://job";

/// Where a job takes commands.
const COMMAND_PATH: &str = "/";

/// Where a job answers when it has ended.
pub const END_PATH: &str = "/end";

/// Where a job takes listeners.
pub const EVENTS_PATH: &str = "/events";

/// The header with the listener's JSON.
pub const LISTENER_HEADER: &str = "x-listener";

/// The namespace of jobs.
#[derive(Clone)]
pub struct JobClient {
    jobs: ObjectNamespace,
    timings: Timings,
}

/// What a job answers to somebody who wants to listen.
pub enum Listening {
    /// The changes come from here.
    Socket(WebSocket),
    /// The job has ended, and the listener knows.
    Over,
    /// There is no such job.
    Unknown,
    /// Too many listen already.
    Full,
}

impl JobClient {
    /// Over a namespace; how long its objects take is added to `timings`.
    pub fn new(jobs: ObjectNamespace, timings: Timings) -> Self {
        Self { jobs, timings }
    }

    /// Listens to a job.
    pub async fn listen(&self, id: JobId, listener: &Listener) -> Result<Listening, StoreError> {
        let text = serde_json::to_string(listener).map_err(|e| permanent(&e))?;
        let answer = async {
            let headers = Headers::new();
            headers.set("upgrade", "websocket")?;
            headers.set(LISTENER_HEADER, &text)?;
            let mut init = RequestInit::new();
            init.with_headers(headers);
            self.fetch(id, EVENTS_PATH, &init).await
        };
        let response = answer.await.map_err(|e| store_error(&e))?;
        let status = response.status_code();
        match (status, response.websocket()) {
            (_, Some(socket)) => Ok(Listening::Socket(socket)),
            (204, _) => Ok(Listening::Over),
            (404, _) => Ok(Listening::Unknown),
            (429, _) => Ok(Listening::Full),
            _ => Err(StoreError::Transient(format!("the job answered {status}"))),
        }
    }

    async fn post(&self, id: JobId, path: &str, body: String) -> Result<Verdict, StoreError> {
        let answer = async {
            let mut init = RequestInit::new();
            init.with_method(Method::Post).with_body(Some(body.into()));
            let mut response = self.fetch(id, path, &init).await?;
            Ok((response.status_code(), response.text().await?))
        };
        let answer = self.timings.measure("job", answer).await;
        match answer.map_err(|e: worker::Error| store_error(&e))? {
            (200, text) => Verdict::decode(&text),
            (status, text) => Err(StoreError::Transient(format!(
                "the job answered {status}: {text}"
            ))),
        }
    }

    async fn fetch(&self, id: JobId, path: &str, init: &RequestInit) -> worker::Result<Response> {
        let request = Request::new_with_init(&format!("{HOST}{path}"), init)?;
        let job = self.jobs.get_by_name(&id.to_string())?;
        job.fetch_with_request(request).await
    }
}

fn permanent(error: &serde_json::Error) -> StoreError {
    StoreError::Permanent(error.to_string())
}

impl JobLedger for JobClient {
    async fn call(&self, id: JobId, command: Command) -> Result<Verdict, StoreError> {
        let body = serde_json::to_string(&command).map_err(|e| permanent(&e))?;
        self.post(id, COMMAND_PATH, body).await
    }
}

impl JobWatch for JobClient {
    async fn ended(&self, id: JobId, millis: u64) -> Result<Verdict, StoreError> {
        self.post(id, END_PATH, millis.to_string()).await
    }
}
