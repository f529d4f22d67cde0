//! Frames put on a canvas one after another, in the plainest way that the specifications allow.

/// What becomes of a frame when the next one comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposal {
    Keep,
    Clear,
    Restore,
}

/// A decoded frame.
#[derive(Debug, Clone)]
pub struct Frame {
    pub origin: (usize, usize),
    pub width: usize,
    pub pixels: Vec<[u8; 4]>,
    pub replaces: bool,
    pub disposal: Disposal,
}

/// The canvas as each frame shows it.
pub fn compose((width, height): (usize, usize), frames: &[Frame]) -> Vec<Vec<[u8; 4]>> {
    let mut canvas = vec![[0; 4]; width * height];
    let mut shown = Vec::new();
    for frame in frames {
        let before = canvas.clone();
        let place = |i: usize| {
            let (x, y) = (i % frame.width, i / frame.width);
            (frame.origin.1 + y) * width + frame.origin.0 + x
        };
        for (i, &pixel) in frame.pixels.iter().enumerate() {
            let target = &mut canvas[place(i)];
            *target = if frame.replaces {
                pixel
            } else {
                over(pixel, *target)
            };
        }
        shown.push(canvas.clone());
        match frame.disposal {
            Disposal::Keep => {}
            Disposal::Clear => {
                for i in 0..frame.pixels.len() {
                    canvas[place(i)] = [0; 4];
                }
            }
            Disposal::Restore => canvas = before,
        }
    }
    shown
}

/// A pixel over another, in floating point.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "means of bytes"
)]
fn over(pixel: [u8; 4], under: [u8; 4]) -> [u8; 4] {
    let [a, b] = [pixel[3], under[3]].map(|alpha| f64::from(alpha) / 255.0);
    let alpha = a + b * (1.0 - a);
    if a == 0.0 {
        return under;
    }
    let mut mixed = [(alpha * 255.0).round() as u8; 4];
    for (channel, value) in mixed.iter_mut().take(3).enumerate() {
        let (top, bottom) = (f64::from(pixel[channel]), f64::from(under[channel]));
        *value = ((top * a + bottom * b * (1.0 - a)) / alpha).round() as u8;
    }
    mixed
}

/// Whether two canvases are the same but for `tolerance`, and for the color of what is not seen.
pub fn same(a: &[[u8; 4]], b: &[[u8; 4]], tolerance: u8) -> bool {
    let near = |a: &[u8; 4], b: &[u8; 4]| {
        let mut channels = a.iter().zip(b);
        (a[3] == 0 && b[3] == 0) || channels.all(|(a, b)| a.abs_diff(*b) <= tolerance)
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b))
}
