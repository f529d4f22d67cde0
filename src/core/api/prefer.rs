//! `Prefer: wait=N`: RFC 7240.

/// How many seconds a client is ready to wait, as its `Prefer` header says.
///
/// What does not follow the grammar is ignored, as section 2 asks for; of several the first counts.
pub fn wait_secs(header: &str) -> Option<u32> {
    let wait = split(header, ',').find_map(|preference| {
        let first = split(preference, ';').next().unwrap_or_default();
        let (name, value) = first.split_once('=').unwrap_or((first, ""));
        name.trim()
            .eq_ignore_ascii_case("wait")
            .then(|| value.trim())
    })?;
    let digits = wait
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(wait);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    // More than 32 bits hold is as good as the longest that is ever waited.
    is_number.then(|| digits.parse().unwrap_or(u32::MAX))
}

/// The value of `Preference-Applied` after a wait of up to `secs` seconds.
pub fn applied(secs: u32) -> String {
    format!("wait={secs}")
}

/// The parts between separators; one inside quotes separates nothing.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '\\' if quoted => escaped = !was_escaped,
            '"' if !was_escaped => quoted = !quoted,
            _ => {}
        }
        !quoted && c == separator
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wait_counts() {
        for (header, want) in [
            ("wait=10", Some(10)),
            ("WAIT = 10", Some(10)),
            ("wait=\"10\"", Some(10)),
            ("respond-async, wait=5", Some(5)),
            ("respond-async;x=\"a,b\\\",wait=7\", wait=5; foo", Some(5)),
            ("wait=5, wait=9", Some(5)),
            ("wait=0", Some(0)),
            ("wait=99999999999999999999", Some(u32::MAX)),
        ] {
            assert_eq!(wait_secs(header), want, "{header}");
        }
    }

    #[test]
    fn what_is_malformed_is_ignored() {
        for header in [
            "",
            "wait",
            "wait=",
            "wait=x",
            "wait=-1",
            "wait=1.5",
            "wait=\"5",
            "wait, wait=5",
            "waiting=5",
            "x=\"wait=5, wait=5",
            ";;;,,,===\"\\",
            "=5",
        ] {
            assert_eq!(wait_secs(header), None, "{header}");
        }
    }

    #[test]
    fn no_header_makes_it_panic() {
        let whole = "respond-async;x=\"ä,\\\"\", wait=\"12\"; y, handling=lenient";
        for (end, _) in whole.char_indices() {
            wait_secs(&whole[..end]);
        }
    }
}
