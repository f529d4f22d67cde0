//! The platform-free heart of edge-thumbnails.
//!
//! Nothing in here knows a Worker, JavaScript, a clock or a source of randomness:
//! time, ids and bytes are arguments, so everything runs in native tests.

pub mod pipeline;
