//! Readiness: whether each binding answers, and how fast.

use std::pin::pin;

use futures_util::future::{Either, OptionFuture, join, join4, select};
use serde::Serialize;

use crate::api::Reply;
use crate::job::Command;
use crate::keys::JobId;
use crate::ports::{Clock, JobIndex, JobLedger, JobQueue, ObjectStore, StatusCache, StoreError};
use crate::timestamp::Timestamp;

/// A key that nothing is ever stored under.
const NO_KEY: &str = "readyz";

/// Everything that a request may need.
pub struct Bindings<'a, O, K, L, Q, I, C> {
    /// Sources and thumbnails.
    pub objects: &'a O,
    /// Copies of records.
    pub status: &'a K,
    /// The jobs.
    pub ledger: &'a L,
    /// The resize queue.
    pub queue: &'a Q,
    /// The index of jobs, where requests ask it.
    pub index: Option<&'a I>,
    /// The time.
    pub clock: &'a C,
}

/// What became of asking a binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The binding.
    pub name: &'static str,
    /// Whether it answered.
    pub ok: bool,
    /// How long that took, in milliseconds.
    pub ms: u64,
    /// What went wrong: for the log, not for whoever asks.
    #[serde(skip)]
    pub fault: Option<String>,
}

impl<O, K, L, Q, I, C> Bindings<'_, O, K, L, Q, I, C>
where
    O: ObjectStore,
    K: StatusCache,
    L: JobLedger,
    Q: JobQueue,
    I: JobIndex,
    C: Clock,
{
    /// Asks all of them at once, and each for something that is not there: nothing is written, but
    /// the empty table of D1 where there is none.
    /// `patience` is how long an answer may take.
    pub async fn check<F: Future<Output = ()>>(&self, patience: impl Fn() -> F) -> Vec<Check> {
        let nobody = JobId::new(Timestamp::from_millis(0), [0; 10]);
        let r2 = async { self.objects.head(NO_KEY).await.map(drop) };
        let kv = async { self.status.get(nobody).await.map(drop) };
        let job = async { self.ledger.call(nobody, Command::Get).await.map(drop) };
        let queue = async { self.queue.backlog().await.map(drop) };
        let d1 = self.index.map(|index| {
            let question = async { index.missing(&[nobody]).await.map(drop) };
            self.one("d1", question, patience())
        });
        let always = join4(
            self.one("r2", r2, patience()),
            self.one("kv", kv, patience()),
            self.one("job", job, patience()),
            self.one("queue", queue, patience()),
        );
        let (always, d1) = join(always, OptionFuture::from(d1)).await;
        <[Check; 4]>::from(always).into_iter().chain(d1).collect()
    }

    async fn one(
        &self,
        name: &'static str,
        question: impl Future<Output = Result<(), StoreError>>,
        patience: impl Future<Output = ()>,
    ) -> Check {
        let begun = self.clock.now();
        let fault = match select(pin!(question), pin!(patience)).await {
            Either::Left((answer, _)) => answer.err().map(|error| error.to_string()),
            Either::Right(_) => Some("no answer in time".into()),
        };
        Check {
            name,
            ok: fault.is_none(),
            ms: self.clock.now().millis_since(begun),
            fault,
        }
    }
}

/// 200 where all are well, else 503.
pub fn reply<B>(checks: &[Check]) -> Reply<B> {
    let ready = checks.iter().all(|check| check.ok);
    let (status, word) = if ready {
        (200, "ready")
    } else {
        (503, "unready")
    };
    Reply::json(
        status,
        &serde_json::json!({ "status": word, "checks": checks }),
    )
}
