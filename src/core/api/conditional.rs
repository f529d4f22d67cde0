//! Conditional requests: RFC 9110, section 13.

use std::time::{Duration, SystemTime};

use super::route::Method;
use crate::range::{Selection, select};
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
mod tests;
