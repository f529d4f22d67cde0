//! Tests of `geometry`.

use super::*;

fn options(width: Option<u32>, height: Option<u32>, fit: Fit) -> Options {
    Options {
        width,
        height,
        fit,
        ..Options::default()
    }
}

/// Sizes that sharp 0.35 makes of the same sources.
#[test]
fn sizes_are_those_of_sharp() {
    for (source, box_, fit, want) in [
        ((4000, 3000), (Some(100), Some(100)), Fit::Cover, (100, 100)),
        ((4000, 3000), (Some(100), Some(100)), Fit::Inside, (100, 75)),
        (
            (4000, 3000),
            (Some(100), Some(100)),
            Fit::Outside,
            (133, 100),
        ),
        ((4000, 3000), (Some(100), Some(100)), Fit::Fill, (100, 100)),
        (
            (4000, 3000),
            (Some(100), Some(100)),
            Fit::Contain,
            (100, 100),
        ),
        ((2725, 2225), (Some(320), None), Fit::Cover, (320, 261)),
        ((2725, 2225), (None, Some(320)), Fit::Cover, (392, 320)),
        (
            (1_000_000, 1),
            (Some(100), Some(100)),
            Fit::Inside,
            (100, 1),
        ),
        (
            (1, 1_000_000),
            (Some(100), Some(100)),
            Fit::Inside,
            (1, 100),
        ),
    ] {
        let source = Size::new(source.0, source.1);
        let canvas = layout(source, &options(box_.0, box_.1, fit)).canvas;
        assert_eq!(
            (canvas.width, canvas.height),
            want,
            "{source} {box_:?} {fit:?}"
        );
    }
}

#[test]
fn small_pictures_stay_small_when_asked() {
    let small = Size::new(50, 300);
    let keep = |fit| Options {
        enlarge: false,
        fit,
        ..Options::default()
    };
    assert_eq!(layout(small, &keep(Fit::Cover)).canvas, Size::new(50, 100));
    let padded = layout(Size::new(50, 30), &keep(Fit::Contain));
    assert_eq!(padded.scaled, Size::new(50, 30));
    assert_eq!(padded.canvas, Size::new(100, 100));
    assert_eq!(padded.offset, (25, 35));
    assert_eq!(
        layout(Size::new(50, 30), &keep(Fit::Inside)).canvas,
        Size::new(50, 30)
    );
}

#[test]
fn dpr_multiplies_the_box() {
    let options = Options {
        dpr: 1.5,
        ..options(Some(101), Some(50), Fit::Cover)
    };
    assert_eq!(
        layout(Size::new(999, 999), &options).canvas,
        Size::new(152, 75)
    );
}

/// Its random numbers come from the system, which wasm has none of.
#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use proptest::prelude::*;

    use super::*;

    fn any_fit() -> impl Strategy<Value = Fit> {
        prop_oneof![
            Just(Fit::Cover),
            Just(Fit::Contain),
            Just(Fit::Fill),
            Just(Fit::Inside),
            Just(Fit::Outside)
        ]
    }

    proptest! {
        #[test]
        fn the_crop_lies_in_the_source_and_keeps_its_shape(
            (sw, sh) in (1_u32..70_000, 1_u32..70_000),
            (bw, bh) in (1_u32..=4096, 1_u32..=4096),
            fit in any_fit(),
            enlarge: bool,
            focus in (0.0..=1.0, 0.0..=1.0),
        ) {
            let source = Size::new(sw, sh);
            let options = Options {
                enlarge,
                gravity: Gravity::Focus { x: focus.0, y: focus.1 },
                ..options(Some(bw), Some(bh), fit)
            };
            let got = layout(source, &options);
            let Region { x, y, width, height } = got.source;
            prop_assert!(x >= 0.0 && y >= 0.0 && width > 0.0 && height > 0.0);
            prop_assert!(x + width <= f64::from(sw) + 1e-6 && y + height <= f64::from(sh) + 1e-6);
            prop_assert!(got.offset.0 + got.scaled.width() <= got.canvas.width());
            prop_assert!(got.offset.1 + got.scaled.height() <= got.canvas.height());
            match fit {
                Fit::Cover if enlarge => prop_assert_eq!(got.canvas, Size::new(bw, bh)),
                Fit::Contain => prop_assert_eq!(got.canvas, Size::new(bw, bh)),
                Fit::Cover | Fit::Inside => {
                    prop_assert!(got.canvas.width() <= bw && got.canvas.height() <= bh);
                }
                _ => {}
            }
            if fit != Fit::Fill && got.scaled.width() > 1 && got.scaled.height() > 1 {
                // Sides are whole numbers, so the scale of each axis is off by half a pixel at most.
                let scale_x = f64::from(got.scaled.width()) / width;
                let scale_y = f64::from(got.scaled.height()) / height;
                let slack = 1.0 / f64::from(got.scaled.width().min(got.scaled.height()));
                prop_assert!((scale_x / scale_y - 1.0).abs() <= slack * 1.01, "{} {}", scale_x, scale_y);
            }
        }
    }
}
