//! What comes before the pixels in a baseline file.

use super::super::super::geometry::Size;
use super::super::output::Output;
use super::rows::JpegColor;
use super::tables::{Class, Huffman, ac, dc, zigzag};

/// Writes everything up to the entropy-coded data; `divisors` are in rows.
pub(super) fn write(output: &mut Output, size: Size, color: JpegColor, divisors: &[[u8; 64]; 2]) {
    output.push(&[0xff, 0xd8]);
    // JFIF 1.2, pixels that are square, no thumbnail in the thumbnail.
    segment(output, 0xe0, &[b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"]);
    let count = u8::try_from(color.components()).unwrap_or(3);
    let sides = [size.height(), size.width()].map(|side| {
        let [.., high, low] = side.to_be_bytes();
        [high, low]
    });
    let luma = if color == JpegColor::Halved {
        0x22
    } else {
        0x11
    };
    let components = [[0, luma, 0], [1, 0x11, 1], [2, 0x11, 1]];
    let components = components[..color.components()].as_flattened();
    segment(
        output,
        0xc0,
        &[&[8], sides.as_flattened(), &[count], components],
    );
    for (id, divisors) in (0..).zip(divisors) {
        segment(output, 0xdb, &[&[id], &zigzag(divisors)]);
    }
    let classes = [(0, Class::Luma), (1, Class::Chroma)];
    for (id, class) in classes.into_iter().take(color.components().min(2)) {
        for (kind, Huffman { counts, symbols }) in [(0x00, dc(class)), (0x10, ac(class))] {
            segment(output, 0xc4, &[&[kind | id], &counts, symbols]);
        }
    }
    let tables = [[0, 0x00], [1, 0x11], [2, 0x11]];
    let tables = tables[..color.components()].as_flattened();
    segment(output, 0xda, &[&[count], tables, &[0, 63, 0]]);
}

fn segment(output: &mut Output, marker: u8, parts: &[&[u8]]) {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    output.push(&[0xff, marker]);
    output.push(&u16::try_from(len + 2).unwrap_or(u16::MAX).to_be_bytes());
    for part in parts {
        output.push(part);
    }
}
