//! Uploads: a form, the raw bytes of an image, or JSON that says where it is.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use thumbnail_core::Config;
use thumbnail_core::api::content_encoding;
use thumbnail_core::api::{Params, Problem, ProblemKind, Reply, idempotency_key};
use thumbnail_core::idempotency::key_name;
use thumbnail_core::job::record::ANONYMOUS;
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::Chunks;
use thumbnail_core::service::admission::Admission;
use thumbnail_core::service::budget::Budget;
use thumbnail_core::service::fetch::fetched;
use thumbnail_core::service::idempotent_upload::{IdempotentUpload, Outcome};
use thumbnail_core::service::upload::{UploadRequest, Uploader};
use worker::{Env, Request};

use super::accepted::{accepted, polled};
use super::{Call, WorkerClock, gate, header, misconfigured};
use crate::app::{self, App};
use crate::platform::random::new_job_id;
use crate::platform::{HttpSources, R2Body, R2Store, RequestBody};

thread_local! {
    /// What all uploads to this instance hold; its size is the first one's, as a configuration
    /// outlives an instance.
    static BUDGET: RefCell<Option<Rc<RefCell<Budget>>>> = const { RefCell::new(None) };
}

/// `POST /thumbnails`
pub async fn upload(call: Call) -> Result<Reply<R2Body>, Problem> {
    let (wait_secs, jobs, base) = (call.wait_secs(), call.app.jobs.clone(), call.base.clone());
    let keys = app::keys(&call.env);
    let (files, kept) = match run_to_the_end(call).await? {
        Outcome::Replayed(answer) => return Ok(polled(answer.reply(&base))),
        Outcome::Taken { files, kept, .. } => (files, kept),
    };
    let reply = accepted(files, wait_secs, &jobs, &base).await;
    if let Some(kept) = kept {
        let keys = keys.map_err(|e| misconfigured(&e))?;
        kept.settle(&keys, &reply).await;
    }
    Ok(reply)
}

/// A client that hangs up must not stop an upload halfway: it runs to its end by itself.
async fn run_to_the_end(call: Call) -> Result<Outcome, Problem> {
    let Call {
        request,
        body,
        app,
        env,
        base,
        context,
        ..
    } = call;
    content_encoding::check(header(&request, "content-encoding").as_deref())?;
    gate::admit(&app, &env).await?;
    let (sender, receiver) = oneshot::channel();
    context.wait_until(async move {
        let outcome = accept(&request, body, &app, &env, &base).await;
        if let Ok(Outcome::Taken {
            overloaded: true, ..
        }) = outcome
        {
            gate::close();
        }
        let _ = sender.send(outcome);
    });
    let unhandled = |_| Problem::new(ProblemKind::Internal, "the upload was not handled");
    receiver.await.map_err(unhandled)?
}

async fn accept(
    request: &Request,
    body: Option<RequestBody>,
    app: &App,
    env: &Env,
    base: &str,
) -> Result<Outcome, Problem> {
    let budget = budget(&app.config);
    let uploader = Uploader {
        objects: &app.objects,
        clock: &WorkerClock,
        config: &app.config,
        new_id: new_job_id,
        base,
        admission: Admission::new(&budget, &WorkerClock),
    };
    let key = header(request, "idempotency-key");
    let upload = incoming(request, body)?;
    if upload.names_source(&app.config) {
        let (sources, policy) = (HttpSources::new(&app.config), &app.config.sources.policy);
        let upload = fetched(upload, &sources, policy, base).await?;
        Box::pin(take(&uploader, upload, key, app, env)).await
    } else {
        Box::pin(take(&uploader, upload, key, app, env)).await
    }
}

async fn take<B: Chunks>(
    uploader: &Uploader<'_, R2Store, WorkerClock, impl Fn() -> Result<JobId, Problem>>,
    upload: UploadRequest<B>,
    key: Option<String>,
    app: &App,
    env: &Env,
) -> Result<Outcome, Problem> {
    match key {
        None => {
            let taken = uploader.take(upload).await?;
            let (files, overloaded) = uploader.begin(&app.jobs, taken.files).await;
            Ok(Outcome::Taken {
                files,
                overloaded,
                kept: None,
            })
        }
        Some(key) => {
            let once = IdempotentUpload {
                keys: &app::keys(env).map_err(|e| misconfigured(&e))?,
                ledger: &app.jobs,
                name: key_name(ANONYMOUS, &idempotency_key::parse(&key)?),
                token: new_job_id()?.to_string(),
                base: uploader.base,
            };
            once.take(uploader, upload).await
        }
    }
}

/// The budget of this instance.
fn budget(config: &Config) -> Rc<RefCell<Budget>> {
    BUDGET.with_borrow_mut(|budget| {
        let new = || Rc::new(RefCell::new(Budget::new(config.upload_memory_bytes)));
        budget.get_or_insert_with(new).clone()
    })
}

fn incoming(
    request: &Request,
    body: Option<RequestBody>,
) -> Result<UploadRequest<RequestBody>, Problem> {
    let nothing = || Problem::new(ProblemKind::EmptyUpload, "the request has no body");
    Ok(UploadRequest {
        content_type: header(request, "content-type").unwrap_or_default(),
        length: header(request, "content-length").and_then(|value| value.parse().ok()),
        params: query(request)?,
        source_url: None,
        body: body.ok_or_else(nothing)?,
    })
}

/// The options in the query.
fn query(request: &Request) -> Result<Params, Problem> {
    let url = request.url().map_err(|e| misconfigured(&e))?;
    let mut params = Params::default();
    for (name, value) in url.query_pairs() {
        params.add(&name, &value)?;
    }
    Ok(params)
}
