//! Listings: a page of the index, newest first.
//!
//! Ids sort by the time of their upload, and a page ends behind an id: jobs that are added
//! meanwhile come before the first page, so that none is shown twice and none is left out.

use crate::api::document::StatusDocument;
use crate::api::listing::{ListDocument, ListQuery};
use crate::api::{Problem, ProblemKind, Reply};
use crate::job::Record;
use crate::ports::{Clock, IndexEntry, JobIndex, StoreError};

/// Refuses listings where nobody may have one.
///
/// There are no accounts yet: whoever may list sees the URLs of everybody's images.
pub fn admit(listing: bool) -> Result<(), Problem> {
    let detail = "this service lists no jobs; whoever runs it can set LISTING to 1";
    let refused = || Problem::new(ProblemKind::ListingOff, detail);
    listing.then_some(()).ok_or_else(refused)
}

/// Answers `GET /thumbnails`.
pub async fn list<B>(
    index: &impl JobIndex,
    owner: &str,
    query: &ListQuery,
    base: &str,
    clock: &impl Clock,
) -> Result<Reply<B>, Problem> {
    // One more than asked for tells whether there is another page.
    let mut entries = index
        .page(owner, query.state, query.before, query.limit + 1)
        .await
        .map_err(unanswered)?;
    let more = entries.len() > query.limit;
    entries.truncate(query.limit);
    let last = entries.last().filter(|_| more);
    let next = last.map(|last| query.next_url(last.id, base));
    let records = records(entries, query, clock);
    let document = ListDocument {
        jobs: records
            .iter()
            .map(|record| StatusDocument::new(record, base))
            .collect(),
        next: next.clone(),
    };
    let reply = Reply::json(200, &document);
    Ok(match next {
        Some(next) => reply.with("link", format!("<{next}>; rel=\"next\"")),
        None => reply,
    })
}

/// What another version of the service has stored is left out until the sweep renews it, and so is
/// a job whose time is over where jobs in another state are asked for.
fn records(entries: Vec<IndexEntry>, query: &ListQuery, clock: &impl Clock) -> Vec<Record> {
    let now = clock.now();
    let records = entries.into_iter().filter_map(|entry| entry.record);
    records
        .map(|record| record.as_of(now))
        .filter(|record| query.state.is_none_or(|state| record.state == state))
        .collect()
}

fn unanswered(error: StoreError) -> Problem {
    Problem {
        detail: "the index of jobs did not answer; send the request again".into(),
        ..Problem::from(error)
    }
}
