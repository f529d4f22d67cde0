#![no_main]

mod common;

use common::{MAX_BYTES, MAX_PIXELS, run};
use libfuzzer_sys::fuzz_target;
use thumbnail_pipeline::decode::HeaderStatus;
use thumbnail_pipeline::decode::heic::{HeicDecoder, read_header};
use thumbnail_pipeline::decode::webp::LoopFilter;

fuzz_target!(|file: &[u8]| {
    let Ok(HeaderStatus::Ready(header)) = read_header(file) else {
        return;
    };
    let filter = if file.len() % 2 == 0 {
        LoopFilter::Exact
    } else {
        LoopFilter::Skip
    };
    // What is coded can be larger than what is shown, and takes memory all the same.
    let pixels = u64::from(header.width) * u64::from(header.height);
    if pixels > MAX_PIXELS || header.peak_bytes(filter) > MAX_BYTES / 64 {
        return;
    }
    run(|| Ok(HeicDecoder::new(&header, filter)), file);
});
