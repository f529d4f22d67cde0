//! What clients read: thumbnails and documents, with conditions and formats.

use crate::world::{
    BASE, ask, deliver, file, get, now, png, reader, settle, state, upload, upload_as, world,
};
use thumbnail_core::api::{Body, Method, Problem, ReadRequest, Reply};
use thumbnail_core::job::{Outcome, Record, State};
use thumbnail_core::keys::{JobId, ThumbnailFile};
use thumbnail_core::ports::Chunks;
use thumbnail_core::service::change::cancel;
use thumbnail_core::testing::{Failure, Pieces, World};
use thumbnail_pipeline::Options;
use thumbnail_pipeline::options::FormatChoice;

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
