//! Options as JSON, and an upload as such: `{ "source_url": "https://…", "width": 200 }`.

use serde_json::{Map, Number, Value};

use super::params::refused_name;
use super::problem::FieldError;
use super::{Params, Problem, ProblemKind};
use crate::keys::is_variant_name;
use crate::transfer::Chunks;
use thumbnail_pipeline::options::text::shown;

/// The longest JSON that is read, in bytes: more than all options at their longest take.
pub const MAX_JSON_BYTES: usize = 64 << 10;

/// The member that names the image; all others are options.
const SOURCE_URL: &str = "source_url";

/// Reads a body of JSON: adds its options to `params`, and returns the address of the image.
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
    let mut members = members(&text)?;
    let url = members.remove(SOURCE_URL);
    add(members, params)?;
    match url {
        Some(Value::String(url)) => Ok(url),
        Some(_) => Err(wrong(SOURCE_URL, "source_url must be text")),
        None => Err(wrong(SOURCE_URL, "source_url is missing")),
    }
}

/// Adds the options of an object to `params`.
pub fn options(text: &[u8], params: &mut Params) -> Result<(), Problem> {
    add(members(text)?, params)
}

fn members(text: &[u8]) -> Result<Map<String, Value>, Problem> {
    serde_json::from_slice(text).map_err(|error| malformed(&error.to_string()))
}

fn add(members: Map<String, Value>, params: &mut Params) -> Result<(), Problem> {
    for (name, value) in members {
        params.add(&name, &option(&name, &value)?)?;
    }
    Ok(())
}

/// An option's value as a query has it.
fn option(name: &str, value: &Value) -> Result<String, Problem> {
    match (name, value) {
        (_, Value::String(text)) => Ok(text.clone()),
        (_, Value::Bool(flag)) => Ok(flag.to_string()),
        (_, Value::Number(number)) => Ok(decimal(number)),
        ("sizes", Value::Array(sizes)) => list(name, sizes, size),
        ("preset", Value::Array(names)) => list(name, names, |name| {
            text(name).ok_or_else(|| "each of preset must be a name".into())
        }),
        ("sizes" | "preset", _) => Err(wrong(name, format!("{name} must be text or a list"))),
        _ => Err(wrong(name, "an option is text, a number, true or false")),
    }
}

/// A number in digits: JSON has one kind of them, and many writers say `50.0` where they mean 50.
fn decimal(number: &Number) -> String {
    // Above this, not every whole number is one.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(value) if value.fract() == 0.0 && value.abs() <= EXACT => format!("{value:.0}"),
        _ => number.to_string(),
    }
}

fn list(
    name: &str,
    items: &[Value],
    item: impl Fn(&Value) -> Result<String, String>,
) -> Result<String, Problem> {
    if items.is_empty() {
        return Err(wrong(name, format!("{name} is an empty list")));
    }
    let items: Result<Vec<String>, String> = items.iter().map(item).collect();
    items
        .map(|items| items.join(","))
        .map_err(|detail| wrong(name, detail))
}

/// One of `sizes`: `"200x100"`, `"large:800x600"`, or `{ "name": "large", "width": 800, "height": 600 }`.
fn size(value: &Value) -> Result<String, String> {
    let Value::Object(members) = value else {
        return text(value).ok_or_else(|| SIZE_FORM.into());
    };
    if let Some(unknown) = members
        .keys()
        .find(|name| !SIZE_MEMBERS.contains(&name.as_str()))
    {
        let shown = shown(unknown);
        return Err(format!("one of sizes has {shown:?}; {SIZE_FORM}"));
    }
    let side = |name| match members.get(name) {
        Some(Value::Number(number)) => Ok(decimal(number)),
        _ => Err(format!("one of sizes has no number as its {name}")),
    };
    let dimensions = format!("{}x{}", side("width")?, side("height")?);
    match members.get("name") {
        None => Ok(dimensions),
        Some(Value::String(name)) if is_variant_name(name) => Ok(format!("{name}:{dimensions}")),
        Some(Value::String(name)) => Err(refused_name(name)),
        Some(_) => Err("one of sizes has a name that is no text".into()),
    }
}

const SIZE_MEMBERS: [&str; 3] = ["name", "width", "height"];

const SIZE_FORM: &str =
    "each of sizes is text such as \"large:800x600\", or an object of width, height and name";

/// A text that is one item of a list.
fn text(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|text| !text.contains(','))
        .map(str::to_owned)
}

fn wrong(name: &str, detail: impl Into<String>) -> Problem {
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
    use crate::transfer::ChunkError;

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
    fn numbers_and_lists_are_read_as_a_query_has_them() {
        for (json, pairs) in [
            (r#"{"width": 50.0}"#, [("width", "50")]),
            (r#"{"width": 5e1}"#, [("width", "50")]),
            (r#"{"dpr": 1.5}"#, [("dpr", "1.5")]),
            (r#"{"width": 50.5}"#, [("width", "50.5")]),
            (r#"{"sizes": ["5x6", "a:7x8"]}"#, [("sizes", "5x6,a:7x8")]),
            (
                r#"{"sizes": [{"width": 5, "height": 6.0}, {"name": "a", "width": 7, "height": 8}]}"#,
                [("sizes", "5x6,a:7x8")],
            ),
            (r#"{"preset": ["a", "b"]}"#, [("preset", "a,b")]),
        ] {
            let (mut read, mut want) = (Params::default(), Params::default());
            options(json.as_bytes(), &mut read).unwrap();
            for (name, value) in pairs {
                want.add(name, value).unwrap();
            }
            assert_eq!(read, want, "{json}");
        }
    }

    #[test]
    fn a_wrong_list_says_what_one_looks_like() {
        for (json, words) in [
            (r#"{"sizes": []}"#, "sizes is an empty list"),
            (r#"{"sizes": {}}"#, "sizes must be text or a list"),
            (r#"{"sizes": [5]}"#, "each of sizes is text such as"),
            (r#"{"sizes": ["5x5,6x6"]}"#, "each of sizes is text such as"),
            (
                r#"{"sizes": [{"width": 5}]}"#,
                "one of sizes has no number as its height",
            ),
            (
                r#"{"sizes": [{"width": 5, "height": 5, "fit": "fill"}]}"#,
                "one of sizes has \"fit\"",
            ),
            (
                r#"{"sizes": [{"width": 5, "height": 5, "name": "1x1,b"}]}"#,
                "a name in sizes has",
            ),
            (
                r#"{"sizes": [{"width": 5, "height": 5, "name": 7}]}"#,
                "a name that is no text",
            ),
            (r#"{"preset": [null]}"#, "each of preset must be a name"),
            (r#"{"width": [5]}"#, "an option is text"),
            (r#"{"width": null}"#, "an option is text"),
        ] {
            let problem = options(json.as_bytes(), &mut Params::default()).unwrap_err();
            assert_eq!(problem.kind, ProblemKind::InvalidOption, "{json}");
            assert!(problem.detail.contains(words), "{}", problem.detail);
        }
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
