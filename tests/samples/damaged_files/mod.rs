//! Files of every format and kind, made in code, and ways to damage them.

#![allow(
    clippy::cast_possible_truncation,
    reason = "test images are small, and their samples wrap around"
)]

mod damage;
mod sources;

pub use damage::damaged;
pub use sources::{FORMATS, sources};
