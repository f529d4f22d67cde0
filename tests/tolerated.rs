//! Files that break a rule of their format, and that every other program shows.

use image::{ImageFormat, Rgba, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use thumbnail_core::pipeline::decode::Completeness;
use thumbnail_core::pipeline::options::{Fit, FormatChoice};
use thumbnail_core::pipeline::{Limits, Options, Rendered, Variant, render};

const WIDTH: u32 = 48;
const HEIGHT: u32 = 32;

/// The colours of the quadrants, from left to right and from top to bottom.
const QUADRANTS: [[u8; 3]; 4] = [[230, 20, 20], [20, 200, 20], [20, 20, 230], [240, 220, 0]];

fn quadrant(x: u32, y: u32) -> [u8; 3] {
    QUADRANTS[usize::from(x >= WIDTH / 2) + 2 * usize::from(y >= HEIGHT / 2)]
}

fn pixels() -> Vec<[u8; 3]> {
    (0..HEIGHT)
        .flat_map(|y| (0..WIDTH).map(move |x| quadrant(x, y)))
        .collect()
}

fn rendered(file: &[u8]) -> Rendered {
    let options = Options {
        width: Some(WIDTH),
        height: Some(HEIGHT),
        fit: Fit::Inside,
        format: FormatChoice::Png,
        ..Options::default()
    };
    let variant = Variant {
        name: String::new(),
        options,
    };
    render(file, &[variant], &Limits::default()).expect("it is a picture")
}

fn shown(file: &[u8]) -> RgbaImage {
    let png = &rendered(file).thumbnails[0].encoded.bytes;
    image::load_from_memory_with_format(png, ImageFormat::Png)
        .expect("a thumbnail is a picture")
        .to_rgba8()
}

/// Checks the middles of the quadrants.
fn assert_quadrants(file: &[u8], what: &str) {
    let picture = shown(file);
    assert_eq!(picture.dimensions(), (WIDTH, HEIGHT), "{what}");
    for (x, y) in [(12, 8), (36, 8), (12, 24), (36, 24)] {
        let Rgba([r, g, b, a]) = *picture.get_pixel(x, y);
        let want = quadrant(x, y);
        let near = [r, g, b]
            .iter()
            .zip(want)
            .all(|(got, want)| got.abs_diff(want) <= 8);
        assert!(
            near && a == 255,
            "{what} at {x},{y}: {:?}, not {want:?}",
            [r, g, b, a]
        );
    }
}

fn jpeg(color: ColorType) -> Vec<u8> {
    let samples: Vec<u8> = match color {
        // The inks of the colour, without black.
        ColorType::Cmyk => pixels()
            .iter()
            .flat_map(|&[r, g, b]| [255 - r, 255 - g, 255 - b, 0])
            .collect(),
        _ => pixels().concat(),
    };
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder
        .encode(&samples, 48, 32, color)
        .expect("it can be written");
    file
}

/// The segments before the data: marker, start, and end.
fn segments(jpeg: &[u8]) -> Vec<(u8, usize, usize)> {
    let mut found: Vec<(u8, usize, usize)> = Vec::new();
    let mut at = 2;
    while found.last().is_none_or(|&(marker, ..)| marker != 0xDA) {
        let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        found.push((jpeg[at + 1], at, end));
        at = end;
    }
    found
}

/// The file without the segments of a kind, of which it has some.
fn without(jpeg: &[u8], marker: u8) -> Vec<u8> {
    let segments = segments(jpeg);
    assert!(segments.iter().any(|segment| segment.0 == marker));
    let mut file = jpeg[..2].to_vec();
    for (_, start, end) in segments.iter().filter(|segment| segment.0 != marker) {
        file.extend(&jpeg[*start..*end]);
    }
    let (.., data) = segments[segments.len() - 1];
    file.extend(&jpeg[data..]);
    file
}

#[test]
fn ink_of_a_jpeg_is_inverted_with_and_without_the_marker_of_adobe() {
    let marked = jpeg(ColorType::Cmyk);
    assert_quadrants(&marked, "with the marker");
    assert_quadrants(&without(&marked, 0xEE), "without");
}

#[test]
fn sequential_scans_may_say_any_band() {
    let whole = jpeg(ColorType::Rgb);
    let bare = without(&whole, 0xC4);
    for (name, file) in [("with tables", &whole), ("without tables", &bare)] {
        for band in [
            [0, 63, 0],
            [1, 63, 0],
            [0, 0, 0],
            [255, 255, 255],
            [63, 0, 0x21],
        ] {
            let mut file = file.clone();
            let segments = segments(&file);
            let (.., end) = segments[segments.len() - 1];
            file[end - 3..end].copy_from_slice(&band);
            assert_quadrants(&file, &format!("{name} {band:?}"));
            assert_eq!(rendered(&file).completeness, Completeness::Whole);
        }
    }
}
