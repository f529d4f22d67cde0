//! What goes wrong, and when.

use super::World;
use super::executor::{Actor, pause};
use crate::ports::StoreError;

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing happens.
    Before,
    /// It happens, and whoever asked does not learn of it.
    After,
    /// It seems to fail, and happens some seconds later.
    Late,
    /// Whoever asks dies before it happens; an object dies as a whole.
    CrashBefore,
    /// Whoever asks dies after it has happened; an object dies as a whole.
    CrashAfter,
    /// Only the one request that asks ends before it happens; its object lives on.
    DropBefore,
    /// Only the one request that asks ends after it has happened; its object lives on.
    DropAfter,
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Before,
        Self::After,
        Self::Late,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::DropBefore,
        Self::DropAfter,
    ];
}

impl World {
    /// An operation that reads, or whose effect cannot come late.
    pub(super) async fn ask<T>(
        &self,
        name: &'static str,
        effect: impl FnOnce() -> T,
    ) -> Result<T, StoreError> {
        self.pause().await;
        let value = self.within(name, effect).await;
        self.pause().await;
        value
    }

    /// An operation whose effect may come late.
    pub(super) async fn change<T: 'static>(
        &self,
        name: &'static str,
        effect: impl FnOnce() -> T + 'static,
    ) -> Result<T, StoreError> {
        self.pause().await;
        let failure = self.failure(name);
        if failure == Some(Failure::Late) {
            let secs = 1 + self.inner.random.borrow_mut().below(8);
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
        effect: impl FnOnce() -> T,
    ) -> Result<T, StoreError> {
        let failure = self.failure(name);
        self.fail_around(name, failure, effect).await
    }

    /// A call that takes its time.
    pub(super) async fn around<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.pause().await;
        let failure = self.failure(name);
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
        let value = effect();
        if name != "job.load" {
            self.inner.log.borrow_mut().push(name);
        }
        match failure {
            Some(Failure::CrashAfter) => self.die(true).await,
            Some(Failure::DropAfter) => self.die(false).await,
            Some(Failure::After | Failure::Late) => return Err(failed(name)),
            _ => {}
        }
        Ok(value)
    }

    /// Lets what fails before its effect fail.
    async fn refuse(&self, name: &'static str, failure: Option<Failure>) -> Result<(), StoreError> {
        match failure {
            Some(Failure::Before) => return Err(failed(name)),
            Some(Failure::CrashBefore) => self.die(true).await,
            Some(Failure::DropBefore) => self.die(false).await,
            _ => {}
        }
        Ok(())
    }

    fn failure(&self, name: &'static str) -> Option<Failure> {
        let operations = &self.inner.operations;
        let count = operations.replace(operations.get() + 1);
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
    const fn is_before(self) -> bool {
        matches!(self, Self::Before | Self::CrashBefore | Self::DropBefore)
    }
}

fn failed(name: &str) -> StoreError {
    StoreError::Transient(format!("{name} failed on purpose"))
}
