//! ICC profiles (ICC.1:2001-04 and ICC.1:2022): from device colors to the connection space.
//!
//! Read are matrix/TRC and gray profiles and the tables `A2B1` and `A2B0` (`mft1`, `mft2`, `mAB `).
//! The intent is relative colorimetric with black point compensation;
//! profiles without a relative table use their perceptual one.
//! Read are at most 4 MiB and 100 tags; a table takes at most twice the bytes that its profile has.

mod lut;
mod profile;
mod reader;
mod table;
mod tone;

pub(super) use profile::{Device, Profile};
pub(super) use table::Table;
