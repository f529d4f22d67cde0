//! The Durable Object `IdempotencyKey`: one per key of an owner, named by a hash of both.
//!
//! Why one object: two requests with one key have to be told apart from one that comes twice, and
//! only a single place that both of them reach can decide that.
//! Who calls it: the edge, for uploads with an `Idempotency-Key`.
//! What it stores: the record as JSON text under `record`. Its alarm is the record's `due_at`,
//! when everything is deleted.

#![expect(
    missing_docs,
    reason = "the durable_object macro writes methods without any"
)]

use thumbnail_core::idempotency::{KeyCommand, KeyRecord, KeyVerdict};
use thumbnail_core::ports::{KeyStorage, StoreError};
use thumbnail_core::service::key::KeyService;
use worker::durable::Storage;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::job_object::at;
use super::{WorkerClock, store_error};
use crate::app;

const RECORD: &str = "record";

/// A key.
#[durable_object(alarm)]
pub struct IdempotencyKey {
    /// An error here is a wrong configuration; every call tells it.
    service: Result<KeyService<RecordStorage, WorkerClock>>,
}

impl DurableObject for IdempotencyKey {
    fn new(state: State, env: Env) -> Self {
        let storage = RecordStorage {
            storage: state.storage(),
        };
        let service = app::config(&env)
            .map(|config| KeyService::new(storage, WorkerClock, config.idempotency_secs));
        Self { service }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let command: KeyCommand = serde_json::from_str(&request.text().await?)?;
        match self.handle(command).await {
            Ok(verdict) => Response::ok(serde_json::to_string(&verdict)?),
            Err(error) => Response::error(error.to_string(), 503),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        // An error makes the platform repeat the alarm.
        self.handle(KeyCommand::Alarm)
            .await
            .map_err(|e| worker::Error::RustError(e.to_string()))?;
        Response::empty()
    }
}

impl IdempotencyKey {
    async fn handle(&self, command: KeyCommand) -> std::result::Result<KeyVerdict, StoreError> {
        match &self.service {
            Ok(service) => service.handle(command).await,
            Err(error) => Err(StoreError::Permanent(error.to_string())),
        }
    }
}

/// The storage of a Durable Object.
struct RecordStorage {
    storage: Storage,
}

impl KeyStorage for RecordStorage {
    async fn load(&self) -> std::result::Result<Option<KeyRecord>, StoreError> {
        let text: Option<String> = self
            .storage
            .get(RECORD)
            .await
            .map_err(|e| store_error(&e))?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|e| StoreError::Permanent(e.to_string()))
    }

    async fn save(&self, record: &KeyRecord) -> std::result::Result<(), StoreError> {
        let text =
            serde_json::to_string(record).map_err(|e| StoreError::Permanent(e.to_string()))?;
        // Begun together, without waiting between them, the two writes are stored together or not at all.
        let put = self.storage.put_raw(RECORD, text);
        let alarm = self.storage.set_alarm(at(record.due_at.as_millis()));
        let (put, armed) = futures_util::join!(put, alarm);
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
