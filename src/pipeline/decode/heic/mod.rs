//! HEIC: coded images of HEVC, one or a grid of them (ISO/IEC 23008-12, ITU-T H.265).
//!
//! `header` finds the images by the boxes in front of them, `schedule` says which bytes are kept for how long,
//! `coded` decodes one tile. One row of tiles is held, of which `rows` makes the rows of the image.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides have at most 15 bits, numbers of tiles 14, pieces are cut to the chunk that they lie in, and samples are clamped"
)]

mod boxes;
#[cfg(feature = "decode")]
mod coded;
mod config;
#[cfg(feature = "decode")]
mod decoder;
mod header;
mod items;
mod layer;
mod properties;
mod rows;
mod schedule;

use std::borrow::Cow;

use crate::{ImageFormat, PipelineError};

#[cfg(feature = "decode")]
pub use decoder::HeicDecoder;
pub use header::{HeicHeader, read_header};

fn malformed(detail: impl Into<Cow<'static, str>>) -> PipelineError {
    PipelineError::malformed(ImageFormat::Heic, detail)
}

/// What the decoder of the coded images says.
fn fault(error: &heifer_hevc_dec::Error) -> PipelineError {
    match error {
        heifer_hevc_dec::Error::Unimplemented(feature) => {
            PipelineError::unsupported(ImageFormat::Heic, *feature)
        }
        error => malformed(format!("its coded image: {error}")),
    }
}
