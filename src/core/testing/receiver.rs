//! The receiver of webhooks: what it hears, and whether all of it is true.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};

use super::World;
use super::fault::Kind;
use super::witness::Sabotage;
use crate::job::webhook::{Answer, WebhookRequest};
use crate::job::{Record, State, Webhook};
use crate::ports::Receivers;
use crate::signature::Secrets;

/// Where it listens.
pub const URL: &str = "https://receiver.example.com/hook?token=secret";

/// What it is told is signed with.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The most refusals of one event by chance: five fewer than the schedule has attempts.
const MAX_REFUSALS: u32 = 5;

/// The webhook of a job in these tests.
pub fn webhook() -> Webhook {
    Webhook::new(URL.into(), "https://thumbs.example".into())
}

/// An event, as its receiver sees it.
#[derive(Default)]
struct Heard {
    body: String,
    requests: u32,
    refusals: u32,
    taken: bool,
}

/// What reached the receiver.
pub(super) struct Receiver {
    pub(super) secrets: Secrets,
    /// What it answers to the next requests; 200 after that.
    answers: RefCell<VecDeque<Answer>>,
    received: RefCell<Vec<WebhookRequest>>,
    /// By `webhook-id`.
    heard: RefCell<BTreeMap<String, Heard>>,
    /// The `webhook-id` and type of every event that a job has come to.
    ends: RefCell<BTreeMap<String, State>>,
    /// Whether it refuses some of what it hears.
    pub(super) moody: Cell<bool>,
}

impl Default for Receiver {
    fn default() -> Self {
        let var = |name: &str| (name == "WEBHOOK_SECRET").then(|| SECRET.to_owned());
        let secrets = Secrets::parse(var).ok().flatten();
        Self {
            secrets: secrets.expect("the secret above is one"),
            answers: RefCell::default(),
            received: RefCell::default(),
            heard: RefCell::default(),
            ends: RefCell::default(),
            moody: Cell::default(),
        }
    }
}

impl Receivers for World {
    async fn post(&self, request: &WebhookRequest) -> Answer {
        let (world, heard) = (self.clone(), request.clone());
        let hear = move || world.hear(heard);
        // A request that was given up may still arrive.
        match self.change("receiver.post", Kind::SlowWrite, hear).await {
            _ if self.sabotaged(Sabotage::BlindCourier) => TAKEN,
            Ok(answer) => answer,
            Err(error) => Answer::Error {
                error: error.to_string(),
            },
        }
    }
}

const TAKEN: Answer = Answer::Status {
    status: 200,
    retry_after_secs: None,
};

impl World {
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
        if self.is_simulated() {
            return self.hear_of_job(&request);
        }
        receiver.received.borrow_mut().push(request);
        let answer = receiver.answers.borrow_mut().pop_front();
        answer.unwrap_or(TAKEN)
    }

    /// An event comes in a simulation: it must be one, and the same as ever.
    fn hear_of_job(&self, request: &WebhookRequest) -> Answer {
        let receiver = &self.inner.receiver;
        let state = receiver.ends.borrow().get(&request.id).copied();
        let tells = |state: State| format!("\"type\":\"thumbnail.{}\"", state.name());
        if !state.is_some_and(|state| request.body.contains(&tells(state))) {
            self.violate(|| format!("told what never was: {} {}", request.id, request.body));
        }
        let mut heard = receiver.heard.borrow_mut();
        let heard = heard.entry(request.id.clone()).or_default();
        if heard.requests == 0 {
            heard.body.clone_from(&request.body);
        } else if heard.body != request.body {
            self.violate(|| format!("one id, two events: {} and {}", heard.body, request.body));
        }
        heard.requests += 1;
        let refuses = receiver.moody.get() && heard.refusals < MAX_REFUSALS;
        if refuses && self.inner.random.borrow_mut().once_in(2) {
            heard.refusals += 1;
            return self.refusal();
        }
        heard.taken = true;
        TAKEN
    }

    fn refusal(&self) -> Answer {
        let mut random = self.inner.random.borrow_mut();
        let status = [301, 404, 429, 500, 503][random.index(5)];
        let retry_after_secs = random.once_in(3).then_some(600);
        Answer::Status {
            status,
            retry_after_secs,
        }
    }

    /// A job with a webhook has come to an end, or more thumbnails of it have: it is to be told, under one id.
    pub(super) fn owes(&self, record: &Record) {
        if record.webhook.is_some() && record.is_settled() {
            let id = format!(
                "msg_{}_{}_{}_{}",
                record.id,
                record.state.name(),
                record.reruns,
                record.extensions
            );
            let mut ends = self.inner.receiver.ends.borrow_mut();
            ends.insert(id, record.state);
        }
    }

    /// How many events there were to tell.
    pub(super) fn owed_events(&self) -> u32 {
        let ends = self.inner.receiver.ends.borrow();
        u32::try_from(ends.len()).unwrap_or(u32::MAX)
    }

    /// In the end, every event was taken, and no more often sent than the schedule has attempts.
    pub(super) fn check_told(&self) {
        let (ends, heard) = (&self.inner.receiver.ends, &self.inner.receiver.heard);
        for (id, state) in ends.borrow().iter() {
            let heard = heard.borrow();
            let Some(heard) = heard.get(id).filter(|heard| heard.taken) else {
                self.violate(|| format!("{id} was never told: {state:?}"));
                continue;
            };
            let steps =
                (0..).take_while(|step| self.policy.webhook_schedule.pause_secs(*step).is_some());
            if heard.requests as usize > steps.count() {
                self.violate(|| format!("{id} was told {} times", heard.requests));
            }
        }
    }

    /// How many events were taken, and how many requests that took.
    pub(super) fn told_events(&self) -> (u32, u32) {
        let heard = self.inner.receiver.heard.borrow();
        let taken = heard.values().filter(|heard| heard.taken).count();
        let requests = heard.values().map(|heard| heard.requests).sum();
        (u32::try_from(taken).unwrap_or(u32::MAX), requests)
    }
}
