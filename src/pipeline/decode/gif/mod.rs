//! GIF: the first frame on its canvas, by rows; a later one on a canvas that is held whole (`frames`).
//!
//! Blocks are skipped up to the first image descriptor (GIF89a, sections 17 to 23);
//! its LZW codes are unpacked as they arrive, so that only one row of the canvas is held.

#[cfg(feature = "decode")]
mod decoder;
#[cfg(feature = "decode")]
mod frames;
mod header;
mod lzw;
#[cfg(feature = "decode")]
mod rows;

#[cfg(feature = "decode")]
pub use decoder::GifDecoder;
#[cfg(feature = "decode")]
pub use frames::GifFrames;
pub use header::{GifHeader, read_header};
