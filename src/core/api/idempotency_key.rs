//! The `Idempotency-Key` of a request (draft-ietf-httpapi-idempotency-key-header).

use super::problem::{Problem, ProblemKind};

/// The longest key. A UUID has 36 characters.
const MAX_KEY_BYTES: usize = 255;

/// Reads a key: a String of Structured Fields (RFC 9651), or, as many clients send it, the same
/// without quotes.
pub fn parse(header: &str) -> Result<String, Problem> {
    let header = header.trim();
    let key = match header.strip_prefix('"') {
        Some(quoted) => string(quoted),
        None => Some(header.to_owned()),
    };
    let printable = |key: &String| key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    let fits = |key: &String| (1..=MAX_KEY_BYTES).contains(&key.len());
    key.filter(printable).filter(fits).ok_or_else(|| {
        let detail = format!(
            "Idempotency-Key must be a quoted string of 1 to {MAX_KEY_BYTES} printable ASCII characters, such as a UUID"
        );
        Problem::new(ProblemKind::InvalidIdempotencyKey, detail)
    })
}

/// The text up to the closing quote; parameters may follow, and mean nothing here.
fn string(quoted: &str) -> Option<String> {
    let mut key = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => break,
            '\\' => key.push(characters.next().filter(|c| matches!(c, '"' | '\\'))?),
            other => key.push(other),
        }
    }
    let rest = characters.as_str();
    (rest.is_empty() || rest.starts_with(';')).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_with_quotes_and_without() {
        for (header, want) in [
            ("\"8e03978e-40d5-43e8\"", "8e03978e-40d5-43e8"),
            ("8e03978e-40d5-43e8", "8e03978e-40d5-43e8"),
            (" \"a \\\"b\\\\\" ", "a \"b\\"),
            ("\"a\";v=1", "a"),
        ] {
            assert_eq!(parse(header).unwrap(), want, "{header}");
        }
        assert_eq!(parse(&"k".repeat(255)).unwrap().len(), 255);
    }

    #[test]
    fn anything_else_is_refused() {
        let long = "k".repeat(256);
        for header in [
            "", "\"\"", "\"a", "\"a\\", "\"a\\b\"", "\"a\"b", "kéy", "a\tb", &long,
        ] {
            let problem = parse(header).unwrap_err();
            assert_eq!(problem.kind, ProblemKind::InvalidIdempotencyKey, "{header}");
        }
    }
}
