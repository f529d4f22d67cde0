//! Keeps uploads off a queue that cannot keep up.

use std::cell::Cell;

use thumbnail_core::api::Problem;
use thumbnail_core::ports::{Clock, JobQueue};
use thumbnail_core::service::overload::Gate;
use worker::Env;

use super::{WorkerClock, misconfigured};
use crate::app::{self, App};

thread_local! {
    /// What this instance knows of the queue's load: a hint that outlives a request.
    static GATE: Cell<Gate> = const { Cell::new(Gate::CLEAR) };
}

/// Refuses while the queue cannot keep up, before anything of the upload is read.
pub async fn admit(app: &App, env: &Env) -> Result<(), Problem> {
    let mut gate = GATE.get();
    let due = gate.is_due(WorkerClock.now());
    GATE.set(gate);
    if due {
        let queue = app::queue(env).map_err(|e| misconfigured(&e))?;
        let backlog = queue.backlog().await.ok().flatten();
        gate = GATE.get();
        gate.note(backlog);
        GATE.set(gate);
    }
    gate.admit(WorkerClock.now(), app.config.max_backlog)
}

/// The queue has just refused a message.
pub fn close() {
    let mut gate = GATE.get();
    gate.close(WorkerClock.now());
    GATE.set(gate);
}
