//! Any bytes as a PNG file: no panic, each pixel once, and the same image for pieces of any size.
#![no_main]

mod common;

use std::hash::{DefaultHasher, Hash, Hasher};

use common::{MAX_FRAME_PIXELS, page_of, run};
use libfuzzer_sys::fuzz_target;
use thumbnail_pipeline::PipelineError;
use thumbnail_pipeline::decode::png::{PngDecoder, PngFrames, PngHeader, read_header};
use thumbnail_pipeline::decode::{
    Completeness, Decode, HeaderStatus, Progress, RowSink, Samples,
};

/// Larger images only make the fuzzer slow.
const MAX_PIXELS: u64 = 1 << 18;

fuzz_target!(|data: &[u8]| {
    let data = &with_right_crcs(data);
    let Ok(HeaderStatus::Ready(header)) = read_header(data) else {
        return;
    };
    if u64::from(header.width) * u64::from(header.height) > MAX_PIXELS {
        return;
    }
    let whole = decode(&header, data, usize::MAX);
    let piece = usize::from(data[data.len() - 1] % 31) + 1;
    let pieces = decode(&header, data, piece);
    assert_eq!(whole, pieces);
    let frames = || PngFrames::new(&header, page_of(data), MAX_FRAME_PIXELS);
    run(frames, data);
});

/// The file with the CRCs of its critical chunks as they must be, so that mutations get past them.
fn with_right_crcs(data: &[u8]) -> Vec<u8> {
    let mut file = data.to_vec();
    let mut start = 8;
    while let Some(&[l0, l1, l2, l3]) = file.get(start..).and_then(|rest| rest.first_chunk()) {
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        let end = start + 8 + length;
        let Some(chunk) = file.get(start + 4..end).filter(|_| length <= 768) else {
            break;
        };
        let crc = chunk.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
            })
        });
        if let Some(place) = file.get_mut(end..end + 4) {
            place.copy_from_slice(&(!crc).to_be_bytes());
        }
        start = end + 4;
    }
    file
}

fn decode(
    header: &PngHeader,
    data: &[u8],
    piece: usize,
) -> Result<(Completeness, u64), PipelineError> {
    let mut decoder = PngDecoder::new(header)?;
    let mut sink = Seen {
        width: header.width,
        channels: u32::from(header.channels_out()),
        times: vec![0; header.width as usize * header.height as usize],
        hasher: DefaultHasher::new(),
    };
    for piece in data.chunks(piece) {
        if decoder.feed(piece, &mut sink)? == Progress::Done {
            break;
        }
    }
    let completeness = decoder.finish(&mut sink)?;
    assert!(sink.times.iter().all(|&times| times == 1));
    Ok((completeness, sink.hasher.finish()))
}

struct Seen {
    width: u32,
    channels: u32,
    times: Vec<u8>,
    hasher: DefaultHasher,
}

impl Seen {
    fn see(&mut self, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        let samples = match samples {
            Samples::U8(samples) => {
                samples.hash(&mut self.hasher);
                samples.len()
            }
            Samples::U16(samples) => {
                samples.hash(&mut self.hasher);
                samples.len()
            }
        };
        let pixels = (self.width - x0).div_ceil(dx);
        assert_eq!(samples, (pixels * self.channels) as usize);
        for i in 0..pixels {
            self.times[(y * self.width + x0 + i * dx) as usize] += 1;
        }
    }
}

impl RowSink for Seen {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        assert_eq!(plane, 0);
        self.see(y, 0, 1, samples);
    }

    fn pixels(&mut self, plane: usize, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        assert_eq!(plane, 0);
        self.see(y, x0, dx, samples);
    }
}
