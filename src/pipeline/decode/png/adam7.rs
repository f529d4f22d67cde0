//! Where the rows of a file lie in the image: in order, or in the seven passes of Adam7 (PNG section 8).

/// The grid of pixels that a run of rows covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) x0: u32,
    pub(super) y0: u32,
    pub(super) dx: u32,
    pub(super) dy: u32,
    /// Pixels in a row.
    pub(super) width: u32,
    /// Rows.
    pub(super) height: u32,
}

/// `x0`, `y0`, `dx`, `dy` of the seven passes.
const ADAM7: [[u32; 4]; 7] = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
];

impl Pass {
    fn new(width: u32, height: u32, [x0, y0, dx, dy]: [u32; 4]) -> Self {
        Self {
            x0,
            y0,
            dx,
            dy,
            width: width.saturating_sub(x0).div_ceil(dx),
            height: height.saturating_sub(y0).div_ceil(dy),
        }
    }
}

/// The passes of a file and the place of the next row in them.
#[derive(Debug)]
pub(super) struct Passes {
    all: Vec<Pass>,
    index: usize,
    row: u32,
}

impl Passes {
    /// One pass over everything.
    pub(super) fn in_order(width: u32, height: u32) -> Self {
        Self::of(vec![Pass::new(width, height, [0, 0, 1, 1])])
    }

    /// The passes of an interlaced file that have any pixels.
    pub(super) fn adam7(width: u32, height: u32) -> Self {
        let mut passes: Vec<Pass> = ADAM7.map(|grid| Pass::new(width, height, grid)).into();
        // An empty pass has no rows at all, not even filter bytes (PNG section 8).
        passes.retain(|pass| pass.width > 0 && pass.height > 0);
        Self::of(passes)
    }

    fn of(all: Vec<Pass>) -> Self {
        Self {
            all,
            index: 0,
            row: 0,
        }
    }

    /// Every pass.
    pub(super) fn all(&self) -> &[Pass] {
        &self.all
    }

    /// The pass of the next row; `None` after the last row.
    pub(super) fn current(&self) -> Option<Pass> {
        self.all.get(self.index).copied()
    }

    /// The next row's number in its pass.
    pub(super) const fn row(&self) -> u32 {
        self.row
    }

    /// Goes on by one row and says whether that begins another pass.
    pub(super) fn advance(&mut self) -> bool {
        self.row += 1;
        let ended = self.current().is_some_and(|pass| self.row >= pass.height);
        if ended {
            self.index += 1;
            self.row = 0;
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passes_cover_each_pixel_once() {
        for (width, height) in [(1, 1), (3, 2), (5, 9), (8, 8), (17, 11)] {
            let mut seen = vec![0_u8; (width * height) as usize];
            let mut passes = Passes::adam7(width, height);
            while let Some(pass) = passes.current() {
                let y = pass.y0 + passes.row() * pass.dy;
                for i in 0..pass.width {
                    seen[(y * width + pass.x0 + i * pass.dx) as usize] += 1;
                }
                passes.advance();
            }
            assert!(seen.iter().all(|&count| count == 1), "{width}x{height}");
        }
    }
}
