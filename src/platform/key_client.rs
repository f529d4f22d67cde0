//! The idempotency keys, from outside: commands to their Durable Objects.

use thumbnail_core::idempotency::{KeyCommand, KeyVerdict};
use thumbnail_core::ports::{KeyLedger, StoreError};
use worker::{Method, ObjectNamespace, Request, RequestInit};

use super::store_error;

/// Where a Durable Object is asked. The name is never resolved.
const URL: &str = "https://key/";

/// The namespace of keys.
pub struct KeyClient {
    keys: ObjectNamespace,
}

impl KeyClient {
    /// Over a namespace.
    pub fn new(keys: ObjectNamespace) -> Self {
        Self { keys }
    }
}

impl KeyLedger for KeyClient {
    async fn call(&self, name: &str, command: KeyCommand) -> Result<KeyVerdict, StoreError> {
        let permanent = |e: serde_json::Error| StoreError::Permanent(e.to_string());
        let body = serde_json::to_string(&command).map_err(permanent)?;
        let answer = async {
            let mut init = RequestInit::new();
            init.with_method(Method::Post).with_body(Some(body.into()));
            let request = Request::new_with_init(URL, &init)?;
            let key = self.keys.get_by_name(name)?;
            let mut response = key.fetch_with_request(request).await?;
            Ok((response.status_code(), response.text().await?))
        };
        match answer.await.map_err(|e: worker::Error| store_error(&e))? {
            (200, text) => serde_json::from_str(&text).map_err(permanent),
            (status, text) => Err(StoreError::Transient(format!(
                "the key answered {status}: {text}"
            ))),
        }
    }
}
