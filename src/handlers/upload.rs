//! Uploads: a form, or the raw bytes of a picture.

use std::cell::Cell;
use std::pin::pin;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use thumbnail_core::Timestamp;
use thumbnail_core::api::document::{StatusDocument, status_url};
use thumbnail_core::api::form::Form;
use thumbnail_core::api::{Problem, ProblemKind, Reply};
use thumbnail_core::job::record::ANONYMOUS;
use thumbnail_core::job::{NewJob, Record};
use thumbnail_core::keys::{DEFAULT_VARIANT, JobId};
use thumbnail_core::pipeline::{Options, Variant};
use thumbnail_core::ports::{Chunks, Clock};
use thumbnail_core::service::accept::{create_job, store_source, too_large};
use thumbnail_core::service::overload::Gate;
use thumbnail_core::service::serve::POLL_SECS;
use worker::{Env, Request};

use super::{Call, WorkerClock, header, misconfigured};
use crate::app::{self, App};
use crate::platform::{R2Body, RequestChunks, pump};

/// The shortest life that an upload may ask for: a queue's delay and a poll fit in.
const MIN_EXPIRES_SECS: u64 = 60;

/// What a form may have around its files: part headers, boundaries, small fields.
const FORM_OVERHEAD_BYTES: u64 = 64 << 10;

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
    check_length(&request, app.config.max_upload_bytes)?;
    let content_type = header(&request, "content-type").unwrap_or_default();
    let expires_at = expiry(&request, app)?;
    let nothing = |_| Problem::new(ProblemKind::EmptyUpload, "the request has no body");
    let mut body = RequestChunks::new(request.stream().map_err(nothing)?);
    match media_type(&content_type).as_str() {
        "multipart/form-data" => accept_form(&content_type, body, expires_at, app).await,
        other if other == "application/octet-stream" || other.starts_with("image/") => {
            accept_file(None, &mut body, expires_at, app).await
        }
        other => {
            let detail =
                format!("the content type is {other:?}; send multipart/form-data or image/*");
            Err(Problem::new(ProblemKind::UnsupportedMediaType, detail))
        }
    }
}

fn media_type(content_type: &str) -> String {
    content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// When the job is deleted: `expires_in` seconds from now, or the service's default.
fn expiry(request: &Request, app: &App) -> Result<Timestamp, Problem> {
    let url = request.url().map_err(|e| misconfigured(&e))?;
    let asked = url
        .query_pairs()
        .find(|(name, _)| name == "expires_in")
        .map(|(_, value)| value);
    let max_secs = app.config.max_expires_secs;
    let secs = match asked.as_deref().map(str::parse::<u64>) {
        None => app.config.default_expires_secs,
        Some(Ok(secs)) if (MIN_EXPIRES_SECS..=max_secs).contains(&secs) => secs,
        Some(_) => {
            let detail = format!("expires_in must be {MIN_EXPIRES_SECS} to {max_secs} seconds");
            return Err(Problem::new(ProblemKind::InvalidOption, detail));
        }
    };
    Ok(WorkerClock.now().plus_secs(secs))
}

/// Refuses by the declared length, before anything is read.
fn check_length(request: &Request, max_bytes: u64) -> Result<(), Problem> {
    let declared = header(request, "content-length").and_then(|value| value.parse::<u64>().ok());
    match declared {
        Some(bytes) if bytes > max_bytes + FORM_OVERHEAD_BYTES => Err(too_large(max_bytes)),
        _ => Ok(()),
    }
}

async fn accept_form(
    content_type: &str,
    body: RequestChunks,
    expires_at: Timestamp,
    app: &App,
) -> Result<Record, Problem> {
    let (stream, fill) = pump(body);
    let parse = pin!(async {
        let mut form = Form::new(content_type, stream)?;
        let Some(mut file) = form.next_file().await? else {
            return Err(Problem::new(
                ProblemKind::MissingFile,
                "the form has no file",
            ));
        };
        let filename = file.filename().map(str::to_owned);
        accept_file(filename.as_deref(), &mut file, expires_at, app).await
    });
    match select(parse, pin!(fill)).await {
        Either::Left((accepted, _)) => accepted,
        Either::Right(((), parse)) => parse.await,
    }
}

async fn accept_file(
    filename: Option<&str>,
    chunks: &mut impl Chunks,
    expires_at: Timestamp,
    app: &App,
) -> Result<Record, Problem> {
    let id = JobId::new(WorkerClock.now(), random()?);
    let variants = vec![Variant {
        name: DEFAULT_VARIANT.into(),
        options: Options::default(),
    }];
    let limits = &app.config.limits;
    let source = store_source(&app.objects, id, filename, chunks, &variants, limits).await?;
    let owner = ANONYMOUS.into();
    let new = NewJob {
        id,
        owner,
        source,
        variants,
        expires_at: Some(expires_at),
    };
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
