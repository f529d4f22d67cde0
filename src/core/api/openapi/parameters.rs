//! What can be given: in the path, in the query, in the body.

use serde_json::{Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, SchemaFormat, Type,
};
use utoipa::openapi::{Content, KnownFormat, RefOr, Required, Schema};

use super::examples;
use crate::api::cursor;
use crate::api::listing::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::api::params::table::{self, UploadOption};
use crate::api::problem::ProblemKind;
use crate::job::State;
use crate::keys::MAX_VARIANT_NAME_LEN;
use thumbnail_pipeline::OutputFormat;
use thumbnail_pipeline::options::{MAX_SIDE, MAX_VARIANTS, Values};

/// The id of a job, as an expression.
const JOB: &str = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
/// A side from 1 to 4096, as an expression.
const SIDE: &str = "([1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-6])";
/// The job of a URL.
pub(super) fn job() -> Vec<Parameter> {
    vec![id()]
}

/// The job that is tried again.
pub(super) fn rerun() -> Vec<Parameter> {
    vec![id(), prefer()]
}

/// The job that gets another thumbnail, and the options of that.
pub(super) fn extend() -> Vec<Parameter> {
    let about = "Where requests are signed: HMAC-SHA256 of the id, a `?` and the query before this, in hexadecimal digits.";
    let signature = string().pattern(Some("^[0-9a-f]{64}$")).into();
    let mut parameters = vec![id(), prefer()];
    parameters.extend(image_options().map(option_in_query));
    parameters.push(in_query("signature", about, signature));
    parameters
}

/// The same options in a body.
pub(super) fn extend_body() -> RequestBody {
    let options = || with_all(ObjectBuilder::new(), image_options());
    let json = closed(with_lists(options()));
    RequestBodyBuilder::new()
        .description(Some(
            "The options, where they do not stand in the query. A signed request has none.",
        ))
        .content(
            "application/x-www-form-urlencoded",
            Content::new(Some(options())),
        )
        .content("application/json", Content::new(Some(json)))
        .content("multipart/form-data", Content::new(Some(options())))
        .build()
}

fn image_options() -> impl Iterator<Item = UploadOption> {
    table::all().filter(|row| !row.sets.is_about_job())
}

/// The job whose status is asked for.
pub(super) fn status() -> Vec<Parameter> {
    vec![id(), prefer(), if_none_match()]
}

/// The job that is deleted.
pub(super) fn delete() -> Vec<Parameter> {
    let about = "Entity tags: the job is deleted only if its document or one of its thumbnails has one of them.";
    vec![id(), in_header("If-Match", about)]
}

/// The page.
pub(super) fn page() -> Vec<Parameter> {
    vec![if_none_match()]
}

fn if_none_match() -> Parameter {
    in_header("If-None-Match", "Entity tags that the client has.")
}

/// Which jobs are listed.
pub(super) fn list() -> Vec<Parameter> {
    let (default, max) = (DEFAULT_LIMIT as u64, MAX_LIMIT as u64);
    let cursor = string().max_length(Some(cursor::MAX_LEN)).into();
    vec![
        in_query("status", "Only jobs in this state.", State::schema()),
        in_query(
            "limit",
            "The most jobs of a page.",
            whole(1, max, Some(default.into())),
        ),
        in_query("cursor", "From `next` of the page before.", cursor),
    ]
}

/// The job that is listened to.
pub(super) fn events() -> Vec<Parameter> {
    vec![id(), last_event_id()]
}

/// The jobs that are listened to.
pub(super) fn events_of_jobs() -> Vec<Parameter> {
    let about = "Ids of jobs with commas between them; a WebSocket may also name them later.";
    let ids = ParameterBuilder::new()
        .name("ids")
        .parameter_in(ParameterIn::Query)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(string().pattern(Some(format!("^{JOB}(,{JOB})*$")))))
        .build();
    vec![ids, last_event_id()]
}

/// The file of a job's only or first thumbnail.
pub(super) fn thumbnail() -> Vec<Parameter> {
    [vec![id(), extension()], read()].concat()
}

/// The file of one of several thumbnails.
pub(super) fn named_thumbnail() -> Vec<Parameter> {
    [vec![id(), name(), extension()], read()].concat()
}

/// A thumbnail in any of its formats.
pub(super) fn negotiated_thumbnail() -> Vec<Parameter> {
    let accept = in_header("Accept", "Media types, and how much each of them is liked.");
    [vec![id(), name(), accept], read()].concat()
}

/// The headers that each read of a thumbnail may have.
fn read() -> Vec<Parameter> {
    let header = |(name, about)| in_header(name, about);
    let conditions = [
        (
            "If-Match",
            "Entity tags of which the thumbnail has to have one.",
        ),
        ("If-Modified-Since", "The date of what the client has."),
        (
            "If-Unmodified-Since",
            "The date after which it may not have changed.",
        ),
        ("Range", "`bytes=0-99`: some of its bytes."),
        ("If-Range", "The tag or date of which the range is meant."),
    ];
    let mut headers: Vec<Parameter> = conditions.into_iter().map(header).collect();
    headers.extend([if_none_match(), prefer()]);
    headers
}

fn name() -> Parameter {
    in_path("name", "The name of its size.", named(), json!("200x200"))
}

/// A name of a size or of a preset.
fn named() -> ObjectBuilder {
    string().pattern(Some(format!("^[a-z0-9-]{{1,{MAX_VARIANT_NAME_LEN}}}$")))
}

/// A file name of the replaced service.
pub(super) fn file() -> Vec<Parameter> {
    let schema = string().min_length(Some(1));
    vec![in_path("file", "The thumbnail.", schema, json!("cat.jpg"))]
}

/// The last part of a problem's `type`.
pub(super) fn slug() -> Vec<Parameter> {
    let slugs = ProblemKind::ALL.iter().map(|kind| kind.slug());
    let schema = string().enum_values(Some(slugs));
    vec![in_path("slug", "The problem.", schema, json!("not-ready"))]
}

fn id() -> Parameter {
    let schema = string()
        .format(Some(SchemaFormat::Custom("uuid".into())))
        .pattern(Some(format!("^{JOB}$")));
    in_path("id", "The job.", schema, json!(examples::id()))
}

fn extension() -> Parameter {
    let extensions = OutputFormat::ALL.map(|format| format.image_format().extension());
    let schema = string().enum_values(Some(extensions));
    in_path("extension", "The format.", schema, json!("jpg"))
}

fn prefer() -> Parameter {
    let about =
        "`wait=10`: for how many seconds the answer may be held back until the job has ended.";
    in_header("Prefer", about)
}

fn idempotency_key() -> Parameter {
    let about = "A string of your own, such as a UUID in quotes: the same upload sent again with it gets the same answer, and no second job.";
    in_header("Idempotency-Key", about)
}

fn last_event_id() -> Parameter {
    let about = "The id of the last event that was seen: only what is newer is told.";
    in_header("Last-Event-ID", about)
}

fn in_header(name: &str, about: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(string()))
        .build()
}

fn in_query(name: &str, about: &str, schema: RefOr<Schema>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

fn in_path(name: &str, about: &str, schema: ObjectBuilder, example: Value) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(schema))
        .example(Some(example))
        .build()
}

/// The options of an upload, in its query.
pub(super) fn options() -> Vec<Parameter> {
    let mut parameters = vec![prefer(), idempotency_key()];
    parameters.extend(table::all().map(option_in_query));
    parameters
}

fn option_in_query(row: UploadOption) -> Parameter {
    in_query(row.name, row.about, schema(&row))
}

/// The bodies that an upload can have.
pub(super) fn upload() -> RequestBody {
    let form = with_options("image", image());
    let address = written("^https?://", "https://example.com/cat.jpg");
    let address = described(address, SOURCE_URL_IS);
    let json = closed(with_lists(with_options("source_url", address)));
    let raw = || Content::new(Some(image()));
    RequestBodyBuilder::new()
        .description(Some(
            "A form whose file is in `image`, in `file`, or in any field with a file name, and whose other fields are \
             ignored if they are no options; the bytes of an image; or JSON that says where it is. The bytes decide the \
             format.",
        ))
        .required(Some(Required::True))
        .content("multipart/form-data", Content::new(Some(form)))
        .content("image/*", raw())
        .content("application/octet-stream", raw())
        .content("application/json", Content::new(Some(json)))
        .build()
}

const SOURCE_URL_IS: &str = "Where the image is: it is fetched before the request is answered. Only where the \
                             service has `SOURCE_URLS` set to 1; elsewhere `415`.";

/// An object of one member that there must be, and the options.
fn with_options(required: &str, schema: impl Into<RefOr<Schema>>) -> ObjectBuilder {
    let object = ObjectBuilder::new()
        .property(required, schema)
        .required(required);
    with_all(object, table::all())
}

/// The object with these options. A form may have other fields: they are ignored.
fn with_all(object: ObjectBuilder, rows: impl Iterator<Item = UploadOption>) -> ObjectBuilder {
    rows.fold(object, |object, row| {
        object.property(row.name, described(schema(&row), row.about))
    })
}

/// The object whose options that are lists may also be written as lists of JSON.
fn with_lists(object: ObjectBuilder) -> ObjectBuilder {
    let side = || whole(1, MAX_SIDE.into(), None);
    let size = ObjectBuilder::new()
        .property("name", named())
        .property("width", side())
        .property("height", side())
        .required("width")
        .required("height");
    let size = OneOfBuilder::new()
        .item(string().pattern(Some(format!("^{}$", one_size()))))
        .item(closed(size));
    [("sizes", Schema::from(size)), ("preset", named().into())]
        .into_iter()
        .fold(object, |object, (name, item)| {
            let Some(row) = table::named(name) else {
                return object;
            };
            let list = ArrayBuilder::new()
                .items(RefOr::T(item))
                .min_items(Some(1))
                .max_items(Some(MAX_VARIANTS));
            let either = OneOfBuilder::new()
                .item(schema(&row))
                .item(list)
                .description(Some(row.about));
            object.property(name, either)
        })
}

/// The object without any other members.
fn closed(object: ObjectBuilder) -> ObjectBuilder {
    object.additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

fn image() -> ObjectBuilder {
    string().format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
}

/// What an option can be.
fn schema(row: &UploadOption) -> RefOr<Schema> {
    let default = (!row.default.is_empty()).then(|| Value::from(row.default));
    let parsed = serde_json::from_str(row.default).ok();
    match row.values {
        Values::Whole { min, max } => whole(min, max, parsed),
        Values::Number { min, max } => ObjectBuilder::new()
            .schema_type(Type::Number)
            .minimum(Some(min))
            .maximum(Some(max))
            .default(parsed)
            .into(),
        Values::Flag => ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .default(parsed)
            .into(),
        Values::Choice(choices) => string()
            .enum_values(Some(choices.iter().copied()))
            .default(default)
            .into(),
        Values::Text {
            pattern, example, ..
        } => written(pattern, example),
    }
}

/// One of them, as an expression.
fn one_size() -> String {
    format!("([a-z0-9-]{{1,{MAX_VARIANT_NAME_LEN}}}:)?{SIDE}x{SIDE}")
}

fn described(schema: RefOr<Schema>, about: &str) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            let such_as = object.description.clone().unwrap_or_default();
            let about = format!("{about} {such_as}");
            ObjectBuilder::from(object)
                .description(Some(about.trim_end()))
                .into()
        }
        other => other,
    }
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn whole(min: u64, max: u64, default: Option<Value>) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(i64::try_from(min).unwrap_or(i64::MAX)))
        .maximum(Some(i64::try_from(max).unwrap_or(i64::MAX)))
        .default(default)
        .into()
}

/// An expression. The example stands in words: a request made of the examples of all options would contradict itself.
fn written(pattern: &str, example: &str) -> RefOr<Schema> {
    let about = format!("Such as `{example}`.");
    string()
        .pattern(Some(pattern))
        .description(Some(about))
        .into()
}
