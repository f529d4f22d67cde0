//! Thumbnails that somebody has looked at, one property each: they must not change, not by one sample.
//!
//! They are made natively and as wasm32. How to look at a difference and how to accept it: tests/README.md.

use std::fs;
use std::path::PathBuf;

use thumbnail_pipeline::decode::png::{PngDecoder, read_header};
use thumbnail_pipeline::decode::{Completeness, Decode, HeaderStatus, RowSink, Samples};
use thumbnail_pipeline::options::{Background, Fit, FormatChoice, Gravity};
use thumbnail_pipeline::{Limits, Options, Variant, render};

/// Where this is set, what is made becomes what is expected, and the run fails.
const BLESS: &str = "BLESS";

const PHOTO: &[u8] = include_bytes!("../images/photo.jpg");
const DISC: &[u8] = include_bytes!("sources/disc-alpha.png");

struct Case {
    /// The file of the expected thumbnail.
    name: &'static str,
    expected: &'static [u8],
    source: &'static [u8],
    options: Options,
}

macro_rules! case {
    ($name:literal, $source:literal, $width:literal x $height:literal $(, $field:ident: $value:expr)*) => {
        case!($name, include_bytes!($source), $width x $height $(, $field: $value)*)
    };
    ($name:literal, $source:expr, $width:literal x $height:literal $(, $field:ident: $value:expr)*) => {
        Case {
            name: $name,
            expected: include_bytes!($name),
            source: $source,
            #[allow(clippy::needless_update, reason = "some cases set every field that others leave")]
            options: Options {
                $($field: $value,)*
                width: Some($width),
                height: Some($height),
                ..Options::default()
            },
        }
    };
}

fn cases() -> Vec<Case> {
    [
        orientation(),
        geometry(),
        sampling(),
        colors(),
        transparency(),
        pages(),
        heic(),
        encoders(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn orientation() -> Vec<Case> {
    vec![
        case!("orientation-6.png", "../images/orientation/6.jpg", 24 x 32),
        case!("orientation-7-crop.png", "../images/orientation/7.webp", 20 x 20, gravity: Gravity::Northeast),
    ]
}

fn geometry() -> Vec<Case> {
    vec![
        case!("crop-north.png", PHOTO, 60 x 20, gravity: Gravity::North),
        case!("crop-focus.png", PHOTO, 20 x 40, gravity: Gravity::Focus { x: 0.8, y: 0.5 }),
        case!("crop-attention.png", PHOTO, 40 x 40, gravity: Gravity::Attention),
        case!("crop-entropy.png", PHOTO, 40 x 40, gravity: Gravity::Entropy),
        case!("contain.png", PHOTO, 50 x 50, fit: Fit::Contain, background: Background::Color([255, 136, 0])),
        case!("fill.png", PHOTO, 30 x 70, fit: Fit::Fill),
        case!("enlarged.png", "sources/palette.bmp", 100 x 75),
    ]
}

fn sampling() -> Vec<Case> {
    vec![
        case!("jpeg-eighth.png", PHOTO, 10 x 8),
        case!("jpeg-progressive.png", "../images/progressive.jpg", 20 x 15),
        case!("jpeg-444.png", "sources/steps.jpg", 33 x 25),
        case!("jpeg-cut.png", &PHOTO[..3_000], 40 x 30),
        case!("webp-lossy.png", "../images/photo.webp", 37 x 28),
        case!("adam7.png", "sources/adam7.png", 23 x 17),
        case!("gamma.png", "sources/checker-1bit.png", 24 x 24),
        case!("linear.png", "sources/checker-1bit.png", 24 x 24, linear: true),
        case!("sixteen-bit.png", "sources/rgb16.png", 30 x 22),
    ]
}

fn colors() -> Vec<Case> {
    vec![
        case!("display-p3.png", "sources/ramp-DisplayP3-v4.png", 64 x 16),
        case!("adobe-rgb.png", "sources/ramp-AdobeCompat-v4.png", 64 x 16),
        case!("prophoto.png", "sources/ramp-ProPhoto-v4.webp", 64 x 16),
        case!("grey-profile.png", "sources/ramp-sGrey-v4-grey.jpg", 64 x 16),
        case!("cmyk-profile.png", "sources/ramp-CGATS001-cmyk.jpg", 64 x 16),
        case!("cmyk-plain.png", "sources/ramp-cmyk-noprofile.jpg", 64 x 16),
        case!("cmyk-tiff.png", "sources/cmyk.tif", 20 x 15),
    ]
}

fn transparency() -> Vec<Case> {
    vec![
        case!("alpha.png", DISC, 20 x 15),
        case!("alpha-on-colour.png", DISC, 20 x 15, background: Background::Color([0, 0, 255])),
        case!("alpha-contain.png", DISC, 30 x 30, fit: Fit::Contain),
        case!("alpha-grey.png", "sources/grey-alpha.png", 25 x 20),
        case!("alpha-palette.png", "sources/palette-trns.png", 15 x 11),
        case!("alpha-webp.png", "../images/webp/lossy-alpha.webp", 16 x 23),
    ]
}

fn pages() -> Vec<Case> {
    vec![
        case!("page-gif.png", "sources/frames.gif", 32 x 24, page: 2),
        case!("page-png.png", "sources/frames.png", 32 x 24, page: 2),
        case!("page-webp.png", "sources/frames.webp", 32 x 24, page: 1),
        case!("page-tiff.png", "sources/pages.tif", 25 x 20, page: 1),
    ]
}

#[cfg(feature = "heic")]
fn heic() -> Vec<Case> {
    vec![
        case!("heic.png", "../images/heic/photo.heic", 30 x 22, format: FormatChoice::Png),
        case!("heic-filtered.png", "../images/heic/photo.heic", 60 x 45, format: FormatChoice::Png),
        case!("heic-alpha.png", "../images/heic/alpha.heic", 20 x 15, format: FormatChoice::Png),
        case!("heic-display-p3.png", "../images/heic/display-p3.heic", 64 x 16, format: FormatChoice::Png),
        case!("heic-ten-bit.png", "../images/heic/ten-bit.heic", 30 x 22, format: FormatChoice::Png),
    ]
}

#[cfg(not(feature = "heic"))]
fn heic() -> Vec<Case> {
    Vec::new()
}

fn encoders() -> Vec<Case> {
    vec![
        case!("jpeg.jpg", PHOTO, 48 x 36, format: FormatChoice::Jpeg, quality: 60),
        case!("jpeg-on-white.jpg", DISC, 32 x 24, format: FormatChoice::Jpeg),
        case!("jpeg-progressive.jpg", PHOTO, 48 x 36, format: FormatChoice::Jpeg, progressive: true),
        case!("gif.gif", DISC, 32 x 24, format: FormatChoice::Gif),
        case!("webp.webp", DISC, 32 x 24, format: FormatChoice::WebP),
    ]
}

/// Pixels are what counts of a PNG, so that another deflate changes nothing.
#[derive(Debug, PartialEq)]
struct Pixels {
    width: u32,
    channels: u8,
    samples: Vec<u8>,
}

impl RowSink for Pixels {
    fn row(&mut self, _: usize, _: u32, samples: Samples<'_>) {
        if let Samples::U8(samples) = samples {
            self.samples.extend_from_slice(samples);
        }
    }

    fn pixels(&mut self, _: usize, _: u32, _: u32, _: u32, _: Samples<'_>) {
        unreachable!("thumbnails are not interlaced");
    }
}

fn pixels(file: &[u8]) -> Option<Pixels> {
    let Ok(HeaderStatus::Ready(header)) = read_header(file) else {
        return None;
    };
    let mut decoder = PngDecoder::new(&header).ok()?;
    let mut pixels = Pixels {
        width: header.width,
        channels: header.channels_out(),
        samples: Vec::new(),
    };
    decoder.feed(file, &mut pixels).ok()?;
    let completeness = decoder.finish(&mut pixels);
    (completeness == Ok(Completeness::Whole)).then_some(pixels)
}

/// What differs, in words.
fn difference(made: &[u8], expected: &[u8]) -> Option<String> {
    if made == expected {
        return None;
    }
    let (Some(made), Some(expected)) = (pixels(made), pixels(expected)) else {
        let (made, expected) = (made.len(), expected.len());
        return Some(format!(
            "{made} bytes are not the {expected} that were expected"
        ));
    };
    if (made.width, made.channels, made.samples.len())
        != (expected.width, expected.channels, expected.samples.len())
    {
        return Some("its size or its channels are others".into());
    }
    let pairs = made.samples.iter().zip(&expected.samples);
    let differ: Vec<_> = pairs
        .enumerate()
        .filter_map(|(at, (a, b))| (a != b).then_some((at, a.abs_diff(*b))))
        .collect();
    let (first, _) = differ.first()?;
    let pixel = first / usize::from(expected.channels);
    let width = expected.width as usize;
    Some(format!(
        "{} of {} samples differ, by {} at most, the first in column {} of row {}",
        differ.len(),
        expected.samples.len(),
        differ.iter().map(|(_, by)| by).max()?,
        pixel % width,
        pixel / width
    ))
}

fn root(parts: &[&str]) -> PathBuf {
    let core = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = core.ancestors().nth(2).map(PathBuf::from);
    parts
        .iter()
        .fold(root.unwrap_or(core), |path, part| path.join(part))
}

/// Writes a thumbnail where somebody can look at it; wasm has no files.
fn write(folder: &[&str], name: &str, bytes: &[u8]) -> String {
    let folder = root(folder);
    let path = folder.join(name);
    match fs::create_dir_all(&folder).and_then(|()| fs::write(&path, bytes)) {
        Ok(()) => path.display().to_string(),
        Err(error) => format!("{} was not written: {error}", path.display()),
    }
}

#[test]
fn thumbnails_are_what_they_were() {
    let blesses = std::env::var_os(BLESS).is_some();
    let mut report = Vec::new();
    for case in cases() {
        let mut options = case.options;
        if options.format == FormatChoice::Source {
            options.format = FormatChoice::Png;
        }
        let variant = Variant {
            options,
            ..Variant::default()
        };
        let made = match render(case.source, &[variant], &Limits::default()) {
            Ok(mut made) => made.thumbnails.remove(0).encoded.bytes,
            Err(error) => {
                report.push(format!("{}: {error}", case.name));
                continue;
            }
        };
        let Some(difference) = difference(&made, case.expected) else {
            continue;
        };
        report.push(if blesses {
            let path = write(&["tests", "golden"], case.name, &made);
            format!("{}: {difference}; blessed: {path}", case.name)
        } else {
            let path = write(&["target", "golden"], case.name, &made);
            format!(
                "{}: {difference}\n  expected: {}\n  made:     {path}",
                case.name,
                root(&["tests", "golden", case.name]).display()
            )
        });
    }
    assert!(
        report.is_empty(),
        "{} thumbnails are not what they were:\n{}\n\
         Look at both files of each. If that is meant, run with {BLESS}=1, run again without, \
         and say in the commit why pixels changed.",
        report.len(),
        report.join("\n")
    );
}

#[test]
fn references_are_small() {
    for case in cases() {
        let Options { width, height, .. } = case.options;
        assert!(width.max(height) <= Some(200), "{}", case.name);
        assert!(case.expected.len() <= 20 << 10, "{}", case.name);
    }
}
