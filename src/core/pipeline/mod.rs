//! Bytes of a picture in, bytes of thumbnails out.
//!
//! `probe` reads the header, `plan` takes every decision, `render` executes a plan.
//! The pipeline knows pixels and nothing else: no jobs, no keys, no HTTP.

pub mod decode;
pub mod error;
pub mod format;

pub use error::{LimitError, PipelineError};
pub use format::ImageFormat;
