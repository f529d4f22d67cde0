//! Listings: a page of the index, newest first.
//!
//! Ids sort by the time of their upload, and a page ends behind an id: jobs that are added
//! meanwhile come before the first page, so that none is shown twice and none is left out.

use crate::api::document::StatusDocument;
use crate::api::listing::{ListDocument, ListQuery};
use crate::api::{Problem, ProblemKind, Reply};
use crate::ports::{IndexEntry, JobIndex, StoreError};

/// Refuses listings where nobody may have one.
///
/// There are no accounts yet: whoever may list sees the URLs of everybody's pictures.
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
    let document = ListDocument {
        jobs: documents(&entries, base),
        next: next.clone(),
    };
    let reply = Reply::json(200, &document);
    Ok(match next {
        Some(next) => reply.with("link", format!("<{next}>; rel=\"next\"")),
        None => reply,
    })
}

/// What another version of the service has stored is left out until the sweep renews it.
fn documents<'a>(entries: &'a [IndexEntry], base: &str) -> Vec<StatusDocument<'a>> {
    let records = entries.iter().filter_map(|entry| entry.record.as_ref());
    records
        .map(|record| StatusDocument::new(record, base))
        .collect()
}

fn unanswered(error: StoreError) -> Problem {
    Problem {
        detail: "the index of jobs did not answer; send the request again".into(),
        ..Problem::from(error)
    }
}
