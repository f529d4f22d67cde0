//! Tests of `frames`.

use super::*;

#[test]
fn pixels_blend_by_the_alpha_of_both() {
    for (under, pixel, blend, want) in [
        (
            [10, 20, 30, 255],
            [110, 220, 130, 128],
            Blend::Over,
            [60, 120, 80, 255],
        ),
        ([10, 20, 30, 0], [1, 2, 3, 4], Blend::Over, [1, 2, 3, 4]),
        (
            [10, 20, 30, 40],
            [1, 2, 3, 0],
            Blend::Over,
            [10, 20, 30, 40],
        ),
        ([10, 20, 30, 40], [1, 2, 3, 0], Blend::Source, [1, 2, 3, 0]),
        ([0, 0, 0, 0], [1, 2, 3, 0], Blend::Over, [0, 0, 0, 0]),
        (
            [100, 0, 0, 128],
            [0, 100, 0, 128],
            Blend::Over,
            [33, 67, 0, 192],
        ),
    ] {
        let mut target = under;
        put(&mut target, &pixel, blend);
        assert_eq!(target, want, "{pixel:?} {blend:?} on {under:?}");
    }
}

#[test]
fn what_reaches_out_of_the_canvas_is_cut_off() {
    let mut canvas = FrameCanvas::new((3, 2), 4).unwrap();
    let area = Area {
        origin: (2, 1),
        size: (2, 2),
    };
    let mut painter = canvas.painter(area, Blend::Over);
    painter.row(0, 0, Samples::U8(&[9; 6]));
    painter.row(0, 1, Samples::U8(&[8; 6]));
    painter.pixels(0, 0, 1, 2, Samples::U8(&[7; 4]));
    let mut want = [0; 24];
    want[20..].copy_from_slice(&[9, 9, 9, 255]);
    assert_eq!(canvas.pixels, want);
    canvas.clear(area);
    assert_eq!(canvas.pixels, [0; 24]);
}

#[test]
fn sixteen_bits_are_rounded() {
    for (sample, want) in [
        (0, 0),
        (128, 0),
        (129, 1),
        (65_406, 254),
        (65_407, 255),
        (65_535, 255),
    ] {
        assert_eq!(to_u8(sample), want, "{sample}");
    }
}

#[test]
fn a_walk_counts_frames_and_their_pixels() {
    let mut walk = FrameCounter::new(ImageFormat::Gif, 1, 100);
    let area = Area {
        origin: (0, 0),
        size: (10, 5),
    };
    assert!(!walk.begin());
    assert!(walk.pay(area).is_ok());
    assert_eq!(
        walk.missing().to_string(),
        "there is no page 1: pages of this GIF file count from 0, and it has 1"
    );
    assert!(walk.begin());
    assert!(walk.pay(area).is_ok());
    assert!(walk.pay(area).is_err());
}
