//! Nothing of what a file says beside its pixels gets into a thumbnail.

use thumbnail_pipeline::options::FormatChoice;
use thumbnail_pipeline::{Limits, Options, Variant, render};

/// EXIF with a place, a camera and a date, and XMP, each with bytes that are looked for.
const SOURCES: [(&str, &[u8]); 3] = [
    ("jpeg", include_bytes!("../images/metadata/gps-canary.jpg")),
    ("png", include_bytes!("../images/metadata/gps-canary.png")),
    ("webp", include_bytes!("../images/metadata/gps-canary.webp")),
];

const CANARIES: [&[u8]; 6] = [
    b"CanaryMake",
    b"xmp-canary",
    b"2026:01:02",
    b"Exif",
    b"EXIF",
    b"adobe:ns:meta",
];

fn has(file: &[u8], canary: &[u8]) -> bool {
    file.windows(canary.len()).any(|bytes| bytes == canary)
}

#[test]
fn no_metadata_get_into_a_thumbnail() {
    let formats = [
        FormatChoice::Source,
        FormatChoice::Jpeg,
        FormatChoice::Png,
        FormatChoice::WebP,
        FormatChoice::Gif,
    ];
    for (name, source) in SOURCES {
        assert!(has(source, b"CanaryMake"), "{name} has what is looked for");
        for format in formats {
            let variant = Variant {
                options: Options {
                    format,
                    ..Options::default()
                },
                ..Variant::default()
            };
            let made = render(source, &[variant], &Limits::default()).unwrap();
            let thumbnail = &made.thumbnails[0].encoded.bytes;
            for canary in CANARIES {
                let canary_text = String::from_utf8_lossy(canary);
                assert!(!has(thumbnail, canary), "{name} {format:?} {canary_text}");
            }
        }
    }
}
