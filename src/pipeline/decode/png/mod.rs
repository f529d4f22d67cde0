//! PNG (W3C PNG third edition): compressed bytes in, rows out, in memory that the height does not touch.
//!
//! `chunks` frames the file, `inflate` keeps a window of inflated bytes, `unfilter` undoes the filters
//! of up to four rows at once, `expand` turns them into samples, `adam7` says where they lie.
//!
//! What is tolerated in a damaged file:
//! - IHDR and PLTE must match their CRC. They are a few bytes, and everything after depends on them.
//! - CRCs of other chunks and the Adler-32 of the image are not checked. Browsers have shown the rows
//!   by the time they could know, and a viewer prefers a few wrong pixels to none.
//!   Damage that breaks the deflate stream or a filter byte ends the image there.
//! - What follows the last row is not looked at: excess IDAT data, a missing IEND, trailing bytes.
//! - An image that ends early is given as far as it goes and filled with gray, or with transparency
//!   if it has alpha, when at least 1/1000 of its pixels were decoded.
//!   Below that, filling would be all of the work (a header may claim gigapixels), and it is an error.
//! - Ancillary chunks that break their own rules count as absent.
//!
//! An animated PNG gives its default image, or one of its frames as `frames` composes it.

#![allow(
    clippy::cast_possible_truncation,
    reason = "lengths are those of buffers that `PngHeader::check_memory` keeps far below 2^31"
)]

mod adam7;
mod chunks;
#[cfg(feature = "decode")]
mod decoder;
mod expand;
#[cfg(feature = "decode")]
mod frames;
mod header;
mod inflate;
mod lanes;
mod metadata;
mod unfilter;

#[cfg(feature = "decode")]
pub use decoder::PngDecoder;
#[cfg(feature = "decode")]
pub use frames::PngFrames;
pub use header::{ColorType, PngHeader, Transparency, read_header};
pub use metadata::{Chromaticities, Cicp};
