//! The answer to an upload: the document of its job, or a list where a form had several files.

use serde_json::{Map, Value, json};

use super::document::{StatusDocument, job_problem, status_url};
use super::link::links;
use super::problem::Problem;
use super::reply::{Body, Reply};
use crate::job::{Record, State};

/// A file of an upload, and what came of it.
#[derive(Debug)]
pub struct UploadedFile<T> {
    /// The field of the form that it was in; empty where there was no form.
    pub field: String,
    /// The name that the client gave it.
    pub filename: Option<String>,
    /// Its job, or why it has none.
    pub result: Result<T, Problem>,
}

/// Answers an upload of these files. One is answered as if there were no lists.
///
/// Several: 202 with an item for each (201 where all have ended), as long as one of them was taken;
/// else the first one's problem, with the list as a member of its document.
pub fn reply<B>(files: &[UploadedFile<Record>], base: &str) -> Reply<B> {
    if let [file] = files {
        return match &file.result {
            Ok(record) => job(record, base),
            Err(problem) => problem.reply(base),
        };
    }
    let items: Vec<Value> = files.iter().map(|file| item(file, base)).collect();
    match files.first().map(|file| &file.result) {
        Some(Err(first)) if files.iter().all(|file| file.result.is_err()) => {
            let mut document = first.document(base);
            document["files"] = items.into();
            Reply {
                body: Body::Text(document.to_string()),
                ..first.reply(base)
            }
        }
        _ => {
            let mut jobs = files.iter().filter_map(|file| file.result.as_ref().ok());
            let status = if jobs.all(|job| job.state.is_final()) {
                201
            } else {
                202
            };
            Reply::json(status, &json!({ "files": items }))
        }
    }
}

/// 202, unless the client has waited and the job has ended: 201 then, or what is wrong with the image.
pub fn job<B>(record: &Record, base: &str) -> Reply<B> {
    let document = StatusDocument::new(record, base);
    let reply = match (record.state, &record.failure) {
        (State::Done, _) => Reply::json(201, &document),
        (State::Failed, Some(failure)) => job_problem(failure).reply(base),
        _ => Reply::json(202, &document),
    };
    let path = format!("/thumbnails/{}", record.id);
    reply
        .with("location", status_url(record, base))
        .with("link", links(path, record.id))
}

fn item(file: &UploadedFile<Record>, base: &str) -> Value {
    let mut item = Map::new();
    item.insert("field".into(), file.field.as_str().into());
    if let Some(filename) = &file.filename {
        item.insert("filename".into(), filename.as_str().into());
    }
    match &file.result {
        Ok(record) => item.insert("job".into(), json!(StatusDocument::new(record, base))),
        Err(problem) => item.insert("problem".into(), problem.document(base)),
    };
    item.into()
}
