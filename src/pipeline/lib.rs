#![doc = include_str!("README.md")]
#![cfg_attr(
    not(feature = "decode"),
    allow(
        dead_code,
        reason = "without decoders, all that remains is what headers and plans need of the same files"
    )
)]

mod canvas;
pub mod color;
pub mod color_model;
pub mod decode;
pub mod encode;
pub mod error;
mod exif;
pub mod format;
pub mod geometry;
pub mod gravity;
mod halve;
pub mod limits;
pub mod options;
pub mod orient;
pub mod output;
pub mod pixmap;
pub mod plan;
#[cfg(feature = "poison")]
mod poison;
pub mod probe;
#[cfg(feature = "decode")]
pub mod render;
pub mod resize;
mod scroll;
pub mod shrink;
pub mod sink;
mod smart;
pub mod thumbhash;
pub mod work;

pub use encode::{EncodeOptions, Encoded};
pub use error::{LimitError, PipelineError};
pub use format::{ImageFormat, OutputFormat};
pub use limits::Limits;
pub use options::{Options, OptionsError, Variant};
pub use pixmap::Pixmap;
pub use plan::{Plan, plan};
pub use probe::{ImageInfo, RangeStatus, probe, probe_page, probe_ranges};
#[cfg(feature = "decode")]
pub use render::{Rendered, Renderer, Thumbnail, render};
