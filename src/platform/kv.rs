//! Copies of records in KV.

use thumbnail_core::Timestamp;
use thumbnail_core::job::Record;
use thumbnail_core::job::record::VERSION;
use thumbnail_core::keys::{JobId, status_key};
use thumbnail_core::ports::{StatusCache, StoreError};
use thumbnail_core::version::read;
use worker::KvStore;

use super::{Timings, time_boxed};

/// The KV namespace of status copies.
pub struct KvStatus {
    store: KvStore,
    timings: Timings,
}

impl KvStatus {
    /// Over a namespace; how long reads take is added to `timings`.
    pub fn new(store: KvStore, timings: Timings) -> Self {
        Self { store, timings }
    }
}

impl StatusCache for KvStatus {
    async fn get(&self, id: JobId) -> Result<Option<Record>, StoreError> {
        let key = status_key(id);
        let get = async { self.store.get(&key).text().await.map_err(transient) };
        let text = self.timings.measure("kv", time_boxed(get)).await?;
        // A copy of another version is no copy: the job itself is asked.
        Ok(text.and_then(|text| read(&text, VERSION).ok()))
    }

    async fn put(&self, record: &Record, until: Option<Timestamp>) -> Result<(), StoreError> {
        let text =
            serde_json::to_string(record).map_err(|e| StoreError::Permanent(e.to_string()))?;
        let put = self.store.put(&status_key(record.id), text);
        let put = put.map_err(transient)?;
        let put = until
            .into_iter()
            .fold(put, |put, until| put.expiration(until.as_millis() / 1_000));
        time_boxed(async { put.execute().await.map_err(transient) }).await
    }

    async fn delete(&self, id: JobId) -> Result<(), StoreError> {
        let key = status_key(id);
        time_boxed(async { self.store.delete(&key).await.map_err(transient) }).await
    }
}

fn transient(error: impl std::fmt::Display) -> StoreError {
    StoreError::Transient(error.to_string())
}
