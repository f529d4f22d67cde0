//! The status document: one shape wherever a job is shown.

use serde::Serialize;

use super::problem::Problem;
use super::webhook::WebhookDocument;
use crate::job::Failure;
use crate::job::{Record, State, Thumbnail};
use crate::keys::ThumbnailFile;
use thumbnail_pipeline::Variant;

/// A job as clients see it. Fields that do not apply are absent.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatusDocument<'a> {
    id: String,
    #[cfg_attr(feature = "openapi", schema(value_type = crate::job::State))]
    status: &'static str,
    revision: u64,
    attempts: u32,
    resized_image_url: String,
    status_url: String,
    created_at: String,
    updated_at: String,
    source: &'a crate::job::Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thumbnails: Vec<ThumbnailDocument<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    later: Vec<LaterDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings: Option<TimingsDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbhash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<super::problem::ProblemDocument>))]
    problem: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<WebhookDocument<'a>>,
}

/// How long a job waited and worked, in milliseconds.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimingsDocument {
    /// From the upload until the first attempt began.
    queued_ms: u64,
    /// What the attempt took that made the thumbnails, storing included.
    #[serde(skip_serializing_if = "Option::is_none")]
    processing_ms: Option<u64>,
}

/// What is to be known of thumbnails that were made all the same.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Warning {
    /// For programs. More of them may come.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "incomplete"))]
    code: &'static str,
    /// For people.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    detail: &'static str,
}

/// No decoder can tell a file that was cut from one that was damaged.
const INCOMPLETE: Warning = Warning {
    code: "incomplete",
    detail: "The file is cut or damaged: parts of the image are missing.",
};

/// A thumbnail as clients see it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ThumbnailDocument<'a> {
    url: String,
    #[serde(flatten)]
    thumbnail: &'a Thumbnail,
}

/// A thumbnail that was asked for after the job was done, and is not there.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LaterDocument<'a> {
    url: String,
    name: &'a str,
    #[cfg_attr(feature = "openapi", schema(value_type = crate::job::State))]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<super::problem::ProblemDocument>))]
    problem: Option<serde_json::Value>,
}

impl<'a> StatusDocument<'a> {
    /// The document of a job; `base` is the service's own origin.
    pub fn new(record: &'a Record, base: &str) -> Self {
        Self {
            id: record.id.to_string(),
            status: record.state.name(),
            revision: record.revision,
            attempts: record.attempts,
            resized_image_url: thumbnail_url(record, base),
            status_url: status_url(record, base),
            created_at: record.created_at.to_string(),
            updated_at: record.updated_at.to_string(),
            expires_at: record.expires_at.map(|at| at.to_string()),
            source: &record.source,
            thumbnails: record
                .thumbnails
                .iter()
                .map(|t| ThumbnailDocument::new(record, t, base))
                .collect(),
            later: later(record, base),
            timings: record.timings.queued_ms.map(|queued_ms| TimingsDocument {
                queued_ms,
                processing_ms: record.timings.processing_ms,
            }),
            thumbhash: record.thumbhash.as_deref(),
            peak_memory_bytes: record.peak_memory_bytes,
            warnings: record
                .incomplete
                .then_some(INCOMPLETE)
                .into_iter()
                .collect(),
            problem: record
                .failure
                .as_ref()
                .map(|f| job_problem(f).document(base)),
            webhook: record.webhook.as_ref().map(WebhookDocument::new),
        }
    }
}

impl<'a> ThumbnailDocument<'a> {
    fn new(record: &Record, thumbnail: &'a Thumbnail, base: &str) -> Self {
        let file = ThumbnailFile {
            id: record.id,
            variant: thumbnail.name.clone(),
            extension: thumbnail.format.image_format().extension().into(),
        };
        Self {
            url: format!("{base}/thumbnails/{file}"),
            thumbnail,
        }
    }
}

fn later<'a>(record: &'a Record, base: &str) -> Vec<LaterDocument<'a>> {
    let url = |variant: &Variant| variant_url(record, variant, base);
    let coming = record.extension.iter().flat_map(|extension| {
        let status = extension.state.name();
        extension
            .variants
            .iter()
            .map(move |variant| (variant, status))
    });
    let coming = coming.map(|(variant, status)| LaterDocument {
        url: url(variant),
        name: &variant.name,
        status,
        problem: None,
    });
    let refused = record.refused.iter().map(|refused| LaterDocument {
        url: url(&refused.variant),
        name: &refused.variant.name,
        status: State::Failed.name(),
        problem: Some(job_problem(&refused.failure).document(base)),
    });
    coming.chain(refused).collect()
}

/// Where a job's first thumbnail is, or will be.
///
/// Where it is in two formats, that is a URL without an extension, which would be wrong for one.
pub fn thumbnail_url(record: &Record, base: &str) -> String {
    record.variants.first().map_or_else(
        || status_url(record, base),
        |variant| variant_url(record, variant, base),
    )
}

fn variant_url(record: &Record, variant: &Variant, base: &str) -> String {
    let (format, other) = record.formats(variant);
    if other.is_some() {
        return format!("{base}/thumbnails/{}_{}", record.id, variant.name);
    }
    format!("{base}/thumbnails/{}", record.file(&variant.name, format))
}

/// Where a job's status is.
pub fn status_url(record: &Record, base: &str) -> String {
    format!("{base}/thumbnails/{}", record.id)
}

/// A stored failure as a problem. A failed job is 422 whatever made it fail: the upload was taken,
/// the image cannot be had, and asking again changes nothing.
pub fn job_problem(failure: &Failure) -> Problem {
    Problem {
        status: 422,
        ..Problem::new((&failure.kind).into(), failure.detail.clone())
    }
}
