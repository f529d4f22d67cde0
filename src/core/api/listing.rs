//! What a listing asks for, and the document that answers it.

use serde::Serialize;

use super::cursor;
use super::document::StatusDocument;
use super::problem::{FieldError, Problem};
use crate::job::State;
use crate::keys::JobId;
use thumbnail_pipeline::options::text::{choice, shown, whole};

/// The jobs of a page where the request says nothing.
pub const DEFAULT_LIMIT: usize = 20;

/// The most jobs of a page.
pub const MAX_LIMIT: usize = 100;

/// Every parameter that a listing may have.
const NAMES: [&str; 3] = ["status", "limit", "cursor"];

/// What a listing asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListQuery {
    /// Only jobs in this state.
    pub state: Option<State>,
    /// How many jobs a page has at the most.
    pub limit: usize,
    /// The page begins behind this job, with the next older one.
    pub before: Option<JobId>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            state: None,
            limit: DEFAULT_LIMIT,
            before: None,
        }
    }
}

impl ListQuery {
    /// Reads the parameters of a request. What does not exist or comes twice is refused at once,
    /// which bounds how much is looked at; of the values, each that is wrong is named.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, Problem> {
        let mut query = Self::default();
        let mut given = Vec::new();
        let mut errors = Vec::new();
        for (name, value) in pairs {
            let name = known(name.as_ref(), &given)?;
            given.push(name);
            if let Err(detail) = query.set(name, value.as_ref()) {
                errors.push(FieldError::new(name, detail));
            }
        }
        if errors.is_empty() {
            Ok(query)
        } else {
            Err(Problem::invalid(errors))
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "status" => self.state = Some(choice(name, value)?),
            "limit" => self.limit = whole(name, value, 1..=MAX_LIMIT as u64)?,
            _ => {
                let shown = shown(value);
                let wrong = || format!("cursor must be one that a page gave, not {shown:?}");
                self.before = Some(cursor::decode(value).ok_or_else(wrong)?);
            }
        }
        Ok(())
    }

    /// The URL of the page behind `last`; `base` is the service's own origin.
    pub fn next_url(&self, last: JobId, base: &str) -> String {
        let cursor = cursor::encode(last);
        let status = self.state.map(|state| format!("status={}&", state.name()));
        let status = status.unwrap_or_default();
        format!(
            "{base}/thumbnails?{status}limit={}&cursor={cursor}",
            self.limit
        )
    }
}

/// The parameter of this name, unless it does not exist or was given before.
fn known(name: &str, given: &[&str]) -> Result<&'static str, Problem> {
    let shown = shown(name);
    let refused = |detail: String| Problem::invalid(vec![FieldError::new(&shown, detail)]);
    let Some(known) = NAMES.into_iter().find(|known| *known == name) else {
        let names = NAMES.join(", ");
        return Err(refused(format!(
            "there is no parameter {shown:?}; the parameters of a listing are {names}"
        )));
    };
    if given.contains(&known) {
        return Err(refused(format!("{known} is given twice")));
    }
    Ok(known)
}

/// One page of jobs, the newest first.
#[derive(Debug, Serialize)]
pub struct ListDocument<'a> {
    /// The documents of the jobs.
    pub jobs: Vec<StatusDocument<'a>>,
    /// Where older jobs are; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ProblemKind;

    const ID: &str = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa";

    fn parse(pairs: &[(&str, &str)]) -> Result<ListQuery, Problem> {
        ListQuery::parse(pairs.iter().copied())
    }

    #[test]
    fn nothing_given_asks_for_the_newest() {
        assert_eq!(parse(&[]), Ok(ListQuery::default()));
    }

    #[test]
    fn the_next_page_asks_for_the_same() {
        let query = parse(&[("status", "failed"), ("limit", "7")]).unwrap();
        let next = query.next_url(ID.parse().unwrap(), "https://thumbs.example");
        let (path, parameters) = next.split_once('?').unwrap();
        assert_eq!(path, "https://thumbs.example/thumbnails");
        let pairs = parameters
            .split('&')
            .map(|pair| pair.split_once('=').unwrap());
        let before = ID.parse().ok();
        assert_eq!(ListQuery::parse(pairs), Ok(ListQuery { before, ..query }));
    }

    #[test]
    fn each_mistake_is_named() {
        for (pairs, pointers) in [
            (&[("limit", "0")][..], &["#/limit"][..]),
            (&[("limit", "101")], &["#/limit"]),
            (&[("limit", "1e1")], &["#/limit"]),
            (&[("status", "Done")], &["#/status"]),
            (&[("status", "")], &["#/status"]),
            (&[("cursor", "")], &["#/cursor"]),
            (&[("cursor", "MTow")], &["#/cursor"]),
            (&[("offset", "1")], &["#/offset"]),
            (&[("limit", "1"), ("limit", "1")], &["#/limit"]),
            (
                &[("cursor", "x"), ("limit", "x"), ("status", "x")],
                &["#/cursor", "#/limit", "#/status"],
            ),
        ] {
            let problem = parse(pairs).unwrap_err();
            assert_eq!(problem.kind, ProblemKind::InvalidOption);
            let named: Vec<&str> = problem.errors.iter().map(|e| e.pointer.as_str()).collect();
            assert_eq!(named, pointers, "{pairs:?}");
        }
    }

    #[test]
    fn an_unknown_state_is_answered_with_those_that_exist() {
        let problem = parse(&[("status", "ready")]).unwrap_err();
        let want = "status must be one of pending, processing, retrying, done, failed, cancelled, expired, not \"ready\"";
        assert_eq!(problem.detail, want);
    }
}
