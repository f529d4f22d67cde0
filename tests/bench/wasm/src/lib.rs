//! The image pipeline as JavaScript can push a file through it, chunk by chunk.

use std::time::Duration;

use thumbnail_pipeline::decode::HeaderStatus;
use thumbnail_pipeline::{Limits, Renderer, Variant, plan, probe as read_header};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// Headers are complete before this much of a file, or the file is refused: what the service allows too.
const MAX_HEADER_BYTES: usize = 4 << 20;

/// One file on its way to its thumbnails.
#[wasm_bindgen]
pub struct Session {
    variants: Vec<Variant>,
    limits: Limits,
    stage: Stage,
    planned_ms: f64,
}

enum Stage {
    Header(Vec<u8>),
    Pixels(Box<Renderer>),
}

#[wasm_bindgen]
impl Session {
    /// Begins thumbnails; `options` is the JSON of a variant, or of an array of them.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str) -> Result<Session, JsError> {
        Ok(Self {
            variants: if options.starts_with('[') {
                serde_json::from_str(options)?
            } else {
                vec![serde_json::from_str(options)?]
            },
            limits: Limits {
                // The service's limit for uploads; the large images are larger files.
                max_bytes: u64::MAX,
                ..Limits::default()
            },
            stage: Stage::Header(Vec::new()),
            planned_ms: 0.0,
        })
    }

    /// Takes the next bytes of the file.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), JsError> {
        let header = match &mut self.stage {
            Stage::Pixels(renderer) => {
                renderer.feed(chunk)?;
                return Ok(());
            }
            Stage::Header(header) => header,
        };
        header.extend_from_slice(chunk);
        match read_header(header)? {
            HeaderStatus::NeedMore if header.len() > MAX_HEADER_BYTES => {
                Err(JsError::new("the header is too long"))
            }
            HeaderStatus::NeedMore => Ok(()),
            HeaderStatus::Ready(info) => {
                let plan = plan(&info, &self.variants, &self.limits)?;
                self.planned_ms = Duration::from_nanos(plan.work).as_secs_f64() * 1e3;
                let mut renderer = Renderer::new(plan)?;
                renderer.feed(header)?;
                self.stage = Stage::Pixels(Box::new(renderer));
                Ok(())
            }
        }
    }

    /// Says how much work is planned, in milliseconds; 0 before the header is known.
    pub fn planned_ms(&self) -> f64 {
        self.planned_ms
    }

    /// Ends the file and returns the bytes of the last thumbnail.
    pub fn finish(self) -> Result<Vec<u8>, JsError> {
        let Stage::Pixels(renderer) = self.stage else {
            return Err(JsError::new("the file ends in its header"));
        };
        let thumbnail = renderer.finish()?.thumbnails.pop();
        thumbnail
            .map(|thumbnail| thumbnail.encoded.bytes)
            .ok_or_else(|| JsError::new("no thumbnail"))
    }
}
