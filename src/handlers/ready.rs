//! Whether the service can do its work.

use std::time::Duration;

use serde_json::json;
use thumbnail_core::api::{Problem, Reply};
use thumbnail_core::service::ready::{Bindings, reply};
use worker::Delay;

use super::{Call, misconfigured};
use crate::app;
use crate::platform::{R2Body, WorkerClock};
use crate::telemetry;

/// A binding that takes longer would make every request too slow.
const PATIENCE: Duration = Duration::from_secs(5);

/// `GET /readyz`
pub async fn ready(call: &Call) -> Result<Reply<R2Body>, Problem> {
    let queue = app::queue(&call.env).map_err(|e| misconfigured(&e))?;
    let index = call.app.config.listing.then(|| app::index(&call.env));
    let index = index.transpose().map_err(|e| misconfigured(&e))?;
    let bindings = Bindings {
        objects: &call.app.objects,
        status: &call.status,
        ledger: &call.app.jobs,
        queue: &queue,
        index: index.as_ref(),
        clock: &WorkerClock,
    };
    let checks = bindings.check(|| Delay::from(PATIENCE)).await;
    for check in checks.iter().filter(|check| !check.ok) {
        let fields = json!({ "binding": check.name, "fault": check.fault, "ms": check.ms });
        telemetry::alert("not_ready", &fields);
    }
    Ok(reply(&checks))
}
