//! `Content-Disposition`: the name under which a browser saves a thumbnail. RFC 6266 and RFC 8187.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 8187 does not write as it is.
const EXT_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The most characters of a name that are kept. Percent-encoded they fill less than 1 KiB.
const MAX_CHARS: usize = 80;

/// Names that Windows keeps for devices, with any extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// An image to be shown, and its name if it is saved.
pub fn inline(name: &str) -> String {
    let safe = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ';
    if name.chars().all(safe) {
        return format!("inline; filename=\"{name}\"");
    }
    // Read by clients that do not know `filename*`.
    let plain: String = name
        .chars()
        .map(|c| if safe(c) { c } else { '_' })
        .collect();
    let encoded = utf8_percent_encode(name, EXT_VALUE);
    format!("inline; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

/// What is kept of an uploaded file's name: no folders, no extension, nothing that a file system or
/// a reader of the name could trip over. `None` where nothing is left.
pub fn stem(filename: &str) -> Option<String> {
    let name = filename.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = match name.rsplit_once('.') {
        Some((stem, extension)) if is_extension(extension) => stem,
        _ => name,
    };
    let kept: String = stem.chars().filter_map(harmless).take(MAX_CHARS).collect();
    let kept = kept.trim_matches([' ', '.']);
    if kept.is_empty() {
        None
    } else if is_device(kept) {
        Some(format!("_{kept}"))
    } else {
        Some(kept.into())
    }
}

fn is_extension(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn harmless(c: char) -> Option<char> {
    match c {
        // They turn the direction of text, or cannot be seen: "gpj.exe" would read as "exe.jpg".
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => None,
        c if c.is_control() => None,
        // What Windows does not allow in names, and the quote that ends a header's value.
        '<' | '>' | ':' | '"' | '|' | '?' | '*' | '%' => Some('_'),
        c if c.is_whitespace() => Some(' '),
        c => Some(c),
    }
}

fn is_device(stem: &str) -> bool {
    let name = stem
        .split('.')
        .next()
        .unwrap_or(stem)
        .trim_end()
        .to_ascii_lowercase();
    let numbered = |prefix| {
        name.strip_prefix(prefix)
            .is_some_and(|n: &str| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
    };
    DEVICES.contains(&name.as_str()) || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_what_is_dangerous() {
        for (filename, want) in [
            ("cat.jpg", Some("cat")),
            ("cat", Some("cat")),
            ("my cat.final.jpeg", Some("my cat.final")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\me\\cat.png", Some("cat")),
            ("a\r\nSet-Cookie: x=1.jpg", Some("aSet-Cookie_ x=1")),
            ("a\0b.png", Some("ab")),
            ("a\"b;c.png", Some("a_b;c")),
            ("\u{202e}gpj.exe", Some("gpj")),
            ("Käse 🧀.png", Some("Käse 🧀")),
            ("...", None),
            (".jpg", None),
            ("", None),
            ("/", None),
            (" . ", None),
            ("CON.jpg", Some("_CON")),
            ("com1.tar.gz", Some("_com1.tar")),
            ("comb.png", Some("comb")),
            ("50%20off.png", Some("50_20off")),
        ] {
            assert_eq!(stem(filename).as_deref(), want, "{filename:?}");
        }
        assert_eq!(stem(&"🧀".repeat(300)).unwrap().chars().count(), MAX_CHARS);
    }

    #[test]
    fn a_header_is_ascii_and_never_broken() {
        for (name, want) in [
            ("cat.jpg", "inline; filename=\"cat.jpg\""),
            ("my cat.jpg", "inline; filename=\"my cat.jpg\""),
            (
                "Käse \"1\".png",
                "inline; filename=\"K_se _1_.png\"; filename*=UTF-8''K%C3%A4se%20%221%22.png",
            ),
        ] {
            assert_eq!(inline(name), want);
        }
        for byte in 0..=255_u8 {
            let header = inline(&format!("a{}b", char::from(byte)));
            assert!(
                header.bytes().all(|b| (b' '..=b'~').contains(&b)),
                "{header}"
            );
            assert_eq!(header.matches('"').count(), 2, "{header}");
        }
    }
}
