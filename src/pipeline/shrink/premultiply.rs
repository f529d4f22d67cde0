//! Colors times their alpha: of rows, and of single pixels.

use super::Scale;

/// Whether every pixel of a row with alpha is opaque.
pub(super) fn is_opaque(row: &[u8], channels: usize) -> bool {
    match channels {
        2 => row.as_chunks::<2>().0.iter().fold(255, |all, p| all & p[1]) == 255,
        _ => row.as_chunks::<4>().0.iter().fold(255, |all, p| all & p[3]) == 255,
    }
}

/// Colors times alpha, and alpha times 255.
pub(super) fn premultiply8(row: &[u8], channels: usize, out: &mut [u16]) {
    if channels == 2 {
        for ([l, a], out) in row
            .as_chunks::<2>()
            .0
            .iter()
            .zip(out.as_chunks_mut::<2>().0)
        {
            let alpha = u16::from(*a);
            *out = [u16::from(*l) * alpha, 255 * alpha];
        }
    } else {
        for ([r, g, b, a], out) in row
            .as_chunks::<4>()
            .0
            .iter()
            .zip(out.as_chunks_mut::<4>().0)
        {
            let alpha = u16::from(*a);
            *out = [*r, *g, *b, 255].map(|sample| u16::from(sample) * alpha);
        }
    }
}

/// Colors times alpha, rounded to 16 bits, and alpha.
pub(super) fn premultiply16(row: &[u16], channels: usize, out: &mut [u16]) {
    for (pixel, out) in row
        .chunks_exact(channels)
        .zip(out.chunks_exact_mut(channels))
    {
        let Some((alpha, colors)) = pixel.split_last() else {
            continue;
        };
        for (out, color) in out.iter_mut().zip(colors) {
            *out = times16(*color, *alpha);
        }
        if let Some(out) = out.last_mut() {
            *out = *alpha;
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "65535 * 65535 / 65535 fits 16 bits"
)]
fn times16(color: u16, alpha: u16) -> u16 {
    ((u32::from(color) * u32::from(alpha) + 32_767) / 65_535) as u16
}

pub(super) fn premultiplied8(pixel: &[u8], scale: Scale) -> [u32; 4] {
    let alpha = match pixel.split_last() {
        Some((alpha, _)) if scale.alpha => u32::from(*alpha),
        _ => scale.opaque,
    };
    let mut out = [0; 4];
    for (out, sample) in out.iter_mut().zip(pixel) {
        *out = u32::from(*sample) * alpha;
    }
    if scale.alpha
        && let Some(out) = out.get_mut(pixel.len() - 1)
    {
        *out = alpha * 255;
    }
    out
}

pub(super) fn premultiplied16(pixel: &[u16], scale: Scale) -> [u32; 4] {
    let alpha = match pixel.split_last() {
        Some((alpha, _)) if scale.alpha => *alpha,
        _ => u16::MAX,
    };
    let mut out = [0; 4];
    for (out, sample) in out.iter_mut().zip(pixel) {
        *out = u32::from(times16(*sample, alpha));
    }
    if scale.alpha
        && let Some(out) = out.get_mut(pixel.len() - 1)
    {
        *out = u32::from(alpha);
    }
    out
}
