//! The media type of a `Content-Type`: RFC 9110, section 8.3.1.

/// The type without its parameters, in lower case.
pub fn media_type(content_type: &str) -> String {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_case_do_not_count() {
        for (content_type, want) in [
            ("application/json", "application/json"),
            (
                " Multipart/Form-Data ; boundary=\"a;b\"",
                "multipart/form-data",
            ),
            ("", ""),
        ] {
            assert_eq!(media_type(content_type), want);
        }
    }
}
