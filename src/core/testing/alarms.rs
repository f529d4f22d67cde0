//! Alarms: they ring when they are due or later, and again when whoever they woke has died.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::executor::Actor;
use super::{Sabotage, World};
use crate::job::Record;
use crate::keys::JobId;
use crate::ports::Clock;
use crate::timestamp::Timestamp;

/// How often the platform repeats an alarm whose object died.
const REPEATS: u32 = 6;

/// The pause before the first repeat, in seconds; it doubles.
const REPEAT_SECS: u64 = 2;

/// The pause before an alarm that could not be taken, as `objects/job.rs` sets it.
const AGAIN_SECS: u64 = 60;

/// What is known of one job's alarm.
#[derive(Debug, Default, Clone, Copy)]
struct Bell {
    rings: u32,
    ringing: bool,
    /// The alarm that did not come to its end, how often, and when it rings again.
    failed: Option<(Timestamp, u32, Timestamp)>,
}

/// The alarm that dies in place of ringing.
struct Doomed {
    /// How many ring before it.
    left: u32,
    /// Learns of it.
    tell: Box<dyn FnOnce()>,
}

/// All alarms.
#[derive(Default)]
pub(super) struct Alarms {
    bells: RefCell<BTreeMap<JobId, Bell>>,
    doomed: RefCell<Option<Doomed>>,
}

/// Notes how a ring ended, whichever way it did.
struct Ringing {
    world: World,
    id: JobId,
    at: Timestamp,
    taken: Option<bool>,
}

impl Ringing {
    fn end(mut self, taken: bool) {
        self.taken = Some(taken);
    }
}

impl Drop for Ringing {
    fn drop(&mut self) {
        let now = self.world.now();
        self.world.bell(self.id, |bell| {
            bell.ringing = false;
            let fails = bell.failed.filter(|(at, ..)| *at == self.at);
            let fails = fails.map_or(0, |(_, fails, _)| fails);
            bell.failed = match self.taken {
                Some(true) => None,
                Some(false) => Some((self.at, 0, now.plus_secs(AGAIN_SECS))),
                None => Some((self.at, fails + 1, now.plus_secs(REPEAT_SECS << fails))),
            };
        });
    }
}

impl World {
    fn bell<T>(&self, id: JobId, change: impl FnOnce(&mut Bell) -> T) -> T {
        change(self.inner.alarms.bells.borrow_mut().entry(id).or_default())
    }

    /// When a job's alarm rings next, unless it is ringing or dead.
    fn rings_at(&self, record: &Record) -> Option<Timestamp> {
        let at = record.alarm_at()?;
        let bell = self.bell(record.id, |bell| *bell);
        match bell.failed {
            _ if bell.ringing => None,
            Some((failed, fails, _)) if failed == at && fails > REPEATS => None,
            Some((failed, _, again)) if failed == at => Some(again),
            _ => Some(at),
        }
    }

    /// The alarm after so many that ring dies in place of ringing.
    pub(super) fn doom_alarm(&self, left: u32, tell: impl FnOnce() + 'static) {
        let tell = Box::new(tell);
        *self.inner.alarms.doomed.borrow_mut() = Some(Doomed { left, tell });
    }

    fn is_doomed(&self) -> bool {
        let mut doomed = self.inner.alarms.doomed.borrow_mut();
        match doomed.take() {
            Some(Doomed { left: 0, tell }) => {
                tell();
                true
            }
            Some(Doomed { left, tell }) => {
                let left = left - 1;
                *doomed = Some(Doomed { left, tell });
                false
            }
            None => false,
        }
    }

    /// A job's alarm dies, whenever it was to ring. The next one that is set is another.
    pub(super) fn kill_alarm(&self, id: JobId) {
        let records = self.inner.records.borrow();
        if let Some(at) = records.get(&id).and_then(Record::alarm_at) {
            self.bell(id, |bell| bell.failed = Some((at, REPEATS + 1, at)));
        }
    }

    /// Whether the alarm that a job has set will never ring.
    pub(super) fn has_dead_alarm(&self, job: &Record) -> bool {
        let failed = self.bell(job.id, |bell| bell.failed);
        failed.is_some_and(|(at, fails, _)| Some(at) == job.alarm_at() && fails > REPEATS)
    }

    /// When the next alarm rings.
    pub(super) fn next_alarm(&self) -> Option<Timestamp> {
        let records = self.inner.records.borrow();
        records.values().filter_map(|r| self.rings_at(r)).min()
    }

    /// The jobs whose alarm should have rung by now.
    pub(super) fn ringable(&self) -> Vec<JobId> {
        let now = self.now();
        let records = self.inner.records.borrow();
        let due = records
            .values()
            .filter(|record| self.rings_at(record).is_some_and(|at| at <= now));
        due.map(|record| record.id).collect()
    }

    /// Rings a job's alarm, whether it is due or not.
    pub(super) fn ring_alarm(&self, id: JobId) {
        let record = self.inner.records.borrow().get(&id).cloned();
        let Some(record) = record.filter(|_| !self.bell(id, |bell| bell.ringing)) else {
            return;
        };
        if self.is_doomed() {
            return self.kill_alarm(id);
        }
        let at = record.alarm_at().unwrap_or_default();
        let rescues = !record.state.is_final() && record.intent.is_none();
        let expired = record.expires_at.is_some_and(|at| at <= self.now());
        if self.sabotaged(Sabotage::NoRescue) && rescues && !expired {
            self.bell(id, |bell| bell.failed = Some((at, REPEATS + 1, at)));
            return;
        }
        self.bell(id, |bell| {
            bell.rings += 1;
            bell.ringing = true;
        });
        let ringing = Ringing {
            world: self.clone(),
            id,
            at,
            taken: None,
        };
        let world = self.clone();
        let executor = &self.inner.executor;
        executor.spawn(Actor::Object(id), async move {
            let taken = world.ring(id).await.is_ok();
            ringing.end(taken);
        });
    }

    /// How often the alarm of the job that was woken most has rung.
    pub(super) fn most_rings(&self) -> u32 {
        let bells = self.inner.alarms.bells.borrow();
        bells.values().map(|bell| bell.rings).max().unwrap_or(0)
    }
}
