//! BMP: every depth, bit fields, runs, from the top and from the bottom.

use super::random::Random;
use super::sources::Shape;

pub fn file(random: &mut Random, shape: &Shape) -> (&'static str, Vec<u8>) {
    // Bits of a pixel, and the compression: 1 and 2 are runs, 3 is bit fields.
    let (bits, compression) = random.pick(&[
        (1, 0),
        (4, 0),
        (8, 0),
        (16, 0),
        (24, 0),
        (32, 0),
        (8, 1),
        (4, 2),
        (16, 3),
        (32, 3),
    ]);
    let top_down = compression != 1 && compression != 2 && random.one_in(2);
    let palette = if bits <= 8 { 4_u32 << bits } else { 0 };
    let mut file = b"BM\0\0\0\0\0\0\0\0".to_vec();
    file.extend((14 + 108 + palette).to_le_bytes());
    file.extend(108_u32.to_le_bytes());
    file.extend(shape.width.to_le_bytes());
    let height = shape.height.cast_signed();
    file.extend(if top_down { -height } else { height }.to_le_bytes());
    file.extend([1, 0]);
    file.extend(u16::to_le_bytes(bits));
    file.extend(u32::to_le_bytes(compression));
    file.extend([0; 20]);
    let masks = if bits == 16 {
        [0xf00, 0xf0, 0xf, 0xf000]
    } else {
        [0xff_0000, 0xff00, 0xff, 0xff00_0000_u32]
    };
    file.extend(masks.iter().flat_map(|mask| mask.to_le_bytes()));
    file.resize(14 + 108, 0);
    file.extend(random.samples(4, palette as usize / 4));
    if compression == 1 || compression == 2 {
        file.extend(runs(random, shape));
        return ("bmp of runs", file);
    }
    let stride = (u64::from(shape.width) * u64::from(bits)).div_ceil(32) as usize * 4;
    file.extend(random.samples(stride, shape.height as usize));
    ("bmp", file)
}

fn runs(random: &mut Random, shape: &Shape) -> Vec<u8> {
    let mut data = Vec::new();
    for _ in 0..shape.height {
        let mut left = shape.width;
        while left > 0 {
            let len = left.min(random.within(1, 255));
            data.extend([len as u8, random.next() as u8]);
            left -= len;
        }
        data.extend([0, 0]);
    }
    data.extend([0, 1]);
    data
}
