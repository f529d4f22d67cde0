//! What a job acts on, from the bindings of the edge.

use std::rc::Rc;

use thumbnail_core::pace::Pace;
use thumbnail_core::ports::{
    Clock, JobIndex, JobQueue, Listeners, ObjectStore, Platform, StatusCache, WebhookQueue,
};
use thumbnail_core::signature::Secrets;
use worker::{Env, Result};

use super::job_listeners::JobListeners;
use crate::platform::{D1Index, EventQueue, KvStatus, R2Store, ResizeQueue, Timings, WorkerClock};
use crate::{app, bindings};

thread_local! {
    /// The jobs of an instance run in one thread, over one queue.
    static PACE: Rc<Pace> = Rc::default();
}

/// The adapters that a job needs.
pub struct JobPlatform {
    objects: R2Store,
    status: KvStatus,
    index: D1Index,
    queue: ResizeQueue,
    /// Those who listen to this job.
    pub listeners: JobListeners,
    webhooks: EventQueue,
    secrets: Option<Secrets>,
    public_origin: Option<String>,
    pace: Rc<Pace>,
}

impl JobPlatform {
    /// From the bindings of the edge.
    pub fn from_env(env: &Env, listeners: JobListeners) -> Result<Self> {
        let config = app::config(env)?;
        Ok(Self {
            objects: R2Store::new(env.bucket(bindings::IMAGES)?, Timings::default()),
            status: app::status(env, Timings::default())?,
            index: app::index(env)?,
            queue: app::queue(env)?,
            listeners,
            webhooks: EventQueue::new(env.queue(bindings::WEBHOOK_QUEUE)?),
            secrets: config.webhooks.secrets,
            public_origin: config.public_origin,
            pace: PACE.with(Rc::clone),
        })
    }
}

impl Platform for JobPlatform {
    fn objects(&self) -> &impl ObjectStore {
        &self.objects
    }

    fn status(&self) -> &impl StatusCache {
        &self.status
    }

    fn index(&self) -> &impl JobIndex {
        &self.index
    }

    fn queue(&self) -> &impl JobQueue {
        &self.queue
    }

    fn webhooks(&self) -> &impl WebhookQueue {
        &self.webhooks
    }

    fn secrets(&self) -> Option<&Secrets> {
        self.secrets.as_ref()
    }

    fn public_origin(&self) -> Option<&str> {
        self.public_origin.as_deref()
    }

    fn clock(&self) -> &impl Clock {
        &WorkerClock
    }

    fn pace(&self) -> &Pace {
        &self.pace
    }

    fn listeners(&self) -> &impl Listeners {
        &self.listeners
    }
}
