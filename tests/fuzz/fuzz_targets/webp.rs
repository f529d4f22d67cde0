#![no_main]

mod common;

use common::{MAX_BYTES, MAX_FRAME_PIXELS, MAX_PIXELS, page_of, run};
use libfuzzer_sys::fuzz_target;
use thumbnail_pipeline::decode::HeaderStatus;
use thumbnail_pipeline::decode::webp::{LoopFilter, WebpDecoder, WebpFrames, read_header};

fuzz_target!(|file: &[u8]| {
    let Ok(HeaderStatus::Ready(header)) = read_header(file) else {
        return;
    };
    let pixels = u64::from(header.width) * u64::from(header.height);
    if pixels > MAX_PIXELS || header.peak_bytes() > MAX_BYTES {
        return;
    }
    let filter = if file.len() % 2 == 0 {
        LoopFilter::Exact
    } else {
        LoopFilter::Skip
    };
    run(|| Ok(WebpDecoder::new(&header, filter)), file);
    let page = page_of(file);
    let frames = || WebpFrames::new(&header, page, filter, MAX_FRAME_PIXELS);
    run(frames, file);
});
