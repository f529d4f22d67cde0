//! The whole life of a job, with every order of events and every fault that a seed leads to.

use thumbnail_core::testing::simulation::{Faults, Picture, Run, Scenario, Setup, Wish, run};
use thumbnail_core::testing::{Failure, Sabotage};

fn scenario(picture: Picture, wishes: &[(usize, Wish)]) -> Scenario {
    Scenario {
        picture,
        variants: 1,
        wishes: wishes.to_vec(),
        keep_sources: true,
        upload_secs: 0,
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

fn check(setup: &Setup, run: &Run) {
    if let Some(violation) = &run.violation {
        panic!(
            "{violation}\nSIM_SEED={} {setup:#?}\n{:?}\n{:?}",
            setup.seed, run.states, run.log
        );
    }
}

/// The stories whose every operation is made to fail in every way.
fn stories() -> Vec<Scenario> {
    use Picture::{Damaged, Good, Poison};
    use Wish::{Delete, Look, Rerun};
    let ended = usize::MAX;
    vec![
        scenario(Good, &[(0, Look), (12, Look), (ended, Look)]),
        scenario(
            Good,
            &[(8, Delete), (0, Look), (ended, Delete), (ended, Look)],
        ),
        scenario(Good, &[(14, Delete), (0, Look)]),
        scenario(Good, &[(ended, Look), (ended, Delete), (0, Look)]),
        scenario(
            Poison,
            &[(0, Look), (ended, Look), (ended, Rerun), (0, Look)],
        ),
        scenario(
            Damaged,
            &[
                (0, Look),
                (ended, Look),
                (ended, Rerun),
                (0, Look),
                (ended, Delete),
            ],
        ),
        Scenario {
            variants: 2,
            keep_sources: false,
            ..scenario(Good, &[(0, Look), (12, Look), (ended, Look)])
        },
    ]
}

#[test]
fn every_single_fault_of_every_story() {
    let (mut runs, mut steps) = (0, 0);
    for story in stories() {
        for operation in 0.. {
            let mut hit = false;
            for failure in Failure::ALL {
                let setup = calm(&story, Faults::At(vec![(operation, failure)]));
                let run = run(&setup);
                check(&setup, &run);
                hit |= run.all_hit;
                runs += 1;
                steps += run.steps;
            }
            if !hit {
                break;
            }
        }
    }
    println!("{runs} runs, {steps} steps");
}

fn seed() -> Option<u64> {
    std::env::var("SIM_SEED").ok()?.parse().ok()
}

fn wild(seed: u64) -> Setup {
    let stories = stories();
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

#[test]
fn a_million_steps_in_random_order() {
    let (mut runs, mut steps, mut operations) = (0_u32, 0, 0);
    let seeds = seed().map_or(0..u64::MAX, |seed| seed..seed + 1);
    for seed in seeds {
        let setup = wild(seed);
        let run = run(&setup);
        check(&setup, &run);
        runs += 1;
        steps += run.steps;
        operations += run.operations;
        if steps > 1_200_000 {
            break;
        }
    }
    println!("{runs} runs, {steps} steps, {operations} operations");
}

#[test]
fn a_job_is_never_cancelled_and_served() {
    use Wish::{Delete, Look};
    let story = scenario(
        Picture::Good,
        &[(0, Delete), (0, Look), (0, Look), (0, Look)],
    );
    let mut done_first = 0;
    for seed in 0..10_000 {
        let setup = Setup {
            scenario: story.clone(),
            faults: Faults::At(Vec::new()),
            seed,
            calm: false,
            sabotage: None,
        };
        let run = run(&setup);
        check(&setup, &run);
        done_first += u32::from(run.states.contains(&thumbnail_core::job::State::Done));
    }
    println!("finish came first in {done_first} of 10,000");
    assert!((1_000..9_000).contains(&done_first), "{done_first}");
}

#[test]
fn what_is_broken_on_purpose_is_found() {
    for (sabotage, calm) in [
        (Sabotage::BlindPut, false),
        (Sabotage::SendFirst, false),
        (Sabotage::NoAlarms, false),
        (Sabotage::AckFirst, false),
    ] {
        let mut steps = 0;
        let found = (0..2_000).find_map(|seed| {
            let setup = Setup {
                sabotage: Some(sabotage),
                calm,
                ..wild(seed)
            };
            let run = run(&setup);
            steps += run.steps;
            run.violation.map(|what| (seed, what))
        });
        let (seed, what) = found.unwrap_or_else(|| panic!("{sabotage:?} was not found"));
        println!("{sabotage:?}: after {steps} steps, seed {seed}: {what}");
    }
}
