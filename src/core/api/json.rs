//! An upload as JSON: `{ "source_url": "https://…", "width": 200 }`.

use serde_json::{Map, Value};

use super::problem::FieldError;
use super::{Params, Problem, ProblemKind};
use crate::ports::Chunks;

/// The longest JSON that is read, in bytes: more than all options at their longest take.
pub const MAX_JSON_BYTES: usize = 64 << 10;

/// The member that names the picture; all others are options.
const SOURCE_URL: &str = "source_url";

/// Reads a body of JSON: adds its options to `params`, and returns the address of the picture.
pub async fn source_url(mut body: impl Chunks, params: &mut Params) -> Result<String, Problem> {
    let mut text = Vec::new();
    while let Some(chunk) = body.next().await? {
        if text.len() + chunk.len() > MAX_JSON_BYTES {
            return Err(malformed(&format!(
                "it has more than {MAX_JSON_BYTES} bytes"
            )));
        }
        text.extend(chunk);
    }
    let mut members: Map<String, Value> =
        serde_json::from_slice(&text).map_err(|error| malformed(&error.to_string()))?;
    let url = members.remove(SOURCE_URL);
    for (name, value) in members {
        params.add(&name, &option(&name, value)?)?;
    }
    match url {
        Some(Value::String(url)) => Ok(url),
        Some(_) => Err(wrong(SOURCE_URL, "source_url must be text".into())),
        None => Err(wrong(SOURCE_URL, "source_url is missing".into())),
    }
}

/// An option's value as a query has it.
fn option(name: &str, value: Value) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(wrong(
            name,
            "an option is text, a number, true or false".into(),
        )),
    }
}

fn wrong(name: &str, detail: String) -> Problem {
    Problem::invalid(vec![FieldError::new(name, detail)])
}

fn malformed(detail: &str) -> Problem {
    let detail = format!("the body is no JSON object of options: {detail}");
    Problem::new(ProblemKind::MalformedJson, detail)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::ports::ChunkError;

    struct Text(Option<Vec<u8>>);

    impl Chunks for Text {
        async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
            Ok(self.0.take())
        }
    }

    fn read(text: &str) -> Result<(String, Params), Problem> {
        let mut params = Params::default();
        let body = Text(Some(text.as_bytes().to_vec()));
        let url = source_url(body, &mut params).now_or_never().unwrap()?;
        Ok((url, params))
    }

    #[test]
    fn members_are_the_address_and_options() {
        let text = r#"{"width": 200, "source_url": "https://a.example.com/b", "enlarge": false, "fit": "cover"}"#;
        let (url, params) = read(text).unwrap();
        assert_eq!(url, "https://a.example.com/b");
        let mut same = Params::default();
        for (name, value) in [("enlarge", "false"), ("fit", "cover"), ("width", "200")] {
            same.add(name, value).unwrap();
        }
        assert_eq!(params, same);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, kind, pointer) in [
            ("", ProblemKind::MalformedJson, None),
            ("[]", ProblemKind::MalformedJson, None),
            (r#"{"source_url": "x""#, ProblemKind::MalformedJson, None),
            ("{}", ProblemKind::InvalidOption, Some("#/source_url")),
            (
                r#"{"source_url": 5}"#,
                ProblemKind::InvalidOption,
                Some("#/source_url"),
            ),
            (
                r#"{"source_url": "x", "width": [1]}"#,
                ProblemKind::InvalidOption,
                Some("#/width"),
            ),
            (
                r#"{"source_url": "x", "widht": 1}"#,
                ProblemKind::InvalidOption,
                Some("#/widht"),
            ),
        ] {
            let problem = read(text).unwrap_err();
            assert_eq!(problem.kind, kind, "{text}");
            let named = problem.errors.first().map(|error| error.pointer.as_str());
            assert_eq!(named, pointer, "{text}");
        }
    }

    #[test]
    fn too_much_is_refused_before_it_is_read() {
        let text = format!(r#"{{"source_url": "{}"}}"#, "x".repeat(MAX_JSON_BYTES));
        assert_eq!(read(&text).unwrap_err().kind, ProblemKind::MalformedJson);
    }
}
