//! R2: strongly consistent; what is put under a condition is decided once.

use sha2::{Digest, Sha256};

use super::fault::Kind;
use super::{Pieces, World};
use crate::api::Problem;
use crate::keys::JobId;
use crate::object::ObjectMeta;
use crate::ports::{
    Chunks, Clock, ObjectInfo, ObjectStore, ObjectStream, ObjectUpload, StoreError,
};
use crate::range::ByteRange;
use crate::service::accept::{Announced, Store, Stored};
use crate::timestamp::Timestamp;
use thumbnail_pipeline::{Limits, Variant};

impl World {
    fn store(&self, key: &str, bytes: Vec<u8>, meta: ObjectMeta) -> ObjectInfo {
        let now = self.now();
        let info = describe(&bytes, meta.clone(), now);
        self.inner
            .objects
            .borrow_mut()
            .insert(key.into(), (bytes, meta, now));
        info
    }
}

/// An object's description; its tag follows from its bytes (FNV-1a).
fn describe(bytes: &[u8], meta: ObjectMeta, modified: Timestamp) -> ObjectInfo {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3)
    });
    ObjectInfo {
        bytes: bytes.len() as u64,
        etag: format!("{hash:016x}"),
        modified,
        meta,
    }
}

/// An upload in parts.
pub struct Parts {
    world: World,
    key: String,
    meta: ObjectMeta,
    stored: Vec<Vec<u8>>,
}

impl ObjectUpload for Parts {
    async fn part(&mut self, bytes: Vec<u8>) -> Result<(), StoreError> {
        let world = self.world.clone();
        world.ask("r2.part", || self.stored.push(bytes)).await
    }

    async fn complete(self) -> Result<ObjectInfo, StoreError> {
        let world = self.world.clone();
        let store = move || self.world.store(&self.key, self.stored.concat(), self.meta);
        world.change("r2.complete", Kind::SlowWrite, store).await
    }

    async fn abort(self) -> Result<(), StoreError> {
        self.world.ask("r2.abort", || ()).await
    }
}

/// An upload as one stream, which R2 takes as one put.
pub struct Stream {
    world: World,
    key: String,
    declared: u64,
    meta: ObjectMeta,
    came: Vec<u8>,
}

impl ObjectStream for Stream {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.came.extend_from_slice(bytes);
        Ok(())
    }

    async fn complete(self) -> Result<[u8; 32], StoreError> {
        if self.came.len() as u64 != self.declared {
            return Err(StoreError::Permanent("another length was declared".into()));
        }
        let digest = Sha256::digest(&self.came).into();
        self.world.put(&self.key, self.came, self.meta).await?;
        Ok(digest)
    }

    async fn abort(self) {}
}

impl ObjectStore for World {
    type Body = Pieces;
    type Upload = Parts;
    type Stream = Stream;

    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        meta: ObjectMeta,
    ) -> Result<ObjectInfo, StoreError> {
        let (world, key) = (self.clone(), key.to_owned());
        self.change("r2.put", Kind::SlowWrite, move || {
            world.store(&key, bytes, meta)
        })
        .await
    }

    async fn put_new(
        &self,
        key: &str,
        bytes: Vec<u8>,
        meta: ObjectMeta,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        let (world, key) = (self.clone(), key.to_owned());
        self.change("r2.put_new", Kind::SlowWrite, move || {
            let taken = world.inner.objects.borrow().contains_key(&key) && !world.is_blind();
            (!taken).then(|| world.store(&key, bytes, meta))
        })
        .await
    }

    async fn begin_upload(&self, key: &str, meta: ObjectMeta) -> Result<Parts, StoreError> {
        let upload = || Parts {
            world: self.clone(),
            key: key.into(),
            meta,
            stored: Vec::new(),
        };
        self.ask("r2.begin", upload).await
    }

    async fn begin_stream(
        &self,
        key: &str,
        bytes: u64,
        meta: ObjectMeta,
    ) -> Result<Stream, StoreError> {
        Ok(Stream {
            world: self.clone(),
            key: key.into(),
            declared: bytes,
            meta,
            came: Vec::new(),
        })
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        let objects = &self.inner.objects;
        let head = || {
            let objects = objects.borrow();
            let (bytes, meta, modified) = objects.get(key)?;
            Some(describe(bytes, meta.clone(), *modified))
        };
        self.ask("r2.head", head).await
    }

    async fn get(&self, key: &str) -> Result<Option<(ObjectInfo, Pieces)>, StoreError> {
        let objects = &self.inner.objects;
        let get = || {
            let objects = objects.borrow();
            let (bytes, meta, modified) = objects.get(key)?;
            let info = describe(bytes, meta.clone(), *modified);
            Some((info, Pieces::new(bytes.clone(), 4_096)))
        };
        self.ask("r2.get", get).await
    }

    async fn get_range(
        &self,
        key: &str,
        range: ByteRange,
    ) -> Result<Option<(ObjectInfo, Pieces)>, StoreError> {
        let objects = &self.inner.objects;
        let get = || {
            let objects = objects.borrow();
            let Some((bytes, meta, modified)) = objects.get(key) else {
                return Ok(None);
            };
            let info = describe(bytes, meta.clone(), *modified);
            let end = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            // R2 refuses a range that is not there.
            let part = bytes.get(end(range.first)..=end(range.last));
            let part = part.ok_or(StoreError::Permanent("no such range".into()))?;
            Ok(Some((info, Pieces::new(part, 4_096))))
        };
        self.ask("r2.get_range", get).await?
    }

    async fn list(&self, prefix: &str, start_after: &str) -> Result<Vec<String>, StoreError> {
        let page = |key: &String| key.starts_with(prefix) && key.as_str() > start_after;
        let list = || self.object_keys().into_iter().filter(page).take(3);
        self.ask("r2.list", || list().collect()).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let (world, key) = (self.clone(), key.to_owned());
        self.change("r2.delete", Kind::SlowWrite, move || {
            world.inner.objects.borrow_mut().remove(&key);
        })
        .await
    }
}

/// Stores an image as an upload does that tells no length.
pub async fn store_source(
    world: &World,
    id: JobId,
    filename: Option<&str>,
    chunks: &mut impl Chunks,
    variants: Option<&[Variant]>,
    limits: &Limits,
) -> Result<Stored, Problem> {
    let store = Store {
        objects: world,
        admission: &world.admission(),
        limits,
    };
    let announced = Announced {
        filename,
        variants,
        ..Announced::default()
    };
    store.source(id, announced, chunks).await
}
