//! A platform in memory, for tests of whole flows: R2, KV, a queue, Durable Objects and a clock.
//!
//! Every operation can be told to fail before it takes effect, or after it: the reply is lost then.
//! By itself nothing ever waits. In a [`simulation`] every operation lets others run, callers and
//! objects die on the way, whole products are down for an hour, messages come late, twice, out of
//! order or never, alarms late or twice, copies are out of date, and no two clocks agree.

mod alarms;
mod clients;
mod clock;
mod copies;
pub mod executor;
mod fault;
mod index;
mod instance;
mod invariants;
mod jobs;
mod keys;
mod objects;
mod pieces;
mod queue;
pub mod random;
mod receiver;
pub mod simulation;
mod story;
mod versions;
mod witness;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

pub use fault::{Failure, Outage};
pub use objects::store_source;
pub use pieces::Pieces;
pub use receiver::webhook;
pub use story::Picture;
pub use witness::Sabotage;

use crate::idempotency::KeyRecord;
use crate::job::{Policy, Record, State};
use crate::keys::JobId;
use crate::object::ObjectMeta;
use crate::pace::Pace;
use crate::ports::{Clock, StoreError};
use crate::service::admission::Admission;
use crate::service::budget::Budget;
use crate::timestamp::Timestamp;
use executor::{Actor, Executor};
use random::Random;
use witness::Witness;

/// What a plan says about an operation: its name, and how often operations ran before.
type Plan = Box<dyn FnMut(&str, usize) -> Option<Failure>>;

/// An object: its bytes, what it is, and when it was stored.
type Stored = (Vec<u8>, ObjectMeta, Timestamp);

/// An effect that is still on its way.
type LateEffect = (Timestamp, Box<dyn FnOnce()>);

struct Inner {
    objects: RefCell<BTreeMap<String, Stored>>,
    copies: RefCell<BTreeMap<JobId, copies::Writes>>,
    rows: RefCell<BTreeMap<JobId, index::Row>>,
    reindexed_at: Cell<Timestamp>,
    told: RefCell<BTreeMap<JobId, Vec<(u64, State)>>>,
    cached: RefCell<BTreeMap<(u64, JobId), copies::Cached>>,
    messages: RefCell<Vec<queue::Waiting>>,
    records: RefCell<BTreeMap<JobId, Record>>,
    keys: RefCell<BTreeMap<String, KeyRecord>>,
    instances: RefCell<BTreeMap<JobId, Rc<jobs::Job>>>,
    late: RefCell<Vec<LateEffect>>,
    alarms: alarms::Alarms,
    now: Cell<Timestamp>,
    operations: Cell<usize>,
    trace: RefCell<Vec<(&'static str, &'static [Failure])>>,
    outage: Cell<Option<Outage>>,
    losing: Cell<bool>,
    skew: clock::Skew,
    backlog: Cell<Option<u64>>,
    pace: Pace,
    /// Whether two versions of each Worker run.
    mixed: Cell<bool>,
    plan: RefCell<Option<Plan>>,
    log: RefCell<Vec<&'static str>>,
    executor: Executor,
    instance: instance::Instance,
    dying: Cell<Option<(usize, Actor, bool)>>,
    random: RefCell<Random>,
    simulated: Cell<bool>,
    /// Whether nothing happens by chance.
    calm: Cell<bool>,
    witness: Witness,
    receiver: receiver::Receiver,
    budget: RefCell<Budget>,
}

/// The platform. Clones are the same one.
#[derive(Clone)]
pub struct World {
    inner: Rc<Inner>,
    policy: Policy,
}

impl World {
    /// An empty platform at the time `now`.
    pub fn new(now: Timestamp, policy: Policy) -> Self {
        let inner = Inner {
            objects: RefCell::default(),
            copies: RefCell::default(),
            rows: RefCell::default(),
            reindexed_at: Cell::default(),
            told: RefCell::default(),
            cached: RefCell::default(),
            messages: RefCell::default(),
            records: RefCell::default(),
            keys: RefCell::default(),
            instances: RefCell::default(),
            late: RefCell::default(),
            alarms: alarms::Alarms::default(),
            now: Cell::new(now),
            operations: Cell::default(),
            trace: RefCell::default(),
            outage: Cell::default(),
            losing: Cell::default(),
            skew: clock::Skew::default(),
            backlog: Cell::default(),
            pace: Pace::default(),
            mixed: Cell::default(),
            plan: RefCell::default(),
            log: RefCell::default(),
            executor: Executor::default(),
            instance: instance::Instance::default(),
            dying: Cell::default(),
            random: RefCell::new(Random::new(0)),
            simulated: Cell::default(),
            calm: Cell::new(true),
            witness: Witness::default(),
            receiver: receiver::Receiver::default(),
            budget: RefCell::new(Budget::new(64 << 20)),
        };
        Self {
            inner: Rc::new(inner),
            policy,
        }
    }

    /// An upload that arrives at the only instance that there is.
    pub fn admission(&self) -> Admission<'_, Self> {
        Admission::new(&self.inner.budget, self)
    }

    /// Decides about the failure of every operation from now on.
    pub fn fail(&self, plan: impl FnMut(&str, usize) -> Option<Failure> + 'static) {
        *self.inner.plan.borrow_mut() = Some(Box::new(plan));
    }

    /// Ends all failures.
    pub fn heal(&self) {
        *self.inner.plan.borrow_mut() = None;
    }

    /// Makes everything of one kind fail, for a while.
    pub fn interrupt(&self, outage: Outage) {
        self.inner.outage.set(Some(outage));
    }

    /// Lets the queue say that so many messages wait.
    pub fn set_backlog(&self, count: u64) {
        self.inner.backlog.set(Some(count));
    }

    /// Lets time pass.
    pub fn advance_secs(&self, secs: u64) {
        self.pass_to(self.now().plus_secs(secs));
    }

    /// Lets time pass, and what was on its way arrive meanwhile.
    fn pass_to(&self, end: Timestamp) {
        loop {
            let late = self.inner.late.borrow();
            let next = late.iter().map(|(at, _)| *at).min();
            drop(late);
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.inner.now.set(next.max(self.now()));
            self.arrive();
        }
        self.inner.now.set(end);
    }

    /// The jobs whose alarm is due.
    pub fn due_alarms(&self) -> Vec<JobId> {
        let due = |record: &&Record| record.alarm_at().is_some_and(|at| at <= self.now());
        let records = self.inner.records.borrow();
        records
            .values()
            .filter(due)
            .map(|record| record.id)
            .collect()
    }

    /// All records.
    pub fn records(&self) -> Vec<Record> {
        self.inner.records.borrow().values().cloned().collect()
    }

    /// The keys of all objects.
    pub fn object_keys(&self) -> Vec<String> {
        self.inner.objects.borrow().keys().cloned().collect()
    }

    /// The bytes of an object.
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        let objects = self.inner.objects.borrow();
        objects.get(key).map(|(bytes, ..)| bytes.clone())
    }

    /// The names of all operations so far that took effect.
    pub fn log(&self) -> Vec<String> {
        let log = self.inner.log.borrow();
        log.iter().map(|name| (*name).to_owned()).collect()
    }

    /// The record as it comes back from where it is stored. A simulation does without, for speed.
    fn stored_form(&self, record: &Record) -> Result<Record, StoreError> {
        if self.is_simulated() {
            return Ok(record.clone());
        }
        let permanent = |e: serde_json::Error| StoreError::Permanent(e.to_string());
        let text = serde_json::to_string(record).map_err(permanent)?;
        serde_json::from_str(&text).map_err(permanent)
    }

    fn state(&self, id: JobId) -> Option<State> {
        self.inner
            .records
            .borrow()
            .get(&id)
            .map(|record| record.state)
    }

    /// Lets one effect happen that was on its way.
    fn arrive(&self) {
        let now = self.now();
        let effect = {
            let mut late = self.inner.late.borrow_mut();
            let at = late.iter().position(|(at, _)| *at <= now);
            at.map(|at| late.remove(at).1)
        };
        if let Some(effect) = effect {
            self.inner.witness.delayed.set(true);
            effect();
        }
    }

    /// Drops everything that holds on to this world.
    fn dismantle(&self) {
        self.inner.executor.clear();
        let instances = self.inner.instances.take();
        drop(instances);
        self.inner.late.take();
        self.inner.messages.take();
    }

    fn is_simulated(&self) -> bool {
        self.inner.simulated.get()
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.inner.now.get()
    }
}
