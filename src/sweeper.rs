//! The cron trigger: one look at the rows that are due, one sweep, and a line about each.

use serde_json::json;
use thumbnail_core::Timestamp;
use thumbnail_core::ports::{Clock, StoreError};
use thumbnail_core::service::{reindex, sweep};
use worker::Env;

use crate::app::{self, App};
use crate::platform::WorkerClock;
use crate::telemetry;

/// A clock that began to run when the trigger was due.
struct TriggerClock {
    due_at: Timestamp,
    began_at: Timestamp,
}

impl Clock for TriggerClock {
    fn now(&self) -> Timestamp {
        let since_millis = WorkerClock.now().millis_since(self.began_at);
        Timestamp::from_millis(self.due_at.as_millis() + since_millis)
    }
}

/// Sweeps once, as of the time for which the trigger was set, in milliseconds since 1970. A failure
/// waits for the next trigger.
pub async fn sweep(env: &Env, due_millis: f64) {
    let (app, index) = match App::from_env(env).and_then(|app| Ok((app, app::index(env)?))) {
        Ok(both) => both,
        Err(error) => {
            return telemetry::alert("misconfigured", &json!({ "error": error.to_string() }));
        }
    };
    let began_at = WorkerClock.now();
    let due_at = timestamp(due_millis);
    let clock = TriggerClock { due_at, began_at };
    let done = reindex::reindex(&app.jobs, &index, &clock).await;
    report("reindex", done.map(|did| format!("{did:?}")));
    let swept = sweep::sweep(&app.objects, &app.jobs, &index, &clock).await;
    report("sweep", swept.map(|did| format!("{did:?}")));
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and no trigger is set for a time before 1970"
)]
const fn timestamp(millis: f64) -> Timestamp {
    Timestamp::from_millis(millis as u64)
}

/// What was done, or why not.
fn report(part: &str, did: Result<String, StoreError>) {
    match did {
        Ok(did) => telemetry::log(part, &json!({ "did": did })),
        Err(error) => telemetry::alert(
            "sweep_failed",
            &json!({ "part": part, "error": error.to_string() }),
        ),
    }
}
