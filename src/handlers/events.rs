//! Live status, over a WebSocket or as Server-Sent Events.
//!
//! What a client hears is put together here from one socket to each job, whose object may sleep
//! meanwhile. Also of a single job: of a socket that an object closes by itself, the platform ends the
//! connection only when it evicts the object, 10 s after both close frames, and RFC 6455, section
//! 7.1.1, wants it ended at once.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, join_all, select};
use futures_util::stream::{LocalBoxStream, once, unfold};
use thumbnail_core::api::events::{
    Channel, HEARTBEAT, Listener, Progress, invalid_ids, parse_ids, stream_event, stream_start,
};
use thumbnail_core::api::problem::FieldError;
use thumbnail_core::api::{Body, Problem, ProblemKind, Reply};
use thumbnail_core::keys::JobId;
use worker::{Delay, WebSocket};

use super::conversation::converse;
use super::{Call, header, misconfigured};
use crate::platform::{Disconnect, Feeds, Listening, News, Payload};

/// Seconds after which a job that has too many listeners may be tried again.
const FULL_RETRY_SECS: u32 = 10;

/// How many jobs a client may name on the socket of a single one.
const NO_MORE_JOBS: usize = 0;

/// `GET /thumbnails/{id}/events`
pub async fn of_job(call: Call, id: JobId) -> Result<Reply<Payload>, Problem> {
    match channel(&call)? {
        Channel::WebSocket => {
            let progress = progress(&call, vec![id])?;
            let feeds = feeds(&call, &progress, connect(&call, &progress).await?);
            let client = converse(feeds, &call.base, NO_MORE_JOBS, false);
            Ok(upgrade(client.map_err(|e| misconfigured(&e))?))
        }
        Channel::EventStream => stream(&call, vec![id]).await,
    }
}

/// `GET /events?ids=…`
pub async fn of_jobs(call: Call) -> Result<Reply<Payload>, Problem> {
    let max_jobs = call.app.config.listening.max_jobs as usize;
    let ids = parse_ids(&query(&call, "ids")?.unwrap_or_default(), max_jobs)?;
    match channel(&call)? {
        Channel::EventStream if ids.is_empty() => Err(invalid_ids("ids names no job")),
        Channel::EventStream => stream(&call, ids).await,
        Channel::WebSocket => {
            let open_ended = ids.is_empty();
            let progress = progress(&call, ids)?;
            let feeds = feeds(&call, &progress, connect(&call, &progress).await?);
            let client = converse(feeds, &call.base, max_jobs, open_ended);
            Ok(upgrade(client.map_err(|e| misconfigured(&e))?))
        }
    }
}

fn channel(call: &Call) -> Result<Channel, Problem> {
    let upgrade = header(&call.request, "upgrade");
    let accept = header(&call.request, "accept");
    Channel::parse(upgrade.as_deref(), accept.as_deref())
}

fn progress(call: &Call, ids: Vec<JobId>) -> Result<Progress, Problem> {
    // A browser's WebSocket cannot send headers.
    let seen = match header(&call.request, "last-event-id") {
        Some(seen) => Some(seen),
        None => query(call, "last_event_id")?,
    };
    Ok(Progress::new(ids, seen.as_deref()))
}

fn query(call: &Call, name: &str) -> Result<Option<String>, Problem> {
    let url = call.request.url().map_err(|e| misconfigured(&e))?;
    let value = url.query_pairs().find(|(n, _)| n == name);
    Ok(value.map(|(_, value)| value.into_owned()))
}

/// Listens to every job, or says why that cannot be.
async fn connect(call: &Call, progress: &Progress) -> Result<Vec<(Listener, Listening)>, Problem> {
    let asked = progress.jobs().iter().map(|(id, seen)| async {
        let listener = Listener::new(&call.base, *seen);
        let answer = call.app.jobs.listen(*id, &listener).await;
        answer.map(|answer| (listener, answer))
    });
    let answers = join_all(asked)
        .await
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let jobs = progress.jobs().iter().zip(&answers);
    let unknown: Vec<JobId> = jobs
        .filter(|(_, (_, answer))| matches!(answer, Listening::Unknown))
        .map(|((id, _), _)| *id)
        .collect();
    if !unknown.is_empty() {
        return Err(unknown_jobs(&unknown));
    }
    let is_full = |(_, answer): &(_, Listening)| matches!(answer, Listening::Full);
    if answers.iter().any(is_full) {
        return Err(too_many_listeners(call.app.config.listening.max_listeners));
    }
    Ok(answers)
}

fn too_many_listeners(max: u32) -> Problem {
    let detail = format!("a job has {max} listeners already, which is the most");
    Problem {
        retry_after_secs: Some(FULL_RETRY_SECS),
        ..Problem::new(ProblemKind::Unavailable, detail)
    }
}

fn unknown_jobs(ids: &[JobId]) -> Problem {
    let detail = |id: &JobId| format!("there is no job {id}");
    Problem {
        errors: ids
            .iter()
            .map(|id| FieldError::new("ids", detail(id)))
            .collect(),
        ..Problem::no_job()
    }
}

fn feeds(call: &Call, progress: &Progress, answers: Vec<(Listener, Listening)>) -> Feeds {
    let mut feeds = Feeds::new(Rc::new(call.app.jobs.clone()));
    let jobs = progress.jobs().iter().zip(answers).enumerate();
    for (index, ((id, _), (listener, answer))) in jobs {
        if let Listening::Socket(socket) = answer {
            feeds.follow(*id, index, listener, Some(socket));
        }
    }
    feeds
}

fn upgrade(socket: WebSocket) -> Reply<Payload> {
    Reply::new(101, Body::Object(Payload::Socket(socket)))
}

async fn stream(call: &Call, ids: Vec<JobId>) -> Result<Reply<Payload>, Problem> {
    let progress = progress(call, ids)?;
    let answers = connect(call, &progress).await?;
    if answers
        .iter()
        .all(|(_, answer)| matches!(answer, Listening::Over))
    {
        // It is what tells an EventSource not to come back.
        return Ok(Reply::new(204, Body::Empty).with("cache-control", "no-store"));
    }
    let feeds = feeds(call, &progress, answers);
    let heartbeat = Duration::from_secs(call.app.config.listening.heartbeat_secs.into());
    let gone = Disconnect::of(&call.request);
    let stream = events(feeds, progress, gone, heartbeat);
    Ok(Reply::new(200, Body::Object(Payload::Stream(stream)))
        .with("content-type", "text/event-stream")
        .with("cache-control", "no-store")
        // Some proxies hold back what is small.
        .with("x-accel-buffering", "no"))
}

fn events(
    feeds: Feeds,
    progress: Progress,
    gone: Disconnect,
    heartbeat: Duration,
) -> LocalBoxStream<'static, worker::Result<Vec<u8>>> {
    let start = once(async { Ok(stream_start().into_bytes()) });
    let rest = unfold((feeds, progress, gone), move |state| async move {
        let (mut feeds, mut progress, mut gone) = state;
        let text = match first(feeds.next(), gone.happens(), heartbeat).await {
            First::News(Some(News::Change {
                index,
                revision,
                text,
            })) => {
                progress.note(index, revision);
                stream_event(&progress.event_id(), &text)
            }
            // What was lost is told when the client connects anew.
            First::News(_) | First::Gone => return None,
            First::Silence => HEARTBEAT.to_owned(),
        };
        Some((Ok(text.into_bytes()), (feeds, progress, gone)))
    });
    start.chain(rest).boxed_local()
}

/// What happens first to a stream.
enum First {
    News(Option<News>),
    Gone,
    Silence,
}

async fn first(
    news: impl Future<Output = Option<News>>,
    gone: impl Future<Output = ()>,
    heartbeat: Duration,
) -> First {
    let news = pin!(news);
    let gone = pin!(gone);
    let silence = pin!(Delay::from(heartbeat));
    let over = select(gone, silence);
    match select(news, over).await {
        Either::Left((news, _)) => First::News(news),
        Either::Right((Either::Left(_), _)) => First::Gone,
        Either::Right((Either::Right(_), _)) => First::Silence,
    }
}
