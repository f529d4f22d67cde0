#![no_main]

mod common;

use common::{MAX_BYTES, MAX_FRAME_PIXELS, MAX_PIXELS, page_of, run};
use libfuzzer_sys::fuzz_target;
use thumbnail_pipeline::decode::HeaderStatus;
use thumbnail_pipeline::decode::gif::{GifDecoder, GifFrames, read_header};

fuzz_target!(|file: &[u8]| {
    let Ok(HeaderStatus::Ready(header)) = read_header(file) else {
        return;
    };
    let pixels = u64::from(header.width) * u64::from(header.height);
    if pixels > MAX_PIXELS || header.peak_bytes() > MAX_BYTES {
        return;
    }
    run(|| GifDecoder::new(&header), file);
    let frames = || GifFrames::new(&header, page_of(file), MAX_FRAME_PIXELS);
    run(frames, file);
});
