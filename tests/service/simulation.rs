//! The whole life of a job, with every order of events and every fault that a seed leads to.

use std::time::Instant;

use thumbnail_core::job::{FailureKind, State};
use thumbnail_core::testing::simulation::{
    Faults, PRODUCTS, Picture, Run, Scenario, Setup, Wish, run,
};
use thumbnail_core::testing::{Failure, Sabotage};

const HOUR_SECS: u64 = 3_600;

fn scenario(picture: Picture, wishes: &[(usize, Wish)]) -> Scenario {
    Scenario {
        picture,
        variants: 1,
        wishes: wishes.to_vec(),
        keep_sources: true,
        upload_secs: 0,
        webhook: false,
        beside: Vec::new(),
    }
}

fn calm(scenario: &Scenario, faults: Faults) -> Setup {
    Setup {
        scenario: scenario.clone(),
        faults,
        seed: 1,
        calm: true,
        sabotage: None,
    }
}

/// What was run by a test, for it to tell.
#[derive(Default)]
struct Sums {
    runs: u32,
    steps: usize,
    operations: usize,
    messages: u32,
    rings: u32,
    done_secs: u64,
    events: u32,
    requests: u32,
}

impl Sums {
    fn run(&mut self, setup: &Setup) -> Run {
        let run = run(setup);
        if let Some(violation) = &run.violation {
            fail(setup, &run, violation);
        }
        self.runs += 1;
        self.steps += run.steps;
        self.operations += run.operations;
        self.messages = self.messages.max(run.messages);
        self.rings = self.rings.max(run.rings);
        self.done_secs = self.done_secs.max(run.done_secs.unwrap_or(0));
        self.events += run.told.0;
        self.requests += run.told.1;
        run
    }

    /// As `run`; and with so few faults, whoever could be served is served.
    fn run_to_good_end(&mut self, setup: &Setup) -> Run {
        let run = self.run(setup);
        let poison = run.failure == Some(FailureKind::Poison);
        // Two attempts that do not come back are all that an image is given.
        let lost_twice = poison && matches!(&setup.faults, Faults::At(at) if at.len() > 1);
        let served = run.failure.is_none() && run.states.contains(&State::Done);
        if deserves_a_thumbnail(&setup.scenario) && !lost_twice && !served {
            fail(setup, &run, "a good image without a thumbnail");
        }
        run
    }

    fn tell(&self, what: &str, started: Instant) {
        let Self {
            runs,
            steps,
            operations,
            messages,
            rings,
            done_secs,
            events,
            requests,
        } = self;
        println!(
            "{what}: {runs} runs, {steps} steps, {operations} operations in {:.1} s; at most \
             {messages} messages and {rings} alarms for one job, {done_secs} s until it was done; \
             {events} events told by {requests} requests",
            started.elapsed().as_secs_f32()
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is told how long a test took; nothing follows from it"
)]
fn begin() -> Instant {
    Instant::now()
}

fn fail(setup: &Setup, run: &Run, violation: &str) -> ! {
    panic!(
        "{violation}\nSIM_SEED={} {setup:#?}\n{:?}\n{:?}",
        setup.seed, run.states, run.log
    );
}

fn deserves_a_thumbnail(scenario: &Scenario) -> bool {
    let harmless = |(_, wish): &(usize, Wish)| matches!(wish, Wish::Look | Wish::Extend);
    scenario.picture == Picture::Good && scenario.wishes.iter().all(harmless)
}

/// The story that is told most often: an upload, its thumbnail, its expiry.
fn served() -> Scenario {
    use Wish::Look;
    scenario(Picture::Good, &[(0, Look), (12, Look), (usize::MAX, Look)])
}

/// A deletion while an attempt is at work.
fn called_off() -> Scenario {
    use Wish::{Delete, Look};
    scenario(Picture::Good, &[(20, Delete), (0, Look)])
}

/// Two thumbnails of a source that goes when they are there.
fn two_thumbnails() -> Scenario {
    Scenario {
        variants: 2,
        keep_sources: false,
        ..served()
    }
}

/// A deletion before any attempt, and another one.
fn called_off_twice() -> Scenario {
    use Wish::{Delete, Look};
    let ended = usize::MAX;
    let wishes = [(8, Delete), (0, Look), (ended, Delete), (ended, Look)];
    scenario(Picture::Good, &wishes)
}

/// A deletion of what was made.
fn deleted() -> Scenario {
    use Wish::{Delete, Look};
    let ended = usize::MAX;
    scenario(Picture::Good, &[(ended, Look), (ended, Delete), (0, Look)])
}

/// An image that kills whoever decodes it, twice.
fn poisonous() -> Scenario {
    use Wish::{Look, Rerun};
    let ended = usize::MAX;
    let wishes = [(0, Look), (ended, Look), (ended, Rerun), (0, Look)];
    scenario(Picture::Poison, &wishes)
}

/// An image that cannot be decoded, this time as little as the last, until it is deleted.
fn damaged() -> Scenario {
    use Wish::{Delete, Look, Rerun};
    let ended = usize::MAX;
    let wishes = [(0, Look), (ended, Look), (ended, Rerun), (0, Look)];
    scenario(
        Picture::Damaged,
        &[wishes.as_slice(), &[(ended, Delete)]].concat(),
    )
}

/// A thumbnail, and somebody who is told that it is there, and that it has expired.
fn told() -> Scenario {
    Scenario {
        webhook: true,
        ..served()
    }
}

/// Somebody is told of a thumbnail, then of its deletion.
fn told_of_its_deletion() -> Scenario {
    Scenario {
        webhook: true,
        ..deleted()
    }
}

/// Somebody is told of two failures, and of a deletion.
fn told_of_damage() -> Scenario {
    Scenario {
        webhook: true,
        ..damaged()
    }
}

/// Another size, asked for again and again.
fn extended() -> Scenario {
    use Wish::{Extend, Look};
    let ended = usize::MAX;
    let wishes = [(ended, Extend), (0, Look), (0, Extend), (ended, Look)];
    scenario(
        Picture::Good,
        &[wishes.as_slice(), &[(ended, Extend), (0, Look)]].concat(),
    )
}

/// A deletion while another size is made.
fn called_off_while_extended() -> Scenario {
    use Wish::{Delete, Extend, Look};
    let ended = usize::MAX;
    let wishes = [(ended, Extend), (22, Delete), (0, Look), (ended, Extend)];
    scenario(Picture::Good, &wishes)
}

/// An image of which there is no other size, asked for twice.
fn good_once() -> Scenario {
    use Wish::{Extend, Look};
    let ended = usize::MAX;
    let once = [(ended, Extend), (0, Look), (ended, Look)];
    scenario(Picture::GoodOnce, &[once, once].concat())
}

/// An image that kills whoever makes another size of it, twice.
fn poison_later() -> Scenario {
    use Wish::{Delete, Extend, Look};
    let ended = usize::MAX;
    let once = [(ended, Extend), (0, Look), (ended, Look)];
    let again = [(ended, Extend), (0, Look), (ended, Delete)];
    scenario(Picture::PoisonLater, &[once, again].concat())
}

/// Somebody is told of a thumbnail, and not of the other one.
fn told_once_of_two_sizes() -> Scenario {
    Scenario {
        webhook: true,
        ..extended()
    }
}

/// The stories whose every operation is made to fail in every way.
fn stories() -> Vec<Scenario> {
    vec![
        served(),
        called_off(),
        two_thumbnails(),
        called_off_twice(),
        deleted(),
        poisonous(),
        damaged(),
        told(),
        told_of_its_deletion(),
        told_of_damage(),
        extended(),
        called_off_while_extended(),
        good_once(),
        poison_later(),
        told_once_of_two_sizes(),
    ]
}

/// Every fault that an operation from number `from` on can have.
fn faults(
    trace: &[(&'static str, &'static [Failure])],
    from: usize,
) -> impl Iterator<Item = (usize, Failure)> + use<> {
    let later: Vec<_> = trace.iter().copied().enumerate().skip(from).collect();
    later
        .into_iter()
        .flat_map(|(number, (_, failures))| failures.iter().map(move |f| (number, *f)))
}

#[test]
fn every_single_fault_of_every_story() {
    let (mut sums, started) = (Sums::default(), begin());
    for story in stories() {
        let whole = sums.run_to_good_end(&calm(&story, Faults::At(Vec::new())));
        assert!(whole.done_secs.is_none_or(|secs| secs == 0));
        for fault in faults(&whole.trace, 0) {
            let run = sums.run_to_good_end(&calm(&story, Faults::At(vec![fault])));
            assert!(run.all_hit, "{fault:?} of {}", whole.operations);
        }
    }
    sums.tell("single faults", started);
}

fn every_pair(story: &Scenario) {
    let (mut sums, started) = (Sums::default(), begin());
    let whole = sums.run_to_good_end(&calm(story, Faults::At(Vec::new())));
    for first in faults(&whole.trace, 0) {
        let once = sums.run_to_good_end(&calm(story, Faults::At(vec![first])));
        for second in faults(&once.trace, first.0 + 1) {
            let run = sums.run_to_good_end(&calm(story, Faults::At(vec![first, second])));
            assert!(run.all_hit, "{first:?} {second:?}");
        }
    }
    let points = whole.operations;
    sums.tell(&format!("pairs of faults at {points} operations"), started);
}

#[test]
#[ignore = "half a minute, and little that the one that is told of does not find"]
fn every_pair_of_faults_of_an_upload_that_is_served() {
    every_pair(&served());
}

#[test]
fn every_pair_of_faults_of_two_thumbnails() {
    every_pair(&two_thumbnails());
}

#[test]
fn every_pair_of_faults_of_an_upload_that_is_called_off() {
    every_pair(&called_off());
}

#[test]
fn every_pair_of_faults_of_an_upload_that_is_told_of() {
    every_pair(&told());
}

#[test]
#[ignore = "half a minute each, and little that the others do not find"]
fn every_pair_of_faults_of_a_deletion_that_is_told_of() {
    every_pair(&told_of_its_deletion());
}

#[test]
#[ignore = "half a minute each, and little that the others do not find"]
fn every_pair_of_faults_of_an_upload_that_is_called_off_twice() {
    every_pair(&called_off_twice());
}

#[test]
#[ignore = "half a minute each, and little that the others do not find"]
fn every_pair_of_faults_of_a_thumbnail_that_is_deleted() {
    every_pair(&deleted());
}

#[test]
#[ignore = "half a minute each, and little that the others do not find"]
fn every_pair_of_faults_of_a_poisonous_picture() {
    every_pair(&poisonous());
}

#[test]
#[ignore = "minutes, and little that the others do not find"]
fn every_pair_of_faults_of_another_size() {
    every_pair(&extended());
}

#[test]
fn every_pair_of_faults_of_a_damaged_picture() {
    every_pair(&damaged());
}

#[test]
fn an_hour_without_one_of_the_products_at_every_step() {
    let (mut sums, started) = (Sums::default(), begin());
    for story in stories() {
        let whole = sums.run(&calm(&story, Faults::At(Vec::new())));
        for (at, what) in (0..whole.operations).flat_map(|at| PRODUCTS.map(|product| (at, product)))
        {
            let secs = HOUR_SECS;
            let run = sums.run(&calm(&story, Faults::Outage { at, what, secs }));
            let accepted = !run.states.is_empty();
            let served = run.failure.is_none() && run.states.contains(&State::Done);
            assert!(
                served || !accepted || !deserves_a_thumbnail(&story),
                "{what} down from operation {at} on: {:?} {:?}",
                run.failure,
                run.states
            );
        }
    }
    sums.tell("outages", started);
}

/// Whichever alarm it is that dies: for the end of a job, for its expiry, for its burial.
#[test]
fn every_alarm_of_every_story_dies() {
    let (mut sums, started) = (Sums::default(), begin());
    for story in stories() {
        let mut nth = 0;
        while sums
            .run_to_good_end(&calm(&story, Faults::Alarm(nth)))
            .all_hit
        {
            nth += 1;
        }
        assert!(nth >= 1, "{nth} alarms of {story:?}");
    }
    sums.tell("dead alarms", started);
}

/// Five images in one instance, which has room for two; one may be worse than it looks.
fn crowd(picture: Picture) -> Scenario {
    use Picture::Good;
    Scenario {
        beside: vec![picture, Good, Good, Good],
        ..served()
    }
}

/// What was seen of the images of a crowd.
#[derive(Default)]
struct Crowd {
    sums: Sums,
    deferrals: u32,
    deaths: u32,
    attempts: u32,
}

impl Crowd {
    /// However they are delivered: whoever is harmless gets a thumbnail. One fault is not enough to make
    /// an attempt fail that has its instance to itself twice.
    fn run(&mut self, setup: &Setup) -> Run {
        let run = self.sums.run(setup);
        for (picture, failure, attempts) in &run.ends {
            // The queue may give a message up by chance.
            let wrong = match (picture, failure) {
                (_, Some(FailureKind::DeadLetter)) => false,
                (Picture::Poison, failure) => *failure != Some(FailureKind::Poison),
                (_, failure) => failure.is_some(),
            };
            // IdempotentUpload beside others, twice alone; and what one fault adds.
            if wrong || *attempts > 4 {
                fail(setup, &run, &format!("{:?}", run.ends));
            }
            self.attempts = self.attempts.max(*attempts);
        }
        self.deferrals = self.deferrals.max(run.deferrals);
        self.deaths += run.deaths;
        run
    }

    fn tell(&self, what: &str, started: Instant) {
        self.sums.tell(what, started);
        println!(
            "{what}: at most {} attempts and {} deferrals of one job; {} instances died",
            self.attempts, self.deferrals, self.deaths
        );
    }
}

fn crowded(picture: Picture, seed: u64, faults: Vec<(usize, Failure)>) -> Setup {
    Setup {
        scenario: crowd(picture),
        faults: Faults::At(faults),
        seed,
        calm: false,
        sabotage: None,
    }
}

#[test]
fn a_crowd_in_one_instance_is_served() {
    let (mut seen, started) = (Crowd::default(), begin());
    for seed in 0..400 {
        let run = seen.run(&crowded(Picture::Good, seed, Vec::new()));
        assert_eq!((run.ends.len(), run.deaths), (5, 0), "{seed}");
    }
    assert!(seen.deferrals > 0);
    seen.tell("crowds", started);
}

#[test]
fn poison_in_a_crowd_ends_alone() {
    let (mut seen, started) = (Crowd::default(), begin());
    for seed in 0..400 {
        let run = seen.run(&crowded(Picture::Poison, seed, Vec::new()));
        assert!(run.deaths <= 3, "{seed}: {}", run.deaths);
    }
    seen.tell("crowds with poison", started);
}

#[test]
fn an_instance_that_dies_or_a_lost_invocation_harms_no_picture_of_a_crowd() {
    let (mut seen, started) = (Crowd::default(), begin());
    for picture in [Picture::Good, Picture::Poison] {
        let whole = seen.run(&crowded(picture, 0, Vec::new()));
        for fault in faults(&whole.trace, 0) {
            seen.run(&crowded(picture, 0, vec![fault]));
        }
    }
    assert!(seen.deaths > 100);
    seen.tell("single faults in crowds", started);
}

#[test]
fn an_instance_that_is_careless_with_its_crowd_is_found() {
    for (sabotage, picture) in [
        (Sabotage::NoBudget, Picture::Good),
        (Sabotage::SharedBlame, Picture::Poison),
        (Sabotage::EternalLease, Picture::Good),
    ] {
        let setups = (0..400).flat_map(|seed| {
            let whole = run(&crowded(picture, seed, Vec::new()));
            // A sabotage that shows by itself needs no fault.
            let none = std::iter::once(Vec::new());
            let cancelled = |(_, failure): &(usize, Failure)| *failure == Failure::DropBefore;
            let each = faults(&whole.trace, 0).filter(cancelled);
            none.chain(each.map(|fault| vec![fault]))
                .map(move |faults| crowded(picture, seed, faults))
        });
        let found = setups.enumerate().find_map(|(number, setup)| {
            let run = run(&Setup {
                sabotage: Some(sabotage),
                ..setup.clone()
            });
            let faultless = matches!(&setup.faults, Faults::At(at) if at.is_empty());
            let died = picture == Picture::Good && faultless && run.deaths > 0;
            let died = died.then(|| "harmless images killed their instance".into());
            let harmed = |(picture, failure, _): &&(Picture, Option<FailureKind>, u32)| {
                *picture == Picture::Good && *failure == Some(FailureKind::Poison)
            };
            let harmed = run.ends.iter().find(harmed).map(|end| format!("{end:?}"));
            let endless = run.violation.filter(|what| what.contains("never ends"));
            harmed.or(died).or(endless).map(|what| (number, what))
        });
        let (number, what) = found.unwrap_or_else(|| panic!("{sabotage:?} was not found"));
        println!("{sabotage:?}: in run {number}: {what:.100}");
    }
}

fn seed() -> Option<u64> {
    std::env::var("SIM_SEED").ok()?.parse().ok()
}

fn wild(seed: u64) -> Setup {
    let mut stories = stories();
    // The second is too slow: no job is made of it.
    for upload_secs in [14 * 60, 20 * 60] {
        stories.push(Scenario {
            upload_secs,
            ..served()
        });
    }
    let index = usize::try_from(seed).unwrap_or(0) % stories.len();
    Setup {
        scenario: stories[index].clone(),
        faults: Faults::Random {
            one_in: 12,
            until: 120,
        },
        seed,
        calm: false,
        sabotage: None,
    }
}

/// `SIM_SEED=7 cargo test --test service simulation` repeats the run of one seed.
#[test]
fn a_million_steps_in_random_order() {
    let (mut sums, started) = (Sums::default(), begin());
    let seeds = seed().map_or(0..u64::MAX, |seed| seed..seed + 1);
    for seed in seeds {
        sums.run(&wild(seed));
        if sums.steps > 5_000_000 {
            break;
        }
    }
    sums.tell("random faults", started);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..30 {
        assert_eq!(run(&wild(seed)), run(&wild(seed)), "{seed}");
    }
}

#[test]
fn a_job_is_never_cancelled_and_served() {
    use Wish::{Delete, Look};
    let story = scenario(
        Picture::Good,
        &[(0, Delete), (0, Look), (0, Look), (0, Look)],
    );
    let (mut sums, started) = (Sums::default(), begin());
    let mut done_first = 0;
    for seed in 0..10_000 {
        let run = sums.run(&Setup {
            scenario: story.clone(),
            faults: Faults::At(Vec::new()),
            seed,
            calm: false,
            sabotage: None,
        });
        done_first += u32::from(run.states.contains(&State::Done));
    }
    println!("finish came first in {done_first} of 10,000");
    sums.tell("cancel against finish", started);
    assert!((500..9_000).contains(&done_first), "{done_first}");
}

#[test]
fn what_is_broken_on_purpose_is_found() {
    for (sabotage, sign) in [
        (Sabotage::BlindPut, ""),
        (Sabotage::SendFirst, "a message came before its job"),
        (Sabotage::NoRescue, ""),
        (Sabotage::TwoWriters, "KV has revision"),
        (Sabotage::BlindCourier, "msg_"),
        (Sabotage::OneMessage, "it never ends"),
    ] {
        let (mut steps, started) = (0, begin());
        let found = (0..2_000).find_map(|seed| {
            let setup = Setup {
                sabotage: Some(sabotage),
                ..wild(seed)
            };
            let run = run(&setup);
            steps += run.steps;
            let violation = run.violation.filter(|what| what.starts_with(sign));
            violation.map(|what| (seed, what))
        });
        let (seed, what) = found.unwrap_or_else(|| panic!("{sabotage:?} was not found"));
        println!(
            "{sabotage:?}: after {steps} steps, seed {seed}, {:.2} s: {what}",
            started.elapsed().as_secs_f32()
        );
    }
}

/// A platform's fault at each operation of an attempt on R2, one at a time: the first violation of what
/// follows from the queue's promise, that an attempt which asks to be tried again is, by its message.
fn faults_that_need_a_second_message(sabotage: Option<Sabotage>) -> Option<(usize, u32, u64)> {
    let setup = |faults| Setup {
        sabotage,
        ..calm(&served(), Faults::At(faults))
    };
    let whole = run(&setup(Vec::new()));
    let failing = |number| run(&setup(vec![(number, Failure::Before)]));
    let on_r2 = |number: &usize| whole.trace[*number].0.starts_with("r2.");
    (0..whole.operations).filter(on_r2).find_map(|number| {
        let run = failing(number);
        assert_eq!(run.violation, None);
        let tried_again = run.states.contains(&State::Retrying);
        let alone = tried_again && run.messages > 1;
        alone.then(|| (number, run.messages, run.done_secs.unwrap_or(0)))
    })
}

/// A message that is acknowledged before its attempt has ended loses nothing by that alone: the job's alarm
/// sends another one. No client can tell the two apart but by waiting longer. What does tell them apart
/// is what it takes: an attempt that meets a fault of the platform asks the queue for the same message
/// again, and so needs one message in all; acknowledged too early, it needs a rescue. With nothing to
/// rescue it, such a job is lost, as `NoRescue` shows for messages that get lost.
#[test]
fn an_acknowledgement_before_the_end_is_seen_by_its_rescues() {
    assert_eq!(faults_that_need_a_second_message(None), None);
    let started = begin();
    let found = faults_that_need_a_second_message(Some(Sabotage::AckFirst));
    let (number, messages, secs) = found.expect("AckFirst was not found");
    println!(
        "AckFirst: a fault at operation {number} takes {messages} messages and {secs} s, {:.2} s",
        started.elapsed().as_secs_f32()
    );
}
