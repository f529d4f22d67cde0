//! The changes of several jobs in one place: a socket to each, opened again where it is lost.
//!
//! Whoever stops asking for news holds nobody up: what is not asked for lies with the sockets, and a
//! job has few changes.

use std::rc::Rc;
use std::time::Duration;

use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::future::{Either, LocalBoxFuture, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use thumbnail_core::api::events::{Change, Listener};
use thumbnail_core::keys::JobId;
use worker::{Delay, WebSocket, WebsocketEvent};

use super::{JobClient, Listening, close};

/// How often in a row a job may not be reached before its listener has to begin anew.
const MAX_FAILURES: u32 = 5;

/// The pause after the first failure; it doubles each time, up to half a minute in all.
const PAUSE: Duration = Duration::from_millis(500);

/// What is heard.
pub enum News {
    /// A job has changed.
    Change {
        /// The job's place in the order of asking.
        index: usize,
        /// The revision.
        revision: u64,
        /// The status document.
        text: String,
    },
    /// There is no such job.
    Unknown(JobId),
    /// A job cannot be reached, or takes no more listeners.
    Lost,
}

/// Somebody who follows several jobs. Dropping it hangs up.
pub struct Feeds {
    jobs: Rc<JobClient>,
    following: Vec<JobId>,
    running: FuturesUnordered<LocalBoxFuture<'static, JobId>>,
    sender: UnboundedSender<News>,
    news: UnboundedReceiver<News>,
}

impl Feeds {
    /// Somebody who follows no job yet.
    pub fn new(jobs: Rc<JobClient>) -> Self {
        let (sender, news) = unbounded();
        Self {
            jobs,
            following: Vec::new(),
            running: FuturesUnordered::new(),
            sender,
            news,
        }
    }

    /// The jobs that have not ended.
    pub fn following(&self) -> &[JobId] {
        &self.following
    }

    /// Follows one more job, over a socket that is open already or over a new one.
    pub fn follow(&mut self, id: JobId, index: usize, listener: Listener, open: Option<WebSocket>) {
        self.following.push(id);
        let feed = Feed {
            jobs: self.jobs.clone(),
            id,
            index,
            listener,
            news: self.sender.clone(),
        };
        self.running.push(Box::pin(feed.run(open)));
    }

    /// The next news; `None` when every job has ended.
    pub async fn next(&mut self) -> Option<News> {
        loop {
            match select(self.news.next(), self.running.next()).await {
                Either::Left((news, _)) => return news,
                Either::Right((Some(ended), _)) => self.following.retain(|id| *id != ended),
                Either::Right((None, _)) => return None,
            }
        }
    }
}

/// One job of a [`Feeds`].
struct Feed {
    jobs: Rc<JobClient>,
    id: JobId,
    index: usize,
    listener: Listener,
    news: UnboundedSender<News>,
}

impl Feed {
    async fn run(mut self, mut open: Option<WebSocket>) -> JobId {
        let mut failures = 0;
        while failures <= MAX_FAILURES {
            let answer = match open.take() {
                Some(socket) => Ok(Listening::Socket(socket)),
                None => self.jobs.listen(self.id, &self.listener).await,
            };
            match answer {
                Ok(Listening::Socket(socket)) => match self.hear(Upstream(socket)).await {
                    Hangup::Ended => return self.id,
                    Hangup::Lost { heard: 0 } => {}
                    Hangup::Lost { .. } => failures = 0,
                },
                Ok(Listening::Over) => return self.id,
                Ok(Listening::Unknown) => {
                    self.tell(News::Unknown(self.id));
                    return self.id;
                }
                Ok(Listening::Full) | Err(_) => {}
            }
            Delay::from(PAUSE * 2_u32.pow(failures)).await;
            failures += 1;
        }
        self.tell(News::Lost);
        self.id
    }

    async fn hear(&mut self, socket: Upstream) -> Hangup {
        let mut heard = 0;
        let lost = |heard| Hangup::Lost { heard };
        // Listened to before it is accepted: nothing that it says is missed.
        let Ok(mut events) = socket.0.events() else {
            return lost(heard);
        };
        if socket.0.accept().is_err() {
            return lost(heard);
        }
        while let Some(event) = events.next().await {
            match event {
                Ok(WebsocketEvent::Message(message)) => {
                    heard += 1;
                    self.pass(message.text().unwrap_or_default());
                }
                Ok(WebsocketEvent::Close(end)) if end.code() == 1000 => return Hangup::Ended,
                _ => return lost(heard),
            }
        }
        lost(heard)
    }

    fn pass(&mut self, text: String) {
        // A job says nothing but status documents.
        let Ok(Change { revision }) = serde_json::from_str(&text) else {
            return;
        };
        self.listener.note(revision);
        self.tell(News::Change {
            index: self.index,
            revision,
            text,
        });
    }

    fn tell(&self, news: News) {
        // The receiver is gone only when this is about to be dropped, too.
        let _ = self.news.unbounded_send(news);
    }
}

/// How a socket came to its end.
enum Hangup {
    /// The job has ended.
    Ended,
    /// It broke, after so many messages.
    Lost { heard: u32 },
}

/// A socket that is hung up when nobody listens any more.
struct Upstream(WebSocket);

impl Drop for Upstream {
    fn drop(&mut self) {
        close(&self.0, 1000, "bye");
    }
}
