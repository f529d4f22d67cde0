//! Uploads: a form, the raw bytes of a picture, or JSON that says where it is.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use thumbnail_core::Config;
use thumbnail_core::api::content_encoding;
use thumbnail_core::api::media_type::media_type;
use thumbnail_core::api::{Params, Problem, ProblemKind, Reply, idempotency_key, json};
use thumbnail_core::idempotency::key_name;
use thumbnail_core::job::record::ANONYMOUS;
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::{Chunks, Clock, JobQueue};
use thumbnail_core::service::admission::Admission;
use thumbnail_core::service::budget::Budget;
use thumbnail_core::service::fetch::SourceBody;
use thumbnail_core::service::idempotent_upload::{IdempotentUpload, Outcome};
use thumbnail_core::service::overload::Gate;
use thumbnail_core::service::upload::{UploadRequest, Uploader};
use worker::{Env, Request};

use super::accepted::{accepted, polled};
use super::{Call, WorkerClock, header, misconfigured};
use crate::app::{self, App};
use crate::platform::{HttpSources, R2Body, R2Store, RequestBody};

/// What is fetched is a picture, or it is refused for what its bytes say.
const FETCHED_TYPE: &str = "application/octet-stream";

thread_local! {
    /// What this instance knows of the queue's load: a hint that outlives a request.
    static GATE: Cell<Gate> = const { Cell::new(Gate::CLEAR) };

    /// What all uploads to this instance hold; its size is the first one's, as a configuration
    /// outlives an instance.
    static BUDGET: RefCell<Option<Rc<RefCell<Budget>>>> = const { RefCell::new(None) };
}

/// `POST /thumbnails`
pub async fn upload(call: Call) -> Result<Reply<R2Body>, Problem> {
    let (wait_secs, jobs, keys) = (
        call.wait_secs(),
        call.app.jobs.clone(),
        app::keys(&call.env),
    );
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
    admit(&app, &env).await?;
    let (sender, receiver) = oneshot::channel();
    // A client that hangs up must not stop the chain halfway: it runs to its end by itself.
    let origin = base.clone();
    context.wait_until(async move {
        let _ = sender.send(accept(&request, body, &app, &env, &origin).await);
    });
    let unhandled = |_| Problem::new(ProblemKind::Internal, "the upload was not handled");
    Ok(match receiver.await.map_err(unhandled)?? {
        Outcome::Taken { files, kept, .. } => {
            let reply = accepted(files, wait_secs, &jobs, &base).await;
            if let Some(kept) = kept {
                kept.settle(&keys.map_err(|e| misconfigured(&e))?, &reply)
                    .await;
            }
            reply
        }
        Outcome::Replayed(answer) => polled(answer.reply(&base)),
    })
}

/// Refuses while the queue cannot keep up, before anything of the upload is read.
pub(super) async fn admit(app: &App, env: &Env) -> Result<(), Problem> {
    let mut gate = GATE.get();
    let due = gate.is_due(WorkerClock.now());
    GATE.set(gate);
    if due {
        let queue = app::queue(env).map_err(|e| misconfigured(&e))?;
        let backlog = queue.backlog().await.ok().flatten();
        gate = GATE.get();
        gate.note(backlog);
        GATE.set(gate);
    }
    gate.admit(WorkerClock.now(), app.config.max_backlog)
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
        new_id,
        base,
        admission: Admission::new(&budget, &WorkerClock),
    };
    let key = header(request, "idempotency-key");
    let upload = incoming(request, body)?;
    let outcome =
        if app.config.sources.enabled && media_type(&upload.content_type) == "application/json" {
            let sources = HttpSources {
                timeout: Duration::from_secs(app.config.sources.timeout_secs.into()),
            };
            let upload = fetched(upload, &sources, app, base).await?;
            Box::pin(take(&uploader, upload, key, app, env)).await?
        } else {
            Box::pin(take(&uploader, upload, key, app, env)).await?
        };
    if let Outcome::Taken {
        overloaded: true, ..
    } = outcome
    {
        close_gate();
    }
    Ok(outcome)
}

/// An upload whose picture is at the address that its JSON names.
async fn fetched<'a>(
    upload: UploadRequest<RequestBody>,
    sources: &'a HttpSources,
    app: &'a App,
    base: &'a str,
) -> Result<UploadRequest<SourceBody<'a, HttpSources>>, Problem> {
    let mut params = upload.params;
    let url = json::source_url(upload.body, &mut params).await?;
    let body = SourceBody::new(sources, &app.config.sources.policy, &url, base)?;
    Ok(UploadRequest {
        content_type: FETCHED_TYPE.into(),
        length: None,
        params,
        source_url: Some(url),
        body,
    })
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
                token: new_id()?.to_string(),
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

pub(super) fn close_gate() {
    let mut gate = GATE.get();
    gate.close(WorkerClock.now());
    GATE.set(gate);
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

fn new_id() -> Result<JobId, Problem> {
    Ok(JobId::new(WorkerClock.now(), random()?))
}

fn random() -> Result<[u8; 10], Problem> {
    let mut bytes = [0; 10];
    let failed = |e: getrandom::Error| Problem::new(ProblemKind::Internal, e.to_string());
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
