//! Both queues: at least once, in any order, late at times; given up after some deliveries.

use super::World;
use super::fault::Kind;
use crate::job::{Message, Outcome, WebhookMessage};
use crate::ports::{JobQueue, StoreError, WebhookQueue};
use crate::timestamp::Timestamp;

/// Which of the two queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Resize,
    Webhooks,
}

impl Line {
    /// As in wrangler.origin.toml.
    const fn max_retries(self) -> u32 {
        match self {
            Self::Resize => 100,
            Self::Webhooks => 10,
        }
    }
}

/// The longest that a message waits in the queue by chance, in seconds.
const MAX_DELAY_SECS: u64 = 3_600;

/// As in wrangler.origin.toml: the pause after a consumer that died.
const RETRY_SECS: u64 = 10;

/// A message on its way.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub line: Line,
    pub text: String,
    pub at: Timestamp,
    pub deliveries: u32,
    pub dead: bool,
}

/// A delivered message. If it is dropped without an outcome, it comes again.
pub(super) struct Delivery {
    world: World,
    waiting: Option<Waiting>,
}

impl Delivery {
    /// The body, where it has not been settled.
    pub fn body(&self) -> String {
        let waiting = self.waiting.as_ref();
        waiting.map_or_else(Default::default, |w| w.text.clone())
    }

    /// Which queue it comes from, and whether from its dead-letter queue.
    pub fn line(&self) -> Option<(Line, bool)> {
        let waiting = self.waiting.as_ref();
        waiting.map(|w| (w.line, w.dead))
    }

    /// Acknowledges it, or asks for it again.
    pub fn settle(mut self, outcome: &Outcome) {
        let waiting = self.waiting.take();
        if let (Outcome::Retry { after_secs }, Some(waiting)) = (outcome, waiting) {
            self.world.again(waiting, u64::from(*after_secs));
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            self.world.again(waiting, RETRY_SECS);
        }
    }
}

impl World {
    /// Takes the next message out of the resize queue.
    pub fn next_message(&self) -> Option<String> {
        self.take(Line::Resize)
    }

    /// Takes the next message out of the webhook queue.
    pub fn next_webhook_message(&self) -> Option<String> {
        self.take(Line::Webhooks)
    }

    fn take(&self, line: Line) -> Option<String> {
        let mut messages = self.inner.messages.borrow_mut();
        let at = messages.iter().position(|waiting| waiting.line == line)?;
        Some(messages.remove(at).text)
    }

    /// Loses every message, as a local queue does at a restart.
    pub fn lose_messages(&self) {
        self.inner.messages.borrow_mut().clear();
    }

    fn waiting_jobs(&self) -> u64 {
        let messages = self.inner.messages.borrow();
        let resize = messages.iter().filter(|w| w.line == Line::Resize);
        resize.count() as u64
    }

    fn again(&self, mut waiting: Waiting, after_secs: u64) {
        waiting.deliveries += 1;
        waiting.at = self.inner.now.get().plus_secs(after_secs);
        // By chance it is given up before that.
        let wild = !self.inner.calm.get();
        let unlucky = wild && self.inner.random.borrow_mut().once_in(24);
        if waiting.deliveries > waiting.line.max_retries() || unlucky {
            if waiting.dead {
                return;
            }
            waiting = Waiting {
                dead: true,
                deliveries: 0,
                ..waiting
            };
        }
        self.inner.messages.borrow_mut().push(waiting);
    }

    /// When the next message can be delivered.
    pub(super) fn next_delivery(&self) -> Option<Timestamp> {
        let messages = self.inner.messages.borrow();
        messages.iter().map(|waiting| waiting.at).min()
    }

    /// One of the messages that can be delivered now; seldom a duplicate of it.
    pub(super) fn deliver(&self) -> Option<Delivery> {
        let now = self.inner.now.get();
        let mut messages = self.inner.messages.borrow_mut();
        let mut random = self.inner.random.borrow_mut();
        let due: Vec<usize> = (0..messages.len())
            .filter(|i| messages[*i].at <= now)
            .collect();
        let at = *due.get(random.index(due.len()))?;
        let waiting = if !self.inner.calm.get() && random.once_in(8) {
            messages[at].clone()
        } else {
            messages.remove(at)
        };
        Some(Delivery {
            world: self.clone(),
            waiting: Some(waiting),
        })
    }

    pub(super) fn enqueue(&self, line: Line, text: String) {
        if line == Line::Resize {
            self.count_message(&text);
        }
        if self.inner.losing.get() {
            return;
        }
        let late = !self.inner.calm.get() && self.inner.random.borrow_mut().once_in(6);
        let delay_secs = if late {
            self.inner.random.borrow_mut().below(MAX_DELAY_SECS)
        } else {
            0
        };
        let waiting = Waiting {
            line,
            text,
            at: self.inner.now.get().plus_secs(delay_secs),
            deliveries: 0,
            dead: false,
        };
        self.inner.messages.borrow_mut().push(waiting);
    }
}

impl JobQueue for World {
    async fn send(&self, message: &Message) -> Result<(), StoreError> {
        let (world, text) = (self.clone(), message.encode());
        let send = move || world.enqueue(Line::Resize, text);
        self.change("queue.send", Kind::Send, send).await
    }

    async fn backlog(&self) -> Result<Option<u64>, StoreError> {
        let waiting = self.waiting_jobs();
        let count = || Some(self.inner.backlog.get().unwrap_or(waiting));
        self.ask("queue.backlog", count).await
    }
}

impl WebhookQueue for World {
    async fn send(&self, message: &WebhookMessage) -> Result<(), StoreError> {
        let (world, text) = (self.clone(), message.encode());
        let send = move || world.enqueue(Line::Webhooks, text);
        self.change("webhooks.send", Kind::Send, send).await
    }
}
