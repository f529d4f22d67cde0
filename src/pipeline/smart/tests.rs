//! Tests of `smart`.

use super::*;

/// Gray with a textured, skin-colored square at `left`.
fn picture(left: u32) -> Pixmap {
    let size = Size::new(300, 100);
    let mut pixmap = Pixmap::rgb(size, [128; 3]).expect("small");
    for (index, pixel) in (0_u32..).zip(pixmap.data_mut().chunks_exact_mut(3)) {
        let (x, y) = (index % 300, index / 300);
        if (left..left + 60).contains(&x) && (20..80).contains(&y) {
            let shade = u8::try_from((x * 7 + y * 13) % 60).expect("below 60");
            pixel.copy_from_slice(&[190 + shade, 140 + shade, 100 + shade]);
        }
    }
    pixmap
}

#[test]
fn the_part_with_something_in_it_is_kept() {
    for gravity in [Gravity::Entropy, Gravity::Attention] {
        for left in [0, 120, 235] {
            let (x, y) = choose(&picture(left), gravity, Size::new(100, 100));
            assert!(
                x <= left && left + 60 <= x + 100,
                "{gravity}: {x} for {left}"
            );
            assert_eq!(y, 0);
        }
    }
}

/// A million lines held half a gigabyte once.
#[test]
fn a_picture_of_one_column_is_cut_where_something_is() {
    let mut pixmap = Pixmap::rgb(Size::new(1, 1_000_000), [128; 3]).expect("small");
    let textured = 700_000_u32..700_040;
    let pixels = pixmap.data_mut()[2_100_000..].chunks_exact_mut(3);
    for (shade, pixel) in (0_u8..40).zip(pixels) {
        pixel.copy_from_slice(&[190 + shade, 140, 100]);
    }
    for gravity in [Gravity::Entropy, Gravity::Attention] {
        let (x, y) = choose(&pixmap, gravity, Size::new(1, 100));
        assert_eq!(x, 0);
        assert!(
            y <= textured.start && textured.end <= y + 100,
            "{gravity}: {y}"
        );
    }
}

#[test]
fn a_picture_of_nothing_keeps_its_middle() {
    let flat = Pixmap::rgba(Size::new(60, 200), [9, 9, 9, 255]).expect("small");
    for gravity in [Gravity::Entropy, Gravity::Attention] {
        assert_eq!(
            choose(&flat, gravity, Size::new(60, 60)),
            (0, 70),
            "{gravity}"
        );
    }
}
