//! What a problem's `type` leads to.

use thumbnail_core::api::{Body, ProblemKind, Reply};

/// `GET /problems/{slug}`
pub fn page<B>(kind: ProblemKind) -> Reply<B> {
    let text = format!(
        "{} ({})\n\n{}\n",
        kind.title(),
        kind.status(),
        kind.advice()
    );
    Reply::new(200, Body::Text(text))
        .with("content-type", "text/plain; charset=utf-8")
        .with("cache-control", "public, max-age=86400")
}
