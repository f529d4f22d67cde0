//! The transfer functions of sRGB (IEC 61966-2-1), exact, for rows of floats.

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

/// Replaces encoded samples in 0…1 by linear light.
///
/// The caller leaves alpha out: it is linear already.
pub fn linearize_row(row: &mut [f32]) {
    for sample in row {
        *sample = srgb_to_linear(*sample);
    }
}

/// Replaces linear light in 0…1 by encoded samples.
pub fn encode_row(row: &mut [f32]) {
    for sample in row {
        *sample = linear_to_srgb(*sample);
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
    fn encoding_undoes_linearising() {
        let mut row: Vec<f32> = (0..=65_535u16).map(|v| f32::from(v) / 65_535.0).collect();
        let source = row.clone();
        linearize_row(&mut row);
        assert!(row.windows(2).all(|pair| pair[0] < pair[1]));
        encode_row(&mut row);
        for (back, source) in row.iter().zip(&source) {
            assert!(
                (back - source).abs() < 0.2 / 65_535.0,
                "{source} became {back}"
            );
        }
    }
}
