//! The whole life of a job in one thread: who runs next follows from a seed.

use std::cell::Cell;
use std::rc::Rc;

use super::clients::Client;
use super::random::Random;
pub use super::story::{Faults, Picture, Run, Scenario, Setup, Wish};
use super::witness::Sabotage;
use super::{Failure, Outage, World};
use crate::job::{Policy, State};
use crate::keys::JobId;
use crate::ports::Clock;
use crate::timestamp::Timestamp;

/// When a job that has not ended counts as lost: all rescues together take 14 hours.
const LOST_SECS: u64 = 30 * 3_600;

/// A run that takes more steps never ends. The longest that ends takes a tenth of it.
const MAX_STEPS: usize = 60_000;

const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);

/// Random faults end when nothing else happens after so many operations.
const QUIET_AFTER: usize = 40;

/// How often the cron sweep runs, and until when: no source is young enough to be swept by then.
const SWEEP_SECS: u64 = 25 * 60;
const SWEEPS: u32 = 9;

/// How far the clocks of edge and objects differ at most, in seconds.
pub(super) const MAX_SKEW_SECS: u64 = 60;

/// How many alarms die in one run at most.
const MAX_SILENCED: u32 = 6;

/// How much later than due an alarm rings at most, in seconds.
const MAX_ALARM_DELAY_SECS: u64 = 90;

/// What may be down for a while: how the names of its operations begin.
pub const PRODUCTS: [&str; 7] = [
    "queue.",
    "kv.",
    "r2.",
    "job.",
    "d1.",
    "webhooks.",
    "receiver.",
];

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
    /// Those beside it.
    others: Vec<Client>,
    wishes: Vec<(usize, Wish)>,
    sweeps: u32,
    swept_at: Timestamp,
    looks: u32,
    silenced: u32,
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
        if !setup.calm {
            weather(&world, setup);
        }
        let hits = Rc::new(Cell::new(0));
        plan(&world, setup, &hits);
        let mut wishes = setup.scenario.wishes.clone();
        wishes.reverse();
        let mut others = Client::all(&world, &setup.scenario);
        Self {
            client: others.remove(0),
            others,
            world,
            setup: setup.clone(),
            random: Random::new(setup.seed),
            hits,
            wishes,
            sweeps: 0,
            swept_at: START,
            looks: 0,
            silenced: 0,
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
        self.world.check_rest();
        self.world.check_work();
        self.world.check_told();
        let planned = match &self.setup.faults {
            Faults::At(at) => at.len(),
            Faults::Random { .. } => 0,
            Faults::Outage { .. } | Faults::Alarm(_) => 1,
        };
        let log = self.world.log();
        Run {
            steps,
            operations: self.world.inner.operations.get(),
            trace: self.world.inner.trace.take(),
            all_hit: self.hits.get() >= planned,
            violation: self.world.violation(),
            states: self.world.states(),
            failure: self.world.failure_kind(),
            done_secs: self.world.done_secs(),
            messages: self.world.most_messages(),
            rings: self.world.most_rings(),
            told: self.world.told_events(),
            ends: self.world.ends(),
            deferrals: self.world.most_deferrals(),
            deaths: self.world.deaths(),
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

    fn clients(&self) -> impl Iterator<Item = &Client> {
        std::iter::once(&self.client).chain(&self.others)
    }

    /// What could happen now.
    fn events(&mut self, busy: bool) -> Vec<Event> {
        let world = &self.world;
        let now = world.now();
        let mut events = Vec::new();
        if self.clients().any(Client::wants_to_upload) {
            events.push(Event::Upload);
        }
        if world.next_delivery().is_some_and(|at| at <= now) {
            events.push(Event::Deliver);
        }
        // An alarm may be late.
        if self.setup.calm || self.random.once_in(3) {
            events.extend(world.ringable().into_iter().map(Event::Alarm));
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
        if self.sweep_at().is_some_and(|at| at <= now) {
            events.push(Event::Sweep);
        }
        if !self.setup.calm && busy {
            // Or ring twice.
            let twice = self.client.job().filter(|_| self.random.once_in(80));
            events.extend(twice.map(Event::Alarm));
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
            Event::Upload => {
                let next = self.clients().find(|client| client.wants_to_upload());
                next.into_iter().for_each(Client::upload);
            }
            Event::Deliver => {
                if let Some(delivery) = world.deliver() {
                    self.client.consume(delivery);
                }
            }
            Event::Alarm(id) => world.ring_alarm(id),
            Event::Late => world.arrive(),
            Event::Wish(wish) => {
                self.wishes.pop();
                let at = self.client.job().and_then(|id| self.world.rerun_at(id));
                // Most wait as long as they are told.
                if let Some(at) = at.filter(|at| wish == Wish::Rerun && *at > world.now())
                    && (self.setup.calm || !self.random.once_in(4))
                {
                    self.world.pass_to(at);
                }
                self.client.grant(wish);
            }
            Event::Sweep => {
                self.sweeps = (self.sweeps + 1).min(SWEEPS);
                self.swept_at = world.now();
                self.client.sweep();
            }
            Event::Evict(id) => world.reset_object(id),
            Event::Pass(secs) => world.advance_secs(secs),
        }
    }

    /// Nothing can happen now: lets the time come at which something can.
    fn wait(&mut self) -> bool {
        let random = matches!(self.setup.faults, Faults::Random { .. });
        if random && self.world.inner.operations.get() >= QUIET_AFTER {
            self.world.heal();
        }
        self.silence(random);
        let now = self.world.now();
        let look = self.client.look_at(self.looks);
        let overdue = look.is_some_and(|at| at <= now);
        let next = if overdue {
            Some(now)
        } else {
            self.next_time(now, look)
        };
        if self.world.ringable().is_empty() {
            let Some(next) = next else {
                return false;
            };
            self.world.pass_to(next);
        } else {
            // Whoever is late to ring lets some time pass, and rings then.
            let late = now.plus_secs(self.random.below(MAX_ALARM_DELAY_SECS));
            self.world.pass_to(next.map_or(late, |next| next.min(late)));
        }
        if look.is_some_and(|at| at <= self.world.now()) {
            if self.looks == 0 {
                self.world.check_settled();
            }
            self.looks += 1;
            self.client.grant(Wish::Look);
        }
        self.check_lost();
        self.world.check_index();
        true
    }

    /// An alarm may die at any age of its job.
    fn silence(&mut self, random: bool) {
        if let Some(id) = self.client.job()
            && random
            && self.silenced < MAX_SILENCED
            && self.random.once_in(8)
            && !self.is_being_buried(id)
        {
            self.silenced += 1;
            self.world.kill_alarm(id);
        }
    }

    /// In the middle of a deletion, with the source gone and no tombstone yet, nothing but its alarm or a
    /// row leads to a job.
    fn is_being_buried(&self, id: JobId) -> bool {
        let records = self.world.inner.records.borrow();
        records.get(&id).is_some_and(|r| r.intent.is_some())
    }

    /// When something can happen.
    fn next_time(&self, now: Timestamp, look: Option<Timestamp>) -> Option<Timestamp> {
        let late = self.world.inner.late.borrow();
        let late = late.iter().map(|(at, _)| *at).min();
        let (alarm, delivery) = (self.world.next_alarm(), self.world.next_delivery());
        let times = [alarm, late, delivery, look, self.sweep_at()];
        times.into_iter().flatten().filter(|at| *at > now).min()
    }

    fn sweep_at(&self) -> Option<Timestamp> {
        // What happens in a calm platform needs few of them.
        let nth = if self.setup.calm {
            1 << self.sweeps
        } else {
            self.sweeps + 1
        };
        if self.world.sabotaged(Sabotage::NoRescue) {
            return None;
        }
        let first = (nth <= SWEEPS).then(|| START.plus_secs(SWEEP_SECS * u64::from(nth)));
        // Later only those that have something to do: a row to compare with its job, or what a job left.
        let stored = !self.world.inner.objects.borrow().is_empty();
        let left = || stored.then_some(self.swept_at);
        let later = || self.world.next_check().or_else(left);
        first.or_else(|| later().map(|at| at.max(self.swept_at.plus_secs(SWEEP_SECS))))
    }

    fn check_lost(&self) {
        for (id, expires_at) in self.world.accepted_jobs() {
            let records = self.world.inner.records.borrow();
            let record = records.get(&id);
            let open = record.is_some_and(|record| {
                !record.phase().is_final() && !self.world.is_out_of_sight(record)
            });
            if open
                && self.world.now().plus_secs(super::clients::LIFE_SECS)
                    > expires_at.plus_secs(LOST_SECS)
            {
                self.world.violate(|| "an accepted job never ends".into());
            }
        }
    }

    /// Breaks the circle of worlds and objects, so that their memory is given back.
    fn end(self) {
        self.world.heal();
        self.world.dismantle();
    }
}

fn plan(world: &World, setup: &Setup, hits: &Rc<Cell<usize>>) {
    let hits = hits.clone();
    match setup.faults.clone() {
        Faults::Alarm(nth) => world.doom_alarm(nth, move || hits.set(hits.get() + 1)),
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
        Faults::Outage { at, what, secs } => {
            let inner = Rc::downgrade(&world.inner);
            world.fail(move |name, count| {
                if count != at {
                    return None;
                }
                hits.set(hits.get() + 1);
                let inner = inner.upgrade()?;
                let from = inner.now.get();
                inner.outage.set(Some(Outage { what, from, secs }));
                name.starts_with(what).then_some(Failure::Before)
            });
        }
    }
}

/// What is the matter with the platform all the time.
fn weather(world: &World, setup: &Setup) {
    let mut random = Random::new(setup.seed ^ 0x3ea7);
    world.inner.calm.set(false);
    world.inner.receiver.moody.set(random.once_in(2));
    world.inner.skew.set(random.below(u64::MAX), MAX_SKEW_SECS);
    if random.once_in(3) {
        world.set_backlog(1_000_000);
    }
    // A crowd is trouble enough.
    if !setup.scenario.beside.is_empty() {
        return;
    }
    world.inner.mixed.set(random.once_in(3));
    if random.once_in(3) {
        world.interrupt(Outage {
            what: PRODUCTS[random.index(PRODUCTS.len())],
            from: START.plus_secs(random.below(300)),
            secs: random.below(3_600),
        });
    }
}
