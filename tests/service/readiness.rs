//! Whether each binding answers.

use crate::world::{now, world};
use thumbnail_core::api::Reply;
use thumbnail_core::job::Record;
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::{StatusCache, StoreError};
use thumbnail_core::service::ready::{self, Bindings, Check};
use thumbnail_core::testing::{Failure, World};
use thumbnail_core::timestamp::Timestamp;

fn readiness(world: &World) -> (u16, Vec<Check>) {
    let bindings = Bindings {
        objects: world,
        status: world,
        ledger: world,
        queue: world,
        index: Some(world),
        clock: world,
    };
    let checks = now(bindings.check(std::future::pending));
    let reply: Reply<()> = ready::reply(&checks);
    (reply.status, checks)
}

#[test]
fn each_binding_that_fails_makes_the_service_unready() {
    let world = world();
    let (status, checks) = readiness(&world);
    assert_eq!((status, checks.iter().all(|check| check.ok)), (200, true));
    for (operation, name) in [
        ("r2.head", "r2"),
        ("kv.get", "kv"),
        ("job.call", "job"),
        ("queue.backlog", "queue"),
        ("d1.missing", "d1"),
    ] {
        world.fail(move |op, _| (op == operation).then_some(Failure::Before));
        let (status, checks) = readiness(&world);
        let failed: Vec<&str> = checks.iter().filter(|c| !c.ok).map(|c| c.name).collect();
        assert_eq!((status, failed), (503, vec![name]));
        assert!(checks.iter().any(|check| check.fault.is_some()));
    }
    world.heal();
    assert!(world.records().is_empty() && world.object_keys().is_empty());
}

#[test]
fn a_binding_that_never_answers_is_not_waited_for() {
    struct Silent;
    impl StatusCache for Silent {
        async fn get(&self, _: JobId) -> Result<Option<Record>, StoreError> {
            std::future::pending().await
        }
        async fn put(&self, _: &Record, _: Option<Timestamp>) -> Result<(), StoreError> {
            Ok(())
        }
        async fn delete(&self, _: JobId) -> Result<(), StoreError> {
            Ok(())
        }
    }
    let world = world();
    let bindings = Bindings {
        objects: &world,
        status: &Silent,
        ledger: &world,
        queue: &world,
        index: None::<&World>,
        clock: &world,
    };
    let checks = now(bindings.check(|| std::future::ready(())));
    let failed: Vec<&str> = checks.iter().filter(|c| !c.ok).map(|c| c.name).collect();
    assert_eq!(failed, ["kv"]);
}
