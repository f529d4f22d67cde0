//! Tests of `idct`.

use super::*;

/// The definition, with n points over the lowest n x n coefficients.
fn reference(block: &Block, quant: &Quant, n: usize) -> Vec<f64> {
    let norm = |k: usize| {
        if k == 0 {
            (1.0 / n as f64).sqrt()
        } else {
            (2.0 / n as f64).sqrt()
        }
    };
    let cos = |x: usize, k: usize| {
        (std::f64::consts::PI * (2 * x + 1) as f64 * k as f64 / (2 * n) as f64).cos()
    };
    let mut out = vec![];
    for y in 0..n {
        for x in 0..n {
            let mut sum = 0.0;
            for v in 0..n {
                for u in 0..n {
                    let c = f64::from(block[v * n + u]) * f64::from(quant[v * 8 + u]);
                    sum += norm(u) * norm(v) * c * cos(x, u) * cos(y, v);
                }
            }
            out.push((sum * n as f64 / 8.0 + 128.0).clamp(0.0, 255.0));
        }
    }
    out
}

#[test]
fn every_size_is_the_definition() {
    let mut seed = 1_u32;
    let mut random = move |range: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % range
    };
    for round in 0..200 {
        let quant: Quant = std::array::from_fn(|_| 1 + random(24) as u16);
        for size in [
            BlockSize::One,
            BlockSize::Two,
            BlockSize::Four,
            BlockSize::Eight,
        ] {
            let n = size.samples();
            let mut block = [0; 128];
            for c in &mut block[..n * n] {
                *c = if random(4) <= round % 4 {
                    random(41) as i16 - 20
                } else {
                    0
                };
            }
            let factors = factors(&quant, size);
            let mut out = [0; 64];
            match size {
                BlockSize::One => out[0] = flat(i32::from(block[0]), quant[0]),
                BlockSize::Two => two(&block, &factors, &mut out, 2),
                BlockSize::Four => four(&block, &factors, &mut out, 4),
                BlockSize::Eight => eight(&block, &factors, &mut out, 8),
            }
            for (got, want) in out.iter().zip(reference(&block, &quant, n)) {
                assert!(
                    (f64::from(*got) - want).abs() < 0.51,
                    "{size:?}: {got} {want}"
                );
            }
        }
    }
}

#[test]
fn extremes_are_clamped() {
    let quant = [u16::MAX; 64];
    let mut out = [7; 64];
    eight(
        &[i16::MIN; 128],
        &factors(&quant, BlockSize::Eight),
        &mut out,
        8,
    );
    assert_eq!(out[0], 0);
    four(
        &[i16::MAX; 128],
        &factors(&quant, BlockSize::Four),
        &mut out,
        4,
    );
    assert_eq!(out[0], 255);
    two(
        &[i16::MIN; 128],
        &factors(&quant, BlockSize::Two),
        &mut out,
        2,
    );
    assert_eq!(out[0], 0);
    assert_eq!((flat(32_767, u16::MAX), flat(-32_768, u16::MAX)), (255, 0));
}
