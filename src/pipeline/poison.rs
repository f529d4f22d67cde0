//! Images that kill whoever decodes them, for the tests only: a build without the feature `poison`
//! does not contain this file.

use std::hint::black_box;

/// What a poisoned image has among its bytes; the word behind it says which fault.
const MARKER: &[u8] = b"edge-thumbnails-poison: ";

/// How much is allocated at a time until there is no more.
const GULP_BYTES: usize = 1 << 20;

/// Does what the marker in these bytes asks for, if they have one.
pub fn swallow(bytes: &[u8]) {
    // Otherwise it is compared piece by piece, and stands nowhere for the check of the shipped wasm to find.
    let marker = black_box(MARKER);
    let Some(at) = bytes.windows(marker.len()).position(|w| w == marker) else {
        return;
    };
    let fault = &bytes[at + marker.len()..];
    assert!(!fault.starts_with(b"panic"), "a poisoned image");
    if fault.starts_with(b"memory") {
        let mut held = Vec::new();
        loop {
            held.push(black_box(vec![1_u8; GULP_BYTES]));
        }
    }
    if fault.starts_with(b"abort") {
        std::process::abort();
    }
}
