//! What comes back.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Content, Ref, RefOr};

use super::examples;
use crate::api::document::StatusDocument;
use crate::api::problem::{Problem, ProblemDocument, ProblemKind};
use thumbnail_pipeline::OutputFormat;

/// Why a thumbnail is not there.
pub(super) const ABSENT: &[ProblemKind] = &[
    ProblemKind::InvalidOption,
    ProblemKind::NotFound,
    ProblemKind::NotReady,
    ProblemKind::PreconditionFailed,
    ProblemKind::RangeNotSatisfiable,
    ProblemKind::Gone,
    ProblemKind::DamagedImage,
    ProblemKind::TruncatedImage,
    ProblemKind::ImageTooLarge,
    ProblemKind::ThumbnailTooLarge,
    ProblemKind::Poison,
    ProblemKind::DeadLetter,
    ProblemKind::PlatformFault,
    ProblemKind::NeverProcessed,
    ProblemKind::SourceMissing,
];

/// The problems of an operation, one response per status, one example per kind.
pub(super) fn problems(kinds: impl Iterator<Item = ProblemKind>) -> Vec<(u16, Response)> {
    let mut by_status: BTreeMap<u16, Vec<ProblemKind>> = BTreeMap::new();
    for kind in kinds {
        by_status.entry(kind.status()).or_default().push(kind);
    }
    by_status
        .into_iter()
        .map(|(status, kinds)| (status, problem(&kinds)))
        .collect()
}

fn problem(kinds: &[ProblemKind]) -> Response {
    let titles: Vec<String> = kinds
        .iter()
        .map(|kind| format!("`{}`: {}.", kind.slug(), kind.title()))
        .collect();
    let example = |kind: &ProblemKind| {
        let document = Problem::new(*kind, kind.title()).document("https://thumbs.example");
        let mut example = utoipa::openapi::example::Example::new();
        example.value = Some(document);
        (kind.slug(), RefOr::T(example))
    };
    let content = ContentBuilder::new()
        .schema(Some(reference::<ProblemDocument>()))
        .examples_from_iter(kinds.iter().map(example));
    ResponseBuilder::new()
        .description(titles.join(" "))
        .content("application/problem+json", content.build())
        .build()
}

/// 202 with the document of a job.
pub(super) fn accepted() -> Vec<(u16, Response)> {
    let response = ResponseBuilder::new()
        .description("Accepted: the job is durable. Ask for its thumbnail, or for its status.")
        .header("Location", text("The job's status document."))
        .header("Retry-After", seconds())
        .content("application/json", document(examples::pending()))
        .link("status", link("status"))
        .link("extend", link("extend"))
        .link("delete", link("delete"));
    vec![(202, response.build())]
}

/// 202 with the document of a job that is tried again, or 201 where the client waited and it is done.
pub(super) fn rerun() -> Vec<(u16, Response)> {
    let done = ResponseBuilder::new()
        .description("Made while the client waited, as `Prefer: wait` asked.")
        .header("Location", text("The job's status document."))
        .content("application/json", document(examples::done()));
    let mut answers = vec![(201, done.build())];
    answers.extend(accepted());
    answers
}

/// 202 with the document of a job that stays done, or 200 where the thumbnail is there.
pub(super) fn extended() -> Vec<(u16, Response)> {
    let answer = |about| {
        ResponseBuilder::new()
            .description(about)
            .header("Location", text("The thumbnail."))
            .content("application/json", document(examples::done()))
    };
    let coming = answer("Accepted: the job stays done, and `later` lists what is being made.");
    let there = answer("The thumbnail is there.");
    let made = answer("Made while the client waited, as `Prefer: wait` asked.");
    vec![
        (200, there.build()),
        (201, made.build()),
        (202, coming.header("Retry-After", seconds()).build()),
    ]
}

/// What an upload is answered with: 202, or 201 where the client waited and the job has ended.
pub(super) fn uploaded() -> Vec<(u16, Response)> {
    let created = ResponseBuilder::new()
        .description("Made while the client waited, as `Prefer: wait` asked.")
        .header("Location", text("The job's status document."))
        .header(
            "Preference-Applied",
            text("For how long it would have waited."),
        )
        .content("application/json", job_or_files(examples::done()))
        .link("status", link("status"))
        .link("extend", link("extend"))
        .link("delete", link("delete"));
    let accepted = ResponseBuilder::new()
        .description("Accepted: the jobs are durable. Of several files there is an item for each.")
        .header(
            "Location",
            text("The job's status document, where there was one file."),
        )
        .header("Retry-After", seconds())
        .content("application/json", job_or_files(examples::pending()))
        .link("status", link("status"))
        .link("extend", link("extend"))
        .link("delete", link("delete"));
    vec![(201, created.build()), (202, accepted.build())]
}

fn job_or_files(example: serde_json::Value) -> Content {
    let either = OneOfBuilder::new()
        .item(reference::<StatusDocument>())
        .item(Ref::from_schema_name(UPLOADED_FILES));
    Content::builder()
        .schema(Some(either))
        .example(Some(example))
        .build()
}

/// The name of [`uploaded_files`].
pub(super) const UPLOADED_FILES: &str = "UploadedFiles";

/// What comes of a form with several files.
pub(super) fn uploaded_files() -> RefOr<Schema> {
    let string = || ObjectBuilder::new().schema_type(Type::String);
    let item = ObjectBuilder::new()
        .property("field", string())
        .required("field")
        .property("filename", string())
        .property("job", reference::<StatusDocument>())
        .property("problem", reference::<ProblemDocument>());
    let about = "An item for each file of a form, in their order: its job, or its problem.";
    ObjectBuilder::new()
        .description(Some(about))
        .property("files", ArrayBuilder::new().items(item))
        .required("files")
        .into()
}

/// A stream of documents, or nothing more to come.
pub(super) fn events() -> Vec<(u16, Response)> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let schema = ObjectBuilder::new()
        .property("id", text())
        .property("event", text())
        .property("data", text())
        .property("retry", ObjectBuilder::new().schema_type(Type::Integer));
    let about = "With `Accept: text/event-stream`: events whose data is a status document and whose id is its revision.";
    let stream = ResponseBuilder::new()
        .description(about)
        .content("text/event-stream", Content::new(Some(schema)));
    let socket = Response::new("With `Upgrade: websocket`: each message is a status document.");
    let over = Response::new("Nothing more is to come after `Last-Event-ID`.");
    vec![(101, socket), (200, stream.build()), (204, over)]
}

/// 200 with a page.
pub(super) fn html() -> Vec<(u16, Response)> {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    let page = ResponseBuilder::new()
        .description("The page.")
        .header("ETag", text("Its entity tag."))
        .content("text/html", Content::new(Some(schema)));
    vec![(200, page.build()), fresh()]
}

fn link(operation: &str) -> utoipa::openapi::link::Link {
    LinkBuilder::new()
        .operation_id(operation)
        .parameter("id", "$response.body#/id")
        .build()
}

/// 200 with the document of a job, or 304.
pub(super) fn status() -> Vec<(u16, Response)> {
    let response = ResponseBuilder::new()
        .description("The job as it is now.")
        .header("ETag", text("Its entity tag."))
        .content("application/json", document(examples::done()));
    let gone = ResponseBuilder::new()
        .description(
            "It was called off, deleted, or has expired: this document is all that is left.",
        )
        .content("application/json", document(examples::cancelled()));
    vec![(200, response.build()), fresh(), (410, gone.build())]
}

/// 304.
fn fresh() -> (u16, Response) {
    let fresh = ResponseBuilder::new()
        .description("It is what the client has.")
        .header("ETag", text("Its entity tag."));
    (304, fresh.build())
}

/// 200 with a page of jobs.
pub(super) fn listing() -> Vec<(u16, Response)> {
    let schema = ObjectBuilder::new()
        .property(
            "jobs",
            ArrayBuilder::new().items(reference::<StatusDocument>()),
        )
        .required("jobs")
        .property("next", ObjectBuilder::new().schema_type(Type::String));
    let content = Content::builder()
        .schema(Some(schema))
        .example(Some(json!({ "jobs": [examples::done()] })));
    let response = ResponseBuilder::new()
        .description("One page. `next` is where older jobs are; absent on the last page.")
        .header("Link", text("The same as `next`, with `rel=\"next\"`."))
        .content("application/json", content.build());
    vec![(200, response.build())]
}

/// 204.
pub(super) fn deleted() -> Vec<(u16, Response)> {
    vec![(204, Response::new("Nothing of the job is served any more."))]
}

/// 200 with a thumbnail, 206 with a part of it, or 304.
pub(super) fn image() -> Vec<(u16, Response)> {
    let etag = || text("A strong entity tag.");
    let mut image = ResponseBuilder::new()
        .description("The thumbnail.")
        .header("ETag", etag())
        .header("Cache-Control", text("For how long it may be kept."));
    let mut part = ResponseBuilder::new()
        .description("The bytes that `Range` asks for.")
        .header("ETag", etag())
        .header("Content-Range", text("Which bytes they are, of how many."));
    for format in OutputFormat::ALL {
        let media_type = format.image_format().media_type();
        image = image.content(media_type, Content::default());
        part = part.content(media_type, Content::default());
    }
    vec![(200, image.build()), (206, part.build()), fresh()]
}

/// 308.
pub(super) fn moved() -> Vec<(u16, Response)> {
    let response = ResponseBuilder::new()
        .description("It is at `Location`.")
        .header("Location", text("The path of the thumbnail."));
    vec![(308, response.build())]
}

/// 308 where a part of the path that the client fills in is spelled otherwise.
pub(super) fn respelled() -> (u16, Response) {
    let response = ResponseBuilder::new()
        .description("Another spelling of a URL, such as one in capitals: it is at `Location`.")
        .header("Location", text("The path and query of the URL itself."));
    (308, response.build())
}

/// 200 with a text for people.
pub(super) fn page() -> Vec<(u16, Response)> {
    let text = Content::builder().schema(Some(ObjectBuilder::new().schema_type(Type::String)));
    let response = ResponseBuilder::new()
        .description("A text for people.")
        .content("text/plain", text.build());
    vec![(200, response.build())]
}

/// 200 while the service runs.
pub(super) fn health() -> Vec<(u16, Response)> {
    let schema = ObjectBuilder::new()
        .property("status", ObjectBuilder::new().schema_type(Type::String))
        .required("status");
    let content = Content::builder()
        .schema(Some(schema))
        .example(Some(json!({ "status": "ok" })));
    let response = ResponseBuilder::new()
        .description("It runs.")
        .content("application/json", content.build());
    vec![(200, response.build())]
}

/// 200 while every binding answers. The 503 has the same document, in place of a problem.
pub(super) fn ready() -> Vec<(u16, Response)> {
    let checks = json!([{ "name": "r2", "ok": true, "ms": 12 }]);
    let content = Content::builder()
        .schema(Some(ObjectBuilder::new()))
        .example(Some(json!({ "status": "ready", "checks": checks })));
    let response = ResponseBuilder::new()
        .description("Every binding answers; if one does not, this document comes with 503.")
        .content("application/json", content.build());
    vec![(200, response.build())]
}

fn document(example: serde_json::Value) -> Content {
    Content::builder()
        .schema(Some(reference::<StatusDocument>()))
        .example(Some(example))
        .build()
}

fn reference<T: ToSchema>() -> Ref {
    Ref::from_schema_name(T::name())
}

fn text(description: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
}

fn seconds() -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer);
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some("Seconds after which asking again makes sense."))
        .build()
}
