//! Idempotency keys: Durable Objects whose storage stays.

use super::World;
use super::fault::Kind;
use crate::idempotency::{KeyCommand, KeyRecord, KeyVerdict};
use crate::ports::{KeyLedger, KeyStorage, StoreError};
use crate::service::key::KeyService;

/// How long a key is kept here.
const RETENTION_SECS: u64 = 86_400;

/// The storage of one key.
struct Storage {
    world: World,
    name: String,
}

impl KeyStorage for Storage {
    async fn load(&self) -> Result<Option<KeyRecord>, StoreError> {
        let keys = &self.world.inner.keys;
        let load = || keys.borrow().get(&self.name).cloned();
        self.world.within("key.load", Kind::Read, load).await
    }

    async fn save(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let permanent = |e: serde_json::Error| StoreError::Permanent(e.to_string());
        let text = serde_json::to_string(record).map_err(permanent)?;
        let stored = serde_json::from_str(&text).map_err(permanent)?;
        let save = || {
            let mut keys = self.world.inner.keys.borrow_mut();
            keys.insert(self.name.clone(), stored);
        };
        self.world.within("key.save", Kind::Write, save).await
    }

    async fn erase(&self) -> Result<(), StoreError> {
        let erase = || {
            self.world.inner.keys.borrow_mut().remove(&self.name);
        };
        self.world.within("key.erase", Kind::Write, erase).await
    }
}

impl World {
    /// The names of all keys that are remembered.
    pub fn keys(&self) -> Vec<String> {
        self.inner.keys.borrow().keys().cloned().collect()
    }
}

impl KeyLedger for World {
    async fn call(&self, name: &str, command: KeyCommand) -> Result<KeyVerdict, StoreError> {
        let storage = Storage {
            world: self.clone(),
            name: name.into(),
        };
        let service = KeyService::new(storage, self.clone(), RETENTION_SECS);
        self.around("key.call", service.handle(command)).await
    }
}
