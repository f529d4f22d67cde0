//! HEIC: single images, and grids of them.

use super::random::Random;
use super::sources::Shape;
use crate::samples::heic_files::{Coded, File};

const SINGLE: [&[u8]; 9] = [
    include_bytes!("../../images/heic/photo.heic"),
    include_bytes!("../../images/heic/alpha.heic"),
    include_bytes!("../../images/heic/chroma-422.heic"),
    include_bytes!("../../images/heic/chroma-444.heic"),
    include_bytes!("../../images/heic/display-p3.heic"),
    include_bytes!("../../images/heic/gray.heic"),
    include_bytes!("../../images/heic/odd.heic"),
    include_bytes!("../../images/heic/quadrants.heic"),
    include_bytes!("../../images/heic/ten-bit.heic"),
];

pub fn file(random: &mut Random, shape: &Shape) -> (&'static str, Vec<u8>) {
    if random.one_in(2) {
        return ("heic", random.pick(&SINGLE).to_vec());
    }
    let coded = Coded::of(SINGLE[0]);
    let columns = shape.width.div_ceil(160).clamp(1, 40);
    let rows = shape.height.div_ceil(120).clamp(1, 40);
    let tiles = vec![coded; (columns * rows) as usize];
    let size = ((columns * 160) as u16, (rows * 120) as u16);
    let mut file = File::grid(&tiles, (160, 120), columns as u8, size);
    file.is_reversed = random.one_in(4);
    ("heic of tiles", file.bytes())
}
