//! Callers that can seek read only what is needed of a file.

use std::ops::Range;

use thumbnail_pipeline::decode::{Part, Progress};
use thumbnail_pipeline::{
    ImageInfo, Limits, Options, PipelineError, RangeStatus, Rendered, Renderer, Variant, plan,
    probe_ranges, render,
};

const FORMATS: [&[u8]; 6] = [
    include_bytes!("../images/photo.jpg"),
    include_bytes!("../images/photo.webp"),
    include_bytes!("../images/orientation/6.png"),
    include_bytes!("../golden/sources/frames.gif"),
    include_bytes!("../golden/sources/palette.bmp"),
    include_bytes!("../images/heic/photo.heic"),
];

/// A file that counts what is read of it.
struct File<'a> {
    bytes: &'a [u8],
    read: usize,
}

impl<'a> File<'a> {
    fn range(&mut self, range: &Range<u64>) -> &'a [u8] {
        let clamp = |at: u64| {
            usize::try_from(at)
                .unwrap_or(usize::MAX)
                .min(self.bytes.len())
        };
        let bytes = &self.bytes[clamp(range.start)..clamp(range.end)];
        self.read += bytes.len();
        bytes
    }
}

fn probe(file: &mut File<'_>, page: u32) -> Result<ImageInfo, PipelineError> {
    let mut parts = Vec::new();
    for _ in 0..100 {
        match probe_ranges(&parts, page)? {
            RangeStatus::Ready(info) => return Ok(*info),
            RangeStatus::Need(range) => parts.push(Part {
                start: range.start,
                bytes: file.range(&range),
            }),
        }
    }
    panic!("it asks again and again");
}

fn render_ranges(file: &mut File<'_>, page: u32) -> Result<Rendered, PipelineError> {
    let info = probe(file, page)?;
    let plan = plan(&info, &variants(page), &Limits::default())?;
    let mut renderer = Renderer::new(plan)?;
    loop {
        let wanted = renderer.next_range();
        let part = file.range(&(wanted.start..wanted.end.min(wanted.start + 1000)));
        renderer.skip_to(wanted.start)?;
        if part.is_empty() || renderer.feed(part)? == Progress::Done {
            return renderer.finish();
        }
    }
}

fn variants(page: u32) -> [Variant; 1] {
    let options = Options {
        page,
        ..Options::default()
    };
    let name = "a".into();
    [Variant { name, options }]
}

/// Two pages of noise, each with its directory after its pixels.
fn pages() -> Vec<u8> {
    use tiff::encoder::{TiffEncoder, colortype::RGB8};
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    for page in 0..2_u32 {
        let pixels: Vec<u8> = (0..300 * 200 * 3_u32)
            .map(|at| (at.wrapping_mul(2_654_435_761 + page) >> 24).to_le_bytes()[0])
            .collect();
        encoder.write_image::<RGB8>(300, 200, &pixels).unwrap();
    }
    bytes.into_inner()
}

#[test]
fn a_page_is_read_without_the_other_one() {
    let bytes = pages();
    for page in 0..2 {
        let mut file = File {
            bytes: &bytes,
            read: 0,
        };
        let rendered = render_ranges(&mut file, page).unwrap();
        assert_eq!(
            Ok(rendered),
            render(&bytes, &variants(page), &Limits::default())
        );
        let page_bytes = 300 * 200 * 3;
        assert!(file.read < page_bytes + 8192, "{} bytes", file.read);
    }
}

#[test]
fn other_formats_are_read_from_the_front() {
    for bytes in FORMATS {
        let mut file = File { bytes, read: 0 };
        assert_eq!(
            render_ranges(&mut file, 0),
            render(bytes, &variants(0), &Limits::default())
        );
    }
}

#[test]
fn what_is_needed_cannot_be_left_out() {
    let bytes = pages();
    let mut file = File {
        bytes: &bytes,
        read: 0,
    };
    let info = probe(&mut file, 1).unwrap();
    let plan = plan(&info, &variants(1), &Limits::default()).unwrap();
    let mut renderer = Renderer::new(plan).unwrap();
    let start = renderer.next_range().start;
    assert!(start > 300 * 200 * 3);
    assert!(renderer.skip_to(start + 1).is_err());
    renderer.skip_to(start).unwrap();
    assert!(renderer.skip_to(start - 1).is_err());
}

#[test]
fn a_file_that_ends_in_its_header_asks_for_more() {
    let bytes = pages();
    for len in [0, 3, 100, bytes.len() * 3 / 4] {
        let parts = [Part {
            start: 0,
            bytes: &bytes[..len],
        }];
        assert!(matches!(probe_ranges(&parts, 1), Ok(RangeStatus::Need(_))));
    }
}
