//! More thumbnails of a job that is done: made once, and never at the cost of those that are there.

use futures_util::FutureExt;
use image::{ImageFormat as Encoding, RgbImage};
use thumbnail_core::Config;
use thumbnail_core::api::{Body, Method, Params, Problem, ProblemKind, ReadRequest, Reply};
use thumbnail_core::job::extension::MAX_THUMBNAILS;
use thumbnail_core::job::{Command, Message, Outcome, Policy, Record, State};
use thumbnail_core::keys::{JobId, ThumbnailFile, source_key};
use thumbnail_core::ports::{JobLedger, ObjectStore};
use thumbnail_core::service::change::cancel;
use thumbnail_core::service::extend::{Extended, asked, extend};
use thumbnail_core::service::process::Processor;
use thumbnail_core::service::render::Pipeline;
use thumbnail_core::service::serve::Reader;
use thumbnail_core::service::upload::{UploadRequest, Uploader, begin};
use thumbnail_core::testing::{Failure, Pieces, World};
use thumbnail_core::timestamp::Timestamp;
use thumbnail_pipeline::{Limits, Options, Variant};

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

/// Nothing in a test ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future
        .now_or_never()
        .expect("the platform in memory is always ready")
}

/// A platform with a job of one thumbnail that is done.
fn done() -> (World, Record) {
    done_with(Policy::default())
}

fn done_with(policy: Policy) -> (World, Record) {
    let world = World::new(NOW, policy);
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = RgbImage::new(60, 40);
    picture.write_to(&mut bytes, Encoding::Png).unwrap();
    let config = Config::parse(|_| None).unwrap();
    let uploader = Uploader {
        objects: &world,
        clock: &world,
        config: &config,
        new_id: || Ok(JobId::new(NOW, [7; 10])),
        base: "https://thumbs.example",
        admission: world.admission(),
    };
    let taken = now(uploader.take(UploadRequest {
        content_type: "image/png".into(),
        length: None,
        params: Params::default(),
        source_url: None,
        body: Pieces::new(bytes.into_inner(), 50),
    }));
    let (files, _) = now(begin(&world, taken.unwrap().files));
    let record = files.into_iter().next().unwrap().result.unwrap();
    deliver(&world);
    (world, record)
}

fn processor(world: &World) -> Processor<'_, World, World, World, Pipeline> {
    Processor {
        objects: world,
        ledger: world,
        clock: world,
        memory: world.memory(),
        renderer: Pipeline,
        limits: Limits::default(),
        memory_high_water: || None,
    }
}

fn deliver(world: &World) {
    while let Some(message) = world.next_message() {
        assert_eq!(now(processor(world).process(&message)), Outcome::Complete);
    }
}

fn variant(name: &str, width: u32) -> Variant {
    Variant {
        name: name.into(),
        options: Options {
            width: Some(width),
            ..Options::default()
        },
    }
}

fn more(world: &World, id: JobId, width: u32) -> Result<Extended, Problem> {
    let variants = vec![variant(&format!("w{width}"), width)];
    now(extend(world, world, &Limits::default(), id, variants))
}

fn reader(world: &World) -> Reader<'_, World, World, World, World> {
    Reader {
        objects: world,
        status: world,
        ledger: world,
        clock: world,
        base: "https://thumbs.example",
        cache_secs: 86_400,
    }
}

fn get(world: &World, file: &ThumbnailFile) -> Result<u16, ProblemKind> {
    let request = ReadRequest::new(Method::Get, |_| None);
    let reply = now(reader(world).thumbnail(file, &request));
    reply
        .map(|reply| reply.status)
        .map_err(|problem| problem.kind)
}

fn document(world: &World, id: JobId) -> serde_json::Value {
    let reply: Reply<Pieces> = now(reader(world).status(id)).unwrap();
    let Body::Text(text) = reply.body else {
        panic!("no document")
    };
    serde_json::from_str(&text).unwrap()
}

fn names(list: &serde_json::Value) -> Vec<&str> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    list.iter()
        .filter_map(|item| item["name"].as_str())
        .collect()
}

#[test]
fn another_size_is_made_while_the_first_is_served() {
    let (world, record) = done();
    let (id, first) = (record.id, record.first_file().unwrap());
    let extended = more(&world, id, 30).unwrap();
    assert!(!extended.made);
    let file = extended.file.unwrap();
    assert_eq!(file.to_string(), format!("{id}_w30.png"));

    assert_eq!(get(&world, &first), Ok(200));
    assert_eq!(get(&world, &file), Err(ProblemKind::NotReady));
    let waiting = document(&world, id);
    assert_eq!(
        (&waiting["status"], names(&waiting["thumbnails"])),
        (&"done".into(), vec!["default"])
    );
    assert_eq!(
        (&waiting["later"][0]["status"], names(&waiting["later"])),
        (&"pending".into(), vec!["w30"])
    );
    assert_eq!(
        waiting["resized_image_url"],
        format!("https://thumbs.example/thumbnails/{first}")
    );

    deliver(&world);
    assert_eq!(
        (get(&world, &first), get(&world, &file)),
        (Ok(200), Ok(200))
    );
    let bytes = world.object(&format!("thumbnail/{file}")).unwrap();
    let made = image::load_from_memory(&bytes).unwrap();
    assert_eq!((made.width(), made.height()), (30, 20));
    let all = document(&world, id);
    assert_eq!(
        (names(&all["thumbnails"]), &all["later"]),
        (vec!["default", "w30"], &serde_json::Value::Null)
    );
}

#[test]
fn the_message_says_what_its_attempt_takes() {
    let (world, record) = done();
    let upload = record.planned_bytes.unwrap();
    let extended = more(&world, record.id, 2_000).unwrap();
    let text = world.next_message().unwrap();
    let planned = Message::decode(&text).unwrap().planned_bytes.unwrap();
    assert_eq!(extended.record.planned_bytes, Some(planned));
    // A thumbnail of 2000x1333 takes more than one of 100x100 of the same image.
    assert!(planned > upload + 10_000_000, "{upload} {planned}");
}

#[test]
fn what_is_asked_for_twice_is_made_once() {
    let (world, record) = done();
    more(&world, record.id, 30).unwrap();
    let again = now(extend(
        &world,
        &world,
        &Limits::default(),
        record.id,
        vec![variant("other-name", 30)],
    ))
    .unwrap();
    assert_eq!(
        (again.made, again.file.unwrap().variant),
        (false, "w30".into())
    );
    deliver(&world);
    let sent = |world: &World| {
        world
            .log()
            .iter()
            .filter(|name| *name == "queue.send")
            .count()
    };
    let before = sent(&world);
    let again = more(&world, record.id, 30).unwrap();
    assert!(again.made);
    // What the upload made counts too.
    let default = vec![Variant {
        name: "x".into(),
        options: Options::default(),
    }];
    let first = now(extend(
        &world,
        &world,
        &Limits::default(),
        record.id,
        default,
    ))
    .unwrap();
    assert_eq!((first.made, first.file), (true, record.first_file()));
    assert_eq!((sent(&world), before), (2, 2));
}

#[test]
fn one_is_made_after_the_other() {
    let (world, record) = done();
    more(&world, record.id, 30).unwrap();
    let busy = more(&world, record.id, 31).unwrap_err();
    assert_eq!(
        (busy.kind, busy.retry_after_secs),
        (ProblemKind::NotReady, Some(1))
    );
    deliver(&world);
    assert!(!more(&world, record.id, 31).unwrap().made);
    deliver(&world);
    // A name that is taken by other options becomes one that says them.
    let taken = now(extend(
        &world,
        &world,
        &Limits::default(),
        record.id,
        vec![variant("w30", 32)],
    ))
    .unwrap();
    assert!(taken.file.unwrap().variant.starts_with("32x-"));
}

#[test]
fn a_job_has_no_more_thumbnails_than_it_may() {
    let (world, record) = done();
    for width in 1.. {
        match more(&world, record.id, width) {
            Ok(_) => deliver(&world),
            Err(problem) => {
                assert_eq!(problem.kind, ProblemKind::TooManyThumbnails);
                assert_eq!(width as usize, MAX_THUMBNAILS);
                break;
            }
        }
    }
    assert!(more(&world, record.id, 5).unwrap().made);
}

#[test]
fn a_later_thumbnail_that_fails_takes_nothing_with_it_and_may_be_tried_again() {
    let (world, record) = done();
    let (id, first) = (record.id, record.first_file().unwrap());
    let file = more(&world, id, 30).unwrap().file.unwrap();
    let message = world.next_message().unwrap();
    now(world.call(id, Command::Start { alone: None })).unwrap();
    now(processor(&world).bury(&message));
    assert_eq!(
        (get(&world, &first), get(&world, &file)),
        (Ok(200), Err(ProblemKind::DeadLetter))
    );
    let failed = document(&world, id);
    assert_eq!(
        (&failed["status"], &failed["problem"]),
        (&"done".into(), &serde_json::Value::Null)
    );
    assert_eq!(
        (
            &failed["later"][0]["status"],
            &failed["later"][0]["problem"]["status"]
        ),
        (&"failed".into(), &422.into())
    );
    // The late delivery of a message changes nothing.
    assert_eq!(now(processor(&world).process(&message)), Outcome::Complete);
    assert_eq!(get(&world, &file), Err(ProblemKind::DeadLetter));

    assert!(!more(&world, id, 30).unwrap().made);
    assert_eq!(get(&world, &file), Err(ProblemKind::NotReady));
    deliver(&world);
    assert_eq!(
        (get(&world, &first), get(&world, &file)),
        (Ok(200), Ok(200))
    );
}

#[test]
fn what_the_file_is_to_blame_for_is_not_tried_again() {
    let (world, record) = done();
    let (id, first) = (record.id, record.first_file().unwrap());
    let page = Variant {
        name: "page".into(),
        options: Options {
            page: 9,
            ..Options::default()
        },
    };
    let ask = || {
        now(extend(
            &world,
            &world,
            &Limits::default(),
            id,
            vec![page.clone()],
        ))
    };
    let file = ask().unwrap().file.unwrap();
    deliver(&world);
    assert_eq!(get(&world, &file), Err(ProblemKind::InvalidOption));
    let before = world.records();
    assert_eq!(ask().unwrap_err().kind, ProblemKind::InvalidOption);
    // Together with one that could be made, too.
    let both = vec![variant("w30", 30), page.clone()];
    let problem = now(extend(&world, &world, &Limits::default(), id, both)).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::InvalidOption);
    assert_eq!((world.records(), world.next_message()), (before, None));
    assert_eq!(get(&world, &first), Ok(200));
    // What else is asked for is made.
    let other = more(&world, id, 30).unwrap().file.unwrap();
    deliver(&world);
    assert_eq!(get(&world, &other), Ok(200));
}

#[test]
fn a_deleted_or_expired_job_takes_all_of_its_thumbnails_with_it() {
    for (expires, open) in [(false, false), (false, true), (true, false), (true, true)] {
        let (world, record) = done();
        let id = record.id;
        let file = more(&world, id, 30).unwrap().file.unwrap();
        let late = world.next_message().unwrap();
        if !open {
            now(processor(&world).process(&late));
        }
        if expires {
            world.advance_secs(30 * 86_400 + 1);
            now(world.call(id, Command::Alarm)).unwrap();
        } else {
            now(cancel(&world, id)).unwrap();
        }
        assert_eq!(now(processor(&world).process(&late)), Outcome::Complete);
        for file in [record.first_file().unwrap(), file] {
            assert_eq!(
                get(&world, &file),
                Err(ProblemKind::Gone),
                "{expires} {open}"
            );
        }
        assert_eq!(more(&world, id, 30).unwrap_err().kind, ProblemKind::Gone);
        assert_eq!(world.object_keys().len(), 2, "two tombstones");
        world.advance_secs(15 * 86_400);
        now(world.call(id, Command::Alarm)).unwrap();
        assert!(world.object_keys().is_empty() && world.records().is_empty());
    }
}

#[test]
fn without_its_source_only_what_is_there_can_be_had() {
    let (world, record) = done();
    now(world.delete(&source_key(record.id))).unwrap();
    assert_eq!(
        more(&world, record.id, 30).unwrap_err().kind,
        ProblemKind::Gone
    );
    let default = vec![Variant {
        name: "x".into(),
        options: Options::default(),
    }];
    assert!(
        now(extend(
            &world,
            &world,
            &Limits::default(),
            record.id,
            default
        ))
        .unwrap()
        .made
    );
    let nobody = JobId::new(NOW, [9; 10]);
    assert_eq!(
        more(&world, nobody, 30).unwrap_err().kind,
        ProblemKind::NotFound
    );
}

#[test]
fn a_job_that_is_not_done_says_so() {
    let (world, record) = done();
    // As a job is before its first attempt.
    let other = JobId::new(NOW, [8; 10]);
    let new = thumbnail_core::job::NewJob {
        id: other,
        owner: record.owner.clone(),
        source: record.source.clone(),
        variants: record.variants.clone(),
        planned_bytes: None,
        expires_at: None,
        webhook: None,
    };
    now(world.put(
        &source_key(other),
        Vec::new(),
        thumbnail_core::object::ObjectMeta::Foreign,
    ))
    .unwrap();
    now(world.call(other, Command::Create(Box::new(new)))).unwrap();
    let problem = more(&world, other, 30).unwrap_err();
    assert_eq!(
        (problem.kind, problem.retry_after_secs),
        (ProblemKind::NotReady, Some(1))
    );
    let message = world.next_message().unwrap();
    now(world.call(other, Command::Start { alone: None })).unwrap();
    now(processor(&world).bury(&message));
    assert_eq!(
        more(&world, other, 30).unwrap_err().kind,
        ProblemKind::NotDone
    );
}

#[test]
fn an_extension_survives_the_failure_of_any_single_operation() {
    for operation in 0.. {
        for failure in [Failure::Before, Failure::After] {
            let (world, record) = done();
            let struck = std::rc::Rc::new(std::cell::Cell::new(false));
            let (seen, begin) = (struck.clone(), std::cell::Cell::new(None));
            world.fail(move |_, count| {
                let begin: usize = begin.get().unwrap_or_else(|| {
                    begin.set(Some(count));
                    count
                });
                (count == begin + operation).then(|| {
                    seen.set(true);
                    failure
                })
            });
            let asked = more(&world, record.id, 30);
            for _ in 0..50 {
                while let Some(message) = world.next_message() {
                    now(processor(&world).process(&message));
                }
                world.advance_secs(60);
                for id in world.due_alarms() {
                    let _ = now(world.call(id, Command::Alarm));
                }
            }
            world.heal();
            let record = world.records().remove(0);
            let ended = (record.state, record.extension.is_none());
            assert_eq!(ended, (State::Done, true), "{operation} {failure:?}");
            assert_eq!(get(&world, &record.first_file().unwrap()), Ok(200));
            if let Ok(asked) = asked {
                assert_eq!(
                    get(&world, &asked.file.unwrap()),
                    Ok(200),
                    "{operation} {failure:?}"
                );
            }
            if !struck.get() {
                assert!(operation > 10, "{operation} operations");
                return;
            }
        }
    }
}

#[test]
fn who_may_ask_is_configuration() {
    let id = JobId::new(NOW, [7; 10]);
    let config = |later: &str| {
        Config::parse(|name| match name {
            "VARIANTS_LATER" => Some(later.into()),
            "SIGNING_KEY" => Some("k".repeat(32)),
            "PRESETS" => Some(r#"{"avatar": {"size": "48x48"}}"#.into()),
            _ => None,
        })
        .unwrap()
    };
    let ask = |later: &str, query: &str, body: &str| {
        let (form, body) = ("application/x-www-form-urlencoded", Pieces::new(body, 7));
        let variants = now(asked(&config(later), id, query, form, body));
        variants
            .map(|variants| variants[0].name.clone())
            .map_err(|problem| problem.kind)
    };
    for (later, query, body, want) in [
        ("off", "preset=avatar", "", Err(ProblemKind::VariantsOff)),
        ("presets", "preset=avatar", "", Ok("avatar")),
        ("presets", "", "preset=avatar", Ok("avatar")),
        ("presets", "width=5", "", Err(ProblemKind::InvalidOption)),
        ("any", "width=5", "height=6", Ok("5x6")),
        ("any", "sizes=a:5x6", "", Ok("a")),
        ("any", "width=5", "width=5", Err(ProblemKind::InvalidOption)),
        (
            "any",
            "width=5&expires_in=600",
            "",
            Err(ProblemKind::InvalidOption),
        ),
        ("signed", "width=5", "", Err(ProblemKind::BadSignature)),
        (
            "signed",
            "width=5&signature=00",
            "",
            Err(ProblemKind::BadSignature),
        ),
        (
            "signed",
            "width=5",
            "signature=00",
            Err(ProblemKind::BadSignature),
        ),
    ] {
        let got = ask(later, query, body);
        let want = want.map(str::to_owned);
        let fits = match (&got, &want) {
            (Ok(got), Ok(want)) => got.starts_with(want.as_str()),
            _ => got == want,
        };
        assert!(fits, "{later} {query} {body}: {got:?}, not {want:?}");
    }
}
