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

use serde_json::json;
use thumbnail_core::idempotency::record::VERSION;
use thumbnail_core::idempotency::{KeyCommand, KeyRecord, KeyVerdict};
use thumbnail_core::ports::{KeyStorage, StoreError};
use thumbnail_core::service::key::KeyService;
use worker::durable::Storage;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::record_storage::{RING_AGAIN, RecordStorage};
use crate::platform::WorkerClock;
use crate::{app, telemetry};

/// A key.
#[durable_object(alarm)]
pub struct IdempotencyKey {
    /// An error here is a wrong configuration; every call tells it.
    service: Result<KeyService<RecordStorage, WorkerClock>>,
    storage: Storage,
}

impl DurableObject for IdempotencyKey {
    fn new(state: State, env: Env) -> Self {
        let storage = RecordStorage::new(state.storage());
        let service = app::config(&env)
            .map(|config| KeyService::new(storage, WorkerClock, config.idempotency_secs));
        Self {
            service,
            storage: state.storage(),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let Ok(command) = serde_json::from_str(&request.text().await?) else {
            // Of a later build, which asks again.
            return Response::error("this build does not know the command", 501);
        };
        match self.handle(command).await {
            Ok(verdict) => Response::ok(serde_json::to_string(&verdict)?),
            Err(error) => Response::error(error.to_string(), 503),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        if let Err(error) = self.handle(KeyCommand::Alarm).await {
            telemetry::alert("alarm_failed", &json!({ "error": error.to_string() }));
            // An error would make the platform repeat the alarm, but only for some minutes.
            self.storage.set_alarm(RING_AGAIN).await?;
        }
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

impl KeyStorage for RecordStorage {
    async fn load(&self) -> std::result::Result<Option<KeyRecord>, StoreError> {
        self.load(VERSION).await
    }

    async fn save(&self, record: &KeyRecord) -> std::result::Result<(), StoreError> {
        self.save(record, Some(record.due_at)).await
    }

    async fn erase(&self) -> std::result::Result<(), StoreError> {
        self.erase().await
    }
}
