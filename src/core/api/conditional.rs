//! Conditional requests: RFC 9110, section 13.

use std::time::{Duration, SystemTime};

use super::range::{Selection, select};
use super::route::Method;
use crate::timestamp::Timestamp;

/// What a read asks for beside the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRequest {
    /// `GET` or `HEAD`.
    pub method: Method,
    /// Which media types the client likes.
    pub accept: Option<String>,
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_modified_since: Option<String>,
    if_unmodified_since: Option<String>,
    if_range: Option<String>,
    range: Option<String>,
}

/// What tells one state of a representation from another.
#[derive(Debug, Clone, Copy)]
pub struct Validators<'a> {
    /// The strong entity tag, without quotes.
    pub etag: &'a str,
    /// When it was stored; it has not changed since, so its second is a strong validator too.
    pub modified: Timestamp,
}

/// What the conditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Answer as if there were none.
    Passed,
    /// 304: the client has it.
    NotModified,
    /// 412.
    Failed,
}

impl ReadRequest {
    /// Reads what is needed of a request's headers.
    pub fn new(method: Method, header: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            method,
            accept: header("accept"),
            if_match: header("if-match"),
            if_none_match: header("if-none-match"),
            if_modified_since: header("if-modified-since"),
            if_unmodified_since: header("if-unmodified-since"),
            if_range: header("if-range"),
            range: header("range"),
        }
    }

    /// Whether nothing but the whole representation can be the answer.
    pub fn wants_all(&self) -> bool {
        let accept = self.accept.clone();
        *self
            == Self {
                accept,
                ..Self::new(Method::Get, |_| None)
            }
    }

    /// Evaluates the conditions in the order of section 13.2.2.
    pub fn evaluate(&self, current: &Validators) -> Precondition {
        let modified_since = |date: SystemTime| current.second() > date;
        let since = |header: &Option<String>| header.as_deref().and_then(date).map(modified_since);
        let unchanged = match &self.if_match {
            Some(list) => names(list, current.etag, Comparison::Strong),
            None => since(&self.if_unmodified_since) != Some(true),
        };
        if !unchanged {
            return Precondition::Failed;
        }
        let known = match &self.if_none_match {
            Some(list) => names(list, current.etag, Comparison::Weak),
            None => since(&self.if_modified_since) == Some(false),
        };
        if known {
            Precondition::NotModified
        } else {
            Precondition::Passed
        }
    }

    /// The same of what has a tag and no date.
    pub fn evaluate_tag(&self, etag: &str) -> Precondition {
        let is_named = |list: &Option<String>, comparison| {
            list.as_deref().map(|list| names(list, etag, comparison))
        };
        match (
            is_named(&self.if_match, Comparison::Strong),
            is_named(&self.if_none_match, Comparison::Weak),
        ) {
            (Some(false), _) => Precondition::Failed,
            (_, Some(true)) => Precondition::NotModified,
            _ => Precondition::Passed,
        }
    }

    /// Whether `If-Match` is given.
    pub fn has_if_match(&self) -> bool {
        self.if_match.is_some()
    }

    /// Which of `len` bytes are asked for. A range is for GET only, and only where `If-Range` allows it.
    pub fn selection(&self, current: &Validators, len: u64) -> Selection {
        match &self.range {
            Some(range) if self.method == Method::Get && self.range_holds(current) => {
                select(range, len)
            }
            _ => Selection::All,
        }
    }

    /// Section 13.1.5: a tag is compared strongly, a date exactly.
    fn range_holds(&self, current: &Validators) -> bool {
        self.if_range.as_deref().is_none_or(|validator| {
            let same_tag = tags(validator).next() == Some((Comparison::Strong, current.etag));
            same_tag || date(validator) == Some(current.second())
        })
    }
}

impl Validators<'_> {
    /// For `ETag`.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.etag)
    }

    /// For `Last-Modified`.
    pub fn last_modified(&self) -> String {
        httpdate::fmt_http_date(self.second())
    }

    /// When it was stored, as exactly as a header can say.
    fn second(&self) -> SystemTime {
        // httpdate panics beyond the year 9999.
        let secs = (self.modified.as_millis() / 1_000).min(253_402_300_799);
        SystemTime::UNIX_EPOCH + Duration::from_secs(secs)
    }
}

/// How two tags are compared: section 8.8.3.2. Of a single tag, whether it is strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// Whether a list of entity tags names `etag`, which is strong.
fn names(list: &str, etag: &str, comparison: Comparison) -> bool {
    list.trim() == "*"
        || tags(list).any(|(strength, tag)| {
            tag == etag && (comparison == Comparison::Weak || strength == Comparison::Strong)
        })
}

/// The tags of a list; it ends at what is none.
fn tags(list: &str) -> impl Iterator<Item = (Comparison, &str)> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.trim_start_matches([' ', '\t', ',']);
        let (strength, quoted) = match start.strip_prefix("W/") {
            Some(quoted) => (Comparison::Weak, quoted),
            None => (Comparison::Strong, start),
        };
        // A tag may contain commas, but no quotes.
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        rest = after;
        Some((strength, tag))
    })
}

/// A date in any of the three forms of section 5.6.7; what is none is ignored.
fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text.trim()).ok()
}

#[cfg(test)]
mod tests {
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
}
