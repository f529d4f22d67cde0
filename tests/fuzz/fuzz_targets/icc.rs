//! Profiles of any bytes: they are refused, or they turn any samples into samples in 0…1.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thumbnail_pipeline::color::{ColorModel, ColorTransform};

fuzz_target!(|profile: &[u8]| {
    for model in [ColorModel::Gray, ColorModel::Rgb, ColorModel::Cmyk] {
        let Some(transform) = ColorTransform::from_icc(profile, model) else {
            continue;
        };
        let source = [
            0.0,
            0.2,
            1.0,
            0.7,
            f32::NAN,
            -1.0,
            f32::INFINITY,
            0.5,
            0.9,
            1e-30,
            0.4,
            2.0,
        ];
        for device in source.as_chunks::<4>().0 {
            let color = transform.convert(*device);
            assert!(color.iter().all(|c| (0.0..=1.0).contains(c)), "{color:?}");
        }
    }
});
