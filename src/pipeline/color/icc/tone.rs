//! Curves of a profile: `curv` and `para` (ICC.1:2022, 10.6 and 10.18).

use super::super::curve::{Curve, interpolate};
use super::reader::Bytes;

/// The bytes that a curve takes, with the curve.
pub(super) struct Sized {
    pub(super) curve: Curve,
    pub(super) len: usize,
}

/// Reads the curve at the start of `bytes`.
pub(super) fn read_curve(bytes: Bytes<'_>) -> Option<Sized> {
    match &bytes.signature(0)? {
        b"curv" => sampled(bytes),
        b"para" => parametric(bytes),
        _ => None,
    }
}

/// Reads `N` curves that follow each other, each on a multiple of four bytes.
pub(super) fn read_curves(bytes: Bytes<'_>, count: usize) -> Option<Vec<Curve>> {
    let mut curves = Vec::with_capacity(count);
    let mut offset = 0usize;
    for _ in 0..count {
        let Sized { curve, len } = read_curve(bytes.from(offset)?)?;
        curves.push(curve);
        offset = offset.checked_add(len)?.checked_next_multiple_of(4)?;
    }
    Some(curves)
}

fn sampled(bytes: Bytes<'_>) -> Option<Sized> {
    let count = bytes.index(8)?;
    let samples = bytes.samples(12, count, 2)?;
    let curve = match samples[..] {
        [] => Curve::new(|x| x),
        [gamma] => {
            let gamma = f64::from(gamma) / 256.0;
            Curve::new(|x| x.powf(gamma))
        }
        _ => Curve::new(|x| interpolate(&samples, x)),
    };
    Some(Sized {
        curve,
        len: 12 + 2 * count,
    })
}

fn parametric(bytes: Bytes<'_>) -> Option<Sized> {
    let count = *[1, 3, 4, 5, 7].get(usize::from(bytes.u16(8)?))?;
    let mut given = [0.0; 7];
    for (index, parameter) in given[..count].iter_mut().enumerate() {
        *parameter = bytes.fixed(12 + 4 * index)?;
    }
    let [gamma, scale, shift, slope, ..] = given;
    // Every function type is the last one with some parameters fixed.
    let full = match count {
        1 => [gamma, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        3 | 4 => [gamma, scale, shift, 0.0, -shift / scale, slope, slope],
        _ => given,
    };
    let [gamma, scale, shift, slope, start, lift, foot] = full;
    let curve = Curve::new(|x| {
        let y = if x >= start {
            (scale * x + shift).max(0.0).powf(gamma) + lift
        } else {
            slope * x + foot
        };
        y.max(0.0).clamp(0.0, 1.0)
    });
    Some(Sized {
        curve,
        len: 12 + 4 * count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn para(kind: u16, parameters: &[f64]) -> Vec<u8> {
        let mut bytes = b"para\0\0\0\0".to_vec();
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0; 2]);
        for value in parameters {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "small numbers of this test"
            )]
            bytes.extend(((value * 65_536.0).round() as i32).to_be_bytes());
        }
        bytes
    }

    #[test]
    fn every_parametric_type_is_read() {
        let srgb = |x: f64| ((x + 0.055) / 1.055).powf(2.4);
        let (a, b) = (1.0 / 1.055, 0.055 / 1.055);
        for (kind, parameters, x, want) in [
            (0, &[2.2][..], 0.5, 0.5f64.powf(2.2)),
            (1, &[2.0, 2.0, -0.5], 0.2, 0.0),
            (1, &[2.0, 2.0, -0.5], 0.5, 0.25),
            (2, &[2.0, 1.0, -0.5, 0.25], 0.1, 0.25),
            (2, &[2.0, 1.0, -0.5, 0.25], 0.9, 0.41),
            (3, &[2.4, a, b, 1.0 / 12.92, 0.040_45], 0.02, 0.02 / 12.92),
            (3, &[2.4, a, b, 1.0 / 12.92, 0.040_45], 0.7, srgb(0.7)),
            (4, &[2.0, 1.0, 0.0, 0.5, 0.5, 0.125, 0.0625], 0.25, 0.1875),
            (4, &[2.0, 1.0, 0.0, 0.5, 0.5, 0.125, 0.0625], 0.75, 0.6875),
        ] {
            let read = read_curve(Bytes(&para(kind, parameters))).unwrap();
            let got = f64::from(read.curve.at(x));
            assert!(
                (got - want).abs() < 1e-4,
                "type {kind} at {x}: {got}, not {want}"
            );
            assert_eq!(read.len, 12 + 4 * parameters.len());
        }
        assert!(read_curve(Bytes(&para(5, &[1.0; 9]))).is_none());
    }

    #[test]
    fn a_count_beyond_the_data_is_refused_before_memory_is_taken() {
        let bytes = b"curv\0\0\0\0\xff\xff\xff\xff\0\0";
        assert!(read_curve(Bytes(bytes)).is_none());
    }
}
