//! A queue: at least once, in any order, late at times; given up after some deliveries.

use super::World;
use super::fault::Kind;
use crate::job::{Message, Outcome};
use crate::ports::{JobQueue, StoreError};
use crate::timestamp::Timestamp;

/// As in wrangler.origin.toml.
const MAX_RETRIES: u32 = 100;

/// The longest that a message waits in the queue by chance, in seconds.
const MAX_DELAY_SECS: u64 = 3_600;

/// As in wrangler.origin.toml: the pause after a consumer that died.
const RETRY_SECS: u64 = 10;

/// A message on its way.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
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
    /// The body, and whether it comes from the dead-letter queue.
    pub fn body(&self) -> (String, bool) {
        let waiting = self.waiting.as_ref();
        waiting.map_or_else(Default::default, |w| (w.text.clone(), w.dead))
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
    /// Takes the next message out of the queue.
    pub fn next_message(&self) -> Option<String> {
        let mut messages = self.inner.messages.borrow_mut();
        (!messages.is_empty()).then(|| messages.remove(0).text)
    }

    /// Loses every message, as a local queue does at a restart.
    pub fn lose_messages(&self) {
        self.inner.messages.borrow_mut().clear();
    }

    fn again(&self, mut waiting: Waiting, after_secs: u64) {
        waiting.deliveries += 1;
        waiting.at = self.inner.now.get().plus_secs(after_secs);
        // By chance it is given up before that.
        let wild = !self.inner.calm.get();
        let unlucky = wild && self.inner.random.borrow_mut().once_in(24);
        if waiting.deliveries > MAX_RETRIES || unlucky {
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

    pub(super) fn enqueue(&self, text: String) {
        self.count_message(&text);
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
        let send = move || world.enqueue(text);
        self.change("queue.send", Kind::Send, send).await
    }

    async fn backlog(&self) -> Result<Option<u64>, StoreError> {
        let waiting = self.inner.messages.borrow().len() as u64;
        let count = || Some(self.inner.backlog.get().unwrap_or(waiting));
        self.ask("queue.backlog", count).await
    }
}
