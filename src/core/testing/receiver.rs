//! The receiver of webhooks, and the queue of deliveries to it.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::World;
use super::fault::Kind;
use crate::api::signature::Secrets;
use crate::job::webhook::{Answer, WebhookRequest};
use crate::job::{Webhook, WebhookMessage};
use crate::ports::{Receivers, StoreError, WebhookQueue};

/// Where it listens.
pub const URL: &str = "https://receiver.example.com/hook?token=secret";

/// What it is told is signed with.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The webhook of a job in these tests.
pub fn webhook() -> Webhook {
    Webhook::new(URL.into(), "https://thumbs.example".into())
}

/// What is on its way to the receiver, and what reached it.
pub(super) struct Receiver {
    pub(super) secrets: Secrets,
    messages: RefCell<VecDeque<String>>,
    /// What it answers to the next requests; 200 after that.
    answers: RefCell<VecDeque<Answer>>,
    received: RefCell<Vec<WebhookRequest>>,
}

impl Default for Receiver {
    fn default() -> Self {
        let var = |name: &str| (name == "WEBHOOK_SECRET").then(|| SECRET.to_owned());
        let secrets = Secrets::parse(var).ok().flatten();
        Self {
            secrets: secrets.expect("the secret above is one"),
            messages: RefCell::default(),
            answers: RefCell::default(),
            received: RefCell::default(),
        }
    }
}

impl WebhookQueue for World {
    async fn send(&self, message: &WebhookMessage) -> Result<(), StoreError> {
        let (world, text) = (self.clone(), message.encode());
        let send = move || world.inner.receiver.messages.borrow_mut().push_back(text);
        self.change("webhooks.send", Kind::Send, send).await
    }
}

impl Receivers for World {
    async fn post(&self, request: &WebhookRequest) -> Answer {
        let (world, heard) = (self.clone(), request.clone());
        let hear = move || world.hear(heard);
        match self.change("webhook.post", Kind::Send, hear).await {
            Ok(answer) => answer,
            Err(error) => Answer::Error {
                error: error.to_string(),
            },
        }
    }
}

impl World {
    /// Takes the next message out of the webhook queue.
    pub fn next_webhook_message(&self) -> Option<String> {
        self.inner.receiver.messages.borrow_mut().pop_front()
    }

    /// What the receiver answers to the next requests, in this order; 200 after that.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.inner.receiver.answers.borrow_mut().extend(answers);
    }

    /// Every request that reached the receiver.
    pub fn received(&self) -> Vec<WebhookRequest> {
        self.inner.receiver.received.borrow().clone()
    }

    fn hear(&self, request: WebhookRequest) -> Answer {
        let receiver = &self.inner.receiver;
        receiver.received.borrow_mut().push(request);
        let answer = receiver.answers.borrow_mut().pop_front();
        answer.unwrap_or(Answer::Status {
            status: 200,
            retry_after_secs: None,
        })
    }
}
