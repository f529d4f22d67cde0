//! The sweep: orphans, tombstones, dead alarms and the index.

use crate::world::{
    LIFE_SECS, deliver, file, get, now, png, ring_alarms, settle, state, upload, world,
};
use thumbnail_core::api::ProblemKind;
use thumbnail_core::job::policy::CREATE_WITHIN_SECS;
use thumbnail_core::job::{NewJob, Outcome, Policy, State};
use thumbnail_core::keys::{JobId, source_key};
use thumbnail_core::object::ObjectMeta;
use thumbnail_core::ports::{Clock, ObjectStore};
use thumbnail_core::service::accept::create_job;
use thumbnail_core::service::reindex::{Reindexed, reindex};
use thumbnail_core::service::sweep::{Swept, sweep};
use thumbnail_core::testing::{Failure, Pieces, World, store_source};
use thumbnail_core::timestamp::Timestamp;
use thumbnail_pipeline::{ImageFormat, Limits};

/// A run of the sweep, of which nothing fails.
fn swept(world: &World) -> (Reindexed, Swept) {
    let checked = now(reindex(world, world, world)).unwrap();
    (checked, now(sweep(world, world, world, world)).unwrap())
}

/// An upload that was lost between its source and its record: nobody was told 202.
fn lose_upload(world: &World) {
    world.fail(|name, _| (name == "job.save").then_some(Failure::Before));
    assert!(upload(world, &mut Pieces::new(png(9, 9), 99)).is_err());
    world.heal();
}

#[test]
fn the_sweep_deletes_orphans_and_wakes_forgotten_jobs_of_any_age() {
    for age_secs in [21 * 60, 3_600, 20 * 86_400] {
        let world = world();
        for _ in 0..5 {
            lose_upload(&world);
        }
        let record = upload(&world, &mut Pieces::new(png(9, 9), 99)).unwrap();
        world.lose_messages();
        let early = swept(&world).1;
        assert_eq!((early.asked, early.ended), (0, true));

        world.advance_secs(age_secs);
        let (checked, did) = swept(&world);
        assert_eq!((checked.checked, checked.woken), (1, 1));
        assert_eq!((did.asked, did.orphans, did.failed), (5, 5, 0));
        assert_eq!(world.object_keys(), [format!("source/{}", record.id)]);
        assert_eq!(deliver(&world), Some(Outcome::Complete));
        assert_eq!(state(&world, record.id), State::Done);
        let (checked, did) = swept(&world);
        assert_eq!((checked.woken, did.orphans, did.failed), (0, 0, 0));
    }
}

#[test]
fn thumbnails_and_tombstones_without_a_job_are_swept() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    settle(&world);
    let kept = world.object_keys();
    world.advance_secs(86_400);
    let id = JobId::new(world.now().minus_secs(21 * 60), [7; 10]);
    let tombstone = ObjectMeta::Tombstone;
    for key in [
        format!("thumbnail/{id}.png"),
        format!("thumbnail/{id}_a.jpg"),
    ] {
        now(ObjectStore::put(
            &world,
            &key,
            Vec::new(),
            tombstone.clone(),
        ))
        .unwrap();
    }
    assert_eq!(swept(&world).1.orphans, 2);
    assert_eq!(world.object_keys(), kept);
    assert_eq!(get(&world, &record).unwrap().status, 200);
}

#[test]
fn an_alarm_that_died_is_made_up_for_by_the_sweep() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    settle(&world);
    world.advance_secs(LIFE_SECS + 11 * 60);
    assert_eq!(swept(&world).0.woken, 1);
    assert_eq!(state(&world, record.id), State::Expired);
    assert_eq!(
        world.object_keys(),
        [format!("thumbnail/{}", file(&record))]
    );
    // And once more, when the tombstone's time is over.
    world.advance_secs(15 * 86_400);
    assert_eq!(swept(&world).0.woken, 1);
    assert!(world.object_keys().is_empty() && world.records().is_empty());
    assert!(world.copied().is_empty() && world.indexed_jobs().is_empty());
}

#[test]
fn without_the_index_the_sweep_asks_every_job() {
    let world = world();
    lose_upload(&world);
    upload(&world, &mut Pieces::new(png(9, 9), 99)).unwrap();
    world.advance_secs(21 * 60);
    world.fail(|name, _| name.starts_with("d1.").then_some(Failure::Before));
    let did = now(sweep(&world, &world, &world, &world)).unwrap();
    assert_eq!((did.asked, did.orphans, did.woken, did.added), (2, 1, 1, 0));
}

#[test]
fn a_job_that_does_not_answer_stops_no_sweep() {
    let world = world();
    for _ in 0..5 {
        lose_upload(&world);
    }
    world.advance_secs(21 * 60);
    // The first job that is asked.
    let mut calls = 0;
    world.fail(move |name, _| {
        calls += u32::from(name == "job.call");
        (name == "job.call" && calls == 1).then_some(Failure::Before)
    });
    let did = swept(&world).1;
    assert_eq!((did.asked, did.orphans, did.failed), (5, 4, 1));
}

#[test]
fn a_long_walk_goes_on_where_it_stopped() {
    // More than a run asks, with the oldest and the youngest of them in two runs.
    let world = world();
    let meta = || ObjectMeta::Source {
        format: ImageFormat::Png,
    };
    for number in 0..2_000_u16 {
        let mut random = [0; 10];
        random[..2].copy_from_slice(&number.to_be_bytes());
        let id = JobId::new(world.now(), random);
        now(ObjectStore::put(
            &world,
            &source_key(id),
            Vec::new(),
            meta(),
        ))
        .unwrap();
    }
    world.advance_secs(86_400);
    // A page has three keys here, and a run two hundred pages.
    let mut runs = Vec::new();
    while world
        .object_keys()
        .iter()
        .any(|key| key.starts_with("source/"))
    {
        let did = swept(&world).1;
        runs.push((did.orphans, did.ended));
    }
    assert_eq!(
        runs,
        [(600, false), (600, false), (600, false), (200, true)]
    );
    assert!(world.object_keys().is_empty());
}

#[test]
fn an_upload_that_took_too_long_is_refused_rather_than_swept() {
    let world = world();
    let id = JobId::new(world.now(), [7; 10]);
    let limits = Limits::default();
    let mut body = Pieces::new(png(9, 9), 99);
    let stored = now(store_source(&world, id, None, &mut body, None, &limits)).unwrap();
    world.advance_secs(CREATE_WITHIN_SECS + 1);
    let new = NewJob {
        id,
        owner: "anonymous".into(),
        source: stored.source,
        variants: Vec::new(),
        planned_bytes: None,
        expires_at: None,
        webhook: None,
    };
    let problem = now(create_job(&world, new)).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::BrokenUpload);
    assert!(problem.detail.contains("900 s"), "{}", problem.detail);
    world.advance_secs(10 * 60);
    assert_eq!(swept(&world).1.orphans, 1);
}

#[test]
fn a_source_that_is_not_to_stay_goes_even_if_that_fails_at_first() {
    let policy = Policy {
        keep_sources: false,
        ..Policy::default()
    };
    let world = World::new(Timestamp::from_millis(1_795_428_000_000), policy);
    let record = upload(&world, &mut Pieces::new(png(9, 9), 99)).unwrap();
    world.fail(|name, _| (name == "r2.delete").then_some(Failure::Before));
    assert_eq!(deliver(&world), Some(Outcome::Complete));
    assert_eq!(state(&world, record.id), State::Done);
    assert!(world.object(&format!("source/{}", record.id)).is_some());
    world.heal();
    world.advance_secs(60);
    ring_alarms(&world);
    assert_eq!(world.object(&format!("source/{}", record.id)), None);
    assert_eq!(world.due_alarms(), []);
}
