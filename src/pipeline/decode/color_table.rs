//! The colors of an image that is stored as indices.

/// Colors by index, also as sums of pixels need them.
#[derive(Debug, Clone)]
pub struct ColorTable {
    colors: Box<[[u8; 4]; 256]>,
    channels: usize,
    /// Two channels of 32 bits in each word, the first in the lower half: RGB as it is, RGBA premultiplied.
    pairs: Box<[[u64; 2]; 256]>,
}

impl ColorTable {
    /// A table of RGBA whose alpha does not matter where there are three channels.
    pub fn new(colors: &[[u8; 4]; 256], channels: u8) -> Self {
        let mut pairs = Box::new([[0; 2]; 256]);
        for (pair, &[r, g, b, a]) in pairs.iter_mut().zip(colors) {
            let scale = if channels == 4 { a.into() } else { 1 };
            let [r, g, b, full] = [r, g, b, 255].map(|sample| u64::from(sample) * scale);
            *pair = [r | g << 32, b | full << 32];
        }
        Self {
            colors: Box::new(*colors),
            channels: channels.into(),
            pairs,
        }
    }

    /// How many channels the colors have: 3 or 4.
    pub const fn channels(&self) -> usize {
        self.channels
    }

    /// The color of an index in RGBA.
    pub fn color(&self, index: u8) -> [u8; 4] {
        self.colors[usize::from(index)]
    }

    /// The colors of a row, as interleaved samples.
    pub fn expand(&self, indices: &[u8]) -> Vec<u8> {
        let colors = indices
            .iter()
            .map(|&index| &self.colors[usize::from(index)]);
        colors
            .flat_map(|color| &color[..self.channels])
            .copied()
            .collect()
    }

    /// The sums of up to 65535 pixels, colors and alpha times 255 if there is alpha.
    pub fn total(&self, indices: &[u8]) -> [u32; 4] {
        let [mut low, mut high] = [0_u64; 2];
        for &index in indices {
            let [rg, ba] = self.pairs[usize::from(index)];
            // 65535 * 255 * 255 fits 32 bits: no half reaches the other.
            low = low.wrapping_add(rg);
            high = high.wrapping_add(ba);
        }
        let ([r, g], [b, a]) = (halves(low), halves(high));
        [r, g, b, a]
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is wanted alone"
)]
const fn halves(word: u64) -> [u32; 2] {
    [word as u32, (word >> 32) as u32]
}
