//! An object that goes to R2 while its bytes arrive.
//!
//! One loop writes to R2 and to the platform's SHA-256, and waits for both: a `tee` would hold what
//! the slower of them has not read, and a pipe would tell its errors to nobody.

use std::pin::{Pin, pin};

use futures_util::future::{Either, select, try_join};
use thumbnail_core::ports::{ObjectStream, StoreError};
use wasm_bindgen::JsValue;
use worker::crypto::{DigestStream, DigestStreamAlgorithm};
use worker::js_sys::{BigInt, Promise, Uint8Array};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{ReadableStream, WritableStreamDefaultWriter};
use worker::worker_sys::FixedLengthStream;
use worker::{Error, Object, Result};

use super::{Timings, store_error};

/// R2's answer to a put, still to come.
pub(super) type Put = Pin<Box<dyn Future<Output = Result<Option<Object>>>>>;

/// The writing end; R2 has the other one.
pub struct R2Stream {
    writer: WritableStreamDefaultWriter,
    put: Put,
    digest: DigestStream,
    digester: WritableStreamDefaultWriter,
    timings: Timings,
}

/// A stream that ends with an error unless exactly so many bytes go through it: R2 has to know.
pub(super) fn fixed_length(bytes: u64) -> Result<(WritableStreamDefaultWriter, ReadableStream)> {
    let stream = FixedLengthStream::new_big_int(BigInt::from(bytes))?;
    Ok((stream.writable().get_writer()?, stream.readable()))
}

impl R2Stream {
    /// What goes into `writer` is what `put` stores.
    pub(super) fn new(
        writer: WritableStreamDefaultWriter,
        put: Put,
        timings: Timings,
    ) -> Result<Self> {
        let digest = DigestStream::new(DigestStreamAlgorithm::Sha256);
        Ok(Self {
            digester: digest.raw().get_writer()?,
            digest,
            writer,
            put,
            timings,
        })
    }

    /// Waits for a step of both writers. Where R2 gives up, nobody reads what is written any more.
    async fn step(&mut self, stored: Promise, digested: Promise) -> Result<()> {
        let both = pin!(try_join(JsFuture::from(stored), JsFuture::from(digested)));
        match select(both, self.put.as_mut()).await {
            Either::Left((stepped, _)) => stepped.map(drop).map_err(Error::from),
            Either::Right((Err(error), _)) => Err(error),
            Either::Right((Ok(_), _)) => Err("R2 answered before it had everything".into()),
        }
    }
}

impl ObjectStream for R2Stream {
    async fn write(&mut self, bytes: &[u8]) -> std::result::Result<(), StoreError> {
        let chunk = Uint8Array::new_from_slice(bytes);
        let stored = self.writer.write_with_chunk(&chunk);
        let digested = self.digester.write_with_chunk(&chunk);
        let timings = self.timings.clone();
        let step = timings.measure("r2", self.step(stored, digested));
        step.await.map_err(|e| store_error(&e))
    }

    async fn complete(self) -> std::result::Result<[u8; 32], StoreError> {
        let timings = self.timings.clone();
        let ended = timings.measure("r2", self.end());
        ended.await.map_err(|e| store_error(&e))
    }

    async fn abort(self) {
        let reason = JsValue::from_str("the upload was given up");
        let aborted = self.writer.abort_with_reason(&reason);
        let _ = JsFuture::from(aborted).await;
        let _ = JsFuture::from(self.digester.abort()).await;
        // To its end: what R2 says is that there is no object.
        let _ = self.put.await;
    }
}

impl R2Stream {
    async fn end(self) -> Result<[u8; 32]> {
        let closed = async {
            JsFuture::from(self.writer.close())
                .await
                .map_err(Error::from)
        };
        let (_, object) = try_join(closed, self.put).await?;
        object.ok_or("R2 refused an unconditional put")?;
        JsFuture::from(self.digester.close()).await?;
        let digest = self.digest.digest().await?.to_vec();
        digest.try_into().map_err(|_| "SHA-256 has 32 bytes".into())
    }
}
