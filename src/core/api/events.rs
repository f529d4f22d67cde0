//! Live status: what a listener is told of a job, and how that stands in a stream.

use serde::{Deserialize, Serialize};

use super::document::StatusDocument;
use super::problem::{FieldError, Problem, ProblemKind};
use crate::job::Record;
use crate::keys::JobId;

/// The version of a listener's stored form.
const VERSION: u32 = 1;

/// What a listener sends to hear that the connection is alive.
pub const PING: &str = "ping";

/// What it hears then.
pub const PONG: &str = "pong";

/// How long a client waits before it connects again, in milliseconds.
const RETRY_MILLIS: u32 = 1_000;

/// The way in which a client wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A WebSocket.
    WebSocket,
    /// Server-Sent Events.
    EventStream,
}

impl Channel {
    /// The channel that a request's `Upgrade` and `Accept` ask for.
    pub fn parse(upgrade: Option<&str>, accept: Option<&str>) -> Result<Self, Problem> {
        if upgrade.is_some_and(|u| u.trim().eq_ignore_ascii_case("websocket")) {
            return Ok(Self::WebSocket);
        }
        if accepts_event_stream(accept.unwrap_or("*/*")) {
            return Ok(Self::EventStream);
        }
        let detail = "this URL speaks WebSocket (Upgrade: websocket) and text/event-stream";
        Err(Problem::new(ProblemKind::NotAcceptable, detail))
    }
}

/// Whether `Accept` allows an event stream: the most specific range that fits decides.
fn accepts_event_stream(accept: &str) -> bool {
    let allowed = |wanted: &str| {
        accept.split(',').find_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let fits = parts.next()?.eq_ignore_ascii_case(wanted);
            let quality = parts.find_map(|p| p.strip_prefix("q=").or(p.strip_prefix("Q=")));
            let refused = |q: &str| q.bytes().all(|b| matches!(b, b'0' | b'.'));
            fits.then(|| !quality.is_some_and(refused))
        })
    };
    let ranges = ["text/event-stream", "text/*", "*/*"];
    ranges.into_iter().find_map(allowed).unwrap_or(false)
}

/// Where a listener stands with a job. Its JSON is what a socket keeps while the object sleeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// The version of this form.
    v: u32,
    /// The service's own origin, for URLs.
    base: String,
    /// The newest revision that it has been told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<u64>,
}

/// What a listener is to be told.
#[derive(Debug, PartialEq, Eq)]
pub enum Telling {
    /// It knows already.
    Nothing,
    /// A change.
    Change(String),
    /// The last change: the job has ended.
    Last(String),
    /// The job has ended, and it knows already.
    Over,
}

impl Listener {
    /// Somebody who has been told of everything up to revision `seen`.
    pub fn new(base: impl Into<String>, seen: Option<u64>) -> Self {
        Self {
            v: VERSION,
            base: base.into(),
            seen,
        }
    }

    /// What this listener is to be told of a job, and remembers from now on.
    pub fn tell(&mut self, record: &Record) -> Telling {
        if self.is_over(record) {
            return Telling::Over;
        }
        if self.seen.is_some_and(|seen| record.revision <= seen) {
            return Telling::Nothing;
        }
        self.seen = Some(record.revision);
        let document = StatusDocument::new(record, &self.base);
        let text = serde_json::to_string(&document).unwrap_or_default();
        if record.is_settled() {
            Telling::Last(text)
        } else {
            Telling::Change(text)
        }
    }

    /// Whether the job has ended, with all that was asked for later, and this listener knows.
    pub fn is_over(&self, record: &Record) -> bool {
        record.is_settled() && self.seen.is_some_and(|seen| record.revision <= seen)
    }

    /// Forgets what it claims to have been told and cannot have been.
    pub fn doubt(&mut self, record: &Record) {
        self.seen = self.seen.filter(|seen| *seen <= record.revision);
    }

    /// Notes what it was told by another hand.
    pub fn note(&mut self, revision: u64) {
        self.seen = Some(revision);
    }
}

/// What the text of a change says of itself.
#[derive(Debug, Deserialize)]
pub struct Change {
    /// The revision that it shows.
    pub revision: u64,
}

/// The jobs of a connection and how far it has got with each: `Last-Event-ID` as a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    jobs: Vec<(JobId, Option<u64>)>,
}

impl Progress {
    /// The jobs of a request. What `last_event_id` says counts only if it fits them.
    pub fn new(ids: Vec<JobId>, last_event_id: Option<&str>) -> Self {
        let seen = last_event_id.map_or_else(Vec::new, |id| revisions(id, ids.len()));
        let seen = seen.into_iter().chain(std::iter::repeat(None));
        Self {
            jobs: ids.into_iter().zip(seen).collect(),
        }
    }

    /// The jobs, each with the newest revision that was told of it.
    pub fn jobs(&self) -> &[(JobId, Option<u64>)] {
        &self.jobs
    }

    /// Takes one more job; `None` where it is among them already.
    pub fn add(&mut self, id: JobId) -> Option<usize> {
        let known = self.jobs.iter().any(|(known, _)| *known == id);
        (!known).then(|| {
            self.jobs.push((id, None));
            self.jobs.len() - 1
        })
    }

    /// Notes what was told of the job at `index`.
    pub fn note(&mut self, index: usize, revision: u64) {
        if let Some((_, seen)) = self.jobs.get_mut(index) {
            *seen = Some(revision);
        }
    }

    /// The event id: the revision of each job in the order of the request, nothing for none.
    pub fn event_id(&self) -> String {
        let revisions = self
            .jobs
            .iter()
            .map(|(_, seen)| seen.map(|s| s.to_string()));
        revisions
            .map(Option::unwrap_or_default)
            .collect::<Vec<_>>()
            .join(",")
    }
}

/// The revisions in an event id, if there are exactly `count`.
fn revisions(event_id: &str, count: usize) -> Vec<Option<u64>> {
    let mut seen = Vec::with_capacity(count);
    for part in event_id.splitn(count + 1, ',') {
        match part.trim() {
            "" => seen.push(None),
            number => match number.parse() {
                Ok(revision) => seen.push(Some(revision)),
                Err(_) => return Vec::new(),
            },
        }
    }
    if seen.len() == count {
        seen
    } else {
        Vec::new()
    }
}

/// The jobs in a list of ids that commas separate: each once, and not more than `max`.
pub fn parse_ids(list: &str, max: usize) -> Result<Vec<JobId>, Problem> {
    let mut ids = Vec::new();
    for text in list
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let id = text.parse().map_err(|_| {
            let shown: String = text.chars().take(60).collect();
            invalid_ids(format!("{shown:?} is not the id of a job"))
        })?;
        if ids.contains(&id) {
            continue;
        }
        if ids.len() == max {
            return Err(invalid_ids(format!("there are more than {max} ids")));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// The problem with a list of ids.
pub fn invalid_ids(detail: impl Into<String>) -> Problem {
    Problem::invalid(vec![FieldError::new("ids", detail)])
}

/// What a stream of Server-Sent Events begins with.
pub fn stream_start() -> String {
    format!("retry: {RETRY_MILLIS}\n\n")
}

/// A comment that shows the connection to be alive.
pub const HEARTBEAT: &str = ":\n\n";

/// One event of a stream.
pub fn stream_event(id: &str, data: &str) -> String {
    let mut event = format!("id: {id}\n");
    // A line break in the data would end the field.
    for line in data.split(['\n', '\r']) {
        event.push_str("data: ");
        event.push_str(line);
        event.push('\n');
    }
    event.push('\n');
    event
}

#[cfg(test)]
mod tests;
