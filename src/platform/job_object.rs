//! The Durable Object `Job`: one per job, named by its id.
//!
//! Why one object: cancel against finish, first delivery against second, have to be decided once,
//! and only a single writer can keep the copies in KV in order.
//! Who calls it: the edge (create, read, cancel, rerun), the origin (start, finish, fail, retry,
//! dead letter) and the sweep (alarm).
//! What it stores: the record as JSON text under `record`. Its alarm is the record's `due_at`:
//! outbox and rescue timer at once.

#![expect(
    missing_docs,
    reason = "the durable_object macro writes methods without any"
)]

use thumbnail_core::job::{Command, Record, Verdict};
use thumbnail_core::ports::{JobStorage, StoreError};
use thumbnail_core::service::job::JobService;
use wasm_bindgen::JsValue;
use worker::durable::{ScheduledTime, Storage};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object, js_sys};

use super::{JobPlatform, store_error};
use crate::app;

const RECORD: &str = "record";

/// A job.
#[durable_object(alarm)]
pub struct Job {
    /// An error here is a wrong configuration; every call tells it.
    service: Result<JobService<ObjectStorage, JobPlatform>>,
}

impl DurableObject for Job {
    fn new(state: State, env: Env) -> Self {
        Self {
            service: service(&state, &env),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let command: Command = serde_json::from_str(&request.text().await?)?;
        match self.handle(command).await {
            Ok(verdict) => Response::ok(serde_json::to_string(&verdict)?),
            Err(error) => Response::error(error.to_string(), 503),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        // An error makes the platform repeat the alarm, six times with growing pauses.
        self.handle(Command::Alarm)
            .await
            .map_err(|e| worker::Error::RustError(e.to_string()))?;
        Response::empty()
    }
}

impl Job {
    async fn handle(&self, command: Command) -> std::result::Result<Verdict, StoreError> {
        match &self.service {
            Ok(service) => service.handle(command).await,
            Err(error) => Err(StoreError::Permanent(error.to_string())),
        }
    }
}

fn service(state: &State, env: &Env) -> Result<JobService<ObjectStorage, JobPlatform>> {
    let storage = ObjectStorage {
        storage: state.storage(),
    };
    let platform = JobPlatform::from_env(env)?;
    Ok(JobService::new(storage, platform, app::config(env)?.policy))
}

/// The storage of a Durable Object.
struct ObjectStorage {
    storage: Storage,
}

impl JobStorage for ObjectStorage {
    async fn load(&self) -> std::result::Result<Option<Record>, StoreError> {
        let text: Option<String> = self
            .storage
            .get(RECORD)
            .await
            .map_err(|e| store_error(&e))?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|e| StoreError::Permanent(e.to_string()))
    }

    async fn save(&self, record: &Record) -> std::result::Result<(), StoreError> {
        let text =
            serde_json::to_string(record).map_err(|e| StoreError::Permanent(e.to_string()))?;
        // Begun together, without waiting between them, the two writes are stored together or not at all.
        let put = self.storage.put_raw(RECORD, text);
        let (put, armed) = if let Some(due) = record.due_at {
            futures_util::join!(put, self.storage.set_alarm(at(due.as_millis())))
        } else {
            futures_util::join!(put, self.storage.delete_alarm())
        };
        put.and(armed).map_err(|e| store_error(&e))
    }
    async fn erase(&self) -> std::result::Result<(), StoreError> {
        let erased = async {
            self.storage.delete_alarm().await?;
            self.storage.delete_all().await
        };
        erased.await.map_err(|e| store_error(&e))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 are exact in f64 for 285,000 years"
)]
fn at(millis: u64) -> ScheduledTime {
    ScheduledTime::new(js_sys::Date::new(&JsValue::from_f64(millis as f64)))
}
