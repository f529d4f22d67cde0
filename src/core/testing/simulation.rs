//! The whole life of a job in one thread: who runs next follows from a seed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use super::clients::Client;
use super::random::Random;
use super::witness::Sabotage;
use super::{Failure, World};
use crate::job::{Policy, State};
use crate::keys::JobId;
use crate::ports::Clock;
use crate::timestamp::Timestamp;

/// When a job that has not ended counts as lost: all rescues together take 14 hours.
const LOST_SECS: u64 = 30 * 3_600;

/// A run that takes more steps never ends. The longest that ends takes a tenth of it.
const MAX_STEPS: usize = 60_000;

const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);

/// What the uploaded file does to a renderer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// It becomes a thumbnail.
    Good,
    /// It cannot be decoded.
    Damaged,
    /// It kills the consumer.
    Poison,
}

/// What a client does after its upload was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// GET of every thumbnail and of the status.
    Look,
    /// DELETE.
    Delete,
    /// POST of a retry.
    Rerun,
}

/// One client's story.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What is uploaded.
    pub picture: Picture,
    /// How many thumbnails are asked for.
    pub variants: usize,
    /// What is done then: not before so many operations, nor out of this order.
    pub wishes: Vec<(usize, Wish)>,
    /// Whether sources stay after success.
    pub keep_sources: bool,
    /// How long the upload takes, in seconds.
    pub upload_secs: u64,
}

/// Which operations fail.
#[derive(Debug, Clone)]
pub enum Faults {
    /// Those with these numbers.
    At(Vec<(usize, Failure)>),
    /// One in `one_in`, among the first `until`.
    Random {
        /// How seldom.
        one_in: u64,
        /// How long.
        until: usize,
    },
}

/// How a run is to go.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The story.
    pub scenario: Scenario,
    /// What fails.
    pub faults: Faults,
    /// What everything else follows from.
    pub seed: u64,
    /// Whether tasks run one after the other and each message comes once.
    pub calm: bool,
    /// What is broken on purpose.
    pub sabotage: Option<Sabotage>,
}

/// What a run was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Choices of the scheduler.
    pub steps: usize,
    /// Operations of the platform.
    pub operations: usize,
    /// Whether every planned fault came to be.
    pub all_hit: bool,
    /// What cannot be, if anything.
    pub violation: Option<String>,
    /// The states that the job went through.
    pub states: Vec<State>,
    /// The last operations, for whoever has to find out why.
    pub log: Vec<String>,
}

/// Random faults end when nothing else happens after so many operations.
const QUIET_AFTER: usize = 40;

/// How long the cron trigger is looked at: until no source is young enough to be swept.
const SWEEPS_SECS: u64 = 3 * 3_600;

/// Runs a story to its end: until nothing is left of it.
pub fn run(setup: &Setup) -> Run {
    let mut simulation = Simulation::new(setup);
    let run = simulation.run();
    simulation.end();
    run
}

struct Simulation {
    world: World,
    setup: Setup,
    random: Random,
    hits: Rc<Cell<usize>>,
    client: Client,
    wishes: Vec<(usize, Wish)>,
    ringing: Rc<RefCell<BTreeSet<JobId>>>,
    sweep_at: Timestamp,
    looks: u32,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Upload,
    Deliver,
    Alarm(JobId),
    Late,
    Wish(Wish),
    Sweep,
    Evict(JobId),
    Pass(u64),
}

impl Simulation {
    fn new(setup: &Setup) -> Self {
        let policy = Policy {
            keep_sources: setup.scenario.keep_sources,
            ..Policy::default()
        };
        let world = World::new(START, policy);
        world.inner.simulated.set(true);
        world.inner.witness.sabotage.set(setup.sabotage);
        *world.inner.random.borrow_mut() = Random::new(setup.seed ^ 0x5151);
        let hits = Rc::new(Cell::new(0));
        plan(&world, setup, &hits);
        let mut wishes = setup.scenario.wishes.clone();
        wishes.reverse();
        Self {
            client: Client::new(&world, &setup.scenario),
            world,
            setup: setup.clone(),
            random: Random::new(setup.seed),
            hits,
            wishes,
            ringing: Rc::default(),
            sweep_at: START.plus_secs(300),
            looks: 0,
        }
    }

    fn run(&mut self) -> Run {
        let mut steps = 0;
        while self.world.violation().is_none() && self.step() {
            steps += 1;
            self.world.inner.witness.tick.set(steps);
            if steps > MAX_STEPS {
                self.world.violate(|| "it never ends".into());
            }
        }
        self.check_rest();
        let planned = match &self.setup.faults {
            Faults::At(at) => at.len(),
            Faults::Random { .. } => 0,
        };
        let log = self.world.log();
        Run {
            steps,
            operations: self.world.inner.operations.get(),
            all_hit: self.hits.get() >= planned,
            violation: self.world.violation(),
            states: self.world.states(),
            log: log[log.len().saturating_sub(60)..].to_vec(),
        }
    }

    /// One choice of the scheduler; false when nothing will ever happen again.
    fn step(&mut self) -> bool {
        let ready = self.world.inner.executor.ready();
        if ready > 0 && (self.setup.calm || !self.random.once_in(6)) {
            let nth = if self.setup.calm {
                0
            } else {
                self.random.index(ready)
            };
            self.world.inner.executor.poll(nth);
            self.world.bury_dead();
            return true;
        }
        let events = self.events(ready > 0);
        if events.is_empty() {
            return ready > 0 || self.wait();
        }
        let event = events[self.random.index(events.len())];
        self.happen(event);
        true
    }

    /// What could happen now.
    fn events(&mut self, busy: bool) -> Vec<Event> {
        let world = &self.world;
        let now = world.now();
        let mut events = Vec::new();
        if self.client.wants_to_upload() {
            events.push(Event::Upload);
        }
        if world.next_delivery().is_some_and(|at| at <= now) {
            events.push(Event::Deliver);
        }
        if !world.sabotaged(Sabotage::NoAlarms) && !world.sabotaged(Sabotage::AckFirst) {
            let ringing = self.ringing.borrow();
            let due = world.due_alarms().into_iter();
            let due = due.filter(|id| !ringing.contains(id));
            events.extend(due.map(Event::Alarm));
        }
        if world.inner.late.borrow().iter().any(|(at, _)| *at <= now) {
            events.push(Event::Late);
        }
        if let (Some((after, wish)), Some(id)) = (self.wishes.last(), self.client.job()) {
            let ended = || world.state(id).is_none_or(State::is_final);
            let calm = world.inner.operations.get() >= *after || (!busy && ended());
            if !self.setup.calm || calm {
                events.push(Event::Wish(*wish));
            }
        }
        if now >= self.sweep_at && self.sweeps() {
            events.push(Event::Sweep);
        }
        if !self.setup.calm && busy {
            if self.random.once_in(40) {
                let far = self.random.once_in(8);
                let secs = self.random.below(if far { 400 } else { 5 });
                events.push(Event::Pass(secs));
            }
            let faulty = world.inner.plan.borrow().is_some()
                && matches!(self.setup.faults, Faults::Random { .. });
            if let Some(id) = self
                .client
                .job()
                .filter(|_| faulty && self.random.once_in(60))
            {
                events.push(Event::Evict(id));
            }
        }
        events
    }

    fn happen(&mut self, event: Event) {
        let world = &self.world;
        match event {
            Event::Upload => self.client.upload(),
            Event::Deliver => {
                if let Some(delivery) = world.deliver(self.setup.calm) {
                    self.client.consume(delivery);
                }
            }
            Event::Alarm(id) => self.client.ring(id, &self.ringing),
            Event::Late => world.arrive(),
            Event::Wish(wish) => {
                self.wishes.pop();
                self.client.grant(wish);
            }
            Event::Sweep => {
                self.sweep_at = self.sweep_at.plus_secs(300);
                self.client.sweep();
            }
            Event::Evict(id) => world.reset_object(id),
            Event::Pass(secs) => world.advance_secs(secs),
        }
    }

    /// Nothing can happen now: lets the time come at which something can.
    fn wait(&mut self) -> bool {
        if self.world.inner.operations.get() >= QUIET_AFTER {
            self.world.heal();
        }
        let due = self.world.inner.records.borrow();
        let due = due.values().filter_map(|record| record.due_at).min();
        let late = self.world.inner.late.borrow();
        let late = late.iter().map(|(at, _)| *at).min();
        let look = self.client.look_at(self.looks);
        let sweep_at = self.sweeps().then_some(self.sweep_at);
        let times = [due, late, self.world.next_delivery(), look, sweep_at];
        let now = self.world.now();
        let Some(next) = times.into_iter().flatten().filter(|at| *at > now).min() else {
            return false;
        };
        self.world.inner.now.set(next);
        if look == Some(next) {
            self.looks += 1;
            self.client.grant(Wish::Look);
        }
        self.check_lost();
        true
    }

    fn sweeps(&self) -> bool {
        self.sweep_at < START.plus_secs(SWEEPS_SECS)
    }

    fn check_lost(&self) {
        for (id, expires_at) in self.world.accepted_jobs() {
            let open = self.world.state(id).is_some_and(|state| !state.is_final());
            if open
                && self.world.now().plus_secs(super::clients::LIFE_SECS)
                    > expires_at.plus_secs(LOST_SECS)
            {
                self.world.violate(|| "an accepted job never ends".into());
            }
        }
    }

    fn check_rest(&self) {
        let world = &self.world;
        let rest = (
            world.object_keys(),
            world.records().len(),
            world.copied().len(),
        );
        if !(rest.0.is_empty() && rest.1 == 0 && rest.2 == 0) {
            world.violate(|| format!("something stays for ever: {rest:?}"));
        }
        let left = world.inner.executor.len();
        if left > 0 {
            world.violate(|| format!("{left} tasks hang"));
        }
    }

    /// Breaks the circle of worlds and objects, so that their memory is given back.
    fn end(self) {
        self.world.heal();
        for id in self.ringing.take() {
            self.world.reset_object(id);
        }
        self.world.dismantle();
    }
}

fn plan(world: &World, setup: &Setup, hits: &Rc<Cell<usize>>) {
    let hits = hits.clone();
    match setup.faults.clone() {
        Faults::At(at) => world.fail(move |_, count| {
            let (_, failure) = *at.iter().find(|(number, _)| *number == count)?;
            hits.set(hits.get() + 1);
            Some(failure)
        }),
        Faults::Random { one_in, until } => {
            let mut random = Random::new(setup.seed ^ 0xfa17);
            world.fail(move |_, count| {
                let hit = count < until && random.once_in(one_in);
                hit.then(|| Failure::ALL[random.index(Failure::ALL.len())])
            });
        }
    }
}
