//! What is remembered of a key, in a Durable Object of its own.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Position, Url};

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
    /// The JSON text, with the URLs of whoever sent the upload first.
    pub body: String,
    /// The `Location`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The `Link`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Answer {
    /// The answer of a reply, if the upload was taken: a job has a `Location`, also where the client
    /// has waited and the job has failed.
    pub fn of<B>(reply: &Reply<B>) -> Option<Self> {
        let Body::Text(body) = &reply.body else {
            return None;
        };
        let header = |name| reply.header(name).map(str::to_owned);
        let location = header("location");
        let taken = location.is_some() || matches!(reply.status, 201 | 202);
        taken.then(|| Self {
            status: reply.status,
            body: body.clone(),
            location,
            link: header("link"),
        })
    }

    /// Whether everything had ended by then.
    pub fn is_final(&self) -> bool {
        self.status != 202
    }

    /// The reply once more, marked as such, with URLs at `base`: whoever asks now may know the service
    /// by another name.
    pub fn reply<B>(self, base: &str) -> Reply<B> {
        let media_type = if self.status < 400 {
            "application/json"
        } else {
            "application/problem+json"
        };
        let headers = [
            ("location", self.location.map(|url| at(base, &url))),
            ("link", self.link),
        ];
        let reply = Reply::new(self.status, Body::Text(body_at(base, self.body)))
            .with("content-type", media_type)
            .with("cache-control", "no-store")
            // Not in the draft; the name that payment services made common.
            .with("idempotent-replayed", "true");
        headers
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .fold(reply, |reply, (name, value)| reply.with(name, value))
    }
}

/// The members of documents that are URLs of the service.
const URLS: [&str; 4] = ["resized_image_url", "status_url", "url", "type"];

/// A document with its URLs at `base`; as it is where they are there already.
fn body_at(base: &str, body: String) -> String {
    let Ok(before) = serde_json::from_str::<Value>(&body) else {
        return body;
    };
    let mut document = before.clone();
    move_urls(&mut document, base);
    if document == before {
        body
    } else {
        document.to_string()
    }
}

fn move_urls(value: &mut Value, base: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| move_urls(item, base)),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(url) if URLS.contains(&name.as_str()) => *url = at(base, url),
                    // Its address is somebody else's.
                    _ if name == "webhook" => {}
                    _ => move_urls(value, base),
                }
            }
        }
        _ => {}
    }
}

/// A URL of the service, at `base`.
fn at(base: &str, url: &str) -> String {
    match Url::parse(url) {
        Ok(parsed) => format!("{base}{}", &parsed[Position::BeforePath..]),
        Err(_) => url.into(),
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
            r#"{"v":1,"token":"t","state":"answered","fingerprint":"f","answer":{"status":201,"body":"{}","location":"/x","link":"</x>; rel=\"self\""},"due_at":1795428000000}"#,
        ] {
            let record: KeyRecord = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&record).unwrap(), text);
        }
    }

    /// What the version before stored had no `Link`.
    #[test]
    fn an_answer_is_told_with_the_urls_of_whoever_asks_now() {
        let stored = r#"{"status":201,"body":"{\"id\":\"7\",\"status_url\":\"https://old.example/thumbnails/7\",\"source\":{\"filename\":\"https://old.example/\"},\"thumbnails\":[{\"url\":\"https://old.example/thumbnails/7.png\"}],\"webhook\":{\"url\":\"https://hooks.example\"}}","location":"https://old.example/thumbnails/7"}"#;
        let answer: Answer = serde_json::from_str(stored).unwrap();
        let same: Reply<()> = answer.clone().reply("https://old.example");
        assert_eq!(same.body, Body::Text(answer.body.clone()));
        let moved: Reply<()> = answer.reply("http://new.example:8787");
        assert_eq!(
            (moved.status, moved.header("location"), moved.header("link")),
            (201, Some("http://new.example:8787/thumbnails/7"), None)
        );
        let Body::Text(text) = moved.body else {
            panic!("no text")
        };
        let want = serde_json::json!({
            "id": "7",
            "status_url": "http://new.example:8787/thumbnails/7",
            "source": { "filename": "https://old.example/" },
            "thumbnails": [{ "url": "http://new.example:8787/thumbnails/7.png" }],
            "webhook": { "url": "https://hooks.example" },
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), want);
    }

    #[test]
    fn a_job_that_failed_while_the_client_waited_was_taken_all_the_same() {
        let refused = Problem::new(ProblemKind::DamagedImage, "no");
        let reply: Reply<()> = refused.reply("https://thumbs.example");
        assert_eq!(Answer::of(&reply), None);
        let failed = reply.with("location", "https://thumbs.example/thumbnails/7");
        let again: Reply<()> = Answer::of(&failed).unwrap().reply("https://thumbs.example");
        assert_eq!(again.status, 422);
        for name in ["content-type", "location"] {
            assert_eq!(again.header(name), failed.header(name), "{name}");
        }
        assert_eq!(again.body, failed.body);
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
