//! What a later build has stored or sent is left alone.

use crate::world::{BASE, deliver, file, get, now, png, processor, state, upload, world};
use thumbnail_core::job::{Command, Outcome, State, Verdict};
use thumbnail_core::keys::{JobId, thumbnail_key};
use thumbnail_core::object::ObjectMeta;
use thumbnail_core::ports::{JobLedger, ObjectStore, StoreError};
use thumbnail_core::service::process::Processor;
use thumbnail_core::service::render::Pipeline;
use thumbnail_core::service::serve::Reader;
use thumbnail_core::testing::{Failure, Pieces, World};
use thumbnail_pipeline::Limits;

/// Jobs of a build that is later than whoever asks them: they say what only that one knows.
struct Later<'a>(&'a World);

impl JobLedger for Later<'_> {
    async fn call(&self, id: JobId, command: Command) -> Result<Verdict, StoreError> {
        let verdict = self.0.call(id, command).await?;
        let text = serde_json::to_string(&verdict).unwrap();
        Verdict::decode(&text.replace("\"format\":\"png\"", "\"format\":\"new\""))
    }
}

#[test]
fn an_origin_that_does_not_understand_its_job_gives_the_attempt_back() {
    // IdempotentUpload the attempt was lost, and two of them made the image poison.
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    let message = world.next_message().unwrap();
    for attempt in 1..=3 {
        let old = Processor {
            objects: &world,
            ledger: &Later(&world),
            clock: &world,
            memory: world.memory(),
            renderer: Pipeline,
            limits: Limits::default(),
            memory_high_water: || None,
        };
        let outcome = now(old.process(&message));
        assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
        let record = world.records().pop().unwrap();
        assert_eq!((record.state, record.attempts), (State::Retrying, attempt));
        assert_eq!(record.lost_attempts, 0);
    }
    assert_eq!(now(processor(&world).process(&message)), Outcome::Complete);
    assert_eq!(get(&world, &record).unwrap().status, 200);
    world.fail(|name, _| name.starts_with("kv.").then_some(Failure::Before));
    let old = Reader {
        objects: &world,
        status: &world,
        ledger: &Later(&world),
        clock: &world,
        base: BASE,
        cache_secs: 1,
    };
    assert_eq!(now(old.status(record.id)).unwrap_err().status, 503);
}

#[test]
fn what_a_later_build_has_stored_is_neither_served_nor_called_deleted() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    let key = thumbnail_key(&file(&record));
    now(ObjectStore::put(&world, &key, vec![1], ObjectMeta::Foreign)).unwrap();
    assert_eq!(get(&world, &record).err().unwrap().status, 503);
    // An attempt leaves it alone and comes again.
    let outcome = deliver(&world).unwrap();
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    assert_eq!(state(&world, record.id), State::Retrying);
    assert_eq!(world.object(&key), Some(vec![1]));
}

#[test]
fn a_message_of_a_later_build_is_left_for_it() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    let text = format!("{{\"v\":9,\"job\":\"{}\",\"new\":1}}", record.id);
    let processor = processor(&world);
    for outcome in [now(processor.process(&text)), now(processor.bury(&text))] {
        assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    }
    assert_eq!(state(&world, record.id), State::Pending);
}

#[test]
fn nonsense_on_the_queue_is_discarded() {
    let world = world();
    let unknown = r#"{"v":1,"job":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa"}"#;
    for body in ["", "{", "{\"v\":0}", unknown] {
        assert!(
            matches!(
                now(processor(&world).process(body)),
                Outcome::Discard { .. }
            ),
            "{body}"
        );
        assert!(
            matches!(now(processor(&world).bury(body)), Outcome::Discard { .. }),
            "{body}"
        );
    }
}
