//! Uploads: a form, or the raw bytes of a picture.

use std::cell::Cell;
use std::pin::pin;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use thumbnail_core::api::document::{StatusDocument, status_url};
use thumbnail_core::api::form::{FORM_OVERHEAD_BYTES, Form};
use thumbnail_core::api::{Params, Problem, ProblemKind, Reply};
use thumbnail_core::job::{NewJob, Record};
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::Clock;
use thumbnail_core::service::accept::{create_job, too_large};
use thumbnail_core::service::overload::Gate;
use thumbnail_core::service::serve::POLL_SECS;
use thumbnail_core::service::upload::Uploader;
use worker::{Env, Request};

use super::{Call, WorkerClock, header, misconfigured};
use crate::app::{self, App};
use crate::platform::{R2Body, RequestChunks, pump};

thread_local! {
    /// What this instance knows of the queue's load: a hint that outlives a request.
    static GATE: Cell<Gate> = const { Cell::new(Gate::CLEAR) };
}

/// `POST /thumbnails`
pub async fn upload(call: Call) -> Result<Reply<R2Body>, Problem> {
    let Call {
        request,
        app,
        env,
        base,
        context,
        ..
    } = call;
    admit(&app, &env).await?;
    let (sender, receiver) = oneshot::channel();
    // A client that hangs up must not stop the chain halfway: it runs to its end by itself.
    context.wait_until(async move {
        let _ = sender.send(accept(request, &app).await);
    });
    let unhandled = |_| Problem::new(ProblemKind::Internal, "the upload was not handled");
    let record = receiver.await.map_err(unhandled)??;
    Ok(Reply::json(202, &StatusDocument::new(&record, &base))
        .with("location", status_url(&record, &base))
        .with("retry-after", POLL_SECS.to_string()))
}

/// Refuses while the queue cannot keep up, before anything of the upload is read.
async fn admit(app: &App, env: &Env) -> Result<(), Problem> {
    let queue = app::queue(env).map_err(|e| misconfigured(&e))?;
    let gate = GATE.get().refreshed(&queue, &WorkerClock).await;
    GATE.set(gate);
    gate.admit(WorkerClock.now(), app.config.max_backlog)
}

async fn accept(mut request: Request, app: &App) -> Result<Record, Problem> {
    let max_bytes = app.config.max_upload_bytes;
    check_length(&request, max_bytes)?;
    let content_type = header(&request, "content-type").unwrap_or_default();
    let params = query(&request)?;
    let nothing = |_| Problem::new(ProblemKind::EmptyUpload, "the request has no body");
    let mut body = RequestChunks::new(request.stream().map_err(nothing)?);
    let now = WorkerClock.now();
    let uploader = Uploader {
        objects: &app.objects,
        config: &app.config,
        id: JobId::new(now, random()?),
        now,
    };
    let new = match media_type(&content_type).as_str() {
        "multipart/form-data" => {
            let (stream, fill) = pump(body);
            let form = Form::new(&content_type, stream, max_bytes)?;
            let parse = pin!(uploader.form(form, params));
            match select(parse, pin!(fill)).await {
                Either::Left((accepted, _)) => accepted,
                Either::Right(((), parse)) => parse.await,
            }
        }
        other if other == "application/octet-stream" || other.starts_with("image/") => {
            uploader.picture(&mut body, &params).await
        }
        other => {
            let detail =
                format!("the content type is {other:?}; send multipart/form-data or image/*");
            Err(Problem::new(ProblemKind::UnsupportedMediaType, detail))
        }
    };
    begin(new?, app).await
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

fn media_type(content_type: &str) -> String {
    content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// Refuses by the declared length, before anything is read.
fn check_length(request: &Request, max_bytes: u64) -> Result<(), Problem> {
    let declared = header(request, "content-length").and_then(|value| value.parse::<u64>().ok());
    match declared {
        Some(bytes) if bytes > max_bytes + FORM_OVERHEAD_BYTES => Err(too_large(max_bytes)),
        _ => Ok(()),
    }
}

async fn begin(new: NewJob, app: &App) -> Result<Record, Problem> {
    let (record, overloaded) = create_job(&app.jobs, new).await?;
    if overloaded {
        let mut gate = GATE.get();
        gate.close(WorkerClock.now());
        GATE.set(gate);
    }
    Ok(record)
}

fn random() -> Result<[u8; 10], Problem> {
    let mut bytes = [0; 10];
    let failed = |e: getrandom::Error| Problem::new(ProblemKind::Internal, e.to_string());
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
