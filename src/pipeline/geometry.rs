//! Sizes and boxes: all maths of aspect ratios.
//!
//! The sizes of results are those of sharp, so that users find what they know:
//! sides are rounded half up and never vanish.

use std::fmt;

use super::gravity::Gravity;
use super::options::{DEFAULT_SIDE, Fit, Options};

/// Width and height in pixels, both at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    width: u32,
    height: u32,
}

impl Size {
    /// Makes a size; a side of 0 becomes 1.
    pub fn new(width: u32, height: u32) -> Self {
        Self {
            width: width.max(1),
            height: height.max(1),
        }
    }

    /// Width in pixels.
    pub const fn width(self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub const fn height(self) -> u32 {
        self.height
    }

    /// Width times height.
    pub const fn pixels(self) -> u64 {
        self.width as u64 * self.height as u64
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A box in an image, in pixels and parts of pixels, from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Region {
    /// All of an image.
    pub fn whole(size: Size) -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            width: f64::from(size.width),
            height: f64::from(size.height),
        }
    }
}

/// Where the pixels of a thumbnail come from and where they go, all in the image as shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// The part of the source that is shown.
    pub source: Region,
    /// The size that it gets.
    pub scaled: Size,
    /// The size of the thumbnail, which is larger than `scaled` only where it is padded.
    pub canvas: Size,
    /// Where `scaled` lies on `canvas`.
    pub offset: (u32, u32),
}

/// The box that options ask for, in device pixels; a side may be left to the aspect ratio.
fn asked(options: &Options) -> (Option<u32>, Option<u32>) {
    let device = |side: u32| round(f64::from(side) * options.dpr);
    match (options.width, options.height) {
        (None, None) => (Some(device(DEFAULT_SIDE)), Some(device(DEFAULT_SIDE))),
        (width, height) => (width.map(device), height.map(device)),
    }
}

/// Rounds half up to a side of at least 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and the plan refuses sides that long"
)]
fn round(side: f64) -> u32 {
    ((side + 0.5).floor() as u32).max(1)
}

/// How many source pixels become one pixel, for each axis.
fn shrinks(source: Size, options: &Options) -> (f64, f64) {
    let (width, height) = asked(options);
    let x = width.map(|width| f64::from(source.width) / f64::from(width));
    let y = height.map(|height| f64::from(source.height) / f64::from(height));
    let (x, y) = match (x, y, options.fit) {
        (Some(x), Some(y), Fit::Fill) => (x, y),
        (Some(x), Some(y), Fit::Cover | Fit::Outside) => (x.min(y), x.min(y)),
        (Some(x), Some(y), Fit::Contain | Fit::Inside) => (x.max(y), x.max(y)),
        (Some(one), None, _) | (None, Some(one), _) => (one, one),
        (None, None, _) => (1.0, 1.0),
    };
    let (x, y) = if options.enlarge {
        (x, y)
    } else {
        (x.max(1.0), y.max(1.0))
    };
    // A side never shrinks below one pixel.
    (
        x.min(f64::from(source.width)),
        y.min(f64::from(source.height)),
    )
}

/// Lays out a thumbnail of an image that has the size `source` as shown.
pub fn layout(source: Size, options: &Options) -> Layout {
    let (shrink_x, shrink_y) = shrinks(source, options);
    let whole = Region::whole(source);
    let scaled = Size::new(
        round(whole.width / shrink_x),
        round(whole.height / shrink_y),
    );
    let (Some(width), Some(height)) = asked(options) else {
        return uncropped(whole, scaled, scaled, (0, 0));
    };
    match options.fit {
        Fit::Cover => {
            let size = Size::new(scaled.width.min(width), scaled.height.min(height));
            // By the exact scale: one that is rounded to whole pixels shifts the crop's edges,
            // which costs 10 dB.
            let region = (
                (f64::from(size.width) * shrink_x).min(whole.width),
                (f64::from(size.height) * shrink_y).min(whole.height),
            );
            uncropped(crop(whole, region, options.gravity), size, size, (0, 0))
        }
        Fit::Contain => {
            let canvas = Size::new(width.max(scaled.width), height.max(scaled.height));
            let offset = options
                .gravity
                .pad_offset((canvas.width, canvas.height), (scaled.width, scaled.height));
            uncropped(whole, scaled, canvas, offset)
        }
        Fit::Fill | Fit::Inside | Fit::Outside => uncropped(whole, scaled, scaled, (0, 0)),
    }
}

const fn uncropped(source: Region, scaled: Size, canvas: Size, offset: (u32, u32)) -> Layout {
    Layout {
        source,
        scaled,
        canvas,
        offset,
    }
}

/// The part of an image that stays, of a given size.
fn crop(whole: Region, (width, height): (f64, f64), gravity: Gravity) -> Region {
    let (x, y) = gravity.crop_offset((whole.width, whole.height), (width, height));
    Region {
        x,
        y,
        width,
        height,
    }
}

/// The size that an image gets before it is cropped to cover the box; with [`layout`] it gives the crop.
pub fn uncropped_cover(source: Size, options: &Options) -> Size {
    let (x, y) = shrinks(source, options);
    Size::new(
        round(f64::from(source.width) / x),
        round(f64::from(source.height) / y),
    )
}

#[cfg(test)]
mod tests;
