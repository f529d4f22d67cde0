//! A store that keeps nothing: what is read into it is only counted, hashed and judged.

use sha2::{Digest, Sha256};

use crate::object::ObjectMeta;
use crate::ports::{
    ChunkError, Chunks, ObjectInfo, ObjectStore, ObjectStream, ObjectUpload, StoreError,
};
use crate::range::ByteRange;
use crate::timestamp::Timestamp;

/// Keeps nothing.
#[derive(Debug, Clone, Copy)]
pub struct NullStore;

/// The bytes of an object that never exists.
#[derive(Debug)]
pub enum NoBytes {}

impl Chunks for NoBytes {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        match *self {}
    }
}

fn info(meta: ObjectMeta) -> ObjectInfo {
    ObjectInfo {
        bytes: 0,
        etag: String::new(),
        modified: Timestamp::default(),
        meta,
    }
}

/// An upload to nowhere.
#[derive(Debug)]
pub struct NowhereUpload(ObjectMeta);

/// A stream to nowhere.
#[derive(Debug)]
pub struct NowhereStream(Sha256);

impl ObjectStream for NowhereStream {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.update(bytes);
        Ok(())
    }

    async fn complete(self) -> Result<[u8; 32], StoreError> {
        Ok(self.0.finalize().into())
    }

    async fn abort(self) {}
}

impl ObjectUpload for NowhereUpload {
    async fn part(&mut self, _: Vec<u8>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn complete(self) -> Result<ObjectInfo, StoreError> {
        Ok(info(self.0))
    }

    async fn abort(self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl ObjectStore for NullStore {
    type Body = NoBytes;
    type Upload = NowhereUpload;
    type Stream = NowhereStream;

    async fn put(&self, _: &str, _: Vec<u8>, meta: ObjectMeta) -> Result<ObjectInfo, StoreError> {
        Ok(info(meta))
    }

    async fn put_new(
        &self,
        _: &str,
        _: Vec<u8>,
        meta: ObjectMeta,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        Ok(Some(info(meta)))
    }

    async fn begin_upload(&self, _: &str, meta: ObjectMeta) -> Result<NowhereUpload, StoreError> {
        Ok(NowhereUpload(meta))
    }

    async fn begin_stream(
        &self,
        _: &str,
        _: u64,
        _: ObjectMeta,
    ) -> Result<NowhereStream, StoreError> {
        Ok(NowhereStream(Sha256::new()))
    }

    async fn head(&self, _: &str) -> Result<Option<ObjectInfo>, StoreError> {
        Ok(None)
    }

    async fn get(&self, _: &str) -> Result<Option<(ObjectInfo, NoBytes)>, StoreError> {
        Ok(None)
    }

    async fn get_range(
        &self,
        _: &str,
        _: ByteRange,
    ) -> Result<Option<(ObjectInfo, NoBytes)>, StoreError> {
        Ok(None)
    }

    async fn delete(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn list(&self, _: &str, _: &str) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}
