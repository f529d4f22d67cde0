//! Other spellings of paths, as clients, proxies and people write them.

use percent_encoding::percent_decode_str;

/// The path that `path` may be another spelling of: without percent-encoding, capitals, and a slash at
/// its end, and with the extension that our JPEGs have.
pub(super) fn canonical(path: &str) -> Option<String> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    let decoded = decoded.strip_suffix('/').unwrap_or(&decoded);
    let mut path = decoded.to_ascii_lowercase();
    if let Some(stem) = path.strip_suffix(".jpeg") {
        path = format!("{stem}.jpg");
    }
    // What is no plain path after this is none at all, and may not stand in a header.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    (path.bytes().all(plain) && !path.contains("//") && !path.ends_with('/')).then_some(path)
}
