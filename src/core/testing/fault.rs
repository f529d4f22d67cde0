//! What goes wrong, and when.

use super::World;
use super::executor::{Actor, pause};
use crate::ports::{Clock, StoreError};
use crate::timestamp::Timestamp;

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing happens.
    Before,
    /// It happens, and whoever asked does not learn of it.
    After,
    /// It seems to fail, and happens some seconds later.
    Late,
    /// It seems to happen, and never does: a message that outlives its retention.
    Lost,
    /// Whoever asks dies before it happens; an object dies as a whole.
    CrashBefore,
    /// Whoever asks dies after it has happened; an object dies as a whole.
    CrashAfter,
    /// Only the one request that asks ends before it happens; its object lives on.
    DropBefore,
    /// Only the one request that asks ends after it has happened; its object lives on.
    DropAfter,
}

use Failure::{After, Before, CrashAfter, CrashBefore, DropAfter, DropBefore, Late, Lost};

/// What an operation does, and so how it can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It changes nothing: whether it fails before or after makes no difference.
    Read,
    /// It changes something at once.
    Write,
    /// It changes something, at once or later.
    SlowWrite,
    /// It sends a message.
    Send,
}

impl Kind {
    /// The failures that differ. For a caller of its own, dying and dropping one request are the same.
    const fn failures(self, alone: bool) -> &'static [Failure] {
        match (self, alone) {
            (Self::Read, true) => &[Before, CrashBefore],
            (Self::Read, false) => &[Before, CrashBefore, DropBefore],
            (Self::Write, true) => &[Before, After, CrashBefore, CrashAfter],
            (Self::Write, false) => &[
                Before,
                After,
                CrashBefore,
                CrashAfter,
                DropBefore,
                DropAfter,
            ],
            (Self::SlowWrite, true) => &[Before, After, Late, CrashBefore, CrashAfter],
            (Self::SlowWrite, false) => &[
                Before,
                After,
                Late,
                CrashBefore,
                CrashAfter,
                DropBefore,
                DropAfter,
            ],
            (Self::Send, _) => &[
                Before,
                After,
                Late,
                Lost,
                CrashBefore,
                CrashAfter,
                DropBefore,
                DropAfter,
            ],
        }
    }
}

/// A time in which everything of one kind fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// What the names of the operations begin with.
    pub what: &'static str,
    /// When it begins.
    pub from: Timestamp,
    /// How long it takes.
    pub secs: u64,
}

impl Outage {
    fn hits(&self, name: &str, now: Timestamp) -> bool {
        let over = now >= self.from.plus_secs(self.secs);
        now >= self.from && !over && name.starts_with(self.what)
    }
}

/// How late an effect may come, in seconds. What is deleted has to be gone before an intent is tried
/// again; what is copied may land any time before the end of a job is told again.
fn most_late_secs(name: &str) -> u64 {
    if name == "kv.put" { 25 } else { 8 }
}

impl World {
    /// An operation that only reads.
    pub(super) async fn ask<T>(
        &self,
        name: &'static str,
        effect: impl FnOnce() -> T,
    ) -> Result<T, StoreError> {
        self.pause().await;
        let value = self.within(name, Kind::Read, effect).await;
        self.pause().await;
        value
    }

    /// An operation whose effect may come late.
    pub(super) async fn change<T: 'static>(
        &self,
        name: &'static str,
        kind: Kind,
        effect: impl FnOnce() -> T + 'static,
    ) -> Result<T, StoreError> {
        self.pause().await;
        let failure = self.failure(name, kind);
        if failure == Some(Late) {
            let secs = 1 + self.inner.random.borrow_mut().below(most_late_secs(name));
            let at = self.inner.now.get().plus_secs(secs);
            let effect = Box::new(move || drop(effect()));
            self.inner.late.borrow_mut().push((at, effect));
            return Err(failed(name));
        }
        let value = self.fail_around(name, failure, effect).await;
        self.pause().await;
        value
    }

    /// An operation during which nothing else runs.
    pub(super) async fn within<T>(
        &self,
        name: &'static str,
        kind: Kind,
        effect: impl FnOnce() -> T,
    ) -> Result<T, StoreError> {
        let failure = self.failure(name, kind);
        self.fail_around(name, failure, effect).await
    }

    /// A call that takes its time.
    pub(super) async fn around<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.pause().await;
        let failure = self.failure(name, Kind::Write);
        self.refuse(name, failure).await?;
        let value = call.await?;
        self.fail_around(name, failure.filter(|f| !f.is_before()), || ())
            .await?;
        self.pause().await;
        Ok(value)
    }

    async fn fail_around<T>(
        &self,
        name: &'static str,
        failure: Option<Failure>,
        effect: impl FnOnce() -> T,
    ) -> Result<T, StoreError> {
        self.refuse(name, failure).await?;
        self.inner.losing.set(failure == Some(Lost));
        let value = effect();
        self.inner.losing.set(false);
        if name != "job.load" {
            self.inner.log.borrow_mut().push(name);
        }
        match failure {
            Some(CrashAfter) => self.die(true).await,
            Some(DropAfter) => self.die(false).await,
            Some(After | Late) => return Err(failed(name)),
            _ => {}
        }
        Ok(value)
    }

    /// Lets what fails before its effect fail.
    async fn refuse(&self, name: &'static str, failure: Option<Failure>) -> Result<(), StoreError> {
        match failure {
            Some(Before) => return Err(failed(name)),
            Some(CrashBefore) => self.die(true).await,
            Some(DropBefore) => self.die(false).await,
            _ => {}
        }
        Ok(())
    }

    fn failure(&self, name: &'static str, kind: Kind) -> Option<Failure> {
        let operations = &self.inner.operations;
        let count = operations.replace(operations.get() + 1);
        if self.is_simulated() {
            let running = self.inner.executor.running();
            let alone = running.is_none_or(|(_, actor)| match actor {
                Actor::Caller => true,
                // One that runs by itself ends as its instance does.
                Actor::Origin => !self.is_crowded(),
                Actor::Object(_) => false,
            });
            self.inner
                .trace
                .borrow_mut()
                .push((name, kind.failures(alone)));
        }
        let now = self.now();
        if self
            .inner
            .outage
            .get()
            .is_some_and(|outage| outage.hits(name, now))
        {
            return Some(Before);
        }
        let mut plan = self.inner.plan.borrow_mut();
        plan.as_mut().and_then(|plan| plan(name, count))
    }

    /// Asks for the end of the running task, and never returns.
    pub(super) async fn die(&self, whole: bool) {
        if let Some((task, actor)) = self.inner.executor.running() {
            self.inner.dying.set(Some((task, actor, whole)));
            std::future::pending::<()>().await;
        }
    }

    /// Ends what asked for its end.
    pub(super) fn bury_dead(&self) {
        match self.inner.dying.take() {
            Some((_, Actor::Object(id), true)) => self.reset_object(id),
            Some((_, Actor::Origin, true)) => self.reset_instance(),
            Some((task, Actor::Origin, false)) => self.cancel_invocation(task),
            Some((task, ..)) => self.inner.executor.kill(task),
            None => {}
        }
    }

    /// The object of a job dies where it stands. Its storage stays.
    pub(super) fn reset_object(&self, id: crate::keys::JobId) {
        self.inner.executor.kill_all(Actor::Object(id));
        let instance = self.inner.instances.borrow_mut().remove(&id);
        drop(instance);
    }

    pub(super) async fn pause(&self) {
        if self.is_simulated() {
            pause().await;
        }
    }
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Before,
        After,
        Late,
        Lost,
        CrashBefore,
        CrashAfter,
        DropBefore,
        DropAfter,
    ];

    const fn is_before(self) -> bool {
        matches!(self, Before | CrashBefore | DropBefore)
    }
}

fn failed(name: &str) -> StoreError {
    StoreError::Transient(format!("{name} failed on purpose"))
}
