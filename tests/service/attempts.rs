//! Messages and attempts: each job ends once, whatever is delivered.

use crate::world::{
    deliver, file, get, now, png, processor, reader, ring_alarms, settle, state, upload, world,
};
use thumbnail_core::api::ProblemKind;
use thumbnail_core::job::{Command, Message, Outcome, State};
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::{Clock, JobLedger};
use thumbnail_core::testing::{Failure, Pieces, World};
use thumbnail_pipeline::Limits;

#[test]
fn the_same_message_ten_times_makes_one_thumbnail() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    let message = world.next_message().unwrap();
    let key = format!("thumbnail/{}", file(&record));
    let mut ends = Vec::new();
    for _ in 0..10 {
        assert_eq!(now(processor(&world).process(&message)), Outcome::Complete);
        let record = world.records().remove(0);
        ends.push((
            record,
            world.object(&key).unwrap(),
            world.copy(record_id(&world)),
        ));
    }
    let (first, others) = ends.split_first().unwrap();
    assert!(
        others.iter().all(|end| end == first),
        "identical to the byte"
    );
    assert_eq!((first.0.state, first.0.attempts), (State::Done, 1));
    let puts = world
        .log()
        .into_iter()
        .filter(|name| name == "r2.put_new")
        .count();
    assert_eq!(puts, 1, "one thumbnail");
}

fn record_id(world: &World) -> JobId {
    world.records()[0].id
}

#[test]
fn ten_attempts_that_all_store_their_thumbnail_store_the_same_bytes() {
    let mut made = Vec::new();
    for _ in 0..10 {
        let world = world();
        let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
        // The attempt stores its thumbnail and cannot say so; another one follows, and finds it.
        let mut calls = 0;
        world.fail(move |name, _| {
            calls += u32::from(name == "job.call");
            (name == "job.call" && calls == 2).then_some(Failure::Before)
        });
        settle(&world);
        assert_eq!(state(&world, record.id), State::Done);
        assert_eq!(world.records()[0].attempts, 2);
        let key = format!("thumbnail/{}", file(&record));
        made.push(world.object(&key).unwrap());
    }
    assert!(made.iter().all(|bytes| *bytes == made[0]));
}

#[test]
fn a_damaged_picture_fails_for_good_and_says_why() {
    let world = world();
    let mut bytes = png(60, 60);
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    bytes.truncate(60);
    let record = upload(&world, &mut Pieces::new(bytes, 999)).unwrap();
    assert_eq!(deliver(&world), Some(Outcome::Complete));
    assert_eq!(state(&world, record.id), State::Failed);
    // The file's fault is never tried again.
    world.advance_secs(86_400);
    ring_alarms(&world);
    assert_eq!(
        (world.records()[0].attempts, world.next_message()),
        (1, None)
    );
    let problem = get(&world, &record).err().unwrap();
    assert_eq!(problem.status, 422);
    assert!(problem.processing.unwrap().contains("FAILURE"));
    assert_eq!(now(reader(&world).status(record.id)).unwrap().status, 200);
}

#[test]
fn a_lost_message_is_rescued_by_the_alarm() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    world.lose_messages();
    settle(&world);
    assert_eq!(state(&world, record.id), State::Done);
    assert!(get(&world, &record).is_ok());
}

#[test]
fn a_dead_letter_of_a_job_that_was_begun_marks_it() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    let message = world.next_message().unwrap();
    now(world.call(record.id, Command::Start { alone: None })).unwrap();
    assert_eq!(now(processor(&world).bury(&message)), Outcome::Complete);
    assert_eq!(state(&world, record.id), State::Failed);
    assert_eq!(
        get(&world, &record).err().unwrap().kind,
        ProblemKind::DeadLetter
    );
}

#[test]
fn a_dead_letter_of_a_job_that_was_never_begun_is_sent_again() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    let message = world.next_message().unwrap();
    assert_eq!(now(processor(&world).bury(&message)), Outcome::Complete);
    assert_eq!(state(&world, record.id), State::Pending);
    settle(&world);
    assert_eq!(state(&world, record.id), State::Done);
}

#[test]
fn what_does_not_fit_beside_others_comes_again() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    let message = world.next_message().unwrap();
    let other = JobId::new(world.now(), [9; 10]);
    let reserved = world.memory().reserve(other, None, world.now()).unwrap();
    for _ in 0..3 {
        assert_eq!(now(processor(&world).process(&message)), Outcome::Deferred);
        assert!(world.next_message().is_none());
        world.advance_secs(10);
        ring_alarms(&world);
        assert_eq!(world.next_message().as_ref(), Some(&message));
    }
    drop(reserved);
    assert_eq!(now(processor(&world).process(&message)), Outcome::Complete);
    let done = &world.records()[0];
    let counted = (done.attempts, done.sends, done.faults);
    assert_eq!((done.id, counted), (record.id, (1, 1, 0)));
}

#[test]
fn a_job_that_cannot_take_a_message_back_leaves_it_to_the_queue() {
    let world = world();
    upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    let message = world.next_message().unwrap();
    let other = JobId::new(world.now(), [9; 10]);
    let _reserved = world.memory().reserve(other, None, world.now()).unwrap();
    // An edge that does not know the command answers with an error.
    world.fail(|name, _| (name == "job.call").then_some(Failure::Before));
    let outcome = now(processor(&world).process(&message));
    assert_eq!(outcome, Outcome::Retry { after_secs: 60 });
    assert_eq!(state(&world, world.records()[0].id), State::Pending);
}

#[test]
fn an_attempt_that_takes_more_than_was_planned_comes_again_with_what_it_takes() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(600, 600), 999)).unwrap();
    let planned = record.planned_bytes.unwrap();
    world.next_message().unwrap();
    let message = Message {
        job: record.id,
        planned_bytes: Some(1),
    };
    let other = JobId::new(world.now(), [9; 10]);
    let most = Limits::default().max_memory_bytes;
    let rest = Some(most - planned / 2);
    let reserved = world.memory().reserve(other, rest, world.now()).unwrap();
    let process = |text: &str| now(processor(&world).process(text));
    assert_eq!(process(&message.encode()), Outcome::Deferred);
    drop(reserved);
    world.advance_secs(60);
    ring_alarms(&world);
    assert_eq!(process(&world.next_message().unwrap()), Outcome::Complete);
    let done = &world.records()[0];
    assert_eq!((done.state, done.attempts), (State::Done, 1));
    assert!(done.planned_bytes.unwrap() >= planned / 2);
}
