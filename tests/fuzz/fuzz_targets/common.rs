#![allow(dead_code, reason = "not every target has frames")]
//! What the targets share: a sink that insists on every row coming once, and feeding in uneven chunks.

use thumbnail_core::pipeline::decode::{Completeness, Decode, Progress, RowSink, Samples};

/// Pictures beyond this are not decoded: size alone is not a finding.
pub const MAX_PIXELS: u64 = 1 << 18;
/// Plans beyond this are refused, as they are in production.
pub const MAX_BYTES: u64 = 64 << 20;

/// Frames up to the one that is asked for may have so many pixels in all.
pub const MAX_FRAME_PIXELS: u64 = 1 << 22;

/// A page of the first few, by the file's length.
pub fn page_of(file: &[u8]) -> u32 {
    (file.len() % 5) as u32
}

struct Rows {
    seen: Vec<Vec<bool>>,
    samples: Vec<usize>,
}

impl RowSink for Rows {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        let len = match samples {
            Samples::U8(samples) => samples.len(),
            Samples::U16(samples) => samples.len(),
        };
        assert_eq!(len, self.samples[plane]);
        let seen = &mut self.seen[plane][y as usize];
        assert!(!std::mem::replace(seen, true), "row {y} came twice");
    }

    fn pixels(&mut self, _: usize, _: u32, _: u32, _: u32, _: Samples<'_>) {
        unreachable!("no decoder of these gives parts of rows");
    }
}

/// Feeds a file and checks that a picture has all of its rows.
pub fn run(decoder: &mut dyn Decode, file: &[u8]) {
    let planes = decoder.planes().to_vec();
    let mut rows = Rows {
        seen: planes
            .iter()
            .map(|plane| vec![false; plane.height as usize])
            .collect(),
        samples: planes
            .iter()
            .map(|plane| plane.width as usize * usize::from(plane.channels))
            .collect(),
    };
    let (start, rest) = file.split_at(file.len().min(1 + file.len() / 3));
    for bytes in std::iter::once(start).chain(rest.chunks(97)) {
        match decoder.feed(bytes, &mut rows) {
            Ok(Progress::NeedMore) => {}
            Ok(Progress::Done) => break,
            Err(_) => return,
        }
    }
    let result: Result<Completeness, _> = decoder.finish(&mut rows);
    if result.is_ok() {
        assert!(
            rows.seen.iter().flatten().all(|&seen| seen),
            "rows are missing"
        );
    }
}
