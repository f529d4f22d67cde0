//! One message of the webhook queue: begin the attempt, send the request, report.
//!
//! 1. `Deliver` marks the attempt before anything is sent; an event that is told already says stop
//! 2. the request goes out, signed by the job
//! 3. `Report`: the job decides whether and when there is another attempt
//!
//! The message is never kept for a later attempt: the job sends a new one when its time has come.

use crate::job::webhook::{Answer, WebhookCommand, WebhookRequest};
use crate::job::{Command, Outcome, Verdict, WebhookMessage};
use crate::ports::{JobLedger, Receivers, StoreError};

/// The pause before the next delivery where the job itself could not be asked.
const UNREACHABLE_RETRY_SECS: u32 = 30;

/// How often a report is made that the job does not take.
const REPORTS: u32 = 3;

/// What a consumer of the webhook queue works with.
pub struct Courier<'a, L, R> {
    /// The jobs.
    pub ledger: &'a L,
    /// The receivers.
    pub receivers: &'a R,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// What becomes of the message itself.
    pub outcome: Outcome,
    /// How the attempt ended, where there was one.
    pub answer: Option<Answer>,
    /// Whether the event was given up.
    pub gave_up: bool,
}

/// An attempt that the job has marked, and whose request is to be sent.
pub struct Attempt {
    message: WebhookMessage,
    /// Counts from 1.
    number: u32,
    request: Box<WebhookRequest>,
}

impl From<Outcome> for Delivered {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            answer: None,
            gave_up: false,
        }
    }
}

impl<L: JobLedger, R: Receivers> Courier<'_, L, R> {
    /// Handles one message of the webhook queue, given as the text of its body.
    pub async fn deliver(&self, body: &str) -> Delivered {
        match self.begin(body).await {
            Ok(attempt) => self.attempt(attempt).await,
            Err(outcome) => outcome.into(),
        }
    }

    /// Begins the attempt that a message asks for. From then on, the job sends another message if it
    /// does not learn how the attempt ended: this one has done its work.
    ///
    /// `Err` is what becomes of a message that leads to none.
    pub async fn begin(&self, body: &str) -> Result<Attempt, Outcome> {
        let message = WebhookMessage::decode(body).map_err(Outcome::from)?;
        let event = message.event;
        match self.call(message, WebhookCommand::Deliver { event }).await {
            Ok(Verdict::Deliver { attempt, request }) => Ok(Attempt {
                message,
                number: attempt,
                request,
            }),
            Ok(Verdict::Unknown) => Err(Outcome::Discard {
                reason: format!("there is no job {}", message.job),
            }),
            Ok(_) => Err(Outcome::Complete),
            Err(_) => Err(Outcome::Retry {
                after_secs: UNREACHABLE_RETRY_SECS,
            }),
        }
    }

    /// Sends the request and tells the job how that ended.
    pub async fn attempt(&self, attempt: Attempt) -> Delivered {
        let Attempt {
            message,
            number,
            request,
        } = attempt;
        let answer = self.receivers.post(&request).await.without(&request.url);
        self.report(message, number, answer).await
    }

    /// Tells the job how the attempt ended. If it does not learn of it, it counts the attempt as
    /// lost and begins another: an event may come twice, with the same id.
    async fn report(&self, message: WebhookMessage, attempt: u32, answer: Answer) -> Delivered {
        let event = message.event;
        let command = WebhookCommand::Report {
            event,
            attempt,
            answer: answer.clone(),
        };
        let mut gave_up = false;
        for _ in 0..REPORTS {
            if let Ok(verdict) = self.call(message, command.clone()).await {
                gave_up = verdict.gave_up(event);
                break;
            }
        }
        Delivered {
            outcome: Outcome::Complete,
            answer: Some(answer),
            gave_up,
        }
    }

    async fn call(
        &self,
        message: WebhookMessage,
        command: WebhookCommand,
    ) -> Result<Verdict, StoreError> {
        self.ledger
            .call(message.job, Command::Webhook(command))
            .await
    }
}
