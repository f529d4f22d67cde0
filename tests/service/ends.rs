//! Deleted, expired and failed jobs.

use crate::world::{
    LIFE_SECS, ask, deliver, file, get, now, png, processor, reader, ring_alarms, settle, state,
    status_document, upload, world,
};
use thumbnail_core::api::{Body, Method, ProblemKind};
use thumbnail_core::job::{Command, Outcome, State};
use thumbnail_core::ports::JobLedger;
use thumbnail_core::service::change::{cancel, rerun};
use thumbnail_core::testing::{Failure, Pieces};

#[test]
fn a_deleted_job_is_gone_whatever_is_delivered_later() {
    for done in [false, true] {
        let world = world();
        let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
        let message = world.next_message().unwrap();
        if done {
            now(processor(&world).process(&message));
        }
        now(cancel(&world, record.id)).unwrap();
        assert_eq!(now(processor(&world).process(&message)), Outcome::Complete);
        assert_eq!(get(&world, &record).err().unwrap().status, 410);
        assert_eq!(now(cancel(&world, record.id)).unwrap_err().status, 410);
        assert_eq!(
            now(rerun(&world, &world, record.id)).unwrap_err().status,
            410
        );
        // Only the tombstone stays, and that not for ever.
        assert_eq!(
            world.object_keys(),
            [format!("thumbnail/{}", file(&record))]
        );
        world.advance_secs(15 * 86_400);
        ring_alarms(&world);
        assert!(world.object_keys().is_empty() && world.records().is_empty());
        assert!(world.copy(record.id).is_none());
        assert!(matches!(
            now(processor(&world).process(&message)),
            Outcome::Discard { .. }
        ));
    }
}

#[test]
fn an_expired_job_leaves_nothing_behind() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    settle(&world);
    world.advance_secs(LIFE_SECS);
    ring_alarms(&world);
    assert_eq!(state(&world, record.id), State::Expired);
    assert_eq!(get(&world, &record).err().unwrap().status, 410);
    world.advance_secs(15 * 86_400);
    ring_alarms(&world);
    assert!(world.object_keys().is_empty() && world.records().is_empty());
}

/// The ways to read a job: the thumbnail's, each with a method and headers; then its status.
const READS: [(Method, &[(&str, &str)]); 5] = [
    (Method::Get, &[]),
    (Method::Head, &[]),
    (Method::Get, &[("range", "bytes=0-1")]),
    (Method::Get, &[("if-none-match", "*")]),
    (Method::Get, &[("if-match", "\"x\"")]),
];

#[test]
fn a_job_whose_alarm_died_is_gone_when_its_time_is_over() {
    // IdempotentUpload it was served for ever: no reader looked at the time.
    let damaged = png(60, 60)[..60].to_vec();
    for (bytes, delivered) in [(png(60, 60), true), (png(60, 60), false), (damaged, true)] {
        for copied in [true, false] {
            let world = world();
            if !copied {
                world.fail(|name, _| (name == "kv.put").then_some(Failure::Before));
            }
            let record = upload(&world, &mut Pieces::new(bytes.clone(), 999)).unwrap();
            if delivered {
                settle(&world);
            }
            world.advance_secs(LIFE_SECS - 1);
            for (method, headers) in READS {
                let answer = ask(&world, &record, method, headers);
                assert_ne!(answer.err().map(|problem| problem.status), Some(410));
            }
            world.advance_secs(1);
            for (method, headers) in READS {
                let problem = ask(&world, &record, method, headers).err().unwrap();
                assert_eq!(problem.status, 410, "{method:?} {headers:?}");
                assert_eq!(problem.detail, "the job is expired");
            }
            let reply = now(reader(&world).status(record.id)).unwrap();
            assert_eq!(reply.status, 410);
            let document = status_document(&world, record.id);
            assert_eq!(document["status"], "expired");
            assert!(document.get("thumbnails").is_none(), "{document}");
        }
    }
}

#[test]
fn nothing_begins_anew_when_its_time_is_over() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    world.advance_secs(LIFE_SECS);
    // The alarm died; the message comes all the same.
    assert_eq!(deliver(&world), Some(Outcome::Complete));
    assert_eq!(state(&world, record.id), State::Expired);
    assert_eq!(
        world.object_keys(),
        [format!("thumbnail/{}", file(&record))]
    );
    assert_eq!(get(&world, &record).err().unwrap().status, 410);
    let rerun = now(rerun(&world, &world, record.id)).unwrap_err();
    assert_eq!(rerun.status, 410);
}

#[test]
fn a_failed_job_is_tried_again_on_request() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    let message = world.next_message().unwrap();
    assert_eq!(
        now(rerun(&world, &world, record.id)).unwrap_err().kind,
        ProblemKind::NotFailed
    );
    now(world.call(record.id, Command::Start { alone: None })).unwrap();
    now(processor(&world).bury(&message));
    assert_eq!(
        now(rerun(&world, &world, record.id)).unwrap().state,
        State::Pending
    );
    settle(&world);
    assert_eq!(get(&world, &record).unwrap().status, 200);
}

#[test]
fn a_stale_copy_in_kv_misleads_nobody() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    settle(&world);
    // KV does not learn of the deletion.
    world.fail(|name, _| name.starts_with("kv.").then_some(Failure::Before));
    now(cancel(&world, record.id)).unwrap();
    world.heal();
    assert_eq!(world.copy(record.id).unwrap().state, State::Done);
    assert_eq!(get(&world, &record).err().unwrap().status, 410);
    let Body::Text(document) = now(reader(&world).status(record.id)).unwrap().body else {
        panic!("no document")
    };
    assert!(document.contains("\"status\":\"cancelled\""), "{document}");
}

#[test]
fn a_job_that_is_being_deleted_is_gone_at_each_of_its_urls() {
    // IdempotentUpload the thumbnail answered 410 and the status was still `done`.
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    settle(&world);
    let mut saves = 0;
    world.fail(move |name, _| {
        saves += u32::from(name == "job.save");
        (name == "job.save" && saves == 2).then_some(Failure::Before)
    });
    assert_eq!(now(cancel(&world, record.id)).unwrap_err().status, 503);
    world.heal();
    assert_eq!(state(&world, record.id), State::Done);
    assert_eq!(get(&world, &record).err().unwrap().status, 410);
    assert_eq!(
        now(reader(&world).status(record.id)).err().unwrap().status,
        410
    );
    assert!(now(cancel(&world, record.id)).is_ok());
}
