//! Errors as RFC 9457 problem documents, with the `error` member that older clients read.

mod convert;
mod kind;
mod table;

use serde::{Deserialize, Serialize};

pub use kind::ProblemRow;
pub use table::ProblemKind;

use super::reply::{Body, Reply};

/// After how long one may come again who was refused for those who came before. Not 5 s: the runtime
/// closes an idle connection then, and a request that meets that is lost.
const BUSY_SECS: u32 = 3;

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

    /// No job has the id.
    pub fn no_job() -> Self {
        Self::new(ProblemKind::NotFound, "no job has this id")
    }

    /// More than the service can do at a time; soon it may.
    pub fn busy(detail: impl Into<String>) -> Self {
        Self {
            retry_after_secs: Some(BUSY_SECS),
            ..Self::new(ProblemKind::Unavailable, detail)
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
        if self.kind == ProblemKind::UnsupportedEncoding {
            // RFC 9110, section 12.5.3.
            reply = reply.with("accept-encoding", "identity");
        }
        if let Some(len) = self.complete_len {
            reply = reply.with("content-range", format!("bytes */{len}"));
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_slug_of_its_own() {
        for &kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::from_slug(kind.slug()), Some(kind));
            assert!((400..600).contains(&kind.status()));
        }
    }

    #[test]
    fn failures_are_stored_as_the_slugs_of_their_problems() {
        use crate::job::FailureKind as Kind;
        for kind in [
            Kind::NotAnImage,
            Kind::DamagedImage,
            Kind::TruncatedImage,
            Kind::UnsupportedImage,
            Kind::ImageTooLarge,
            Kind::ThumbnailTooLarge,
            Kind::InvalidOption,
            Kind::SourceMissing,
            Kind::DeadLetter,
            Kind::PlatformFault,
            Kind::Poison,
            Kind::NeverProcessed,
            Kind::Internal,
        ] {
            let problem = ProblemKind::from(&kind);
            assert_eq!(serde_json::to_value(&kind).unwrap(), problem.slug());
        }
    }

    #[test]
    fn a_format_that_is_not_decoded_is_a_sentence_with_advice() {
        // IdempotentUpload read: "the AVIF file uses AVIF is not supported: convert to …, which is not supported".
        let error =
            thumbnail_pipeline::probe::probe(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
        let problem = Problem::from(&error.unwrap_err());
        assert_eq!(problem.kind, ProblemKind::UnsupportedImage);
        assert_eq!(
            problem.detail,
            "SVG is not supported: it is a program rather than an image; export it as PNG"
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
