//! Where finished rows become the pixels of a thumbnail: upright, on their background, in eight bits.

use super::PipelineError;
use super::orient::Steps;
use super::pixmap::Pixmap;
use super::plan::VariantPlan;

/// Writes rows of an image as it is stored into a thumbnail as it is shown.
#[derive(Debug)]
pub struct Canvas {
    pixmap: Pixmap,
    steps: Steps,
    paint: Paint,
    /// Where the next row begins, in pixels.
    at: usize,
    /// How many rows are still to come.
    rows: u32,
}

impl Canvas {
    /// The canvas of a planned variant.
    pub fn new(plan: &VariantPlan) -> Result<Self, PipelineError> {
        let blank = blank(plan);
        let pixmap = if plan.alpha {
            Pixmap::rgba(plan.canvas, blank)?
        } else {
            let [color @ .., _] = blank;
            Pixmap::rgb(plan.canvas, color)?
        };
        let stride = plan.canvas.width() as usize;
        let steps = Steps::new(plan.scaled, plan.orientation, stride, plan.offset);
        Ok(Self {
            pixmap,
            steps,
            paint: Paint::new(plan),
            at: steps.start,
            rows: plan.scaled.height(),
        })
    }

    /// Writes the next row: RGBA, 0 to 1, not premultiplied.
    pub fn push(&mut self, row: &[[f32; 4]]) {
        if self.rows == 0 {
            return;
        }
        let channels = self.pixmap.channels();
        let mut at = self.at;
        for pixel in row {
            let bytes = self.paint.bytes(*pixel);
            let from = at.wrapping_mul(channels);
            if let Some(out) = self
                .pixmap
                .data_mut()
                .get_mut(from..from.wrapping_add(channels))
            {
                out.copy_from_slice(&bytes[..channels]);
            }
            at = at.wrapping_add_signed(self.steps.column_step);
        }
        self.at = self.at.wrapping_add_signed(self.steps.row_step);
        self.rows -= 1;
    }

    /// The finished pixels.
    pub fn finish(self) -> Pixmap {
        self.pixmap
    }
}

/// What a canvas shows where the image does not lie.
pub(super) fn blank(plan: &VariantPlan) -> [u8; 4] {
    match plan.flatten {
        Some([r, g, b]) => [r, g, b, 255],
        None => [0; 4],
    }
}

/// Makes bytes of pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    /// What shows through transparent pixels; they stay transparent without it.
    under: Option<[f32; 3]>,
}

impl Paint {
    pub(super) fn new(plan: &VariantPlan) -> Self {
        let samples = |color: [u8; 3]| color.map(|sample| f32::from(sample) / 255.0);
        Self {
            under: plan.flatten.map(samples),
        }
    }

    /// A pixel of RGBA, 0 to 1, not premultiplied.
    #[inline]
    pub(super) fn bytes(self, pixel: [f32; 4]) -> [u8; 4] {
        let painted = match self.under {
            Some(under) => over(pixel, under),
            None => pixel,
        };
        painted.map(to_byte)
    }
}

fn over([r, g, b, a]: [f32; 4], under: [f32; 3]) -> [f32; 4] {
    let mix = |color: f32, under: f32| color * a + under * (1.0 - a);
    [mix(r, under[0]), mix(g, under[1]), mix(b, under[2]), 1.0]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates to 0…255"
)]
fn to_byte(sample: f32) -> u8 {
    (sample * 255.0 + 0.5) as u8
}
