//! Files of every format, made in code, and ways to damage them.
#![allow(
    dead_code,
    reason = "both test binaries have them, and neither uses all"
)]

pub mod damaged_files;
pub mod heic_files;
pub mod png_files;
pub mod webp_files;
