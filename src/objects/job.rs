//! The Durable Object `Job`: one per job, named by its id.
//!
//! Why one object: cancel against finish, first delivery against second, have to be decided once,
//! and only a single writer can keep the copies in KV in order.
//! Who calls it: the edge (create, read, cancel, rerun, wait, listen), the origin (start, finish,
//! fail, retry, dead letter) and the sweep (alarm).
//! What it stores: the record as JSON text under `record`. Its alarm is the record's `alarm_at`:
//! outbox and rescue timer at once. Each socket keeps its `Listener` as JSON text, so that the
//! object may sleep while nothing happens.

#![expect(
    missing_docs,
    reason = "the durable_object macro writes methods without any"
)]

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use serde_json::json;
use thumbnail_core::api::events::Listener;
use thumbnail_core::job::record::VERSION;
use thumbnail_core::job::{Command, Record, Verdict};
use thumbnail_core::ports::{JobStorage, Listeners, StoreError};
use thumbnail_core::service::job::JobService;
use worker::durable::Storage;
use worker::wasm_bindgen_futures::spawn_local;
use worker::{
    Delay, DurableObject, Env, Error, Request, Response, Result, State, WebSocket,
    WebSocketIncomingMessage, durable_object,
};

use super::job_listeners::JobListeners;
use super::job_platform::JobPlatform;
use super::record_storage::{RING_AGAIN, RecordStorage};
use crate::platform::close;
use crate::platform::job_client::{END_PATH, EVENTS_PATH, LISTENER_HEADER};
use crate::{app, telemetry};

/// A job.
#[durable_object]
pub struct Job {
    /// An error here is a wrong configuration; every call tells it.
    service: Result<Rc<JobService<RecordStorage, JobPlatform>>>,
    storage: Storage,
}

impl DurableObject for Job {
    fn new(state: State, env: Env) -> Self {
        Self {
            storage: state.storage(),
            service: service(state, &env).map(Rc::new),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        match request.path().as_str() {
            END_PATH => self.end(request).await,
            EVENTS_PATH => self.listen(&request).await,
            _ => self.command(request).await,
        }
    }

    async fn alarm(&self) -> Result<Response> {
        let rung = match &self.service {
            Ok(service) => {
                let rung = service.ring().await;
                index(service);
                rung
            }
            Err(error) => Err(StoreError::Permanent(error.to_string())),
        };
        if let Err(error) = rung {
            telemetry::alert("alarm_failed", &json!({ "error": error.to_string() }));
            // An error would make the platform repeat the alarm, but only for some minutes.
            self.storage.set_alarm(RING_AGAIN).await?;
        }
        Response::empty()
    }

    // The platform answers a ping by itself: what arrives here is nothing that a listener has to say.
    async fn websocket_message(&self, ws: WebSocket, _: WebSocketIncomingMessage) -> Result<()> {
        close(&ws, 1008, "this socket only tells");
        Ok(())
    }

    async fn websocket_close(&self, ws: WebSocket, _: usize, _: String, _: bool) -> Result<()> {
        close(&ws, 1000, "bye");
        Ok(())
    }

    async fn websocket_error(&self, _: WebSocket, _: Error) -> Result<()> {
        Ok(())
    }
}

impl Job {
    /// `POST /`: a command, answered with its verdict.
    async fn command(&self, mut request: Request) -> Result<Response> {
        let Ok(command) = serde_json::from_str(&request.text().await?) else {
            // Of a later build, which asks again.
            return Response::error("this build does not know the command", 501);
        };
        answer(self.handle(command).await)
    }

    /// `POST /end`: the job as soon as it has ended, or after as many milliseconds as the body says.
    async fn end(&self, mut request: Request) -> Result<Response> {
        let text = request.text().await?;
        let millis = text.parse().map_err(|_| Error::BadEncoding)?;
        let listeners = &self.service()?.platform().listeners;
        if listeners.are_full() {
            return Response::error("too many listen to this job", 429);
        }
        // Before the job is looked at, so that no end falls in between.
        let end = listeners.wait();
        let now = self.handle(Command::Get).await;
        if !matches!(&now, Ok(Verdict::Found { record }) if !record.is_settled()) {
            return answer(now);
        }
        let limit = pin!(Delay::from(Duration::from_millis(millis)));
        match select(end, limit).await {
            Either::Left((Ok(record), _)) => answer(Ok(Verdict::Found {
                record: Box::new(record),
            })),
            _ => answer(self.handle(Command::Get).await),
        }
    }

    /// `GET /events`: a socket, unless the listener knows everything already (204).
    async fn listen(&self, request: &Request) -> Result<Response> {
        let header = request.headers().get(LISTENER_HEADER)?.unwrap_or_default();
        let mut listener: Listener = serde_json::from_str(&header)?;
        let listeners = &self.service()?.platform().listeners;
        let record = match self.handle(Command::Get).await {
            Ok(Verdict::Found { record }) => *record,
            Ok(_) => return Response::error("no job has this id", 404),
            Err(error) => return answer(Err(error)),
        };
        listener.doubt(&record);
        if listener.is_over(&record) {
            return Ok(Response::empty()?.with_status(204));
        }
        if listeners.are_full() {
            return Response::error("too many listen to this job", 429);
        }
        let client = listeners.accept(&listener)?;
        // Looked at again, because it may have changed before the listener was there.
        if let Ok(Verdict::Found { record }) = self.handle(Command::Get).await {
            listeners.tell(&record);
        }
        Response::from_websocket(client)
    }

    async fn handle(&self, command: Command) -> std::result::Result<Verdict, StoreError> {
        match &self.service {
            Ok(service) => {
                let verdict = service.handle(command).await;
                index(service);
                verdict
            }
            Err(error) => Err(StoreError::Permanent(error.to_string())),
        }
    }

    fn service(&self) -> Result<&JobService<RecordStorage, JobPlatform>> {
        self.service.as_deref().map_err(rust_error)
    }
}

/// Lets the index be told. Nobody waits: an object lives as long as anything of it is at work.
fn index(service: &Rc<JobService<RecordStorage, JobPlatform>>) {
    let service = service.clone();
    spawn_local(async move { service.index().await });
}

fn answer(verdict: std::result::Result<Verdict, StoreError>) -> Result<Response> {
    match verdict {
        Ok(verdict) => Response::ok(serde_json::to_string(&verdict)?),
        Err(error) => Response::error(error.to_string(), 503),
    }
}

fn rust_error(error: &impl ToString) -> Error {
    Error::RustError(error.to_string())
}

fn service(state: State, env: &Env) -> Result<JobService<RecordStorage, JobPlatform>> {
    let storage = RecordStorage::new(state.storage());
    let config = app::config(env)?;
    let listeners = JobListeners::new(state, config.listening.max_listeners)?;
    let platform = JobPlatform::from_env(env, listeners)?;
    Ok(JobService::new(storage, platform, config.policy))
}

impl JobStorage for RecordStorage {
    async fn load(&self) -> std::result::Result<Option<Record>, StoreError> {
        self.load(VERSION).await
    }

    async fn save(&self, record: &Record) -> std::result::Result<(), StoreError> {
        self.save(record, record.alarm_at()).await
    }

    async fn erase(&self) -> std::result::Result<(), StoreError> {
        self.erase().await
    }
}
