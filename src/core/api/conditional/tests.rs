//! Tests of `conditional`.

use super::Precondition::{Failed, NotModified, Passed};
use super::*;

/// Stored at 784,111,777.5 s: `Sun, 06 Nov 1994 08:49:37 GMT`, the example of RFC 9110.
const CURRENT: Validators = Validators {
    etag: "abc",
    modified: Timestamp::from_millis(784_111_777_500),
};
const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

fn request(headers: &[(&str, &str)]) -> ReadRequest {
    ReadRequest::new(Method::Get, |name| {
        let pair = headers.iter().find(|(n, _)| *n == name)?;
        Some(pair.1.into())
    })
}

#[test]
fn each_condition_by_itself() {
    for (name, value, want) in [
        ("if-none-match", "\"abc\"", NotModified),
        ("if-none-match", "W/\"abc\"", NotModified),
        ("if-none-match", "\"x\", \"abc\"", NotModified),
        ("if-none-match", "\"x,y\" ,,\tW/\"abc\"", NotModified),
        ("if-none-match", "*", NotModified),
        ("if-none-match", "abc", Passed),
        ("if-none-match", "\"abcd\"", Passed),
        ("if-none-match", "x, \"abc\"", Passed),
        ("if-none-match", "\"", Passed),
        ("if-none-match", "", Passed),
        ("if-match", "\"abc\"", Passed),
        ("if-match", "*", Passed),
        ("if-match", "\"x\", \"abc\"", Passed),
        ("if-match", "W/\"abc\"", Failed),
        ("if-match", "\"x\"", Failed),
        ("if-match", "", Failed),
        ("if-modified-since", BEFORE, Passed),
        ("if-modified-since", SAME, NotModified),
        ("if-modified-since", AFTER, NotModified),
        (
            "if-modified-since",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            NotModified,
        ),
        ("if-modified-since", "Sun Nov  6 08:49:37 1994", NotModified),
        ("if-modified-since", "yesterday", Passed),
        ("if-unmodified-since", BEFORE, Failed),
        ("if-unmodified-since", SAME, Passed),
        ("if-unmodified-since", AFTER, Passed),
        ("if-unmodified-since", "yesterday", Passed),
    ] {
        let got = request(&[(name, value)]).evaluate(&CURRENT);
        assert_eq!(got, want, "{name}: {value}");
    }
    assert_eq!(request(&[]).evaluate(&CURRENT), Passed);
}

#[test]
fn conditions_take_precedence_as_section_13_2_2_says() {
    for (headers, want) in [
        // If-Match comes before If-Unmodified-Since, which then does not count.
        (
            [("if-match", "\"abc\""), ("if-unmodified-since", BEFORE)],
            Passed,
        ),
        (
            [("if-match", "\"x\""), ("if-unmodified-since", AFTER)],
            Failed,
        ),
        // If-None-Match comes before If-Modified-Since, which then does not count.
        (
            [("if-none-match", "\"x\""), ("if-modified-since", AFTER)],
            Passed,
        ),
        (
            [("if-none-match", "\"abc\""), ("if-modified-since", BEFORE)],
            NotModified,
        ),
        // What fails the first pair is 412, whatever the second says.
        (
            [("if-match", "\"x\""), ("if-none-match", "\"abc\"")],
            Failed,
        ),
        (
            [("if-match", "\"abc\""), ("if-none-match", "\"abc\"")],
            NotModified,
        ),
        (
            [("if-unmodified-since", BEFORE), ("if-none-match", "*")],
            Failed,
        ),
        (
            [("if-match", "*"), ("if-modified-since", SAME)],
            NotModified,
        ),
    ] {
        assert_eq!(request(&headers).evaluate(&CURRENT), want, "{headers:?}");
    }
}

#[test]
fn if_range_lets_only_an_exact_validator_pass() {
    for (validator, holds) in [
        (Some("\"abc\""), true),
        (Some(SAME), true),
        (None, true),
        (Some("W/\"abc\""), false),
        (Some("\"x\""), false),
        (Some(BEFORE), false),
        (Some(AFTER), false),
        (Some("*"), false),
        (Some(""), false),
    ] {
        let mut asked = request(&[("range", "bytes=0-1")]);
        asked.if_range = validator.map(str::to_owned);
        let part = matches!(asked.selection(&CURRENT, 9), Selection::Part(_));
        assert_eq!(part, holds, "{validator:?}");
    }
}

#[test]
fn head_takes_no_range() {
    let mut asked = request(&[("range", "bytes=99-")]);
    assert_eq!(asked.selection(&CURRENT, 9), Selection::Unsatisfiable);
    asked.method = Method::Head;
    assert_eq!(asked.selection(&CURRENT, 9), Selection::All);
}

#[test]
fn only_a_get_without_conditions_wants_all() {
    assert!(request(&[]).wants_all() && request(&[("accept", "*/*")]).wants_all());
    for name in ["range", "if-match", "if-none-match", "if-modified-since"] {
        assert!(!request(&[(name, "x")]).wants_all(), "{name}");
    }
    assert!(!ReadRequest::new(Method::Head, |_| None).wants_all());
}

#[test]
fn dates_are_written_as_http_wants_them() {
    assert_eq!(CURRENT.last_modified(), SAME);
    let far = Validators {
        modified: Timestamp::from_millis(u64::MAX),
        ..CURRENT
    };
    assert_eq!(far.last_modified(), "Fri, 31 Dec 9999 23:59:59 GMT");
}
