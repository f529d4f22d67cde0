//! The jobs, from outside: commands to their Durable Objects.

use thumbnail_core::job::{Command, Verdict};
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::{JobLedger, StoreError};
use worker::{Method, ObjectNamespace, Request, RequestInit};

use super::store_error;

/// Where a Durable Object is asked. The name is never resolved.
const URL: &str = "https://job/";

/// The namespace of jobs.
pub struct JobClient {
    jobs: ObjectNamespace,
}

impl JobClient {
    /// Over a namespace.
    pub fn new(jobs: ObjectNamespace) -> Self {
        Self { jobs }
    }
}

impl JobLedger for JobClient {
    async fn call(&self, id: JobId, command: Command) -> Result<Verdict, StoreError> {
        let permanent = |e: serde_json::Error| StoreError::Permanent(e.to_string());
        let body = serde_json::to_string(&command).map_err(permanent)?;
        let answer = async {
            let mut init = RequestInit::new();
            init.with_method(Method::Post).with_body(Some(body.into()));
            let request = Request::new_with_init(URL, &init)?;
            let mut response = self
                .jobs
                .get_by_name(&id.to_string())?
                .fetch_with_request(request)
                .await?;
            Ok((response.status_code(), response.text().await?))
        };
        match answer.await.map_err(|e: worker::Error| store_error(&e))? {
            (200, text) => serde_json::from_str(&text).map_err(permanent),
            (status, text) => Err(StoreError::Transient(format!(
                "the job answered {status}: {text}"
            ))),
        }
    }
}
