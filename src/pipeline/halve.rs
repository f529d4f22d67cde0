//! The last halving of an image in linear light, for those who ask for it.
//!
//! What comes before is averaged as it is encoded, in which fine bright detail loses a little;
//! halving twice the size in linear light brings back most of it and costs next to nothing.

use super::color::linear::{linear_to_srgb, srgb_to_linear};
use super::plan::VariantPlan;
use super::resize::Resizer;

/// Halves rows of RGBA.
#[derive(Debug)]
pub struct LinearHalving {
    resizer: Resizer,
    light: Vec<f32>,
    halved: Vec<[f32; 4]>,
}

impl LinearHalving {
    /// The halving of a planned variant, if it has one.
    pub fn new(plan: &VariantPlan) -> Option<Self> {
        if !plan.is_linear() {
            return None;
        }
        let (x, y) = plan.halving();
        Some(Self {
            resizer: Resizer::new(4, &x, &y),
            light: vec![0.0; plan.resampled.width() as usize * 4],
            halved: vec![[0.0; 4]; plan.scaled.width() as usize],
        })
    }

    /// Takes a row, not premultiplied, and gives out every row that it completes.
    pub fn push(&mut self, row: &[[f32; 4]], mut give: impl FnMut(&[[f32; 4]])) {
        let Self {
            resizer,
            light,
            halved,
        } = self;
        for (light, [r, g, b, a]) in light.as_chunks_mut::<4>().0.iter_mut().zip(row) {
            let [r, g, b] = [r, g, b].map(|color| srgb_to_linear(*color) * a);
            *light = [r, g, b, *a];
        }
        resizer.push(light);
        while resizer.has_row() {
            let row = resizer.next_row();
            for (out, [r, g, b, a]) in halved.iter_mut().zip(row.as_chunks::<4>().0) {
                let encode = |color: f32| {
                    let straight = if *a > 0.0 { (color / a).min(1.0) } else { 0.0 };
                    linear_to_srgb(straight)
                };
                *out = [encode(*r), encode(*g), encode(*b), *a];
            }
            give(halved);
        }
    }
}
