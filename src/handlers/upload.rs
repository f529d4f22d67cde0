//! Uploads: a form, or the raw bytes of a picture.

use std::pin::pin;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use thumbnail_core::api::document::{StatusDocument, status_url};
use thumbnail_core::api::form::Form;
use thumbnail_core::api::{Problem, ProblemKind, Reply};
use thumbnail_core::job::Record;
use thumbnail_core::keys::{DEFAULT_VARIANT, JobId};
use thumbnail_core::pipeline::{Options, Variant};
use thumbnail_core::ports::{Chunks, Clock};
use thumbnail_core::service::accept::{create_job, store_source, too_large};
use thumbnail_core::service::serve::POLL_SECS;
use worker::Request;

use super::{Call, WorkerClock, header};
use crate::app::App;
use crate::platform::{R2Body, RequestChunks, pump};

/// What a form may have around its files: part headers, boundaries, small fields.
const FORM_OVERHEAD_BYTES: u64 = 64 << 10;

/// `POST /thumbnails`
pub async fn upload(call: Call) -> Result<Reply<R2Body>, Problem> {
    let Call {
        request,
        app,
        base,
        context,
        ..
    } = call;
    let (sender, receiver) = oneshot::channel();
    // A client that hangs up must not stop the chain halfway: it runs to its end by itself.
    context.wait_until(async move {
        let _ = sender.send(accept(request, &app).await);
    });
    let record = receiver
        .await
        .map_err(|_| Problem::new(ProblemKind::Internal, "the upload was not handled"))??;
    Ok(Reply::json(202, &StatusDocument::new(&record, &base))
        .with("location", status_url(&record, &base))
        .with("retry-after", POLL_SECS.to_string()))
}

async fn accept(mut request: Request, app: &App) -> Result<Record, Problem> {
    check_length(&request, app.config.max_upload_bytes)?;
    let content_type = header(&request, "content-type").unwrap_or_default();
    let media_type = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let body = request
        .stream()
        .map_err(|_| Problem::new(ProblemKind::EmptyUpload, "the request has no body"))?;
    let mut body = RequestChunks::new(body);
    match media_type.as_str() {
        "multipart/form-data" => accept_form(&content_type, body, app).await,
        "application/octet-stream" => accept_file(None, &mut body, app).await,
        other if other.starts_with("image/") => accept_file(None, &mut body, app).await,
        other => Err(Problem::new(
            ProblemKind::UnsupportedMediaType,
            format!("the content type is {other:?}; send multipart/form-data or image/*"),
        )),
    }
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
        accept_file(filename.as_deref(), &mut file, app).await
    });
    match select(parse, pin!(fill)).await {
        Either::Left((accepted, _)) => accepted,
        Either::Right(((), parse)) => parse.await,
    }
}

async fn accept_file(
    filename: Option<&str>,
    chunks: &mut impl Chunks,
    app: &App,
) -> Result<Record, Problem> {
    let id = JobId::new(WorkerClock.now(), random()?);
    let variants = vec![Variant {
        name: DEFAULT_VARIANT.into(),
        options: Options::default(),
    }];
    let limits = &app.config.limits;
    let source = store_source(&app.objects, id, filename, chunks, &variants, limits).await?;
    create_job(&app.jobs, id, source, variants).await
}

fn random() -> Result<[u8; 10], Problem> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).map_err(|e| Problem::new(ProblemKind::Internal, e.to_string()))?;
    Ok(bytes)
}
