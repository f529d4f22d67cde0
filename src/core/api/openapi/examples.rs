//! A job to show: the document that the code itself makes of a record.

use serde_json::Value;

use crate::api::document::StatusDocument;
use crate::job::record::ANONYMOUS;
use crate::job::{NewJob, Record, Source, State, Thumbnail};
use crate::keys::{DEFAULT_VARIANT, JobId};
use crate::timestamp::Timestamp;
use thumbnail_pipeline::{ImageFormat, Options, OutputFormat, Variant};

/// Where the examples live.
const BASE: &str = "https://thumbs.example";

/// 2026-11-23T10:00:00.123Z
const ACCEPTED_AT: Timestamp = Timestamp::from_millis(1_795_428_000_123);

const LIFE_SECS: u64 = 30 * 86_400;

/// The id of the job.
pub(super) fn id() -> JobId {
    JobId::new(ACCEPTED_AT, [0x2a; 10])
}

/// The job as its upload is answered.
pub(super) fn pending() -> Value {
    document(&accepted())
}

/// The job when it is done.
pub(super) fn done() -> Value {
    let mut record = accepted();
    record.state = State::Done;
    record.attempts = 1;
    record.updated_at = Timestamp::from_millis(ACCEPTED_AT.as_millis() + 333);
    record.thumbnails = vec![Thumbnail {
        name: DEFAULT_VARIANT.into(),
        format: OutputFormat::Jpeg,
        width: 100,
        height: 100,
        bytes: 2_310,
        etag: "5f1d7a84db00d2fce00b31a7fc73224f".into(),
    }];
    record.thumbhash = Some("1QcSHQRnh493V4dIh4eXh1h4kJUI".into());
    record.peak_memory_bytes = Some(7_864_320);
    document(&record)
}

/// The job when it was called off.
pub(super) fn cancelled() -> Value {
    let mut record = accepted();
    record.state = State::Cancelled;
    document(&record)
}

fn accepted() -> Record {
    let new = NewJob {
        id: id(),
        owner: ANONYMOUS.into(),
        source: Source {
            filename: Some("cat.jpg".into()),
            format: ImageFormat::Jpeg,
            width: Some(4_684),
            height: Some(3_084),
            bytes: 3_581_642,
            sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".into(),
        },
        variants: vec![Variant {
            name: DEFAULT_VARIANT.into(),
            options: Options::default(),
        }],
        planned_bytes: None,
        expires_at: Some(ACCEPTED_AT.plus_secs(LIFE_SECS)),
        webhook: None,
    };
    Record::new(new, ACCEPTED_AT)
}

fn document(record: &Record) -> Value {
    serde_json::to_value(StatusDocument::new(record, BASE)).unwrap_or_default()
}
