//! Files of every format and kind, made in code, and ways to damage them.

#![allow(
    clippy::cast_possible_truncation,
    dead_code,
    unused_imports,
    reason = "test pictures are small, their samples wrap around, and no test uses everything"
)]

mod damage;
mod sources;

pub use damage::damaged;
pub use sources::{FORMATS, sources};
