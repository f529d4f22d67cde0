//! The cron trigger: one sweep, one look at the index, and a line about each.

use serde_json::json;
use thumbnail_core::ports::StoreError;
use thumbnail_core::service::{reindex, sweep};
use worker::Env;

use crate::app::{self, App};
use crate::platform::WorkerClock;
use crate::telemetry;

/// Sweeps once. A failure waits for the next trigger.
pub async fn sweep(env: &Env) {
    let app = match App::from_env(env) {
        Ok(app) => app,
        Err(error) => {
            return telemetry::alert("misconfigured", &json!({ "error": error.to_string() }));
        }
    };
    let swept = sweep::sweep(&app.objects, &app.jobs, &WorkerClock).await;
    report("sweep", swept.map(|did| format!("{did:?}")));
    match app::index(env) {
        Ok(index) => {
            let done = reindex::reindex(&app.objects, &app.jobs, &index, &WorkerClock).await;
            report("reindex", done.map(|did| format!("{did:?}")));
        }
        Err(error) => telemetry::alert("misconfigured", &json!({ "error": error.to_string() })),
    }
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
