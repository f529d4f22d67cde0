//! Errors as RFC 9457 problem documents, with the `error` member that older clients read.

use serde::{Deserialize, Serialize};

use super::reply::{Body, Reply};
use crate::pipeline::PipelineError;
use crate::ports::{ChunkError, FetchError, StoreError};

/// A kind of problem: a slug for machines, a title for people, a status, what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The upload has no bytes.
    EmptyUpload,
    /// A form without a file.
    MissingFile,
    /// The form breaks the rules of multipart.
    MalformedForm,
    /// The body is no JSON object.
    MalformedJson,
    /// The body broke off.
    BrokenUpload,
    /// There is no picture at the address that the upload names.
    FetchRefused,
    /// Whoever has the picture that the upload names does not answer.
    FetchFailed,
    /// The bytes are no picture in a known format.
    NotAnImage,
    /// The picture's bytes break the rules of its format.
    DamagedImage,
    /// The picture ends early.
    TruncatedImage,
    /// A picture in a format, or with a feature, that is not decoded.
    UnsupportedImage,
    /// A body that is neither a form nor a picture.
    UnsupportedMediaType,
    /// More bytes than allowed.
    UploadTooLarge,
    /// More files in one form than allowed.
    TooManyFiles,
    /// More pixels, or more work, than allowed.
    ImageTooLarge,
    /// An option that does not exist or does not fit.
    InvalidOption,
    /// The `Idempotency-Key` is none.
    InvalidIdempotencyKey,
    /// The `Idempotency-Key` came with another upload before.
    IdempotencyKeyReused,
    /// An upload with the `Idempotency-Key` is still on its way.
    IdempotencyKeyInUse,
    /// Nobody may list jobs.
    ListingOff,
    /// No such job, thumbnail or page.
    NotFound,
    /// The route exists, the method does not.
    MethodNotAllowed,
    /// The answer exists in none of the forms that the request accepts.
    NotAcceptable,
    /// The thumbnail is not there yet.
    NotReady,
    /// The thumbnail is not the one that the client goes by.
    PreconditionFailed,
    /// The thumbnail does not have the bytes that are asked for.
    RangeNotSatisfiable,
    /// Only a failed job can be tried again.
    NotFailed,
    /// The job has nothing to tell a webhook.
    NothingToTell,
    /// More thumbnails can be had of a job that is done only.
    NotDone,
    /// A job has as many thumbnails as it may have.
    TooManyThumbnails,
    /// The service makes no more thumbnails of a job that is done.
    VariantsOff,
    /// The signature does not belong to the request.
    BadSignature,
    /// The thumbnail was deleted, called off or expired.
    Gone,
    /// Attempts at the picture never came back.
    Poison,
    /// The queue gave the message up.
    DeadLetter,
    /// The platform failed too often.
    PlatformFault,
    /// No consumer took the job.
    NeverProcessed,
    /// The uploaded bytes are gone.
    SourceMissing,
    /// A binding failed or is overloaded.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl ProblemKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 40] = [
        Self::EmptyUpload,
        Self::MissingFile,
        Self::MalformedForm,
        Self::MalformedJson,
        Self::BrokenUpload,
        Self::FetchRefused,
        Self::FetchFailed,
        Self::NotAnImage,
        Self::DamagedImage,
        Self::TruncatedImage,
        Self::UnsupportedImage,
        Self::UnsupportedMediaType,
        Self::UploadTooLarge,
        Self::TooManyFiles,
        Self::ImageTooLarge,
        Self::InvalidOption,
        Self::InvalidIdempotencyKey,
        Self::IdempotencyKeyReused,
        Self::IdempotencyKeyInUse,
        Self::ListingOff,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::NotReady,
        Self::PreconditionFailed,
        Self::RangeNotSatisfiable,
        Self::NotFailed,
        Self::NothingToTell,
        Self::NotDone,
        Self::TooManyThumbnails,
        Self::VariantsOff,
        Self::BadSignature,
        Self::Gone,
        Self::Poison,
        Self::DeadLetter,
        Self::PlatformFault,
        Self::NeverProcessed,
        Self::SourceMissing,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The last part of the problem's `type`.
    pub const fn slug(self) -> &'static str {
        self.row().0
    }

    /// The kind with this slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// A short sentence for people.
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// What to do about it.
    pub const fn advice(self) -> &'static str {
        self.row().3
    }

    const fn row(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::EmptyUpload => (
                "empty-upload",
                400,
                "The upload is empty",
                "Send the bytes of a picture.",
            ),
            Self::MissingFile => (
                "missing-file",
                400,
                "The form has no file",
                "Put the picture into a field named `image` or `file`, with a file name.",
            ),
            Self::MalformedForm => (
                "malformed-form",
                400,
                "The form is malformed",
                "Let your HTTP library build the multipart body; do not set its Content-Type by hand.",
            ),
            Self::MalformedJson => (
                "malformed-json",
                400,
                "The JSON is malformed",
                "Send an object such as {\"source_url\": \"https://example.com/cat.jpg\", \"width\": 200}.",
            ),
            Self::FetchRefused => (
                "fetch-refused",
                422,
                "There is no picture at the address",
                "Open the address in a private window of your browser: it must show the picture itself.",
            ),
            Self::FetchFailed => (
                "fetch-failed",
                502,
                "The picture could not be fetched",
                "Send the request again later.",
            ),
            Self::BrokenUpload => (
                "broken-upload",
                400,
                "The upload broke off",
                "Send the request again.",
            ),
            Self::NotAnImage => (
                "not-an-image",
                400,
                "The file is not an image",
                "Send JPEG, PNG, GIF, WebP, BMP or TIFF. The format is told by the bytes, not by the name.",
            ),
            Self::DamagedImage => (
                "damaged-image",
                422,
                "The image is damaged",
                "Open and save it with a picture editor, then send it again.",
            ),
            Self::TruncatedImage => (
                "truncated-image",
                422,
                "The image ends early",
                "Send the whole file.",
            ),
            Self::UnsupportedImage => (
                "unsupported-image",
                415,
                "The image format is not supported",
                "Convert the picture to JPEG, PNG or WebP and send that.",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                415,
                "The body is neither a form nor an image",
                "Send multipart/form-data, or the bytes of a picture with an image/* content type.",
            ),
            Self::UploadTooLarge => (
                "upload-too-large",
                413,
                "The upload is too large",
                "Send a smaller file; the detail says the limit.",
            ),
            Self::TooManyFiles => (
                "too-many-files",
                413,
                "The form has too many files",
                "Send them in several requests; the detail says the limit.",
            ),
            Self::ImageTooLarge => (
                "image-too-large",
                422,
                "The image is too large to decode",
                "Send a picture with fewer pixels; the detail has the numbers.",
            ),
            Self::InvalidOption => (
                "invalid-option",
                400,
                "An option is not valid",
                "Correct the option that `errors` names.",
            ),
            Self::InvalidIdempotencyKey => (
                "invalid-idempotency-key",
                400,
                "The Idempotency-Key is not valid",
                "Send a new UUID in double quotes for each upload that you mean.",
            ),
            Self::IdempotencyKeyReused => (
                "idempotency-key-reused",
                422,
                "The Idempotency-Key was used for another upload",
                "Send another upload with a key of its own.",
            ),
            Self::IdempotencyKeyInUse => (
                "idempotency-key-in-use",
                409,
                "An upload with this Idempotency-Key is on its way",
                "Send the request again after the seconds in Retry-After.",
            ),
            Self::ListingOff => (
                "listing-off",
                403,
                "Listing is switched off",
                "Keep the URLs that uploads answer with, or ask whoever runs the service to set LISTING.",
            ),
            Self::NotFound => (
                "not-found",
                404,
                "There is nothing here",
                "Use the URL that the upload answered with.",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                405,
                "The method is not allowed here",
                "Use one of the methods in the Allow header.",
            ),
            Self::NotAcceptable => (
                "not-acceptable",
                406,
                "Nothing acceptable is here",
                "Accept one of the forms that the detail names.",
            ),
            Self::NotReady => (
                "not-ready",
                409,
                "The thumbnail is not ready",
                "Ask again after the seconds in Retry-After.",
            ),
            Self::PreconditionFailed => (
                "precondition-failed",
                412,
                "The thumbnail is another one",
                "Read it again without If-Match and If-Unmodified-Since.",
            ),
            Self::RangeNotSatisfiable => (
                "range-not-satisfiable",
                416,
                "The thumbnail has no such bytes",
                "Content-Range has its length: ask for bytes before that.",
            ),
            Self::NotFailed => (
                "not-failed",
                409,
                "The job has not failed",
                "Read its status: it is done, or still at work.",
            ),
            Self::NothingToTell => (
                "nothing-to-tell",
                409,
                "There is nothing to tell a webhook",
                "Upload with the option `webhook`; its receiver is told when the job has ended.",
            ),
            Self::NotDone => (
                "not-done",
                409,
                "The job is not done",
                "Upload the picture again.",
            ),
            Self::TooManyThumbnails => (
                "too-many-thumbnails",
                409,
                "The job has too many thumbnails",
                "Upload the picture again, with the sizes that you need.",
            ),
            Self::VariantsOff => (
                "variants-off",
                403,
                "No more thumbnails are made of a job that is done",
                "Ask for all sizes with the upload, or let VARIANTS_LATER allow it.",
            ),
            Self::BadSignature => (
                "bad-signature",
                403,
                "The signature is not valid",
                "Sign the job's id and the whole query, and send the query as it was signed.",
            ),
            Self::Gone => (
                "gone",
                410,
                "The thumbnail is gone",
                "Upload the picture again.",
            ),
            Self::Poison => (
                "poison",
                422,
                "The image could not be processed",
                "The picture stopped every attempt at it. Open and save it with a picture editor, then send it again.",
            ),
            Self::DeadLetter => (
                "dead-letter",
                422,
                "The job could not be delivered",
                "Upload the picture again.",
            ),
            Self::PlatformFault => (
                "platform-fault",
                422,
                "The platform failed too often",
                "Upload the picture again later.",
            ),
            Self::NeverProcessed => (
                "never-processed",
                422,
                "The job was never picked up",
                "Check that the origin Worker is deployed, then upload the picture again.",
            ),
            Self::SourceMissing => (
                "source-missing",
                422,
                "The uploaded file is missing",
                "Upload the picture again.",
            ),
            Self::Unavailable => (
                "unavailable",
                503,
                "The service is temporarily unavailable",
                "Send the request again after the seconds in Retry-After.",
            ),
            Self::Internal => (
                "internal",
                500,
                "The service has a fault",
                "Report it, with the request's time and URL.",
            ),
        }
    }
}

/// A problem with its particulars.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", kind.title())]
pub struct Problem {
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// The HTTP status: the kind's own, unless the situation has another.
    pub status: u16,
    /// What happened this time, with the numbers.
    pub detail: String,
    /// What the old service would have said about the job's state.
    pub processing: Option<String>,
    /// Seconds after which asking again makes sense.
    pub retry_after_secs: Option<u32>,
    /// The methods that the route has.
    pub allow: Option<&'static str>,
    /// The length of what a range was asked of.
    pub complete_len: Option<u64>,
    /// What is wrong, option by option.
    pub errors: Vec<FieldError>,
}

/// What is wrong with one option: RFC 9457, section 3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// What is wrong, with the limits.
    pub detail: String,
    /// The option as a JSON pointer in a URL's fragment: `#/width`.
    pub pointer: String,
}

impl FieldError {
    /// An error about the option `name`.
    pub fn new(name: &str, detail: impl Into<String>) -> Self {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        Self {
            detail: detail.into(),
            pointer: format!("#/{escaped}"),
        }
    }
}

/// The document as clients read it.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProblemDocument<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    processing: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem of a kind.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            status: kind.status(),
            detail: detail.into(),
            processing: None,
            retry_after_secs: None,
            allow: None,
            complete_len: None,
            errors: Vec::new(),
        }
    }

    /// Options that are not valid; the detail says all that is wrong.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let details: Vec<&str> = errors.iter().map(|error| error.detail.as_str()).collect();
        let detail = details.join("; ");
        Self {
            errors,
            ..Self::new(ProblemKind::InvalidOption, detail)
        }
    }

    /// The document as a JSON value; `base` is the service's own origin.
    pub fn document(&self, base: &str) -> serde_json::Value {
        let wire = ProblemDocument {
            r#type: format!("{base}/problems/{}", self.kind.slug()),
            title: self.kind.title(),
            status: self.status,
            detail: &self.detail,
            error: &self.detail,
            processing: self.processing.as_deref(),
            errors: &self.errors,
        };
        serde_json::to_value(wire).unwrap_or_default()
    }

    /// The response.
    pub fn reply<B>(&self, base: &str) -> Reply<B> {
        let body = self.document(base).to_string();
        let mut reply = Reply::new(self.status, Body::Text(body))
            .with("content-type", "application/problem+json")
            .with("cache-control", "no-store");
        if let Some(secs) = self.retry_after_secs {
            reply = reply.with("retry-after", secs.to_string());
        }
        if let Some(allow) = self.allow {
            reply = reply.with("allow", allow);
        }
        if let Some(len) = self.complete_len {
            reply = reply.with("content-range", format!("bytes */{len}"));
        }
        reply
    }
}

/// How a fault of a picture looks to the client that uploads it, or asks for its thumbnail.
impl From<&PipelineError> for Problem {
    fn from(error: &PipelineError) -> Self {
        let kind = match error {
            PipelineError::UnknownFormat => ProblemKind::NotAnImage,
            PipelineError::Malformed { .. } => ProblemKind::DamagedImage,
            PipelineError::Truncated { .. } => ProblemKind::TruncatedImage,
            PipelineError::Unsupported { .. } | PipelineError::Refused(_) => {
                ProblemKind::UnsupportedImage
            }
            PipelineError::Limit(_) => ProblemKind::ImageTooLarge,
            PipelineError::Options(wrong) => {
                return Self::invalid(vec![FieldError::new(wrong.field(), wrong.to_string())]);
            }
            _ => ProblemKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        // What a binding said is for the log; a client can only wait.
        let secs = match error {
            StoreError::Overloaded(_) => 30,
            StoreError::Transient(_) | StoreError::Permanent(_) => 5,
        };
        Self {
            retry_after_secs: Some(secs),
            ..Self::new(
                ProblemKind::Unavailable,
                "the service's storage did not answer; nothing was accepted",
            )
        }
    }
}

impl From<ChunkError> for Problem {
    fn from(error: ChunkError) -> Self {
        let kind = match error {
            ChunkError::Aborted(_) | ChunkError::TooSlow { .. } => ProblemKind::BrokenUpload,
            ChunkError::Malformed(_) => ProblemKind::MalformedForm,
            ChunkError::Fetch(FetchError::Refused(_)) => ProblemKind::FetchRefused,
            ChunkError::Fetch(FetchError::Failed(_)) => ProblemKind::FetchFailed,
            ChunkError::TooLong { .. } => ProblemKind::UploadTooLarge,
        };
        Self::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_slug_of_its_own() {
        for kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::from_slug(kind.slug()), Some(kind));
            assert!((400..600).contains(&kind.status()));
        }
    }

    #[test]
    fn a_format_that_is_not_decoded_is_a_sentence_with_advice() {
        // Once read: "the AVIF file uses AVIF is not supported: convert to …, which is not supported".
        let error = crate::pipeline::probe::probe(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
        let problem = Problem::from(&error.unwrap_err());
        assert_eq!(problem.kind, ProblemKind::UnsupportedImage);
        assert_eq!(
            problem.detail,
            "SVG is not supported: it is a program rather than a picture; export it as PNG"
        );
    }

    #[test]
    fn the_document_has_the_members_of_both_contracts() {
        let problem = Problem {
            processing: Some("Current status of image processing is PENDING.".into()),
            retry_after_secs: Some(1),
            ..Problem::new(ProblemKind::NotReady, "the job is pending")
        };
        let reply: Reply<()> = problem.reply("https://thumbs.example");
        let Body::Text(text) = &reply.body else {
            panic!("no text")
        };
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(json["type"], "https://thumbs.example/problems/not-ready");
        assert_eq!(json["status"], 409);
        assert_eq!(json["error"], "the job is pending");
        assert!(json["processing"].as_str().unwrap().contains("PENDING"));
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}
