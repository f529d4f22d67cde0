//! The whole pipeline on images that are made here: header, plan, pixels, file.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat as Codec, Rgba, RgbaImage};
use thumbnail_pipeline::options::{Background, Fit, FormatChoice};
use thumbnail_pipeline::{
    ImageFormat, Limits, Options, OutputFormat, PipelineError, Renderer, Variant, plan, probe,
    render,
};

/// Four quadrants: red, green, blue and white.
fn quadrants(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| {
        match (x < width / 2, y < height / 2) {
            (true, true) => Rgba([255, 0, 0, 255]),
            (false, true) => Rgba([0, 255, 0, 255]),
            (true, false) => Rgba([0, 0, 255, 255]),
            (false, false) => Rgba([255; 4]),
        }
    })
}

fn encoded(picture: &RgbaImage, codec: Codec) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let picture = DynamicImage::ImageRgba8(picture.clone());
    match codec {
        Codec::Jpeg => picture.to_rgb8().write_to(&mut out, codec),
        _ => picture.write_to(&mut out, codec),
    }
    .expect("the codec writes this");
    out.into_inner()
}

fn variant(options: Options) -> [Variant; 1] {
    [Variant {
        name: "default".into(),
        options,
    }]
}

fn decoded(bytes: &[u8]) -> RgbaImage {
    image::load_from_memory(bytes).expect("an image").to_rgba8()
}

#[test]
fn every_format_becomes_its_own_family_upright() {
    for (codec, want) in [
        (Codec::Jpeg, OutputFormat::Jpeg),
        (Codec::Png, OutputFormat::Png),
        (Codec::Gif, OutputFormat::Gif),
        (Codec::WebP, OutputFormat::WebP),
        (Codec::Bmp, OutputFormat::Png),
        (Codec::Tiff, OutputFormat::Png),
    ] {
        let source = encoded(&quadrants(400, 300), codec);
        let rendered = render(&source, &variant(Options::default()), &Limits::default())
            .unwrap_or_else(|error| panic!("{codec:?}: {error}"));
        let file = &rendered.thumbnails[0].encoded;
        assert_eq!((file.format, file.width, file.height), (want, 100, 100));
        assert_eq!(
            ImageFormat::sniff(&file.bytes),
            Some(want.image_format()),
            "{codec:?}"
        );
        let pixels = decoded(&file.bytes);
        assert_eq!(pixels.dimensions(), (100, 100));
        for (x, y, color) in [
            (10, 10, [255, 0, 0, 255]),
            (90, 10, [0, 255, 0, 255]),
            (10, 90, [0, 0, 255, 255]),
            (90, 90, [255; 4]),
        ] {
            let got = pixels.get_pixel(x, y).0;
            let far = got
                .iter()
                .zip(color)
                .any(|(got, want)| got.abs_diff(want) > 4);
            assert!(!far, "{codec:?} at {x},{y}: {got:?}, not {color:?}");
        }
    }
}

#[test]
fn chunks_of_any_size_give_the_same_bytes() {
    let source = encoded(&quadrants(301, 203), Codec::Png);
    let whole = render(&source, &variant(Options::default()), &Limits::default()).expect("renders");
    for size in [1, 7, 1000] {
        let prefix = &source[..source.len().min(4096)];
        let thumbnail_pipeline::decode::HeaderStatus::Ready(info) =
            probe(prefix).expect("a header")
        else {
            panic!("the header is in the first 4 KiB");
        };
        let plan = plan(&info, &variant(Options::default()), &Limits::default()).expect("fits");
        let mut renderer = Renderer::new(plan).expect("starts");
        for chunk in source.chunks(size) {
            renderer.feed(chunk).expect("takes bytes");
        }
        assert_eq!(
            renderer.finish().expect("renders"),
            whole,
            "chunks of {size}"
        );
    }
}

#[test]
fn every_prefix_of_a_header_asks_for_more_or_is_refused() {
    for codec in [
        Codec::Jpeg,
        Codec::Png,
        Codec::Gif,
        Codec::WebP,
        Codec::Bmp,
        Codec::Tiff,
    ] {
        let source = encoded(&quadrants(10, 6), codec);
        for end in (0..source.len()).filter(|end| *end < 100 || end % 9 == 0) {
            let result = render(
                &source[..end],
                &variant(Options::default()),
                &Limits::default(),
            );
            if let Err(error) = result {
                assert!(
                    !matches!(error, PipelineError::Bug(_)),
                    "{codec:?} {end}: {error}"
                );
            }
        }
    }
}

#[test]
fn transparency_has_no_dark_fringe() {
    // White everywhere; only its opacity changes, in every other column.
    let source = RgbaImage::from_fn(640, 640, |x, _| {
        if x % 2 == 0 {
            Rgba([255; 4])
        } else {
            Rgba([0, 0, 0, 0])
        }
    });
    let source = encoded(&source, Codec::Png);
    let rendered =
        render(&source, &variant(Options::default()), &Limits::default()).expect("renders");
    for (_, _, pixel) in decoded(&rendered.thumbnails[0].encoded.bytes).enumerate_pixels() {
        assert!(pixel.0[..3].iter().all(|color| *color == 255), "{pixel:?}");
        assert!(pixel.0[3].abs_diff(128) <= 2, "{pixel:?}");
    }
}

#[test]
fn a_jpeg_of_a_transparent_picture_lies_on_its_background() {
    let source = encoded(&RgbaImage::new(50, 50), Codec::Png);
    for (background, want) in [
        (Background::Transparent, [255_u8; 3]),
        (Background::Color([0, 128, 255]), [0, 128, 255]),
    ] {
        let options = Options {
            format: FormatChoice::Jpeg,
            background,
            ..Options::default()
        };
        let rendered = render(&source, &variant(options), &Limits::default()).expect("renders");
        let pixels = decoded(&rendered.thumbnails[0].encoded.bytes);
        let got = pixels.get_pixel(50, 50).0;
        let far = got
            .iter()
            .zip(want)
            .any(|(got, want)| got.abs_diff(want) > 3);
        assert!(!far, "{got:?}, not {want:?}");
    }
}

#[test]
fn contain_pads_and_inside_does_not() {
    let source = encoded(&quadrants(400, 200), Codec::Png);
    let options = |fit| Options {
        fit,
        ..Options::default()
    };
    let both = [Fit::Contain, Fit::Inside].map(|fit| Variant {
        name: format!("{fit:?}"),
        options: options(fit),
    });
    let rendered = render(&source, &both, &Limits::default()).expect("renders");
    let contain = decoded(&rendered.thumbnails[0].encoded.bytes);
    assert_eq!(contain.dimensions(), (100, 100));
    assert_eq!(contain.get_pixel(50, 10).0[3], 0);
    assert_eq!(contain.get_pixel(10, 30).0, [255, 0, 0, 255]);
    let inside = decoded(&rendered.thumbnails[1].encoded.bytes);
    assert_eq!(inside.dimensions(), (100, 50));
}

#[test]
fn refusals_name_the_format_and_the_way_out() {
    let avif = b"\0\0\0\x18ftypavif\0\0\0\0mif1avif----------------";
    let error = render(avif, &variant(Options::default()), &Limits::default());
    let text = error.expect_err("not decoded").to_string();
    assert!(text.contains("AVIF") && text.contains("convert"), "{text}");
    let text = render(
        &[b'x'; 100],
        &variant(Options::default()),
        &Limits::default(),
    );
    assert_eq!(text, Err(PipelineError::UnknownFormat));
}
