//! BMP: bitmaps of Windows and OS/2, by rows.
//!
//! Most are stored from the bottom up, so rows come in falling order.
//! An alpha channel counts from the first pixel on that has any: one that is 0 everywhere is no alpha.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "fields are masked and signs checked where they change their width"
)]

#[cfg(feature = "decode")]
mod decoder;
mod header;
#[cfg(feature = "decode")]
mod rows;
#[cfg(feature = "decode")]
mod runs;

#[cfg(feature = "decode")]
pub use decoder::BmpDecoder;
pub use header::{BmpHeader, read_header};
