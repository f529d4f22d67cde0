//! Tests of `format`.

use super::*;

#[test]
fn formats_are_told_by_their_first_bytes() {
    let bmp = [b"BM".as_slice(), &[0; 12], &40_u32.to_le_bytes()].concat();
    let avif = b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif".as_slice();
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".as_slice();
    let svg = b"\xef\xbb\xbf <?xml version='1.0'?>\n<!-- a > b --><!DOCTYPE svg>\n<svg xmlns=''>"
        .as_slice();
    for (bytes, want) in [
        (b"\xff\xd8\xff\xe0".as_slice(), Some(ImageFormat::Jpeg)),
        (b"\x89PNG\r\n\x1a\n", Some(ImageFormat::Png)),
        (b"GIF87a", Some(ImageFormat::Gif)),
        (b"GIF89a", Some(ImageFormat::Gif)),
        (b"RIFF\0\0\0\0WEBPVP8 ", Some(ImageFormat::WebP)),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"II*\0", Some(ImageFormat::Tiff)),
        (b"MM\0*", Some(ImageFormat::Tiff)),
        (b"\xff\x0a", Some(ImageFormat::Jxl)),
        (b"\0\0\0\x0cJXL \r\n\x87\n", Some(ImageFormat::Jxl)),
        (&bmp, Some(ImageFormat::Bmp)),
        (b"BMW makes cars, and motorcycles too", None),
        (avif, Some(ImageFormat::Avif)),
        (heic, Some(ImageFormat::Heic)),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", None),
        (svg, Some(ImageFormat::Svg)),
        (
            b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x 'y'>]><svg>",
            Some(ImageFormat::Svg),
        ),
        (b"<svgfoo>", None),
        (b"<html><svg>", None),
        (b"<!-- never closed", None),
        (b"", None),
    ] {
        assert_eq!(ImageFormat::sniff(bytes), want, "{}", bytes.escape_ascii());
    }
}

#[test]
fn only_decoded_formats_are_not_refused() {
    let heic = ImageFormat::Heic.refusal();
    if cfg!(feature = "heic") {
        assert_eq!(heic, None);
    } else {
        assert!(heic.is_some_and(|text| text.contains("Most Compatible")));
    }
    assert!(ImageFormat::Avif.refusal().is_some());
    assert!(ImageFormat::Tiff.refusal().is_none());
}
