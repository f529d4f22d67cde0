//! A tone curve, baked into a table.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "positions in a table of 4097 entries"
)]

use super::linear::unit;

/// Steps of the table.
///
/// With 4096 the error of linear interpolation stays under 0.005 of an 8-bit level for
/// gamma 1/2.4, the steepest curve in use (its worst place is the end of sRGB's linear part).
const STEPS: usize = 4096;

/// A function from 0…1 to 0…1, or to any finite range if it was made so.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve(Box<[f32; STEPS + 1]>);

impl Curve {
    /// Bytes of the table.
    pub(super) const BYTES: u64 = size_of::<[f32; STEPS + 1]>() as u64;

    /// Bakes a function; values that are not finite become 0.
    pub(super) fn new(function: impl Fn(f64) -> f64) -> Self {
        Self(Box::new(std::array::from_fn(|step| {
            let value = function(step as f64 / STEPS as f64) as f32;
            if value.is_finite() { value } else { 0.0 }
        })))
    }

    /// The curve with `function` applied to its values.
    pub(super) fn map(mut self, function: impl Fn(f32) -> f32) -> Self {
        for value in self.0.iter_mut() {
            *value = function(*value);
        }
        self
    }

    /// The value at `x`, which is clamped to 0…1.
    #[inline]
    pub(super) fn at(&self, x: f32) -> f32 {
        let position = unit(x) * STEPS as f32;
        let step = (position as usize).min(STEPS - 1);
        let (low, high) = (self.0[step], self.0[step + 1]);
        low + (high - low) * (position - step as f32)
    }
}

/// The value at `x` of samples that are spread evenly over 0…1.
pub(super) fn interpolate(samples: &[u16], x: f64) -> f64 {
    let Some(last) = samples.len().checked_sub(1) else {
        return x;
    };
    let position = x.max(0.0).clamp(0.0, 1.0) * last as f64;
    let index = (position as usize).min(last);
    let sample = |index: usize| f64::from(samples[index.min(last)]) / 65_535.0;
    let (low, high) = (sample(index), sample(index + 1));
    low + (high - low) * (position - index as f64)
}

#[cfg(test)]
mod tests {
    use super::super::linear::{linear_to_srgb, srgb_to_linear};
    use super::*;

    #[test]
    fn the_table_is_near_the_function_it_was_made_from() {
        let encode = Curve::new(|x| f64::from(linear_to_srgb(x as f32)));
        let decode = Curve::new(|x| f64::from(srgb_to_linear(x as f32)));
        for step in 0..=65_535u16 {
            let x = f32::from(step) / 65_535.0;
            assert!(
                (encode.at(x) - linear_to_srgb(x)).abs() < 0.008 / 255.0,
                "{x}"
            );
            assert!(
                (decode.at(x) - srgb_to_linear(x)).abs() < 0.008 / 255.0,
                "{x}"
            );
        }
    }

    #[test]
    fn values_outside_are_clamped_and_nan_is_black() {
        let curve = Curve::new(|x| x);
        for (x, want) in [
            (-1.0, 0.0),
            (2.0, 1.0),
            (f32::NAN, 0.0),
            (f32::INFINITY, 1.0),
        ] {
            assert!((curve.at(x) - want).abs() < f32::EPSILON, "{x}");
        }
        assert!(Curve::new(|x| 1.0 / x).at(0.0).is_finite());
    }

    #[test]
    fn samples_are_interpolated() {
        for (samples, x, want) in [
            (&[0, 65_535][..], 0.25, 0.25),
            (&[65_535, 0, 65_535], 0.75, 0.5),
            (&[65_535], 0.3, 1.0),
            (&[], 0.3, 0.3),
        ] {
            assert!((interpolate(samples, x) - want).abs() < 1e-9);
        }
    }
}
