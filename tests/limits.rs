//! Each limit trips before the work that it bounds.

use thumbnail_core::pipeline::decode::HeaderStatus;
use thumbnail_core::pipeline::options::Fit;
use thumbnail_core::pipeline::{
    LimitError, Limits, Options, PipelineError, Renderer, Variant, plan, probe, render,
};

/// A PNG header of that size, 8-bit RGB, with the beginning of its pixels.
fn huge_png(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    file.extend(&header);
    let crc = header.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    });
    file.extend((!crc).to_be_bytes());
    file.extend(b"\0\0\x10\0IDAT\x78\x01");
    file
}

fn refusal(source: &[u8], options: Options, limits: &Limits) -> PipelineError {
    let variant = Variant {
        name: String::new(),
        options,
    };
    render(source, &[variant], limits).expect_err("refused")
}

#[test]
fn claims_beyond_the_limits_are_refused_with_their_numbers() {
    let limits = Limits::default();
    let options = Options::default();
    let got = refusal(&huge_png(1_000_001, 1), options, &limits);
    assert_eq!(
        got.to_string(),
        "1000001x1 has a side of more than 1000000 pixels"
    );
    let got = refusal(&huge_png(20_001, 20_000), options, &limits);
    assert_eq!(got.to_string(), "20001x20000 is more than 400000000 pixels");
    // 40 bytes that claim 268 megapixels of lossless WebP.
    let bits = (0x3ffe_u32 | 0x3ffe << 14).to_le_bytes();
    let webp = [
        b"RIFF\x20\0\0\0WEBPVP8L\x14\0\0\0\x2f".as_slice(),
        &bits,
        &[0; 15],
    ]
    .concat();
    let got = refusal(&webp, options, &limits);
    assert!(
        matches!(
            got,
            PipelineError::Limit(LimitError::Memory { width: 16_383, .. })
        ),
        "{got}"
    );
    let bmp = [
        b"BM".as_slice(),
        &[0; 12],
        &40_u32.to_le_bytes(),
        &30_000_u32.to_le_bytes(),
    ];
    let bmp = [
        bmp.concat(),
        13_000_u32.to_le_bytes().to_vec(),
        vec![1, 0, 24, 0],
        vec![0; 40],
    ]
    .concat();
    // A BMP is read by rows: nothing is held for pixels that never come.
    let got = refusal(&bmp, options, &limits);
    assert!(matches!(got, PipelineError::Truncated { .. }), "{got}");
}

#[test]
fn results_beyond_the_limits_are_refused_too() {
    let strip = huge_png(1_000_000, 1);
    let outside = Options {
        fit: Fit::Outside,
        ..Options::default()
    };
    let got = refusal(&strip, outside, &Limits::default());
    assert_eq!(
        got.to_string(),
        "100000000x100 has a side of more than 65535 pixels"
    );
    let large = Options {
        width: Some(4096),
        height: Some(4096),
        ..Options::default()
    };
    let small = Limits {
        max_memory_bytes: 16 << 20,
        ..Limits::default()
    };
    let got = refusal(&huge_png(5000, 5000), large, &small);
    assert!(
        matches!(
            got,
            PipelineError::Limit(LimitError::ThumbnailMemory { width: 4096, .. })
        ),
        "{got}"
    );
}

#[test]
fn files_beyond_the_limit_are_refused_while_they_arrive() {
    let source = [huge_png(300, 200), vec![0; 2000]].concat();
    let limits = Limits {
        max_bytes: 20,
        ..Limits::default()
    };
    let HeaderStatus::Ready(info) = probe(&source).expect("a header") else {
        panic!("the whole file has its header");
    };
    let variants = [Variant::default()];
    let mut renderer =
        Renderer::new(plan(&info, &variants, &limits).expect("fits")).expect("starts");
    renderer.feed(&source[..20]).expect("within the limit");
    let got = renderer.feed(&source[20..21]).expect_err("refused");
    assert_eq!(got.to_string(), "the file has more than 20 bytes");
}
