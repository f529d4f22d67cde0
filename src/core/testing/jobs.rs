//! Durable Objects: one instance per job, whose memory dies with it and whose storage stays.
//!
//! Storage operations let nothing else in, as the platform's input gate does.

use std::rc::Rc;

use super::executor::{Actor, Slot};
use super::fault::Kind;
use super::{Sabotage, World};
use crate::job::webhook::Stage;
use crate::job::{Command, Record, State, Verdict};
use crate::keys::JobId;
use crate::pace::Pace;
use crate::ports::{
    Clock, JobIndex, JobLedger, JobQueue, JobStorage, Listeners, ObjectStore, Platform,
    StatusCache, StoreError, WebhookQueue,
};
use crate::service::job::JobService;
use crate::signature::Secrets;

/// A job's object.
pub(super) type Job = JobService<Storage, World>;

/// The storage of one job.
pub struct Storage {
    world: World,
    id: JobId,
}

impl JobStorage for Storage {
    async fn load(&self) -> Result<Option<Record>, StoreError> {
        let records = &self.world.inner.records;
        let load = || records.borrow().get(&self.id).cloned();
        self.world.within("job.load", Kind::Read, load).await
    }

    async fn save(&self, record: &Record) -> Result<(), StoreError> {
        let mut record = self.world.stored_form(record)?;
        record.alone |= self.world.sabotaged(Sabotage::SharedBlame);
        if self.world.sabotaged(Sabotage::OneMessage) {
            forget_messages(&mut record);
        }
        self.world.before_save(&record).await;
        let save = || {
            self.world.note(&record);
            let records = &self.world.inner.records;
            records.borrow_mut().insert(self.id, record);
        };
        self.world.within("job.save", Kind::Write, save).await
    }

    async fn erase(&self) -> Result<(), StoreError> {
        let erase = || {
            self.world.inner.records.borrow_mut().remove(&self.id);
        };
        self.world.within("job.erase", Kind::Write, erase).await
    }
}

/// Forgets when to look after a message that was sent.
fn forget_messages(record: &mut Record) {
    let events = record.webhook.iter_mut().flat_map(|w| &mut w.events);
    for event in events.filter(|event| event.stage == Stage::Sent) {
        event.due_at = None;
    }
}

impl Platform for World {
    fn objects(&self) -> &impl ObjectStore {
        self
    }

    fn status(&self) -> &impl StatusCache {
        self
    }

    fn index(&self) -> &impl JobIndex {
        self
    }

    fn queue(&self) -> &impl JobQueue {
        self
    }

    fn webhooks(&self) -> &impl WebhookQueue {
        self
    }

    fn secrets(&self) -> Option<&Secrets> {
        Some(&self.inner.receiver.secrets)
    }

    fn public_origin(&self) -> Option<&str> {
        None
    }

    fn clock(&self) -> &impl Clock {
        self
    }

    fn pace(&self) -> &Pace {
        &self.inner.pace
    }

    fn listeners(&self) -> &impl Listeners {
        self
    }
}

impl Listeners for World {
    fn tell(&self, record: &Record) {
        let mut told = self.inner.told.borrow_mut();
        let told = told.entry(record.id).or_default();
        // As a listener does: whatever is not newer is known.
        if told.last().is_none_or(|(last, _)| *last < record.revision) {
            told.push((record.revision, record.state));
        }
    }
}

impl World {
    /// The changes that the listeners of a job were told of: revision and state.
    pub fn told(&self, id: JobId) -> Vec<(u64, State)> {
        let told = self.inner.told.borrow();
        told.get(&id).cloned().unwrap_or_default()
    }

    fn begin(&self, id: JobId) -> Rc<Job> {
        let storage = Storage {
            world: self.clone(),
            id,
        };
        Rc::new(JobService::new(storage, self.clone(), self.policy))
    }

    fn instance(&self, id: JobId) -> Rc<Job> {
        if !self.is_simulated() {
            return self.begin(id);
        }
        let mut instances = self.inner.instances.borrow_mut();
        instances
            .entry(id)
            .or_insert_with(|| self.begin(id))
            .clone()
    }

    /// The alarm of a job goes off: nobody waits for what it does.
    pub async fn ring(&self, id: JobId) -> Result<(), StoreError> {
        let job = self.instance(id);
        let rung = job.ring().await;
        job.index().await;
        rung
    }

    /// Gives the object a command in a task of its own: it goes on when the caller does not.
    pub(super) async fn dispatch(
        &self,
        id: JobId,
        command: Command,
    ) -> Result<Verdict, StoreError> {
        if !self.is_simulated() {
            let job = self.instance(id);
            let verdict = Box::pin(job.handle(command)).await;
            job.index().await;
            return verdict;
        }
        let (filler, slot) = Slot::new();
        let world = self.clone();
        self.inner.executor.spawn(Actor::Object(id), async move {
            let job = world.instance(id);
            filler.fill(job.handle(command).await);
            // Whoever asked has gone on.
            job.index().await;
        });
        let broken = || StoreError::Transient("the object was reset".into());
        slot.take().await.ok_or_else(broken)?
    }
}

impl JobLedger for World {
    async fn call(&self, id: JobId, command: Command) -> Result<Verdict, StoreError> {
        let command = self.command_over_the_wire(command)?;
        let verdict = self.around("job.call", self.dispatch(id, command)).await?;
        self.verdict_over_the_wire(verdict)
    }
}
