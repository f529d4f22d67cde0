//! Events and their deliveries.

use crate::world::{LIFE_SECS, deliver, now, png, rand_bytes, ring_alarms, status_document, world};
use thumbnail_core::api::ProblemKind;
use thumbnail_core::job::webhook::Answer;
use thumbnail_core::job::{NewJob, Outcome, Record};
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::Clock;
use thumbnail_core::service::accept::create_job;
use thumbnail_core::service::change::{cancel, redeliver};
use thumbnail_core::service::deliver::{Delivered, WebhookSender};
use thumbnail_core::testing::{Failure, Pieces, World, store_source, webhook};
use thumbnail_pipeline::{Limits, Options, Variant};

/// A courier to the receiver of `world`.
fn courier(world: &World) -> WebhookSender<'_, World, World> {
    WebhookSender {
        ledger: world,
        receivers: world,
    }
}

/// Delivers what the next messages ask for, up to one that asks for something.
fn deliver_event(world: &World) -> Option<Delivered> {
    while let Some(message) = world.next_webhook_message() {
        let (_, attempt) = now(courier(world).begin(&message));
        if let Some(attempt) = attempt {
            return Some(now(courier(world).run(attempt)));
        }
    }
    None
}

fn upload_with_webhook(world: &World) -> Record {
    let id = JobId::new(world.now(), rand_bytes(world));
    let variants = vec![Variant {
        name: "default".into(),
        options: Options::default(),
    }];
    now(async {
        let (mut body, limits) = (Pieces::new(png(9, 9), 100), Limits::default());
        let stored = store_source(world, id, None, &mut body, Some(&variants), &limits).await;
        let new = NewJob {
            id,
            owner: "anonymous".into(),
            source: stored.unwrap().source,
            variants,
            planned_bytes: None,
            expires_at: Some(world.now().plus_secs(LIFE_SECS)),
            webhook: Some(webhook()),
        };
        create_job(world, new).await.unwrap().0
    })
}

#[test]
fn an_event_goes_out_before_its_attempt_is_acknowledged() {
    let world = world();
    let record = upload_with_webhook(&world);
    assert_eq!(deliver(&world), Some(Outcome::Complete));
    let log = world.log();
    let end = ["job.save", "kv.put", "webhooks.send", "d1.put", "job.call"];
    assert_eq!(log[log.len() - 5..], end);
    assert_eq!(
        status_document(&world, record.id)["webhook"]["status"],
        "waiting"
    );

    let (settled, attempt) = now(courier(&world).begin(&world.next_webhook_message().unwrap()));
    assert_eq!(settled, Outcome::Complete);
    // What becomes of the message is known before the receiver hears anything.
    assert!(world.received().is_empty());
    now(courier(&world).run(attempt.unwrap()));
    let [request] = world.received().try_into().unwrap();
    let told: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(told["type"].as_str(), Some("thumbnail.done"));
    let document = status_document(&world, record.id);
    assert_eq!(document["webhook"]["status"], "delivered");
    assert_eq!(document["webhook"]["deliveries"][0]["status"], 200);
    // What was told is the document as it was, without what has happened to it since.
    let mut was = document.clone();
    was.as_object_mut().unwrap().remove("webhook");
    was["revision"] = told["data"]["revision"].clone();
    assert_eq!(told["data"], was);
}

#[test]
fn an_event_is_told_again_until_it_is_taken_with_one_id() {
    let world = world();
    let record = upload_with_webhook(&world);
    let failure = |status| Answer::Status {
        status,
        retry_after_secs: None,
    };
    world.answer([500, 301, 404].map(failure));
    deliver(&world);
    for _ in 0..4 {
        deliver_event(&world).unwrap();
        world.advance_secs(2_000);
        ring_alarms(&world);
    }
    assert_eq!(deliver_event(&world), None);
    let received = world.received();
    let ids: std::collections::BTreeSet<_> = received.iter().map(|r| &r.id).collect();
    assert_eq!((received.len(), ids.len()), (4, 1));
    let deliveries = &status_document(&world, record.id)["webhook"]["deliveries"];
    let statuses: Vec<_> = (0..4).map(|n| deliveries[n]["status"].as_u64()).collect();
    assert_eq!(statuses, [500, 301, 404, 200].map(Some));
}

#[test]
fn every_end_is_told_also_those_that_the_client_chose() {
    let world = world();
    let record = upload_with_webhook(&world);
    deliver(&world);
    // The receiver's queue stands still: both events wait for it.
    now(cancel(&world, record.id)).unwrap();
    while deliver_event(&world).is_some() {}
    let types: Vec<String> = world
        .received()
        .iter()
        .map(|r| serde_json::from_str::<serde_json::Value>(&r.body).unwrap()["type"].to_string())
        .collect();
    assert_eq!(types, ["\"thumbnail.done\"", "\"thumbnail.cancelled\""]);
}

#[test]
fn messages_about_events_that_mean_nothing_are_discarded() {
    let world = world();
    let unknown = r#"{"v":1,"job":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","event":3}"#;
    for body in ["", "{}", r#"{"v":0}"#, unknown] {
        let (outcome, attempt) = now(courier(&world).begin(body));
        assert!(matches!(outcome, Outcome::Discard { .. }), "{body}");
        assert_eq!(attempt, None);
    }
    let secret = Answer::Error {
        error: "cannot reach https://example.com/T0".into(),
    };
    let hidden = Answer::Error {
        error: "cannot reach the receiver".into(),
    };
    assert_eq!(secret.without("https://example.com/T0"), hidden);
    let record = upload_with_webhook(&world);
    let early = format!(r#"{{"v":1,"job":"{}","event":99}}"#, record.id);
    let settled = now(courier(&world).begin(&early));
    assert_eq!(settled, (Outcome::Complete, None));
    assert!(world.received().is_empty());
}

#[test]
fn a_client_has_an_event_told_again() {
    let world = world();
    let record = upload_with_webhook(&world);
    let early = now(redeliver(&world, record.id)).unwrap_err();
    assert_eq!(early.kind, ProblemKind::NothingToTell);
    deliver(&world);
    deliver_event(&world).unwrap();
    now(redeliver(&world, record.id)).unwrap();
    deliver_event(&world).unwrap();
    let received = world.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].id, received[1].id);
}

#[test]
fn an_event_is_told_whichever_single_operation_fails() {
    for failure in [Failure::Before, Failure::After] {
        for operation in 0.. {
            let world = world();
            let record = upload_with_webhook(&world);
            let hit = std::rc::Rc::new(std::cell::Cell::new(false));
            let mark = hit.clone();
            let mut count = 0;
            world.fail(move |_, _| {
                count += 1;
                let now = count == operation + 1;
                mark.set(mark.get() || now);
                now.then_some(failure)
            });
            for _ in 0..200 {
                while deliver(&world).is_some() {}
                while deliver_event(&world).is_some() {}
                world.advance_secs(60);
                ring_alarms(&world);
            }
            world.heal();
            let received = world.received();
            let ids: std::collections::BTreeSet<_> = received.iter().map(|r| &r.id).collect();
            assert_eq!(ids.len(), 1, "{failure:?} {operation}");
            let document = status_document(&world, record.id);
            assert_eq!(document["webhook"]["status"], "delivered");
            if !hit.get() {
                assert!(operation > 10);
                break;
            }
        }
    }
}
