//! The HTTP contract as plain data: routes, replies, documents, problems.

pub mod accept;
pub mod conditional;
pub mod content_encoding;
pub mod cors;
pub mod cursor;
pub mod disposition;
pub mod document;
pub mod events;
pub mod form;
pub mod idempotency_key;
pub mod json;
pub mod later;
pub mod link;
pub mod listing;
pub mod media_type;
pub mod multipart;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod options_body;
pub mod params;
pub mod prefer;
pub mod problem;
pub mod read_query;
pub mod reply;
pub mod route;
pub mod tagged;
pub mod trace;
pub mod uploaded;
pub mod webhook;

pub use conditional::ReadRequest;
pub use cors::Cors;
pub use document::StatusDocument;
pub use params::Params;
pub use problem::{Problem, ProblemKind};
pub use reply::{Body, Reply};
pub use route::{Method, Route};
pub use uploaded::UploadedFile;
