#![no_main]

mod common;

use common::{MAX_BYTES, MAX_PIXELS, page_of, run};
use libfuzzer_sys::fuzz_target;
use thumbnail_pipeline::decode::HeaderStatus;
use thumbnail_pipeline::decode::tiff::{TiffDecoder, read_page_header};

fuzz_target!(|file: &[u8]| {
    let Ok(HeaderStatus::Ready(header)) = read_page_header(file, page_of(file)) else {
        return;
    };
    let pixels = u64::from(header.width) * u64::from(header.height);
    if pixels > MAX_PIXELS || header.peak_bytes() > MAX_BYTES {
        return;
    }
    run(|| Ok(TiffDecoder::new(&header)), file);
});
