//! Request bodies as chunks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use thumbnail_core::ports::{ChunkError, Chunks};
use thumbnail_core::service::admission::CHUNK_BYTES;
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::{Promise, Uint8Array};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{ReadableStream, ReadableStreamByobReader, ReadableStreamReadResult};
use worker::{Request, Result};

/// The body of a request. Clones are the same one: what one of them leaves, another may read.
#[derive(Clone)]
pub struct RequestBody {
    inner: Rc<Inner>,
}

struct Inner {
    reader: ReadableStreamByobReader,
    /// A read whose chunk nobody has taken: the runtime knows only one at a time.
    pending: RefCell<Option<Promise>>,
    ended: Cell<bool>,
}

impl RequestBody {
    /// Of a request, where it has one.
    pub fn of(request: &Request) -> Result<Option<Self>> {
        let body = request.inner().body();
        body.map(|stream| Self::new(&stream)).transpose()
    }

    /// A default reader gives 4 KiB at a time: 8,000 turns for a large image.
    fn new(stream: &ReadableStream) -> Result<Self> {
        Ok(Self {
            inner: Rc::new(Inner {
                reader: ReadableStreamByobReader::new(stream)?,
                pending: RefCell::default(),
                ended: Cell::default(),
            }),
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a chunk has far less than 4 GiB"
    )]
    fn read(&self) -> Promise {
        let mut pending = self.inner.pending.borrow_mut();
        let read = pending.get_or_insert_with(|| {
            let room = Uint8Array::new_with_length(CHUNK_BYTES as u32);
            self.inner.reader.read_with_array_buffer_view(&room)
        });
        read.clone()
    }
}

impl Chunks for RequestBody {
    async fn next(&mut self) -> std::result::Result<Option<Vec<u8>>, ChunkError> {
        if self.inner.ended.get() {
            return Ok(None);
        }
        let read = JsFuture::from(self.read()).await;
        self.inner.pending.take();
        let result: ReadableStreamReadResult = read.map_err(aborted)?.unchecked_into();
        if result.get_done() == Some(true) {
            self.inner.ended.set(true);
            return Ok(None);
        }
        let chunk: Uint8Array = result.get_value().unchecked_into();
        copied(&chunk).map(Some)
    }
}

/// A chunk out of JavaScript, if there is memory for it.
fn copied(chunk: &Uint8Array) -> std::result::Result<Vec<u8>, ChunkError> {
    let mut bytes = Vec::new();
    let len = chunk.length() as usize;
    let reserved = bytes.try_reserve_exact(len);
    reserved.map_err(|_| ChunkError::NoMemory { bytes: len })?;
    bytes.resize(len, 0);
    chunk.copy_to(&mut bytes);
    Ok(bytes)
}

fn aborted(error: JsValue) -> ChunkError {
    ChunkError::Aborted(worker::Error::from(error).to_string())
}
