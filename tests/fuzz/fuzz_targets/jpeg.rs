//! Any bytes through the JPEG decoder, at any scales and in any chunks.
//!
//! The first two bytes choose scales and chunk size, the rest is the file.
//! Whatever it is, whole and chunked input must agree, rows must come in order and each once.

#![no_main]

use libfuzzer_sys::fuzz_target;
use thumbnail_pipeline::PipelineError;
use thumbnail_pipeline::decode::jpeg::{BlockSize, JpegDecoder, JpegHeader, read_header};
use thumbnail_pipeline::decode::{
    Completeness, Decode, HeaderStatus, Progress, RowSink, Samples,
};

const SIZES: [BlockSize; 4] = [
    BlockSize::One,
    BlockSize::Two,
    BlockSize::Four,
    BlockSize::Eight,
];

#[derive(Default, PartialEq, Debug)]
struct Checksum {
    next: [u32; 4],
    sum: u64,
}

impl RowSink for Checksum {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        assert_eq!(self.next[plane], y);
        self.next[plane] += 1;
        let Samples::U8(samples) = samples else {
            panic!("a JPEG has 8 bits")
        };
        for &sample in samples {
            self.sum = (self.sum ^ u64::from(sample)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn pixels(&mut self, _: usize, _: u32, _: u32, _: u32, _: Samples<'_>) {
        panic!("a JPEG is not scattered")
    }
}

fn decode(
    header: &JpegHeader,
    sizes: &[BlockSize],
    file: &[u8],
    chunk: usize,
) -> Result<(Checksum, Completeness), PipelineError> {
    let mut decoder = JpegDecoder::new_rgb(header, sizes)?;
    let mut sink = Checksum::default();
    for bytes in file.chunks(chunk) {
        if decoder.feed(bytes, &mut sink)? == Progress::Done {
            break;
        }
    }
    let completeness = decoder.finish(&mut sink)?;
    for (plane, &rows) in decoder.planes().iter().zip(&sink.next) {
        assert_eq!(plane.height, rows);
    }
    Ok((sink, completeness))
}

fuzz_target!(|data: &[u8]| {
    let [choice, chunk, file @ ..] = data else {
        return;
    };
    let Ok(HeaderStatus::Ready(header)) = read_header(file) else {
        return;
    };
    if header.width * header.height > 1 << 20 {
        return;
    }
    let sizes: Vec<_> = (0..header.components.len())
        .map(|i| SIZES[usize::from(*choice >> (2 * i)) & 3])
        .collect();
    let whole = decode(&header, &sizes, file, usize::MAX);
    let pieces = decode(&header, &sizes, file, 1 + usize::from(*chunk));
    assert_eq!(whole, pieces);
});
