//! HTTP: one match from route to handler. Handlers parse, call one service function and reply.

mod accepted;
mod asset;
mod change;
mod conversation;
mod events;
mod extend;
mod gate;
mod list;
mod page;
mod problem_page;
mod ready;
mod respond;
mod thumbnail;
mod upload;

use serde_json::json;
use thumbnail_core::Config;
use thumbnail_core::api::form::FORM_OVERHEAD_BYTES;
use thumbnail_core::api::tagged::tagged;
use thumbnail_core::api::trace::{request_id, server_timing};
use thumbnail_core::api::{Body, Method, Problem, ProblemKind, Reply, Route, cors, prefer};
use thumbnail_core::service::drain::drain;
use thumbnail_core::service::serve::Reader;
use worker::{Context, Env, Request, Response, Result};

use crate::app::{self, App};
use crate::platform::random::request_bytes;
use crate::platform::{
    JobClient, KvStatus, Payload, R2Body, R2Store, RequestBody, WorkerClock, memory_high_water,
};
use crate::telemetry;

/// A request on its way through a handler.
struct Call {
    request: Request,
    /// Its body, where it has one.
    body: Option<RequestBody>,
    app: App,
    env: Env,
    status: KvStatus,
    /// What the service's URLs begin with: `PUBLIC_ORIGIN`, or else the origin that the request was sent to.
    base: String,
    context: Context,
}

impl Call {
    fn new(
        request: Request,
        body: Option<RequestBody>,
        env: Env,
        own: &str,
        context: Context,
    ) -> Result<Self> {
        let app = App::from_env(&env)?;
        let base = app
            .config
            .public_origin
            .as_deref()
            .unwrap_or(own)
            .to_owned();
        let status = app::status(&env, app.timings.clone())?;
        Ok(Self {
            request,
            body,
            app,
            env,
            status,
            base,
            context,
        })
    }

    /// How many seconds the client wants to wait, if it does, and may.
    fn wait_secs(&self) -> Option<u32> {
        let asked = prefer::wait_secs(&header(&self.request, "prefer")?)?;
        let granted = asked.min(self.app.config.max_wait_secs);
        (granted > 0).then_some(granted)
    }

    fn reader(&self) -> Reader<'_, R2Store, KvStatus, JobClient, WorkerClock> {
        Reader {
            objects: &self.app.objects,
            status: &self.status,
            ledger: &self.app.jobs,
            clock: &WorkerClock,
            base: &self.base,
            cache_secs: self.app.config.cache_secs,
        }
    }
}

/// Answers a request. Faults become problem documents.
pub async fn handle(request: Request, env: Env, context: Context) -> Result<Response> {
    let url = request.url()?;
    let method = method(&request);
    let route = Route::parse(method, url.path());
    if let Ok(Route::Asset) = route
        && let Some(response) = asset::asset(&request, &env).await?
    {
        return Ok(response);
    }
    let id = request_id(header(&request, "x-request-id").as_deref(), request_bytes());
    let body = RequestBody::of(&request)?;
    let own = url.origin().ascii_serialization();
    let (reply, max_bytes) = match Call::new(request, body.clone(), env, &own, context) {
        Ok(call) => {
            let max_bytes = call.app.config.max_request_bytes;
            (answer(route, call).await, max_bytes)
        }
        Err(error) => (misconfigured(&error).reply(&own), Config::MAX_REQUEST_BYTES),
    };
    if let Some(mut body) = body {
        drain(&mut body, &WorkerClock, max_bytes + FORM_OVERHEAD_BYTES).await;
    }
    log(&id, url.path(), reply.status);
    let reply = match method {
        Method::Head => reply.without_body(),
        _ => reply,
    };
    respond::respond(reply.with("x-request-id", id))
}

/// The reply of a route, or that of its problem, with the headers that all have.
async fn answer(route: std::result::Result<Route, Problem>, call: Call) -> Reply<Payload> {
    let base = call.base.clone();
    let origin = header(&call.request, "origin");
    let (cors, timings) = (call.app.config.cors.clone(), call.app.timings.clone());
    let reply = match route {
        Ok(route) => dispatch(route, call).await,
        Err(problem) => Err(problem),
    };
    let reply = reply.unwrap_or_else(|problem| problem.reply(&base));
    let reply = match server_timing(&timings.all()) {
        Some(times) => reply.with("server-timing", times),
        None => reply,
    };
    cors.apply(reply, origin.as_deref())
}

fn log(id: &str, path: &str, status: u16) {
    let memory_bytes = memory_high_water();
    let fields = json!({ "id": id, "path": path, "status": status, "memory_bytes": memory_bytes });
    telemetry::log("request", &fields);
}

async fn dispatch(route: Route, call: Call) -> std::result::Result<Reply<Payload>, Problem> {
    let reply = match route {
        // What is live has a body of its own kind; all else is text, or an object out of R2.
        Route::Events(id) => return events::of_job(call, id).await,
        Route::EventsOfJobs => return events::of_jobs(call).await,
        Route::Upload => upload::upload(call).await,
        Route::List => list::list(&call).await,
        Route::Thumbnail(file) => thumbnail::thumbnail(&call, &file).await,
        Route::Negotiated(id, name) => thumbnail::negotiated(&call, id, Some(&name)).await,
        Route::Status(id) => thumbnail::status(&call, id).await,
        Route::Extend(id) => extend::extend(call, id).await,
        Route::Delete(id) => change::delete(&call, id).await,
        Route::Retry(id) => change::retry(&call, id).await,
        Route::RetryWebhook(id) => change::retry_webhook(&call, id).await,
        Route::OldThumbnail(name) => Ok(moved(&call, &format!("/thumbnails/{name}"))),
        Route::ProblemPage(kind) => Ok(problem_page::page(kind)),
        Route::Page(part) => tagged(page::page(part), &thumbnail::request(&call)),
        Route::Moved(path) => Ok(moved(&call, &path)),
        // One that exists was handed on as it is, before anything else was looked at.
        Route::Asset => Err(Problem::new(ProblemKind::NotFound, "there is no such file")),
        Route::Health => Ok(Reply::json(200, &json!({ "status": "ok" }))),
        Route::Ready => ready::ready(&call).await,
        Route::Options(allow) => Ok(options(&call, allow)),
    }?;
    Ok(reply.map(Payload::Object))
}

/// The same resource at the path that is its own; what was asked of it stays.
fn moved(call: &Call, path: &str) -> Reply<R2Body> {
    let url = call.request.url().ok();
    let query = url.as_ref().and_then(|url| url.query());
    let location = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    Reply::new(308, Body::Empty).with("location", location)
}

/// `OPTIONS` of any URL; a preflight is one that names the method to come.
fn options(call: &Call, allow: &'static str) -> Reply<R2Body> {
    let reply = Reply::new(204, Body::Empty).with("allow", allow);
    match header(&call.request, "access-control-request-method") {
        Some(_) => cors::preflight(reply, allow),
        None => reply,
    }
}

/// What the request asks for, as it was sent: `Request::method` takes every method that it does not know for GET.
fn method(request: &Request) -> Method {
    match request.inner().method().as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        _ => Method::Other,
    }
}

fn misconfigured(error: &worker::Error) -> Problem {
    telemetry::alert("misconfigured", &json!({ "error": error.to_string() }));
    Problem::new(
        ProblemKind::Internal,
        "the service is not set up correctly; its log says more",
    )
}

/// A header's value, where it is there and readable.
fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name).ok().flatten()
}
