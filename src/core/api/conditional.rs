//! Conditional requests: RFC 9110, section 13.

/// Whether `If-None-Match` names the entity tag (without quotes) that the server has.
///
/// Compares weakly, as section 13.1.2 asks for.
pub fn none_match_names(header: &str, etag: &str) -> bool {
    header.split(',').map(str::trim).any(|candidate| {
        let opaque = candidate.strip_prefix("W/").unwrap_or(candidate);
        candidate == "*" || opaque.strip_prefix('"').and_then(|t| t.strip_suffix('"')) == Some(etag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_tag_of_the_list_matches() {
        for (header, want) in [
            ("\"abc\"", true),
            ("W/\"abc\"", true),
            ("\"x\", \"abc\"", true),
            ("*", true),
            ("abc", false),
            ("\"abcd\"", false),
            ("", false),
            ("\"", false),
        ] {
            assert_eq!(none_match_names(header, "abc"), want, "{header}");
        }
    }
}
