#![allow(dead_code, reason = "not every target has frames")]
//! What the targets share: a sink that insists on every row coming once, and feeding in chunks of two kinds.

use std::hash::{DefaultHasher, Hash, Hasher};

use thumbnail_pipeline::PipelineError;
use thumbnail_pipeline::decode::{Completeness, Decode, Progress, RowSink, Samples};

/// Images beyond this are not decoded: size alone is not a finding.
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
    hasher: DefaultHasher,
}

impl RowSink for Rows {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        (plane, y).hash(&mut self.hasher);
        let len = match samples {
            Samples::U8(samples) => {
                samples.hash(&mut self.hasher);
                samples.len()
            }
            Samples::U16(samples) => {
                samples.hash(&mut self.hasher);
                samples.len()
            }
        };
        assert_eq!(len, self.samples[plane]);
        let seen = &mut self.seen[plane][y as usize];
        assert!(!std::mem::replace(seen, true), "row {y} came twice");
    }

    fn pixels(&mut self, _: usize, _: u32, _: u32, _: u32, _: Samples<'_>) {
        unreachable!("no decoder of these gives parts of rows");
    }
}

/// Feeds a file in two ways, and checks that both give the same, which has all of its rows.
pub fn run<D: Decode>(open: impl Fn() -> Result<D, PipelineError>, file: &[u8]) {
    let (start, rest) = file.split_at(file.len().min(1 + file.len() / 3));
    let uneven = std::iter::once(start).chain(rest.chunks(97));
    let length = 1 + file.last().map_or(0, |&byte| usize::from(byte % 31));
    let even = decode(open(), file.chunks(length));
    assert_eq!(decode(open(), uneven), even, "in chunks of {length}");
}

/// What a file gives: a hash of its rows, or an error.
fn decode<'a, D: Decode>(
    decoder: Result<D, PipelineError>,
    chunks: impl Iterator<Item = &'a [u8]>,
) -> Result<(Completeness, u64), PipelineError> {
    let mut decoder = decoder?;
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
        hasher: DefaultHasher::new(),
    };
    for bytes in chunks {
        if decoder.feed(bytes, &mut rows)? == Progress::Done {
            break;
        }
    }
    let completeness = decoder.finish(&mut rows)?;
    assert!(
        rows.seen.iter().flatten().all(|&seen| seen),
        "rows are missing"
    );
    Ok((completeness, rows.hasher.finish()))
}
