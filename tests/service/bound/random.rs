//! Chance that a seed repeats.

/// Numbers by xorshift64*.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // The generator must not begin at 0, and seeds that are near each other must not look alike.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    /// A number of 0 to `end`, without `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// A number of `from` to `to`, both included.
    pub fn within(&mut self, from: u32, to: u32) -> u32 {
        from + u32::try_from(self.below(u64::from(to - from) + 1)).expect("below a u32")
    }

    /// The same, of which each doubling is as likely as the next one.
    pub fn scale(&mut self, from: u32, to: u32) -> u32 {
        let (low, high) = (f64::from(from).ln(), f64::from(to).ln());
        let share = self.below(1 << 20) as f64 / f64::from(1 << 20);
        ((low + (high - low) * share).exp().round() as u32).clamp(from, to)
    }

    /// Whether something of one in `times` happens.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// Samples of an image with rows of `stride` bytes: flat, ramps, stripes, or noise, which no codec makes small.
    pub fn samples(&mut self, stride: usize, rows: usize) -> Vec<u8> {
        let len = stride * rows;
        let first = self.next();
        // Noise of many pixels takes encoders long.
        let kinds = if len > 1 << 21 { 3 } else { 5 };
        match self.below(kinds) {
            0 => vec![first as u8; len],
            1 => (0..len)
                .map(|at| ((at % stride.max(1)) / 7 + at / stride.max(1) / 5) as u8)
                .collect(),
            2 => (0..len)
                .map(|at| [0x10, 0xf0, 0x80, 0x37][at / 13 % 4])
                .collect(),
            _ => (0..len).map(|_| self.next() as u8).collect(),
        }
    }
}
