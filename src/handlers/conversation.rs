//! A WebSocket that follows one job, or several and takes more of them by message.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::StreamExt;
use serde_json::json;
use thumbnail_core::api::Problem;
use thumbnail_core::api::events::{Listener, PING, PONG, parse_ids};
use thumbnail_core::keys::JobId;
use worker::wasm_bindgen_futures::spawn_local;
use worker::{Delay, EventStream, Result, WebSocket, WebSocketPair, WebsocketEvent};

use crate::platform::{Feeds, News, close};

/// The longest message: ids of 1,000 jobs.
const MAX_MESSAGE_BYTES: usize = 40_000;

/// A socket on which nothing at all is said for so long is closed.
const IDLE: Duration = Duration::from_mins(5);

/// Why a socket is closed: RFC 6455, section 7.4.
type End = (u16, &'static str);

/// Begins to tell; returns the client's end. With a `max_jobs` of 0 it only tells. An open-ended one does not close when every job has ended.
pub fn converse(feeds: Feeds, base: &str, max_jobs: usize, open_ended: bool) -> Result<WebSocket> {
    let WebSocketPair { client, server } = WebSocketPair::new()?;
    server.accept()?;
    let conversation = Conversation {
        feeds,
        base: base.to_owned(),
        max_jobs,
        open_ended,
    };
    spawn_local(async move {
        let (code, reason) = conversation.run(&server).await.unwrap_or((1011, "lost"));
        close(&server, code, reason);
    });
    Ok(client)
}

struct Conversation {
    feeds: Feeds,
    base: String,
    max_jobs: usize,
    open_ended: bool,
}

enum Next {
    Event(Option<Result<WebsocketEvent>>),
    News(Option<News>),
}

impl Conversation {
    async fn run(mut self, socket: &WebSocket) -> Result<End> {
        let mut events = socket.events()?;
        loop {
            let quiet = self.open_ended && self.feeds.following().is_empty();
            let end = match self.next(&mut events, quiet).await {
                Next::Event(Some(Ok(WebsocketEvent::Message(message)))) => {
                    self.hear(socket, &message.text().unwrap_or_default())?
                }
                Next::Event(_) => Some((1000, "bye")),
                Next::News(Some(news)) => self.tell(socket, news)?,
                Next::News(None) if quiet => Some((1000, "nothing was said for too long")),
                Next::News(None) if self.open_ended => None,
                Next::News(None) => Some((1000, "every job has ended")),
            };
            if let Some(end) = end {
                return Ok(end);
            }
        }
    }

    /// What comes first: something from the client, or from a job.
    async fn next(&mut self, events: &mut EventStream<'_>, quiet: bool) -> Next {
        let news = pin!(async {
            if quiet {
                Delay::from(IDLE).await;
            }
            self.feeds.next().await
        });
        match select(events.next(), news).await {
            Either::Left((event, _)) => Next::Event(event),
            Either::Right((news, _)) => Next::News(news),
        }
    }

    fn tell(&self, socket: &WebSocket, news: News) -> Result<Option<End>> {
        match news {
            News::Change { text, .. } => socket.send_with_str(text)?,
            News::Unknown(id) => {
                let problem = Problem::no_job();
                self.complain(socket, Some(id), &problem)?;
            }
            News::Lost => return Ok(Some((1013, "a job cannot be reached; connect again"))),
        }
        Ok(None)
    }

    /// A ping, or ids of more jobs.
    fn hear(&mut self, socket: &WebSocket, text: &str) -> Result<Option<End>> {
        if text == PING {
            socket.send_with_str(PONG)?;
            return Ok(None);
        }
        if self.max_jobs == 0 {
            return Ok(Some((1008, "this socket only tells")));
        }
        if text.len() > MAX_MESSAGE_BYTES {
            return Ok(Some((1009, "the message is too long")));
        }
        let room = self.max_jobs.saturating_sub(self.feeds.following().len());
        match parse_ids(text, room) {
            Ok(ids) => ids.into_iter().for_each(|id| self.follow(id)),
            Err(problem) => self.complain(socket, None, &problem)?,
        }
        Ok(None)
    }

    fn follow(&mut self, id: JobId) {
        if !self.feeds.following().contains(&id) {
            self.feeds
                .follow(id, 0, Listener::new(&self.base, None), None);
        }
    }

    fn complain(&self, socket: &WebSocket, id: Option<JobId>, problem: &Problem) -> Result<()> {
        let mut document = json!({ "problem": problem.document(&self.base) });
        if let Some(id) = id {
            document["id"] = json!(id);
        }
        socket.send_with_str(document.to_string())
    }
}
