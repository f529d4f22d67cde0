//! One record in the storage of a Durable Object, as JSON text under `record`, and its alarm.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thumbnail_core::Timestamp;
use thumbnail_core::ports::StoreError;
use thumbnail_core::version::read;
use wasm_bindgen::JsValue;
use worker::durable::{ScheduledTime, Storage};
use worker::js_sys;

use crate::platform::store_error;

const RECORD: &str = "record";

/// The pause after an alarm that could not be taken, in milliseconds.
pub const RING_AGAIN: i64 = 60_000;

/// The storage of a Durable Object that keeps one record.
pub struct RecordStorage(Storage);

impl RecordStorage {
    /// Over an object's storage.
    pub const fn new(storage: Storage) -> Self {
        Self(storage)
    }

    /// The record, or `None` where there is none. One of a version later than `known` is left alone.
    pub async fn load<T: DeserializeOwned>(&self, known: u32) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.0.get(RECORD).await.map_err(|e| store_error(&e))?;
        text.map(|text| read(&text, known)).transpose()
    }

    /// Stores the record and sets the alarm (none: no alarm), both or neither.
    pub async fn save<T: Serialize>(
        &self,
        record: &T,
        alarm_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let text =
            serde_json::to_string(record).map_err(|e| StoreError::Permanent(e.to_string()))?;
        // Begun together, without waiting between them, the two writes are stored together or not at all.
        let put = self.0.put_raw(RECORD, text);
        let (put, armed) = if let Some(alarm_at) = alarm_at {
            futures_util::join!(put, self.0.set_alarm(at(alarm_at)))
        } else {
            futures_util::join!(put, self.0.delete_alarm())
        };
        put.and(armed).map_err(|e| store_error(&e))
    }

    /// Deletes everything, the alarm too: in one step since the compatibility date 2026-02-24.
    pub async fn erase(&self) -> Result<(), StoreError> {
        self.0.delete_all().await.map_err(|e| store_error(&e))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 are exact in f64 for 285,000 years"
)]
fn at(time: Timestamp) -> ScheduledTime {
    ScheduledTime::new(js_sys::Date::new(&JsValue::from_f64(
        time.as_millis() as f64
    )))
}
