//! Slow queues, and products of the platform that fail.

use crate::world::{deliver, get, png, ring_alarms, settle, state, upload, world};
use thumbnail_core::job::{Outcome, Record, State};
use thumbnail_core::ports::Clock;
use thumbnail_core::testing::{Failure, Outage, Pieces, World};

#[test]
fn a_long_queue_is_not_made_longer_by_rescues() {
    for (backlog, want) in [(0, 8..=9), (50_000, 2..=3)] {
        let world = world();
        world.set_backlog(backlog);
        upload(&world, &mut Pieces::new(png(9, 9), 99)).unwrap();
        // Nothing is delivered for two hours.
        for _ in 0..120 {
            world.advance_secs(60);
            ring_alarms(&world);
        }
        let sends = world.records()[0].sends;
        assert!(want.contains(&sends), "{sends} messages behind {backlog}");
    }
}

#[test]
fn behind_a_slow_queue_of_unknown_length_nobody_sends_again() {
    let world = world();
    let records: Vec<Record> = (0..20)
        .map(|_| upload(&world, &mut Pieces::new(png(9, 9), 99)).unwrap())
        .collect();
    let sends = |world: &World| -> u32 { world.records().iter().map(|r| r.sends).sum() };
    // One in 20 s: the last one waits for more than six minutes, and alarms ring after half a one.
    for _ in &records {
        assert_eq!(deliver(&world), Some(Outcome::Complete));
        world.advance_secs(20);
        world.set_backlog(0);
        ring_alarms(&world);
    }
    assert_eq!(sends(&world), 20);
    assert!(world.records().iter().all(|r| r.state == State::Done));
}

#[test]
fn the_end_of_a_job_reaches_kv_even_if_kv_is_down_for_an_hour() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(9, 9), 99)).unwrap();
    world.interrupt(Outage {
        what: "kv.",
        from: world.now(),
        secs: 3_600,
    });
    deliver(&world);
    assert_eq!(world.copy(record.id).unwrap().state, State::Pending);
    let mut alarms = 0;
    for _ in 0..150 {
        world.advance_secs(60);
        alarms += world.due_alarms().len();
        ring_alarms(&world);
    }
    assert_eq!(world.copy(record.id).unwrap().state, State::Done);
    assert!(alarms <= 9, "{alarms} alarms");
}

#[test]
fn an_accepted_job_survives_the_failure_of_any_single_operation() {
    let mut accepted = 0;
    for failing in 0.. {
        for failure in [Failure::Before, Failure::After] {
            let world = world();
            let hit = std::rc::Rc::new(std::cell::Cell::new(false));
            let seen = hit.clone();
            world.fail(move |_, count| {
                (count == failing).then(|| {
                    seen.set(true);
                    failure
                })
            });
            let taken = upload(&world, &mut Pieces::new(png(60, 60), 999));
            settle(&world);
            world.heal();
            if let Ok(record) = &taken {
                accepted += 1;
                assert_eq!(
                    state(&world, record.id),
                    State::Done,
                    "operation {failing} {failure:?}"
                );
                assert!(
                    get(&world, record).is_ok(),
                    "operation {failing} {failure:?}"
                );
            }
            if !hit.get() {
                assert!(
                    failing > 8 && accepted > 10,
                    "{failing} operations, {accepted} accepted"
                );
                return;
            }
        }
    }
}
