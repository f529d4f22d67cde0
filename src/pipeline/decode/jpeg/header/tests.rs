//! Tests of `header`.

use super::*;

fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xFF, marker];
    bytes.extend(u16::try_from(payload.len() + 2).unwrap().to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn file(segments: &[Vec<u8>]) -> Vec<u8> {
    [vec![0xFF, SOI], segments.concat()].concat()
}

fn frame(marker: u8, ids: &[u8]) -> Vec<u8> {
    let mut payload = vec![8, 0, 50, 1, 0, u8::try_from(ids.len()).unwrap()];
    for &id in ids {
        payload.extend([id, 0x11, 0]);
    }
    segment(marker, &payload)
}

fn sos(count: u8) -> Vec<u8> {
    segment(SOS, &[&[count][..], &[0; 11]].concat())
}

fn ready(bytes: &[u8]) -> JpegHeader {
    match read_header(bytes) {
        Ok(HeaderStatus::Ready(header)) => header,
        other => panic!("{other:?}"),
    }
}

#[test]
fn asks_for_more_until_the_first_scan() {
    let bytes = file(&[
        segment(APP0, b"JFIF\0\x01\x01"),
        frame(SOF0, &[1, 2, 3]),
        sos(3),
    ]);
    for end in 0..bytes.len() {
        assert_eq!(
            read_header(&bytes[..end]),
            Ok(HeaderStatus::NeedMore),
            "{end}"
        );
    }
    let header = ready(&bytes);
    assert_eq!((header.width, header.height), (256, 50));
    assert!(header.interleaved && !header.progressive);
}

#[test]
fn decides_colors_as_libjpeg_does() {
    use ColorTransform::{Cmyk, Gray, Rgb, YCbCr, Ycck};
    let jfif = || segment(APP0, b"JFIF\0\x01\x01");
    let adobe = |t| segment(APP14, &[&b"Adobe\0\x64\0\0\0\0"[..], &[t]].concat());
    for (ids, extra, want) in [
        (&[1][..], vec![], Gray),
        (&[1, 2, 3], vec![], YCbCr),
        (b"RGB", vec![], Rgb),
        (b"RGB", vec![jfif()], YCbCr),
        (&[1, 2, 3], vec![adobe(0)], Rgb),
        (&[1, 2, 3], vec![adobe(0), jfif()], YCbCr),
        (b"RGB", vec![adobe(1)], YCbCr),
        (&[0, 1, 2], vec![], YCbCr),
        (b"CMYK", vec![], Cmyk),
        (b"CMYK", vec![adobe(0)], Cmyk),
        (b"CMYK", vec![adobe(2)], Ycck),
    ] {
        let bytes = file(&[extra, vec![frame(SOF0, ids), sos(1)]].concat());
        let header = ready(&bytes);
        assert_eq!(header.transform, want, "{ids:?}");
    }
}

#[test]
fn joins_a_profile_in_the_order_of_its_parts() {
    let part = |n: u8, of: u8, data: &[u8]| {
        segment(APP2, &[b"ICC_PROFILE\0", &[n, of][..], data].concat())
    };
    let with = |parts: &[Vec<u8>]| ready(&file(&[parts.concat(), frame(SOF2, &[1]), sos(1)])).icc;
    assert_eq!(
        with(&[part(2, 2, b"cd"), part(1, 2, b"ab")]),
        Some(b"abcd".to_vec())
    );
    assert_eq!(with(&[part(2, 2, b"cd")]), None);
    assert_eq!(with(&[part(1, 2, b"ab"), part(1, 2, b"ab")]), None);
    assert_eq!(with(&[]), None);
    let huge = vec![7; 65_000];
    let many = |n: u8| (1..=n).map(|i| part(i, n, &huge)).collect::<Vec<_>>();
    assert_eq!(with(&many(64)).map(|p| p.len()), Some(64 * 65_000));
    assert_eq!(with(&many(65)), None);
}

#[test]
fn keeps_the_first_exif() {
    let header = ready(&file(&[
        segment(APP1, b"http://ns.adobe.com/xap/1.0/\0"),
        segment(APP1, b"Exif\0\0MM"),
        segment(APP1, b"Exif\0\0II"),
        segment(DRI, &[1, 2]),
        frame(SOF0, &[1]),
        sos(1),
    ]));
    assert_eq!(header.exif.as_deref(), Some(&b"MM"[..]));
    assert_eq!(header.restart_interval, 0x102);
}

#[test]
fn says_what_it_does_not_decode() {
    let sof = |marker: u8, payload: &[u8]| read_header(&file(&[segment(marker, payload), sos(1)]));
    let good = [8, 0, 1, 0, 1, 1, 1, 0x11, 0];
    assert!(matches!(sof(SOF0, &good), Ok(HeaderStatus::Ready(_))));
    for marker in [0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF] {
        assert!(matches!(
            sof(marker, &good),
            Err(PipelineError::Unsupported { .. })
        ));
    }
    for (at, value, legal) in [
        (0, 12, true),
        (2, 0, true),
        (5, 2, true),
        (4, 0, false),
        (7, 0x15, false),
        (7, 0x01, false),
        (8, 4, false),
    ] {
        let mut bad = [&good[..], &[2, 0x11, 0]].concat();
        bad[at] = value;
        let got = sof(SOF0, &bad);
        assert_eq!(
            matches!(got, Err(PipelineError::Unsupported { .. })),
            legal,
            "{got:?}"
        );
        assert!(got.is_err());
    }
    assert!(read_header(b"\x89PNG").is_err());
    assert!(read_header(&file(&[sos(1)])).is_err());
    assert!(read_header(&file(&[vec![0xFF, EOI]])).is_err());
}
