//! Colors of a source, brought to sRGB.
//!
//! Rows at output size come in with the source's channels and leave as sRGB:
//! an embedded ICC profile ([`ColorTransform::from_icc`]), the color chunks of a PNG
//! ([`PngColor::transform`]) or bare CMYK ([`ColorTransform::cmyk`]) says how.
//! Everything in between is 32-bit float, so 16-bit sources lose nothing.
//!
//! Profiles are read by our own parser, which has no panics to guard against:
//! a color management crate with tables is 118 KB of compressed wasm, this folder is 16.

pub mod cicp;
pub mod cmyk;
mod curve;
mod icc;
pub mod linear;
mod matrix;
mod png;
mod transform;

pub use png::PngColor;
pub use transform::{ColorModel, ColorTransform};
