//! Large thumbnails: those whose rows become a file as they come, and how large others may be.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat as Codec, Rgba, RgbaImage};
use thumbnail_pipeline::decode::HeaderStatus;
use thumbnail_pipeline::encode::{JpegColor, PngColor, RowColor};
use thumbnail_pipeline::gravity::Gravity;
use thumbnail_pipeline::options::{Background, Fit, FormatChoice};
use thumbnail_pipeline::output::Drawing;
use thumbnail_pipeline::{
    ImageInfo, LimitError, Limits, Options, OutputFormat, PipelineError, Rendered, Renderer,
    Variant, plan, probe,
};

fn probed(source: &[u8]) -> ImageInfo {
    match probe(source).expect("a header") {
        HeaderStatus::Ready(info) => info,
        HeaderStatus::NeedMore => panic!("the whole header is there"),
    }
}

fn variant(options: Options) -> [Variant; 1] {
    [Variant {
        name: "default".into(),
        options,
    }]
}

fn square(side: u32, format: FormatChoice) -> Options {
    Options {
        width: Some(side),
        height: Some(side),
        format,
        ..Options::default()
    }
}

/// A gradient with noise on it, of more than 256 colors; alpha falls from left to right.
fn picture(codec: Codec) -> Vec<u8> {
    let mut seed = 1_u32;
    let picture = RgbaImage::from_fn(190, 130, |x, y| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [noise, ..] = seed.to_be_bytes();
        let [x, ..] = x.to_le_bytes();
        let [y, ..] = y.to_le_bytes();
        Rgba([x, y, noise / 4 + x / 2, 255 - x])
    });
    let picture = DynamicImage::ImageRgba8(picture);
    let mut out = Cursor::new(Vec::new());
    match codec {
        Codec::Jpeg => picture.to_rgb8().write_to(&mut out, codec),
        _ => picture.write_to(&mut out, codec),
    }
    .expect("writes");
    out.into_inner()
}

fn gray_picture() -> Vec<u8> {
    let picture = image::load_from_memory(&picture(Codec::Jpeg)).expect("an image");
    let mut out = Cursor::new(Vec::new());
    picture
        .to_luma8()
        .write_to(&mut out, Codec::Png)
        .expect("writes");
    out.into_inner()
}

/// Renders with the drawing that the plan chose, or with another one.
fn rendered(
    source: &[u8],
    orientation: Orientation,
    options: &Options,
    drawing: Option<Drawing>,
) -> Rendered {
    let mut info = probed(source);
    info.orientation = orientation;
    let variants = variant(*options);
    let mut plan = plan(&info, &variants, &Limits::default()).expect("fits");
    assert_eq!(plan.variants[0].drawing, Drawing::Canvas);
    if let Some(drawing) = drawing {
        plan.variants[0].drawing = drawing;
    }
    let mut renderer = Renderer::new(plan).expect("starts");
    renderer.feed(source).expect("decodes");
    renderer.finish().expect("renders")
}

#[test]
fn rows_become_what_a_canvas_becomes() {
    let (png, jpeg) = (picture(Codec::Png), picture(Codec::Jpeg));
    let gray = gray_picture();
    let baseline = |color| Drawing::Rows(RowColor::Jpeg(color));
    let lossless = |color| Drawing::Rows(RowColor::Png(color));
    let (full, halved) = (JpegColor::Full, JpegColor::Halved);
    for (source, format, quality, drawing) in [
        (&png, FormatChoice::Jpeg, 80, baseline(halved)),
        (&jpeg, FormatChoice::Jpeg, 80, baseline(halved)),
        (&jpeg, FormatChoice::Jpeg, 95, baseline(full)),
        (&gray, FormatChoice::Jpeg, 80, baseline(JpegColor::Gray)),
        (&png, FormatChoice::Png, 80, lossless(PngColor::Rgba)),
        (&jpeg, FormatChoice::Png, 80, lossless(PngColor::Rgb)),
    ] {
        for orientation in [Orientation::NoTransforms, Orientation::FlipHorizontal] {
            for (fit, background, linear) in [
                (Fit::Cover, Background::Transparent, false),
                (Fit::Cover, Background::Transparent, true),
                (Fit::Inside, Background::Color([40, 40, 40]), false),
                (Fit::Contain, Background::Color([200, 200, 200]), false),
            ] {
                let flat = background != Background::Transparent;
                let drawing = if flat && drawing == lossless(PngColor::Rgba) {
                    lossless(PngColor::Rgb)
                } else {
                    drawing
                };
                let options = Options {
                    // Inside it, too, chroma is halved: it is not up to 200 pixels.
                    width: Some(203),
                    height: Some(203),
                    quality,
                    fit,
                    background,
                    linear,
                    ..square(0, format)
                };
                let canvas = rendered(source, orientation, &options, None);
                let rows = rendered(source, orientation, &options, Some(drawing));
                assert!(canvas == rows, "{drawing:?} {orientation:?} {options:?}");
            }
        }
    }
}

#[test]
fn gray_rows_are_the_same_pixels_as_a_palette() {
    let source = gray_picture();
    let options = square(90, FormatChoice::Png);
    let upright = Orientation::NoTransforms;
    let drawing = Drawing::Rows(RowColor::Png(PngColor::Gray));
    let files = [None, Some(drawing)].map(|drawing| {
        let rendered = rendered(&source, upright, &options, drawing);
        let file = &rendered.thumbnails[0].encoded.bytes;
        (
            image::load_from_memory(file).expect("an image").to_rgba8(),
            rendered.thumbhash,
        )
    });
    assert_eq!(files[0], files[1]);
}

#[test]
fn files_beyond_their_limit_are_refused_while_they_grow() {
    let source = picture(Codec::Png);
    for (format, name) in [
        (FormatChoice::Jpeg, "JPEG"),
        (FormatChoice::Png, "PNG"),
        (FormatChoice::WebP, "WebP"),
        (FormatChoice::Gif, "GIF"),
    ] {
        for progressive in [false, true] {
            let options = Options {
                progressive,
                ..square(150, format)
            };
            let limits = Limits {
                max_output_bytes: 1000,
                ..Limits::default()
            };
            let plan = plan(&probed(&source), &variant(options), &limits).expect("fits");
            let mut renderer = Renderer::new(plan).expect("starts");
            renderer.feed(&source).expect("decodes");
            let error = renderer.finish().expect_err("too long").to_string();
            let start = format!("the 150x150 {name} has more than 1000 bytes");
            assert!(error.starts_with(&start), "{error}");
        }
    }
}

/// A 12 megapixel PNG in RGB or RGBA: its header.
fn png_header(has_alpha: bool) -> ImageInfo {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 4000, 3000);
    encoder.set_color(if has_alpha {
        png::ColorType::Rgba
    } else {
        png::ColorType::Rgb
    });
    drop(encoder.write_header().expect("writes"));
    // The end of the file is of no use.
    out.truncate(out.len() - 12);
    out.extend(b"\0\0\x10\0IDAT\x78\x01");
    probed(&out)
}

/// A 12 megapixel baseline JPEG: its header.
fn jpeg_header() -> ImageInfo {
    let mut file = picture(Codec::Jpeg);
    let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]);
    let sides = frame.expect("a baseline file") + 5;
    let (height, width) = (3000_u16.to_be_bytes(), 4000_u16.to_be_bytes());
    file[sides..sides + 4].copy_from_slice([height, width].as_flattened());
    probed(&file)
}

fn planned(
    info: &ImageInfo,
    options: &Options,
    (width, height): (u32, u32),
) -> Result<(), PipelineError> {
    let options = Options {
        width: Some(width),
        height: Some(height),
        ..*options
    };
    plan(info, &variant(options), &Limits::default()).map(drop)
}

/// The page's table: how large a thumbnail may be at quality 80, opaque and with alpha.
#[test]
fn squares_are_accepted_up_to_those_in_the_documents() {
    let page = include_str!("../../src/docs/options.md");
    let mut missing = Vec::new();
    let progressive = |format| Options {
        progressive: true,
        ..square(100, format)
    };
    let webp = || square(100, FormatChoice::WebP);
    let turned = Orientation::Rotate90;
    let upright = Orientation::NoTransforms;
    for (what, options, orientation) in [
        ("JPEG", square(100, FormatChoice::Jpeg), upright),
        (
            "JPEG, turned or upside down",
            square(100, FormatChoice::Jpeg),
            turned,
        ),
        (
            "JPEG, `progressive=true`",
            progressive(FormatChoice::Jpeg),
            upright,
        ),
        ("PNG", square(100, FormatChoice::Png), upright),
        (
            "PNG, turned or upside down",
            square(100, FormatChoice::Png),
            turned,
        ),
        ("WebP", webp(), upright),
        ("GIF", square(100, FormatChoice::Gif), upright),
    ] {
        let largest = [false, true].map(|has_alpha| {
            let is_jpeg = options.format == FormatChoice::Jpeg && !has_alpha;
            let mut info = if is_jpeg {
                jpeg_header()
            } else {
                png_header(has_alpha)
            };
            info.orientation = orientation;
            let fits = |side: &u32| planned(&info, &options, (*side, *side)).is_ok();
            // All sides below one that fits do so too.
            let (mut fitting, mut refused) = (100, 4097);
            while refused - fitting > 1 {
                let middle = u32::midpoint(fitting, refused);
                if fits(&middle) {
                    fitting = middle;
                } else {
                    refused = middle;
                }
            }
            if fitting < 4096 {
                let error = planned(&info, &options, (fitting + 1, fitting + 1)).expect_err("more");
                let PipelineError::Limit(LimitError::ThumbnailMemory {
                    width,
                    need_bytes,
                    max_bytes,
                    ..
                }) = error
                else {
                    panic!("{what}: {error}");
                };
                assert_eq!(width, fitting + 1);
                assert!(need_bytes > max_bytes / 2, "{error}");
            }
            fitting
        });
        let row = format!("| {what} | {0}x{0} | {1}x{1} |", largest[0], largest[1]);
        if !page.contains(&row) {
            missing.push(row);
        }
    }
    assert!(
        missing.is_empty(),
        "src/docs/options.md has no lines {missing:#?}"
    );
}

#[test]
fn a_photo_on_its_side_fits_as_it_is() {
    let mut info = jpeg_header();
    info.orientation = Orientation::Rotate90;
    for quality in [80, 89, 90, 100] {
        let options = Options {
            quality,
            ..square(100, FormatChoice::Jpeg)
        };
        for sides in [(3072, 4096), (4096, 3072), (3000, 4000)] {
            assert_eq!(
                planned(&info, &options, sides),
                Ok(()),
                "{sides:?} at {quality}"
            );
        }
    }
}

#[test]
fn the_thumbnail_is_named_where_it_is_too_large_and_not_its_source() {
    let info = png_header(true);
    let options = square(100, FormatChoice::Gif);
    let error = planned(&info, &options, (4096, 4096)).expect_err("too large");
    let text = error.to_string();
    assert!(text.starts_with("the 4096x4096 GIF takes "), "{text}");
    assert!(text.contains(" and 67108864 are available"), "{text}");
    assert!(!text.contains("4000x3000"), "{text}");
    let PipelineError::Limit(LimitError::ThumbnailMemory { format, .. }) = error else {
        panic!("{text}");
    };
    assert_eq!(format, OutputFormat::Gif);
}

#[test]
fn the_thumbnail_is_named_by_its_size_where_a_part_of_more_is_chosen() {
    let options = Options {
        width: Some(2000),
        height: Some(1000),
        gravity: Gravity::Entropy,
        ..square(100, FormatChoice::Gif)
    };
    let limits = Limits {
        max_memory_bytes: 16 << 20,
        ..Limits::default()
    };
    let error = plan(&jpeg_header(), &variant(options), &limits).expect_err("too large");
    let text = error.to_string();
    assert!(text.starts_with("the 2000x1000 GIF takes "), "{text}");
}
