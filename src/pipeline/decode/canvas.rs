//! Places the rows of a frame on a larger canvas that is transparent around it.

use std::ops::Range;

use super::buffer::try_filled;
use super::{RowSink, Samples};
use crate::PipelineError;

/// Width and height in pixels.
pub(super) type Size = (u32, u32);

/// A frame's place on its canvas, in pixels. Validated by [`Placement::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    pub canvas: Size,
    pub origin: (u32, u32),
    pub size: Size,
}

impl Placement {
    /// A frame within its canvas, or `None` if it reaches out of it.
    pub fn new(canvas: Size, origin: (u32, u32), size: Size) -> Option<Self> {
        let fits =
            |side: u32, at: u32, len: u32| at.checked_add(len).is_some_and(|end| end <= side);
        (fits(canvas.0, origin.0, size.0) && fits(canvas.1, origin.1, size.1)).then_some(Self {
            canvas,
            origin,
            size,
        })
    }

    /// Whether nothing of the canvas shows around the frame.
    pub fn covers_canvas(&self) -> bool {
        self.size == self.canvas
    }

    /// What a [`CanvasRows`] takes, in bytes.
    pub fn peak_bytes(&self) -> u64 {
        u64::from(self.canvas.0) * 4
    }
}

/// Gives a sink the RGBA rows of a canvas, one frame's row after the other.
pub(super) struct CanvasRows {
    placement: Placement,
    /// The current row of the canvas; all but the frame's part stays transparent.
    row: Vec<u8>,
}

impl CanvasRows {
    pub fn new(placement: Placement) -> Result<Self, PipelineError> {
        Ok(Self {
            placement,
            row: try_filled(placement.canvas.0 as usize * 4, 0)?,
        })
    }

    /// Gives the transparent rows above the frame.
    pub fn emit_above(&mut self, sink: &mut dyn RowSink) {
        self.emit_transparent(0..self.placement.origin.1, sink);
    }

    /// Gives the transparent rows below the frame.
    pub fn emit_below(&mut self, sink: &mut dyn RowSink) {
        let Placement {
            canvas,
            origin,
            size,
        } = self.placement;
        self.emit_transparent(origin.1 + size.1..canvas.1, sink);
    }

    fn emit_transparent(&mut self, rows: Range<u32>, sink: &mut dyn RowSink) {
        self.row.fill(0);
        for y in rows {
            sink.row(0, y, Samples::U8(&self.row));
        }
    }

    /// Gives a row of the frame, which `paint` writes.
    pub fn emit(&mut self, y: u32, sink: &mut dyn RowSink, paint: impl FnOnce(&mut [u8])) {
        let start = self.placement.origin.0 as usize * 4;
        let len = self.placement.size.0 as usize * 4;
        paint(&mut self.row[start..start + len]);
        sink.row(0, self.placement.origin.1 + y, Samples::U8(&self.row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_must_lie_within_its_canvas() {
        for (origin, size, fits) in [
            ((0, 0), (4, 3), true),
            ((1, 0), (3, 3), true),
            ((1, 0), (4, 3), false),
            ((0, u32::MAX), (4, 3), false),
        ] {
            assert_eq!(Placement::new((4, 3), origin, size).is_some(), fits);
        }
    }
}
