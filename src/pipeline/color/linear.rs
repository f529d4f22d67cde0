//! The transfer functions of sRGB (IEC 61966-2-1), exact.

/// Brings a sample into 0…1; a NaN becomes 0, which `clamp` alone would keep.
#[inline]
pub(super) fn unit(sample: f32) -> f32 {
    sample.max(0.0).clamp(0.0, 1.0)
}

/// Returns the linear light of an encoded sample, both in 0…1.
pub fn srgb_to_linear(encoded: f32) -> f32 {
    if encoded <= 0.040_45 {
        encoded / 12.92
    } else {
        ((encoded + 0.055) / 1.055).powf(2.4)
    }
}

/// Returns the encoded sample of linear light, both in 0…1.
pub fn linear_to_srgb(linear: f32) -> f32 {
    if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_hit_known_points() {
        for (encoded, linear) in [
            (0.0, 0.0),
            (0.02, 0.001_548),
            (0.5, 0.214_041),
            (0.8, 0.603_827),
            (1.0, 1.0),
        ] {
            assert!((srgb_to_linear(encoded) - linear).abs() < 1e-6, "{encoded}");
        }
    }

    #[test]
    fn encoding_undoes_linearizing() {
        let samples = (0..=65_535u16).map(|v| f32::from(v) / 65_535.0);
        let mut last = -1.0;
        for sample in samples {
            let linear = srgb_to_linear(sample);
            assert!(linear > last);
            last = linear;
            let back = linear_to_srgb(linear);
            assert!(
                (back - sample).abs() < 0.2 / 65_535.0,
                "{sample} became {back}"
            );
        }
    }
}
