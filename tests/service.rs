//! Whole flows on a platform in memory: accept, process, serve, with failures in between.

mod heic_files;

use futures_util::FutureExt;
use heic_files::{Coded, File, Item, Place, full};
use image::{ImageFormat as Encoding, RgbImage};
use thumbnail_core::api::{Body, Method, Problem, ProblemKind, ReadRequest, Reply};
use thumbnail_core::job::policy::CREATE_WITHIN_SECS;
use thumbnail_core::job::webhook::Answer;
use thumbnail_core::job::{Command, Message, NewJob, Outcome, Policy, Record, State, Verdict};
use thumbnail_core::keys::{JobId, ThumbnailFile, source_key, thumbnail_key};
use thumbnail_core::object::ObjectMeta;
use thumbnail_core::ports::{Chunks, Clock, JobLedger, ObjectStore, StatusCache, StoreError};
use thumbnail_core::service::accept::create_job;
use thumbnail_core::service::change::{cancel, redeliver, rerun};
use thumbnail_core::service::deliver::{Courier, Delivered};
use thumbnail_core::service::process::Processor;
use thumbnail_core::service::ready::{self, Bindings, Check};
use thumbnail_core::service::reindex::{Reindexed, reindex};
use thumbnail_core::service::render::Pipeline;
use thumbnail_core::service::serve::Reader;
use thumbnail_core::service::sweep::{Swept, sweep};
use thumbnail_core::testing::{Failure, Outage, Pieces, World, store_source, webhook};
use thumbnail_core::timestamp::Timestamp;
use thumbnail_pipeline::options::FormatChoice;
use thumbnail_pipeline::{ImageFormat, Limits, Options, OutputFormat, Variant};

/// How long the jobs of these tests live.
const LIFE_SECS: u64 = 30 * 86_400;

const BASE: &str = "https://thumbs.example";

/// Nothing in a test ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future
        .now_or_never()
        .expect("the platform in memory is always ready")
}

fn world() -> World {
    World::new(Timestamp::from_millis(1_795_428_000_000), Policy::default())
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([x, y, x ^ y].map(|value| u8::try_from(value % 256).unwrap()))
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, Encoding::Png).unwrap();
    bytes.into_inner()
}

fn upload(world: &World, chunks: &mut impl Chunks) -> Result<Record, Problem> {
    upload_as(world, chunks, Options::default())
}

fn upload_as(world: &World, chunks: &mut impl Chunks, options: Options) -> Result<Record, Problem> {
    let id = JobId::new(world.now(), rand_bytes(world));
    let variants = vec![Variant {
        name: "default".into(),
        options,
    }];
    now(async {
        let limits = Limits::default();
        let asked = Some(variants.as_slice());
        let stored = store_source(world, id, Some("a.png"), chunks, asked, &limits).await?;
        let planned_bytes = stored.planned_bytes(&variants, &limits);
        let source = stored.source;
        let expires_at = Some(world.now().plus_secs(LIFE_SECS));
        let new = NewJob {
            id,
            owner: "anonymous".into(),
            source,
            variants,
            planned_bytes,
            expires_at,
            webhook: None,
        };
        Ok(create_job(world, new).await?.0)
    })
}

/// Different for each upload to the same world.
fn rand_bytes(world: &World) -> [u8; 10] {
    let mut bytes = [0; 10];
    let stored = (world.object_keys().len(), world.log().len());
    bytes[..8].copy_from_slice(&((stored.0 << 32 | stored.1) as u64).to_be_bytes());
    bytes
}

fn processor(world: &World) -> Processor<'_, World, World, World, Pipeline> {
    Processor {
        objects: world,
        ledger: world,
        clock: world,
        memory: world.memory(),
        renderer: Pipeline,
        limits: Limits::default(),
        memory_high_water: || Some(1),
    }
}

fn deliver(world: &World) -> Option<Outcome> {
    world
        .next_message()
        .map(|message| now(processor(world).process(&message)))
}

fn ring_alarms(world: &World) {
    for id in world.due_alarms() {
        // What it answers is for nobody.
        let _ = now(world.ring(id));
    }
}

/// Lets the platform run until every job has ended.
fn settle(world: &World) {
    for _ in 0..200 {
        while deliver(world).is_some() {}
        if world.records().iter().all(|record| record.state.is_final()) {
            return;
        }
        world.advance_secs(60);
        ring_alarms(world);
    }
    panic!("a job never ends: {:#?}", world.records());
}

fn reader(world: &World) -> Reader<'_, World, World, World, World> {
    Reader {
        objects: world,
        status: world,
        ledger: world,
        clock: world,
        base: BASE,
        cache_secs: 86_400,
    }
}

fn file(record: &Record) -> ThumbnailFile {
    record.files().next().unwrap()
}

fn get(world: &World, record: &Record) -> Result<Reply<Pieces>, Problem> {
    ask(world, record, Method::Get, &[])
}

fn ask(
    world: &World,
    record: &Record,
    method: Method,
    headers: &[(&str, &str)],
) -> Result<Reply<Pieces>, Problem> {
    let request = ReadRequest::new(method, |name| {
        let pair = headers.iter().find(|(n, _)| *n == name)?;
        Some(pair.1.into())
    });
    now(reader(world).thumbnail(&file(record), &request))
}

fn state(world: &World, id: JobId) -> State {
    world
        .records()
        .into_iter()
        .find(|record| record.id == id)
        .unwrap()
        .state
}

#[test]
fn an_upload_becomes_a_thumbnail() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(150, 120), 1_000)).unwrap();
    assert_eq!(
        (record.source.width, record.source.height),
        (Some(150), Some(120))
    );

    let pending = get(&world, &record).err().unwrap();
    assert_eq!((pending.status, pending.retry_after_secs), (409, Some(1)));
    assert!(pending.processing.unwrap().contains("PENDING"));

    assert_eq!(deliver(&world), Some(Outcome::Complete));
    let reply = get(&world, &record).unwrap();
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("image/png"))
    );
    let Body::Object(_) = reply.body else {
        panic!("no image")
    };
    let bytes = world
        .object(&format!("thumbnail/{}", file(&record)))
        .unwrap();
    let thumbnail = image::load_from_memory(&bytes).unwrap();
    assert_eq!((thumbnail.width(), thumbnail.height()), (100, 100));

    let etag = reply.header("etag").unwrap();
    let cached = ask(&world, &record, Method::Get, &[("if-none-match", etag)]).unwrap();
    assert_eq!((cached.status, cached.body), (304, Body::Empty));
}

#[test]
fn bytes_are_opened_only_where_they_are_sent() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(150, 120), 1_000)).unwrap();
    settle(&world);
    let etag = get(&world, &record)
        .unwrap()
        .header("etag")
        .unwrap()
        .to_owned();
    for (method, headers, want, log) in [
        (Method::Get, vec![], Ok(200), vec!["r2.get"]),
        (Method::Head, vec![], Ok(200), vec!["r2.head"]),
        (
            Method::Head,
            vec![("range", "bytes=0-1")],
            Ok(200),
            vec!["r2.head"],
        ),
        (
            Method::Get,
            vec![("if-none-match", "*")],
            Ok(304),
            vec!["r2.head"],
        ),
        (
            Method::Get,
            vec![("if-none-match", "\"x\"")],
            Ok(200),
            vec!["r2.head", "r2.get"],
        ),
        (
            Method::Get,
            vec![("range", "bytes=0-1")],
            Ok(206),
            vec!["r2.head", "r2.get_range"],
        ),
        (
            Method::Get,
            vec![("range", "bytes=0-1,3-4")],
            Ok(200),
            vec!["r2.head", "r2.get"],
        ),
        (
            Method::Get,
            vec![("range", "bytes=99999-")],
            Err(416),
            vec!["r2.head"],
        ),
        (
            Method::Get,
            vec![("if-match", "\"x\"")],
            Err(412),
            vec!["r2.head"],
        ),
        (
            Method::Get,
            vec![("if-match", etag.as_str()), ("range", "bytes=-1")],
            Ok(206),
            vec!["r2.head", "r2.get_range"],
        ),
        (
            Method::Get,
            vec![("range", "bytes=0-1"), ("if-range", "\"x\"")],
            Ok(200),
            vec!["r2.head", "r2.get"],
        ),
    ] {
        let before = world.log().len();
        let status = ask(&world, &record, method, &headers)
            .map(|reply| reply.status)
            .map_err(|problem| problem.status);
        assert_eq!(status, want, "{headers:?}");
        assert_eq!(world.log()[before..], log, "{headers:?}");
    }
}

#[test]
fn an_answer_without_the_bytes_says_the_same_about_them() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(150, 120), 1_000)).unwrap();
    settle(&world);
    let whole = get(&world, &record).unwrap();
    let len: u64 = whole.header("content-length").unwrap().parse().unwrap();
    let cached = ask(&world, &record, Method::Get, &[("if-none-match", "*")]).unwrap();
    let part = ask(&world, &record, Method::Get, &[("range", "bytes=1-4")]).unwrap();
    let head = ask(&world, &record, Method::Head, &[]).unwrap();
    assert_eq!(whole.headers, head.headers);
    for name in ["etag", "last-modified", "cache-control", "accept-ranges"] {
        for other in [&cached, &part] {
            assert!(whole.header(name).is_some());
            assert_eq!(whole.header(name), other.header(name), "{name}");
        }
    }
    assert_eq!(
        (part.header("content-length"), part.header("content-range")),
        (Some("4"), Some(format!("bytes 1-4/{len}").as_str()))
    );
    let Body::Object(mut pieces) = part.body else {
        panic!("no bytes")
    };
    let bytes = now(pieces.next()).unwrap().unwrap();
    let stored = world.object(&format!("thumbnail/{}", file(&record)));
    assert_eq!(bytes, stored.unwrap()[1..=4]);
}

fn auto(world: &World) -> Record {
    let options = Options {
        format: FormatChoice::Auto,
        ..Options::default()
    };
    upload_as(world, &mut Pieces::new(png(150, 120), 1_000), options).unwrap()
}

fn negotiate(world: &World, id: JobId, accept: &str) -> Result<Reply<Pieces>, Problem> {
    let request = ReadRequest::new(Method::Get, |name| {
        (name == "accept").then(|| accept.into())
    });
    now(reader(world).negotiated(id, Some("default"), &request))
}

#[test]
fn one_url_answers_in_the_format_that_the_client_names() {
    let world = world();
    let record = auto(&world);
    assert_eq!(
        negotiate(&world, record.id, "*/*").err().unwrap().status,
        409
    );
    settle(&world);
    let mut etags = Vec::new();
    for (accept, media_type, extension) in [
        ("image/webp", "image/webp", "webp"),
        ("*/*", "image/png", "png"),
    ] {
        let reply = negotiate(&world, record.id, accept).unwrap();
        assert_eq!(reply.header("content-type"), Some(media_type));
        assert_eq!(reply.header("vary"), Some("Accept"));
        let own = format!("/thumbnails/{}.{extension}", record.id);
        assert_eq!(reply.header("content-location"), Some(own.as_str()));
        etags.push(reply.header("etag").unwrap().to_owned());
        let stored = world
            .object(&own[1..].replace("thumbnails", "thumbnail"))
            .unwrap();
        assert_eq!(
            image::guess_format(&stored).unwrap().to_mime_type(),
            media_type
        );
    }
    assert_ne!(etags[0], etags[1]);

    now(cancel(&world, record.id)).unwrap();
    for accept in ["image/webp", "*/*"] {
        assert_eq!(
            negotiate(&world, record.id, accept).err().unwrap().status,
            410
        );
    }
    assert_eq!(world.object_keys().len(), 2, "a tombstone for each format");
}

#[test]
fn a_job_in_two_formats_is_done_with_both() {
    let world = world();
    let record = auto(&world);
    // The first thumbnail is stored, the second is not, and whoever stored it is gone.
    let mut puts = 0;
    world.fail(move |name, _| {
        puts += usize::from(name == "r2.put_new");
        (name == "r2.put_new" && puts == 2).then_some(Failure::Before)
    });
    settle(&world);
    assert_eq!(state(&world, record.id), State::Done);
    let record = world.records().pop().unwrap();
    let formats: Vec<&str> = record
        .thumbnails
        .iter()
        .map(|thumbnail| thumbnail.format.image_format().extension())
        .collect();
    assert_eq!(formats, ["png", "webp"]);
}

#[test]
fn a_name_without_a_format_needs_a_variant_of_that_name() {
    let world = world();
    let record = auto(&world);
    settle(&world);
    let request = ReadRequest::new(Method::Get, |_| None);
    let problem = now(reader(&world).negotiated(record.id, Some("large"), &request));
    let problem = problem.err().unwrap();
    assert_eq!(problem.status, 404);
    let url = format!("{BASE}/thumbnails/{}_default", record.id);
    assert!(problem.detail.contains(&url), "{}", problem.detail);
}

#[test]
fn a_condition_brings_no_deleted_thumbnail_back() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(150, 120), 1_000)).unwrap();
    settle(&world);
    let etag = get(&world, &record)
        .unwrap()
        .header("etag")
        .unwrap()
        .to_owned();
    now(cancel(&world, record.id)).unwrap();
    for header in [
        ("if-none-match", etag.as_str()),
        ("if-none-match", "*"),
        ("if-match", etag.as_str()),
        ("range", "bytes=0-1"),
        ("if-modified-since", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] {
        for method in [Method::Get, Method::Head] {
            let problem = ask(&world, &record, method, &[header]).err().unwrap();
            assert_eq!(problem.status, 410, "{header:?}");
        }
    }
}

#[test]
fn effects_come_in_order() {
    let world = world();
    upload(&world, &mut Pieces::new(png(9, 9), 10)).unwrap();
    assert_eq!(
        world.log(),
        [
            "r2.put",
            "job.save",
            "kv.put",
            "queue.send",
            "d1.put",
            "job.call"
        ]
    );
}

#[test]
fn listeners_are_told_of_each_change_that_clients_can_see() {
    let world = world();
    let good = upload(&world, &mut Pieces::new(png(150, 120), 1_000)).unwrap();
    settle(&world);
    let seen = |id| world.told(id).into_iter().map(|(_, state)| state);
    let made = [State::Pending, State::Processing, State::Done];
    assert!(seen(good.id).eq(made), "{:?}", world.told(good.id));

    now(cancel(&world, good.id)).unwrap();
    // The intent before it is nobody's business.
    assert!(seen(good.id).eq(made.into_iter().chain([State::Cancelled])));
}

#[test]
fn a_large_upload_goes_up_in_equal_parts() {
    let world = world();
    let mut bytes = png(40, 40);
    bytes.resize(12 << 20, 0);
    let record = upload(&world, &mut Pieces::new(bytes.clone(), 1 << 16)).unwrap();
    assert_eq!(
        world.log()[..5],
        ["r2.begin", "r2.part", "r2.part", "r2.part", "r2.complete"]
    );
    assert_eq!(
        world.object(&format!("source/{}", record.id)).unwrap(),
        bytes
    );
    assert_eq!(record.source.bytes, 12 << 20);
}

#[test]
fn a_heic_whose_description_comes_late_is_judged_by_the_origin() {
    // Its alpha is not known when the names of its thumbnails are told.
    let coded = Coded::of(include_bytes!("images/heic/grey.heic"));
    let mut file = File::single(&coded, (64, 48));
    let mut alpha = Item::coded(3, &coded, (64, 48));
    let name = full("auxC", 0, b"urn:mpeg:hevc:2015:auxid:1\0");
    alpha.properties.push(name);
    file.items.push(alpha);
    file.references.push(("auxl", 3, vec![1]));
    file.items.push(Item {
        id: 2,
        kind: *b"mime",
        data: vec![0; 5 << 20],
        place: Place::File,
        properties: Vec::new(),
    });
    let world = world();
    let mut pieces = Pieces::new(file.bytes_data_first(), 1 << 16);
    let record = upload(&world, &mut pieces).unwrap();
    assert_eq!(record.source.format, ImageFormat::Heic);
    assert_eq!(record.source.width, None, "the edge has not seen it");
    settle(&world);
    let record = &world.records()[0];
    assert_eq!(record.state, State::Done, "{:?}", record.failure);
    let made = &record.thumbnails[0];
    assert_eq!(made.format, OutputFormat::Jpeg);
    let file = record.file(&made.name, made.format);
    assert_eq!(record.first_file(), Some(file));
}

#[test]
fn what_is_no_picture_is_refused_and_nothing_stays() {
    for (bytes, kind) in [
        (Vec::new(), ProblemKind::EmptyUpload),
        (
            b"hello, this is no picture at all; it only pretends to be one".to_vec(),
            ProblemKind::NotAnImage,
        ),
        (png(30, 30)[..20].to_vec(), ProblemKind::NotAnImage),
        (
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
            ProblemKind::UnsupportedImage,
        ),
        (
            b"\0\0\0\x18ftypavif\0\0\0\0avifmif1".to_vec(),
            ProblemKind::UnsupportedImage,
        ),
    ] {
        let world = world();
        let problem = upload(&world, &mut Pieces::new(bytes, 7)).unwrap_err();
        assert_eq!(problem.kind, kind, "{problem:?}");
        assert!(world.object_keys().is_empty() && world.records().is_empty());
    }
}

#[test]
fn an_upload_over_the_limit_is_not_read_to_its_end() {
    let world = world();
    let mut bytes = png(40, 40);
    bytes.resize(40 << 20, 0);
    let mut pieces = Pieces::new(bytes, 1 << 20);
    assert_eq!(upload(&world, &mut pieces).unwrap_err().status, 413);
    assert!(pieces.taken() <= (33 << 20) && world.object_keys().is_empty());
    assert_eq!(world.log().last().unwrap(), "r2.abort");
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let world = world();
    let mut bytes = png(40, 40);
    bytes.resize(7 << 20, 0);
    for len in [0, 10, 3 << 20, 6 << 20] {
        let mut pieces = Pieces::new(bytes.clone(), 1 << 16).breaking_at(len);
        assert_eq!(
            upload(&world, &mut pieces).unwrap_err().kind,
            ProblemKind::BrokenUpload
        );
        assert!(world.object_keys().is_empty() && world.records().is_empty());
    }
}

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
    // Once it was served for ever: no reader looked at the time.
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
    // Once the thumbnail answered 410 and the status was still `done`.
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
    // Once the attempt was lost, and two of them made the picture poison.
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

#[test]
fn a_name_that_never_existed_is_not_found() {
    let world = world();
    let name: ThumbnailFile = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa.png".parse().unwrap();
    let problem = now(reader(&world).thumbnail(&name, &ReadRequest::new(Method::Get, |_| None)))
        .err()
        .unwrap();
    assert_eq!(problem.status, 404);

    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    let other = ThumbnailFile {
        extension: "gif".into(),
        ..file(&record)
    };
    let problem = now(reader(&world).thumbnail(&other, &ReadRequest::new(Method::Get, |_| None)))
        .err()
        .unwrap();
    assert_eq!(problem.status, 404);
    assert!(problem.detail.contains(&file(&record).to_string()));
}

#[test]
fn reading_changes_nothing() {
    let world = world();
    let record = upload(&world, &mut Pieces::new(png(60, 60), 999)).unwrap();
    let before = world.log().len();
    let _ = get(&world, &record);
    let _ = now(reader(&world).status(record.id));
    let writes = |name: &&String| {
        !matches!(
            name.as_str(),
            "r2.get" | "r2.get_range" | "r2.head" | "kv.get" | "job.call"
        )
    };
    assert_eq!(world.log()[before..].iter().find(writes), None);
}

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

/// A courier to the receiver of `world`.
fn courier(world: &World) -> Courier<'_, World, World> {
    Courier {
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

fn status_document(world: &World, id: JobId) -> serde_json::Value {
    let reply = now(reader(world).status(id)).unwrap();
    let Body::Text(text) = reply.body else {
        panic!("no document")
    };
    serde_json::from_str(&text).unwrap()
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
