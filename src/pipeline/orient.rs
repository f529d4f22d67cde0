//! EXIF orientation: between an image as it is stored and as it is shown.

use image::metadata::Orientation;

use super::geometry::{Region, Size};

/// Whether the orientation exchanges width and height.
pub const fn swaps_sides(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// The size as shown of an image stored with `size`, and the other way round.
pub fn turn_size(size: Size, orientation: Orientation) -> Size {
    if swaps_sides(orientation) {
        Size::new(size.height(), size.width())
    } else {
        size
    }
}

/// Where shown coordinates come from: whether the stored axes run backwards in the shown image.
///
/// The first flag is for the stored x axis, the second one for the stored y axis.
const fn backwards(orientation: Orientation) -> (bool, bool) {
    match orientation {
        Orientation::NoTransforms | Orientation::Rotate90FlipH => (false, false),
        Orientation::FlipHorizontal | Orientation::Rotate270 => (true, false),
        Orientation::Rotate180 | Orientation::Rotate270FlipH => (true, true),
        Orientation::FlipVertical | Orientation::Rotate90 => (false, true),
    }
}

/// The part of the stored image that is shown in `region` of the image as shown.
pub fn to_stored(region: Region, shown: Size, orientation: Orientation) -> Region {
    let (stored, size) = if swaps_sides(orientation) {
        let turned = Region {
            x: region.y,
            y: region.x,
            width: region.height,
            height: region.width,
        };
        (turned, Size::new(shown.height(), shown.width()))
    } else {
        (region, shown)
    };
    let (x_back, y_back) = backwards(orientation);
    Region {
        x: if x_back {
            f64::from(size.width()) - stored.x - stored.width
        } else {
            stored.x
        },
        y: if y_back {
            f64::from(size.height()) - stored.y - stored.height
        } else {
            stored.y
        },
        ..stored
    }
}

/// How to write rows of a stored image so that it is shown upright:
/// the pixel in column `x` of row `y` belongs at `start + x * column_step + y * row_step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// Where the first stored pixel belongs.
    pub start: usize,
    /// From one stored column to the next.
    pub column_step: isize,
    /// From one stored row to the next.
    pub row_step: isize,
}

impl Steps {
    /// The steps for a stored image of `stored` in a shown canvas of `stride` pixels a row,
    /// its upper left corner, as shown, at (`left`, `top`).
    #[expect(
        clippy::cast_possible_wrap,
        reason = "a canvas that was allocated has fewer than isize::MAX pixels"
    )]
    pub fn new(
        stored: Size,
        orientation: Orientation,
        stride: usize,
        (left, top): (u32, u32),
    ) -> Self {
        let (x_back, y_back) = backwards(orientation);
        let (column, row) = if swaps_sides(orientation) {
            (stride, 1)
        } else {
            (1, stride)
        };
        let mut start = top as usize * stride + left as usize;
        if x_back {
            start += (stored.width() as usize - 1) * column;
        }
        if y_back {
            start += (stored.height() as usize - 1) * row;
        }
        let sign = |back: bool, step: usize| {
            if back {
                -(step as isize)
            } else {
                step as isize
            }
        };
        Self {
            start,
            column_step: sign(x_back, column),
            row_step: sign(y_back, row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eight transforms of the EXIF standard, written out:
    /// where stored pixel (x, y) of a w x h image is shown.
    fn shown_at(exif: u8, (w, h): (u32, u32), (x, y): (u32, u32)) -> (u32, u32) {
        match exif {
            1 => (x, y),
            2 => (w - 1 - x, y),
            3 => (w - 1 - x, h - 1 - y),
            4 => (x, h - 1 - y),
            5 => (y, x),
            6 => (h - 1 - y, x),
            7 => (h - 1 - y, w - 1 - x),
            8 => (y, w - 1 - x),
            _ => unreachable!("the test asks for 1 to 8"),
        }
    }

    #[test]
    fn steps_and_regions_agree_with_the_standard() {
        let (w, h) = (4_u32, 3_u32);
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).expect("1 to 8 exist");
            let stored = Size::new(w, h);
            let shown = turn_size(stored, orientation);
            let stride = shown.width() as usize + 5;
            let steps = Steps::new(stored, orientation, stride, (2, 1));
            for (x, y) in (0..h).flat_map(|y| (0..w).map(move |x| (x, y))) {
                let along = |by: u32, step: isize| by.cast_signed() as isize * step;
                let (sx, sy) = shown_at(exif, (w, h), (x, y));
                let want = (sy as usize + 1) * stride + sx as usize + 2;
                let at = steps
                    .start
                    .checked_add_signed(along(x, steps.column_step))
                    .and_then(|at| at.checked_add_signed(along(y, steps.row_step)));
                assert_eq!(at, Some(want), "orientation {exif}, pixel {x},{y}");
                let pixel = Region {
                    x: f64::from(sx),
                    y: f64::from(sy),
                    width: 1.0,
                    height: 1.0,
                };
                let back = to_stored(pixel, shown, orientation);
                assert_eq!(
                    (back.x, back.y),
                    (f64::from(x), f64::from(y)),
                    "orientation {exif}"
                );
            }
        }
    }
}
