//! What is remembered of a key, in a Durable Object of its own.

use serde::{Deserialize, Serialize};

use crate::api::problem::FieldError;
use crate::api::{Body, Problem, ProblemKind, Reply, UploadedFile};
use crate::job::NewJob;
use crate::timestamp::Timestamp;

/// The version of the stored form.
pub const VERSION: u32 = 1;

/// Everything that is known of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The version of this form.
    pub v: u32,
    /// Tells the request that holds the key from all others.
    pub token: String,
    /// How far that request has come.
    #[serde(flatten)]
    pub state: KeyState,
    /// When the key is forgotten.
    pub due_at: Timestamp,
}

/// How far the request with a key has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum KeyState {
    /// It is reading the upload.
    Claimed,
    /// The sources are stored, the jobs are to begin.
    Committed {
        /// What was sent.
        fingerprint: String,
        /// The files, in order.
        files: Vec<CommittedFile>,
    },
    /// It was answered.
    Answered {
        /// What was sent.
        fingerprint: String,
        /// The answer.
        answer: Answer,
    },
}

/// A file of an upload, and the job to begin or the reason for none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommittedFile {
    /// The field of the form that it was in.
    pub field: String,
    /// The name that the client gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The job to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<NewJob>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<FileProblem>,
}

/// Why a file was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileProblem {
    /// The kind of problem, by its slug.
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, with the numbers.
    pub detail: String,
    /// What is wrong, option by option.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// What an upload was answered with. Only what was taken is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON text.
    pub body: String,
    /// The `Location`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl Answer {
    /// The answer of a reply, if the upload was taken.
    pub fn of<B>(reply: &Reply<B>) -> Option<Self> {
        let Body::Text(body) = &reply.body else {
            return None;
        };
        matches!(reply.status, 201 | 202).then(|| Self {
            status: reply.status,
            body: body.clone(),
            location: reply.header("location").map(str::to_owned),
        })
    }

    /// The reply once more, marked as such.
    pub fn reply<B>(self) -> Reply<B> {
        let reply = Reply::new(self.status, Body::Text(self.body))
            .with("content-type", "application/json")
            .with("cache-control", "no-store")
            // Not in the draft; the name that payment services made common.
            .with("idempotent-replayed", "true");
        match self.location {
            Some(location) => reply.with("location", location),
            None => reply,
        }
    }
}

impl From<&UploadedFile<NewJob>> for CommittedFile {
    fn from(file: &UploadedFile<NewJob>) -> Self {
        Self {
            field: file.field.clone(),
            filename: file.filename.clone(),
            job: file.result.as_ref().ok().cloned(),
            problem: file.result.as_ref().err().map(|problem| FileProblem {
                kind: problem.kind.slug().into(),
                status: problem.status,
                detail: problem.detail.clone(),
                errors: problem.errors.clone(),
            }),
        }
    }
}

impl From<CommittedFile> for UploadedFile<NewJob> {
    fn from(file: CommittedFile) -> Self {
        let result = match (file.job, file.problem) {
            (Some(job), _) => Ok(job),
            (None, Some(problem)) => {
                let kind = ProblemKind::from_slug(&problem.kind).unwrap_or(ProblemKind::Internal);
                Err(Problem {
                    status: problem.status,
                    errors: problem.errors,
                    ..Problem::new(kind, problem.detail)
                })
            }
            (None, None) => Err(Problem::new(ProblemKind::Internal, "the file was lost")),
        };
        Self {
            field: file.field,
            filename: file.filename,
            result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_forms_stay() {
        for text in [
            r#"{"v":1,"token":"t","state":"claimed","due_at":1795428000000}"#,
            r#"{"v":1,"token":"t","state":"committed","fingerprint":"f","files":[{"field":"image","filename":"a.png","job":{"id":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","owner":"anonymous","source":{"format":"png","width":3,"height":2,"bytes":70,"sha256":"00"},"variants":[],"expires_at":1795428000000}},{"field":"b","problem":{"kind":"not-an-image","status":400,"detail":"no"}}],"due_at":1795428000000}"#,
            r#"{"v":1,"token":"t","state":"answered","fingerprint":"f","answer":{"status":202,"body":"{}","location":"/x"},"due_at":1795428000000}"#,
        ] {
            let record: KeyRecord = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&record).unwrap(), text);
        }
    }

    #[test]
    fn a_file_comes_back_as_it_was() {
        let problem = Problem {
            status: 422,
            ..Problem::invalid(vec![FieldError::new("page", "page 3")])
        };
        let file = UploadedFile {
            field: "image".into(),
            filename: None,
            result: Err(problem.clone()),
        };
        let back = UploadedFile::from(CommittedFile::from(&file));
        assert_eq!(back.result.unwrap_err(), problem);
    }
}
