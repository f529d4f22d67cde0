//! Turns the rows of Y, U and V into RGBA, for images whose alpha needs the colors next to it.
//!
//! Chroma is interpolated between its four nearest samples and converted in the fixed point of libwebp,
//! so that the result is the same as everywhere.

use super::alpha::AlphaRows;
use crate::decode::canvas::CanvasRows;
use crate::decode::{RowSink, Samples};

/// Takes the rows of a lossy image and gives the rows of its canvas to another sink.
pub struct YuvToRgba<'a> {
    pub canvas: CanvasRows,
    pub alpha: AlphaRows,
    pub sink: &'a mut dyn RowSink,
    height: u32,
    /// The last three rows of luma, by row number modulo three.
    luma: [Vec<u8>; 3],
    /// The last two rows of U and V.
    chroma: [[Vec<u8>; 2]; 2],
}

impl<'a> YuvToRgba<'a> {
    pub fn new(
        canvas: CanvasRows,
        alpha: AlphaRows,
        height: u32,
        sink: &'a mut dyn RowSink,
    ) -> Self {
        Self {
            canvas,
            alpha,
            sink,
            height,
            luma: Default::default(),
            chroma: Default::default(),
        }
    }

    /// Gives the row `y`, whose chroma lies between the rows `near` and `far`.
    fn emit(&mut self, y: u32, near: usize, far: usize) {
        let luma = &self.luma[y as usize % 3];
        let [u, v] = [0, 1].map(|plane: usize| {
            let rows = &self.chroma[plane];
            (rows[near % 2].as_slice(), rows[far % 2].as_slice())
        });
        let alpha = self.alpha.next_row();
        self.canvas.emit(y, self.sink, |row| {
            let pixels = row.as_chunks_mut::<4>().0.iter_mut();
            for (x, ((pixel, &y), &alpha)) in pixels.zip(luma).zip(alpha).enumerate() {
                let [r, g, b] = to_rgb(y, interpolate(u, x), interpolate(v, x));
                *pixel = [r, g, b, alpha];
            }
        });
    }
}

impl RowSink for YuvToRgba<'_> {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        let Samples::U8(samples) = samples else {
            return;
        };
        let Some(plane) = plane.checked_sub(1) else {
            let row = &mut self.luma[y as usize % 3];
            row.clear();
            row.extend_from_slice(samples);
            return;
        };
        let current = y as usize;
        let row = &mut self.chroma[plane][current % 2];
        row.clear();
        row.extend_from_slice(samples);
        if plane == 0 {
            return;
        }
        // With this row of chroma come the second luma row of the one above and the first of its own,
        // and at the end of the image the last one.
        let above = current.saturating_sub(1);
        if y > 0 {
            self.emit(2 * y - 1, above, current);
        }
        self.emit(2 * y, current, above);
        if 2 * y + 2 == self.height {
            self.emit(2 * y + 1, current, current);
        }
    }

    fn pixels(&mut self, _: usize, _: u32, _: u32, _: u32, _: Samples<'_>) {}
}

/// The chroma of column `x` from the nearer and the farther row.
fn interpolate((near, far): (&[u8], &[u8]), x: usize) -> u8 {
    let column = x / 2;
    let beside = if x.is_multiple_of(2) {
        column.saturating_sub(1)
    } else {
        (column + 1).min(near.len() - 1)
    };
    let [a, b, c, d] = [near[column], near[beside], far[column], far[beside]].map(u16::from);
    // Each direction weighs the nearer sample three times: 3 * 3, 3 * 1, 1 * 3, 1 * 1.
    ((9 * a + 3 * (b + c) + d + 8) >> 4) as u8
}

/// ITU-R BT.601 with luma from 16 to 235, in six fractional bits.
fn to_rgb(y: u8, u: u8, v: u8) -> [u8; 3] {
    let scale = |sample: u8, factor: i32| (i32::from(sample) * factor) >> 8;
    // 1.164 in 14 fractional bits, of which the shift leaves six; the constants without a sample are offsets.
    let luma = scale(y, 19077);
    [
        luma + scale(v, 26149) - 14234,
        luma - scale(u, 6419) - scale(v, 13320) + 8708,
        luma + scale(u, 33050) - 17685,
    ]
    .map(|value| (value >> 6).clamp(0, 255) as u8)
}
