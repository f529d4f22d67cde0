//! One message of the webhook queue: begin the attempt, send the request, report.
//!
//! 1. `Deliver` marks the attempt before anything is sent; an event that is told already says stop
//! 2. the message is settled: what follows may take as long as the receiver does, and the job begins
//!    another attempt if this one never comes back
//! 3. the request goes out, signed by the job
//! 4. `Report`: the job decides whether and when there is another attempt
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
pub struct WebhookSender<'a, L, R> {
    /// The jobs.
    pub ledger: &'a L,
    /// The receivers.
    pub receivers: &'a R,
}

/// An attempt that has begun. Nothing of it hangs on the message any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    message: WebhookMessage,
    number: u32,
    request: WebhookRequest,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// How it ended.
    pub answer: Answer,
    /// Whether the event was given up.
    pub gave_up: bool,
}

impl<L: JobLedger, R: Receivers> WebhookSender<'_, L, R> {
    /// Begins the attempt that a message asks for, given as the text of its body. Returns what
    /// becomes of the message, and the attempt where there is one to [`WebhookSender::run`].
    pub async fn begin(&self, body: &str) -> (Outcome, Option<Attempt>) {
        let message = match WebhookMessage::decode(body) {
            Ok(message) => message,
            Err(error) => return (error.into(), None),
        };
        let event = message.event;
        match self.call(message, WebhookCommand::Deliver { event }).await {
            Ok(Verdict::Deliver { attempt, request }) => {
                let number = attempt;
                let attempt = Attempt {
                    message,
                    number,
                    request: *request,
                };
                (Outcome::Complete, Some(attempt))
            }
            Ok(Verdict::Unknown) => {
                let reason = format!("there is no job {}", message.job);
                (Outcome::Discard { reason }, None)
            }
            Ok(_) => (Outcome::Complete, None),
            Err(_) => {
                let after_secs = UNREACHABLE_RETRY_SECS;
                (Outcome::Retry { after_secs }, None)
            }
        }
    }

    /// Sends the request of an attempt and tells its job what came of it.
    pub async fn run(&self, attempt: Attempt) -> Delivered {
        let request = &attempt.request;
        let answer = self.receivers.post(request).await.without(&request.url);
        self.report(attempt.message, attempt.number, answer).await
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
        Delivered { answer, gave_up }
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
