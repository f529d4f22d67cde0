//! Files that break a rule of their format, and that every other program shows.

use image::{ImageFormat, Rgba, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use thumbnail_pipeline::decode::Completeness;
use thumbnail_pipeline::options::{Fit, FormatChoice};
use thumbnail_pipeline::{Limits, Options, Rendered, Variant, render};

const WIDTH: u32 = 48;
const HEIGHT: u32 = 32;

/// The colors of the quadrants, from left to right and from top to bottom.
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
    render(file, &[variant], &Limits::default()).expect("it is an image")
}

fn shown(file: &[u8]) -> RgbaImage {
    let png = &rendered(file).thumbnails[0].encoded.bytes;
    image::load_from_memory_with_format(png, ImageFormat::Png)
        .expect("a thumbnail is an image")
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
        // The inks of the color, without black.
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

/// A bitmap of the quadrants in 32 bits with a header of version 4 that has a mask for alpha.
///
/// `alpha` says it for each row, counted as they are shown.
fn bmp(compression: u8, is_top_down: bool, alpha: impl Fn(u32) -> u8) -> Vec<u8> {
    let mut file = b"BM\0\0\0\0\0\0\0\0\x7A\0\0\0\x6C\0\0\0".to_vec();
    file.extend(48_i32.to_le_bytes());
    file.extend(if is_top_down { -32_i32 } else { 32 }.to_le_bytes());
    file.extend([1, 0, 32, 0, compression, 0, 0, 0]);
    file.resize(54, 0);
    for mask in [0xFF_0000_u32, 0xFF00, 0xFF, 0xFF00_0000] {
        file.extend(mask.to_le_bytes());
    }
    file.resize(0x7A, 0);
    for row in 0..HEIGHT {
        let y = if is_top_down { row } else { HEIGHT - 1 - row };
        for x in 0..WIDTH {
            let [r, g, b] = quadrant(x, y);
            file.extend([b, g, r, alpha(y)]);
        }
    }
    file
}

#[test]
fn a_bitmap_whose_alpha_is_zero_everywhere_is_opaque() {
    for is_top_down in [false, true] {
        for compression in [0, 3] {
            let file = bmp(compression, is_top_down, |_| 0);
            assert_quadrants(&file, &format!("{compression} {is_top_down}"));
        }
    }
}

#[test]
fn alpha_of_a_bitmap_counts_wherever_there_is_any() {
    for is_top_down in [false, true] {
        // Without masks for colors, that for alpha counts all the same.
        for compression in [0, 3] {
            for seen in [0, 15, 16, 31] {
                let alpha = |y| if y == seen { 200 } else { 0 };
                let picture = shown(&bmp(compression, is_top_down, alpha));
                for y in 0..HEIGHT {
                    let Rgba([r, g, b, a]) = *picture.get_pixel(12, y);
                    assert_eq!(a, alpha(y), "{compression} {is_top_down} {seen} {y}");
                    if y == seen {
                        assert_eq!([r, g, b], quadrant(12, y));
                    }
                }
            }
        }
    }
}

/// A bitmap of the quadrants in 8 bits with four colors, whose pixels begin at `start` as it says.
fn indexed_bmp(colors: u8, start: u32, stated_len: u32) -> Vec<u8> {
    let mut file = b"BM".to_vec();
    file.extend(stated_len.to_le_bytes());
    file.extend([0; 4]);
    file.extend(start.to_le_bytes());
    file.extend(40_u32.to_le_bytes());
    file.extend(48_u32.to_le_bytes());
    file.extend(32_u32.to_le_bytes());
    file.extend([1, 0, 8, 0]);
    file.resize(46, 0);
    file.extend([colors, 0, 0, 0, 0, 0, 0, 0]);
    for index in 0..usize::from(colors) {
        let [r, g, b] = QUADRANTS[index % 4];
        file.extend([b, g, r, 0]);
    }
    for row in 0..HEIGHT {
        let y = HEIGHT - 1 - row;
        let index = |x: u32| u8::from(x >= WIDTH / 2) + 2 * u8::from(y >= HEIGHT / 2);
        file.extend((0..WIDTH).map(index));
    }
    file
}

#[test]
fn pixels_of_a_bitmap_do_not_begin_in_its_palette() {
    let end = 54 + 4 * 16;
    let len = end + 48 * 32;
    for (start, len) in [
        (end, 0),
        (54, 0),
        (14, 0),
        (0, len),
        (54 + 8, len),
        (70, len),
    ] {
        let file = indexed_bmp(16, start, len);
        assert_quadrants(&file, &format!("from {start}"));
    }
    // A palette that is shorter than the header says, with the pixels right behind it.
    let mut short = indexed_bmp(4, 54 + 16, 0);
    short[46] = 0;
    assert_quadrants(&short, "short palette");
}
