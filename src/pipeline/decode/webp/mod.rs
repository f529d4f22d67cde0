//! WebP: lossy, lossless and the first frame of animations (RFC 9649).
//!
//! `riff` finds the image, `vp8` decodes it by rows if it is lossy, `lossless` whole if it is not.
//! `frames` composes later frames.
//! Opaque lossy images come as planes of Y, U and V; those with alpha as RGBA.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "formulas keep the names of the specification; sides have at most 24 bits, chunks 32, and samples are clamped where they shrink"
)]

#[cfg(feature = "decode")]
mod alpha;
mod codes;
#[cfg(feature = "decode")]
mod decoder;
#[cfg(feature = "decode")]
mod frames;
mod header;
mod lossless;
mod riff;
mod vp8;
#[cfg(feature = "decode")]
mod yuv;

#[cfg(feature = "decode")]
pub use decoder::WebpDecoder;
#[cfg(feature = "decode")]
pub use frames::WebpFrames;
pub use header::{LoopFilter, WebpCoding, WebpHeader, read_header};
