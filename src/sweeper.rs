//! The cron trigger: one sweep, and a line about it.

use serde_json::json;
use thumbnail_core::service::sweep;
use worker::Env;

use crate::app::App;
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
    match sweep::sweep(&app.objects, &app.jobs, &WorkerClock).await {
        Ok(swept) => telemetry::log("sweep", &json!({ "did": format!("{swept:?}") })),
        Err(error) => telemetry::alert("sweep_failed", &json!({ "error": error.to_string() })),
    }
}
