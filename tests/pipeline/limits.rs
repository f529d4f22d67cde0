//! Each limit trips before the work that it bounds.

use thumbnail_pipeline::decode::HeaderStatus;
use thumbnail_pipeline::gravity::Gravity;
use thumbnail_pipeline::options::Fit;
use thumbnail_pipeline::{
    ImageInfo, LimitError, Limits, Options, PipelineError, Plan, Renderer, Variant, plan, probe,
    render,
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

/// Sizes of `sides`, all with the same options.
fn sizes(sides: &[u32], options: Options) -> Vec<Variant> {
    let variant = |side: &u32| Variant {
        name: format!("s{side}"),
        options: Options {
            width: Some(*side),
            height: Some(*side),
            ..options
        },
    };
    sides.iter().map(variant).collect()
}

fn info(file: &[u8]) -> ImageInfo {
    let HeaderStatus::Ready(info) = probe(file).expect("a header") else {
        panic!("the whole header is there");
    };
    info
}

fn planned(file: &[u8], variants: &[Variant]) -> Result<Plan, PipelineError> {
    plan(&info(file), variants, &Limits::default())
}

fn jpeg(is_progressive: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 85);
    encoder.set_progressive(is_progressive);
    let noise: Vec<u8> = (0_u32..64 * 64 * 3)
        .map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    encoder
        .encode(&noise, 64, 64, jpeg_encoder::ColorType::Rgb)
        .expect("writes");
    file
}

/// A JPEG whose header says that it is of that size.
fn huge_jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut file = jpeg(false);
    let sof = file.windows(2).position(|marker| marker == [0xff, 0xc0]);
    let at = sof.expect("a frame header") + 5;
    file[at..at + 2].copy_from_slice(&height.to_be_bytes());
    file[at + 2..at + 4].copy_from_slice(&width.to_be_bytes());
    file
}

#[test]
fn work_is_planned_and_ordinary_work_is_done() {
    let common = &[64, 100, 320, 640, 1024];
    for (file, sides) in [
        (huge_jpeg(20_000, 20_000), &[100][..]),
        (huge_jpeg(20_000, 20_000), common),
        (huge_png(20_000, 20_000), &[100]),
        (huge_png(10_000, 10_000), common),
        (huge_jpeg(4_000, 3_000), &[100, 200, 400, 800, 1_200, 1_600]),
    ] {
        let plan = planned(&file, &sizes(sides, Options::default())).expect("is done");
        assert!(plan.work > 0);
    }
}

#[test]
fn work_beyond_the_limit_is_refused_before_it_is_done() {
    let file = huge_png(20_000, 20_000);
    let linear = Options {
        linear: true,
        gravity: Gravity::Attention,
        ..Options::default()
    };
    let sides: Vec<u32> = (85..=100).collect();
    let limits = Limits {
        max_work: 1_000_000_000,
        ..Limits::default()
    };
    let got = plan(&info(&file), &sizes(&sides, linear), &limits).expect_err("too much");
    let PipelineError::Limit(LimitError::Work {
        width: 20_000,
        height: 20_000,
        need_ms,
        max_ms: 1_000,
    }) = got
    else {
        panic!("{got}")
    };
    assert!((1_001..20_000).contains(&need_ms), "{need_ms}");
    assert_eq!(
        got.to_string(),
        format!(
            "making these thumbnails of 20000x20000 takes about {need_ms} ms of work, and 1000 are allowed: ask for fewer or smaller ones, or send a smaller image"
        )
    );
}

#[test]
fn the_work_of_a_plan_grows_with_all_that_is_asked_for() {
    let work = |sides: &[u32], options| {
        let plan = planned(&huge_png(3_000, 2_000), &sizes(sides, options));
        plan.expect("is done").work
    };
    let plain = Options::default();
    let base = work(&[300], plain);
    for (what, more) in [
        ("sizes", work(&[300, 301], plain)),
        ("pixels", work(&[400], plain)),
        (
            "linear",
            work(
                &[300],
                Options {
                    linear: true,
                    ..plain
                },
            ),
        ),
        (
            "a choice",
            work(
                &[300],
                Options {
                    gravity: Gravity::Entropy,
                    ..plain
                },
            ),
        ),
    ] {
        assert!(more > base, "{what}: {more} of {base}");
    }
    // Every pixel is added once: a second size costs its own resampling alone.
    assert!(2 * base > work(&[300, 200], plain));
}

/// Renders with no more work than its plan and `more` nanoseconds.
fn with_little_more(file: &[u8], page: u32, more: u64) -> Result<(), PipelineError> {
    let options = Options {
        page,
        ..Options::default()
    };
    let variants = sizes(&[20], options);
    let planned = plan(&info(file), &variants, &Limits::default()).expect("is done");
    let limits = Limits {
        max_work: planned.work + more,
        ..Limits::default()
    };
    render(file, &variants, &limits).map(drop)
}

#[test]
fn work_that_no_header_tells_of_is_refused_while_it_is_done() {
    let mut gif = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut gif);
    for _ in 0..3 {
        let frame = image::Frame::new(image::RgbaImage::from_pixel(64, 64, image::Rgba([9; 4])));
        encoder.encode_frame(frame).expect("writes");
    }
    drop(encoder);
    for (what, file, page) in [("frames", gif, 2), ("scans", jpeg(true), 0)] {
        let bytes = 30 * file.len() as u64;
        assert!(with_little_more(&file, page, 10_000_000).is_ok(), "{what}");
        let got = with_little_more(&file, page, bytes).expect_err(what);
        assert!(
            matches!(got, PipelineError::Limit(LimitError::Work { .. })),
            "{what}: {got}"
        );
    }
    // So are code words: a file that is much longer than its image.
    let file = jpeg(false);
    let got = with_little_more(&file, 0, file.len() as u64).expect_err("long");
    assert!(matches!(got, PipelineError::Limit(LimitError::Work { .. })));
}

/// Writes bits, the lowest of a byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn put(&mut self, value: u32, bits: u32) {
        for bit in 0..bits {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (self.count % 8);
            }
            self.count += 1;
        }
    }

    /// A block with tables of its own and nothing else in it (RFC 1951, section 3.2.7).
    fn put_empty_block(&mut self) {
        // Not the last one; 257 literals, 1 distance, lengths of 18 codes in the order of the standard.
        for (value, bits) in [(0, 1), (2, 2), (0, 5), (0, 5), (14, 4)] {
            self.put(value, bits);
        }
        // A bit each for 18, which repeats zeros, and for 1.
        for place in 0..18 {
            self.put(u32::from(place == 2 || place == 17), 3);
        }
        // 138 and 117 zeros; a bit for the literal 255, for the end of the block, and for a distance.
        for (code, more) in [(1, 127), (1, 106)] {
            self.put(code, 1);
            self.put(more, 7);
        }
        self.put(0, 3);
        self.put(1, 1);
    }
}

/// A TIFF of a gray pixel a row, each of which lies behind so many blocks of Deflate that hold nothing.
fn tiff_of_blocks(rows: u32, count: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    for _ in 0..count {
        bits.put_empty_block();
    }
    // The last one, of fixed codes: a literal below 144 has eight bits from 0x30 on, the highest first.
    let gray = u32::from((0x30_u8 + 7).reverse_bits());
    for (value, count) in [(1, 1), (1, 2), (gray, 8), (0, 7)] {
        bits.put(value, count);
    }
    let data = [b"\x78\x01", bits.bytes.as_slice()].concat();
    // The directory, then where each strip begins and how long it is, then the strips.
    let lists = 8 + 2 + 8 * 12 + 4;
    let entries = [
        (256, 1, 1),
        (257, 1, rows),
        (258, 1, 8),
        (259, 1, 8),
        (262, 1, 1),
        (273, rows, lists),
        (278, 1, 1),
        (279, rows, lists + 4 * rows),
    ];
    let mut file = b"II*\0\x08\0\0\0\x08\0".to_vec();
    for (tag, values, value) in entries {
        file.extend(u16::to_le_bytes(tag));
        file.extend(u16::to_le_bytes(4));
        file.extend(u32::to_le_bytes(values));
        file.extend(u32::to_le_bytes(value));
    }
    file.extend([0; 4]);
    let start = lists + 8 * rows;
    let len = u32::try_from(data.len()).expect("short");
    (0..rows).for_each(|row| file.extend((start + row * len).to_le_bytes()));
    (0..rows).for_each(|_| file.extend(len.to_le_bytes()));
    file.extend(data.repeat(rows as usize));
    file
}

#[test]
fn tables_of_blocks_that_hold_nothing_are_counted() {
    let few = tiff_of_blocks(20, 10);
    assert!(with_little_more(&few, 0, 10_000_000).is_ok());
    let many = tiff_of_blocks(20, 5_000);
    assert!(with_little_more(&many, 0, 1_000_000_000).is_ok());
    // The decoder stops where its part is spent: what is planned besides is none of it.
    let variants = sizes(&[1_500], Options::default());
    let planned = plan(&info(&many), &variants, &Limits::default()).expect("is done");
    let limits = Limits {
        max_work: planned.work + 20_000_000,
        ..Limits::default()
    };
    let got = render(&many, &variants, &limits).expect_err("is too much");
    let PipelineError::Limit(LimitError::Work {
        need_ms, max_ms, ..
    }) = got
    else {
        panic!("{got}");
    };
    let planned_ms = planned.work / 1_000_000;
    assert!(
        need_ms < max_ms + planned_ms / 2,
        "{need_ms} of {max_ms}, {planned_ms} of it planned"
    );
}
