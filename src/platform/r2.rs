//! Objects in R2.

use std::collections::HashMap;

use futures_util::{FutureExt, StreamExt};
use thumbnail_core::Timestamp;
use thumbnail_core::object::ObjectMeta;
use thumbnail_core::ports::{
    ChunkError, Chunks, ObjectInfo, ObjectStore, ObjectUpload, StoreError,
};
use thumbnail_core::range::ByteRange;
use worker::{
    Bucket, ByteStream, Conditional, HttpMetadata, MultipartUpload, Object, Range, ResponseBody,
    UploadedPart,
};

use super::r2_stream::{Put, R2Stream, fixed_length};
use super::{Timings, store_error};

/// The bucket of sources and thumbnails.
pub struct R2Store {
    bucket: Bucket,
    timings: Timings,
}

impl R2Store {
    /// Over a bucket; how long it takes is added to `timings`.
    pub fn new(bucket: Bucket, timings: Timings) -> Self {
        Self { bucket, timings }
    }

    async fn timed<T>(&self, io: impl Future<Output = worker::Result<T>>) -> Result<T, StoreError> {
        let answer = self.timings.measure("r2", io).await;
        answer.map_err(|e| store_error(&e))
    }

    async fn put_if(
        &self,
        key: &str,
        bytes: Vec<u8>,
        meta: &ObjectMeta,
        only_if: Option<Conditional>,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        let put = self.bucket.put(key, bytes);
        let mut put = put
            .http_metadata(http_metadata(meta))
            .custom_metadata(custom_metadata(meta));
        if let Some(only_if) = only_if {
            put = put.only_if(only_if);
        }
        let object = self.timed(put.execute()).await?;
        Ok(object.as_ref().map(info))
    }
}

/// The bytes of an object, not yet read.
pub struct R2Body {
    object: Object,
    stream: Option<ByteStream>,
}

impl R2Body {
    /// The bytes as a response's body: the runtime sends them, they never enter this Worker's memory.
    pub fn into_response_body(self) -> worker::Result<ResponseBody> {
        self.object
            .body()
            .map_or(Ok(ResponseBody::Empty), worker::ObjectBody::response_body)
    }
}

impl Chunks for R2Body {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        let aborted = |e: worker::Error| ChunkError::Aborted(e.to_string());
        if self.stream.is_none() {
            let Some(body) = self.object.body() else {
                return Ok(None);
            };
            self.stream = Some(body.stream().map_err(aborted)?);
        }
        match &mut self.stream {
            Some(stream) => stream.next().await.transpose().map_err(aborted),
            None => Ok(None),
        }
    }
}

/// A multipart upload.
pub struct R2Upload {
    upload: MultipartUpload,
    timings: Timings,
    parts: Vec<UploadedPart>,
}

impl ObjectUpload for R2Upload {
    async fn part(&mut self, bytes: Vec<u8>) -> Result<(), StoreError> {
        let number = u16::try_from(self.parts.len() + 1)
            .map_err(|_| StoreError::Permanent("too many parts".into()))?;
        let part = self.upload.upload_part(number, bytes);
        let part = self.timings.measure("r2", part).await;
        let part = part.map_err(|e| store_error(&e))?;
        self.parts.push(part);
        Ok(())
    }

    async fn complete(self) -> Result<ObjectInfo, StoreError> {
        let object = self.upload.complete(self.parts);
        let object = self.timings.measure("r2", object).await;
        let object = object.map_err(|e| store_error(&e))?;
        Ok(info(&object))
    }

    async fn abort(self) -> Result<(), StoreError> {
        self.upload.abort().await.map_err(|e| store_error(&e))
    }
}

impl ObjectStore for R2Store {
    type Body = R2Body;
    type Upload = R2Upload;
    type Stream = R2Stream;

    async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        meta: ObjectMeta,
    ) -> Result<ObjectInfo, StoreError> {
        match self.put_if(key, bytes, &meta, None).await? {
            Some(info) => Ok(info),
            None => Err(StoreError::Transient(
                "R2 refused an unconditional put".into(),
            )),
        }
    }

    async fn put_new(
        &self,
        key: &str,
        bytes: Vec<u8>,
        meta: ObjectMeta,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        let only_if = Conditional {
            etag_does_not_match: Some("*".into()),
            ..Conditional::default()
        };
        self.put_if(key, bytes, &meta, Some(only_if)).await
    }

    async fn begin_upload(&self, key: &str, meta: ObjectMeta) -> Result<R2Upload, StoreError> {
        let begin = self.bucket.create_multipart_upload(key);
        let begin = begin
            .http_metadata(http_metadata(&meta))
            .custom_metadata(custom_metadata(&meta));
        let upload = self.timed(begin.execute()).await?;
        Ok(R2Upload {
            upload,
            timings: self.timings.clone(),
            parts: Vec::new(),
        })
    }

    async fn begin_stream(
        &self,
        key: &str,
        bytes: u64,
        meta: ObjectMeta,
    ) -> Result<R2Stream, StoreError> {
        let (writer, readable) = fixed_length(bytes).map_err(|e| store_error(&e))?;
        let (bucket, key) = (self.bucket.clone(), key.to_owned());
        let mut put: Put = Box::pin(async move {
            let put = bucket.put(key, readable);
            let put = put
                .http_metadata(http_metadata(&meta))
                .custom_metadata(custom_metadata(&meta));
            put.execute().await
        });
        // R2 has to have the readable end before anything can be written.
        if let Some(Err(error)) = put.as_mut().now_or_never() {
            return Err(store_error(&error));
        }
        R2Stream::new(writer, put, self.timings.clone()).map_err(|e| store_error(&e))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        let object = self.timed(self.bucket.head(key)).await?;
        Ok(object.as_ref().map(info))
    }

    async fn get(&self, key: &str) -> Result<Option<(ObjectInfo, R2Body)>, StoreError> {
        let object = self.timed(self.bucket.get(key).execute()).await?;
        Ok(object.map(open))
    }

    async fn get_range(
        &self,
        key: &str,
        range: ByteRange,
    ) -> Result<Option<(ObjectInfo, R2Body)>, StoreError> {
        let range = Range::OffsetWithLength {
            offset: range.first,
            length: range.len(),
        };
        let get = self.bucket.get(key).range(range);
        Ok(self.timed(get.execute()).await?.map(open))
    }

    async fn list(&self, prefix: &str, start_after: &str) -> Result<Vec<String>, StoreError> {
        let list = self.bucket.list().prefix(prefix).start_after(start_after);
        let page = self.timed(list.execute()).await?;
        Ok(page.objects().iter().map(Object::key).collect())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.timed(self.bucket.delete(key)).await
    }
}

fn http_metadata(meta: &ObjectMeta) -> HttpMetadata {
    HttpMetadata {
        content_type: Some(meta.media_type().into()),
        ..HttpMetadata::default()
    }
}

fn custom_metadata(meta: &ObjectMeta) -> HashMap<String, String> {
    meta.encode()
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect()
}

fn open(object: Object) -> (ObjectInfo, R2Body) {
    let stream = None;
    (info(&object), R2Body { object, stream })
}

fn info(object: &Object) -> ObjectInfo {
    let stored = object.custom_metadata().unwrap_or_default();
    ObjectInfo {
        bytes: object.size(),
        etag: object.etag(),
        modified: Timestamp::from_millis(object.uploaded().as_millis()),
        meta: ObjectMeta::decode(|name| stored.get(name).map(String::as_str)),
    }
}
