//! EXIF orientation 1 to 8 in every format that can say it.
//!
//! `images/orientation/N.*` is one 48x32 picture of four quadrants (CC0, made for this),
//! stored alike in all and shown as orientation N says.

use image::{Rgb, RgbImage};
use thumbnail_pipeline::options::{Fit, FormatChoice, Gravity};
use thumbnail_pipeline::{Limits, Options, Variant, render};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../images/orientation/", $name)).as_slice())),*]
    };
}

const FILES: [(&str, &[u8]); 27] = files![
    "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg", "7.jpg", "8.jpg", "9.jpg", "1.png",
    "2.png", "3.png", "4.png", "5.png", "6.png", "7.png", "8.png", "1.webp", "2.webp", "3.webp",
    "4.webp", "5.webp", "6.webp", "7.webp", "8.webp", "3.tif", "6.tif",
];

fn thumbnail(source: &[u8], options: Options) -> RgbImage {
    let variant = Variant {
        name: String::new(),
        options: Options {
            format: FormatChoice::Png,
            ..options
        },
    };
    let rendered = render(source, &[variant], &Limits::default()).expect("renders");
    image::load_from_memory(&rendered.thumbnails[0].encoded.bytes)
        .expect("an image")
        .to_rgb8()
}

/// The colors in the middles of the four quadrants.
fn corners(picture: &RgbImage) -> [Rgb<u8>; 4] {
    let (w, h) = picture.dimensions();
    [
        (w / 4, h / 4),
        (w * 3 / 4, h / 4),
        (w / 4, h * 3 / 4),
        (w * 3 / 4, h * 3 / 4),
    ]
    .map(|(x, y)| *picture.get_pixel(x, y))
}

/// For each orientation, which stored quadrant each shown one is.
const QUADRANTS: [[usize; 4]; 8] = [
    [0, 1, 2, 3],
    [1, 0, 3, 2],
    [3, 2, 1, 0],
    [2, 3, 0, 1],
    [0, 2, 1, 3],
    [2, 0, 3, 1],
    [3, 1, 2, 0],
    [1, 3, 0, 2],
];

/// The orientation in a file's name; values that do not exist turn nothing.
fn quadrants(name: &str) -> [usize; 4] {
    let orientation = name
        .bytes()
        .next()
        .map_or(0, |digit| usize::from(digit - b'1'));
    QUADRANTS.get(orientation).copied().unwrap_or(QUADRANTS[0])
}

fn is_near(got: Rgb<u8>, want: Rgb<u8>) -> bool {
    got.0
        .iter()
        .zip(want.0)
        .all(|(got, want)| got.abs_diff(want) <= 12)
}

#[test]
fn every_orientation_is_shown_upright() {
    let options = Options {
        width: Some(24),
        height: Some(24),
        fit: Fit::Inside,
        ..Options::default()
    };
    let stored = corners(&thumbnail(FILES[0].1, options));
    for (name, source) in FILES {
        let got = thumbnail(source, options);
        let turned = matches!(&name[..1], "5" | "6" | "7" | "8");
        assert_eq!(
            got.dimensions(),
            if turned { (16, 24) } else { (24, 16) },
            "{name}"
        );
        for (got, quadrant) in corners(&got).into_iter().zip(quadrants(name)) {
            assert!(
                is_near(got, stored[quadrant]),
                "{name}: {got:?}, not {:?}",
                stored[quadrant]
            );
        }
    }
}

/// The part that is kept is chosen in the image as it is shown.
#[test]
fn crops_are_made_in_the_picture_as_shown() {
    let stored = corners(&thumbnail(FILES[0].1, Options::default()));
    for (gravity, shown) in [
        (Gravity::Northwest, 0),
        (Gravity::Northeast, 1),
        (Gravity::Focus { x: 0.25, y: 0.5 }, 0),
    ] {
        for (name, source) in FILES {
            let options = Options {
                width: Some(10),
                height: Some(32),
                gravity,
                ..Options::default()
            };
            let got = thumbnail(source, options);
            assert_eq!(got.dimensions(), (10, 32), "{name}");
            let (got, want) = (*got.get_pixel(5, 5), stored[quadrants(name)[shown]]);
            assert!(
                is_near(got, want),
                "{name} {gravity}: {got:?}, not {want:?}"
            );
        }
    }
}

/// The file with its orientation as `kind`, `count` and four bytes of value; all of it if it is in there more than once.
fn with_entry(file: &[u8], kind: u8, count: u8, value: [u8; 4]) -> Vec<u8> {
    let mut file = file.to_vec();
    let mut entries = 0;
    for at in 0..file.len() - 12 {
        // SHORT, once.
        let is_big_endian = match file[at..at + 8] {
            [1, 0x12, 0, 3, 0, 0, 0, 1] => true,
            [0x12, 1, 3, 0, 1, 0, 0, 0] => false,
            _ => continue,
        };
        let mut entry = [0, kind, 0, 0, 0, count];
        if !is_big_endian {
            entry[..2].reverse();
            entry[2..].reverse();
        }
        file[at + 2..at + 8].copy_from_slice(&entry);
        file[at + 8..at + 12].copy_from_slice(&value);
        let width = match kind {
            3 | 8 => 2,
            4 | 9 => 4,
            _ => 1,
        };
        if is_big_endian {
            for number in file[at + 8..at + 12].chunks_exact_mut(width) {
                number.reverse();
            }
        }
        entries += 1;
    }
    assert!(entries > 0, "it has an orientation");
    file
}

/// Writers take any type of whole numbers, and more than one of them.
#[test]
fn the_type_of_the_orientation_does_not_matter() {
    let options = Options::default();
    for (name, source) in FILES.iter().filter(|(name, _)| name.starts_with('6')) {
        let want = thumbnail(source, options);
        for (kind, count, value) in [
            (1, 1, [6, 0, 0, 0]),
            (1, 2, [6, 6, 0, 0]),
            (3, 2, [6, 0, 6, 0]),
            (4, 1, [6, 0, 0, 0]),
            (6, 1, [6, 0, 0, 0]),
            (8, 1, [6, 0, 0, 0]),
            (9, 1, [6, 0, 0, 0]),
        ] {
            let mut file = with_entry(source, kind, count, value);
            if name.ends_with("png") {
                mend_checksum(&mut file);
            }
            assert!(thumbnail(&file, options) == want, "{name} {kind} {count}");
        }
    }
}

/// Writes the right checksum into the eXIf chunk of a PNG.
fn mend_checksum(png: &mut [u8]) {
    let name = png.windows(4).position(|bytes| bytes == b"eXIf").unwrap();
    let length = u32::from_be_bytes(png[name - 4..name].try_into().unwrap()) as usize;
    let end = name + 4 + length;
    let crc = png[name..end].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    });
    png[end..end + 4].copy_from_slice(&(!crc).to_be_bytes());
}
