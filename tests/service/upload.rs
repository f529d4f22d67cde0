//! Uploads with options: what becomes of them, and that nothing of a refused one stays.

use std::cell::Cell;

use futures_util::FutureExt;
use image::{ImageFormat as Encoding, RgbImage};
use sha2::{Digest, Sha256};
use thumbnail_core::Config;
use thumbnail_core::api::{Body, Params, Problem, ProblemKind, Reply, UploadedFile, uploaded};
use thumbnail_core::job::{NewJob, Policy, Record};
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::Chunks;
use thumbnail_core::service::body::{BoundedBody, MAX_UPLOAD_SECS};
use thumbnail_core::service::render::{Pipeline, Render};
use thumbnail_core::service::sweep::sweep;
use thumbnail_core::service::upload::{UploadRequest, Uploader, begin};
use thumbnail_core::testing::{Failure, Pieces, World};
use thumbnail_core::timestamp::Timestamp;
use thumbnail_pipeline::options::{Fit, FormatChoice};
use thumbnail_pipeline::plan::output_format;
use thumbnail_pipeline::{ImageFormat, Limits, Options, OutputFormat, Variant, render};

const TYPE: &str = "multipart/form-data; boundary=XX";
const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

/// Nothing in a test ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future
        .now_or_never()
        .expect("the platform in memory is always ready")
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = RgbImage::new(width, height);
    picture.write_to(&mut bytes, Encoding::Png).unwrap();
    bytes.into_inner()
}

fn params(pairs: &[(&str, &str)]) -> Params {
    let mut params = Params::default();
    for (name, value) in pairs {
        params.add(name, value).unwrap();
    }
    params
}

fn field(name: &str, value: &str) -> Vec<u8> {
    let head = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
    [head.as_bytes(), value.as_bytes(), b"\r\n"].concat()
}

fn file(bytes: &[u8]) -> Vec<u8> {
    named("a.png", bytes)
}

fn named(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--XX\r\nContent-Disposition: form-data; name=\"image\"; filename=\"{name}\"\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n"].concat()
}

/// Ids that differ, the same ones in each test.
fn ids() -> impl Fn() -> Result<JobId, Problem> {
    let last = Cell::new(0);
    move || {
        last.set(last.get() + 1);
        Ok(JobId::new(NOW, [last.get(); 10]))
    }
}

fn uploader<'a>(
    world: &'a World,
    config: &'a Config,
) -> Uploader<'a, World, World, impl Fn() -> Result<JobId, Problem>> {
    Uploader {
        objects: world,
        clock: world,
        config,
        new_id: ids(),
        base: "https://thumbs.example",
        admission: world.admission(),
    }
}

/// Sends a form of one file with the options of a query.
fn send(world: &World, query: &[(&str, &str)], parts: &[Vec<u8>]) -> Result<NewJob, Problem> {
    let [file] = send_all(world, query, parts)?.try_into().unwrap();
    file.result
}

fn send_all(
    world: &World,
    query: &[(&str, &str)],
    parts: &[Vec<u8>],
) -> Result<Vec<UploadedFile<NewJob>>, Problem> {
    let body = [parts.concat(), b"--XX--\r\n".to_vec()].concat();
    send_body(world, query, Pieces::new(body, 50))
}

fn config() -> Config {
    Config::parse(|name| (name == "MAX_FILES").then(|| "4".into())).unwrap()
}

fn request(content_type: &str, body: Pieces, params: Params) -> UploadRequest<Pieces> {
    UploadRequest {
        source_url: None,
        content_type: content_type.into(),
        length: None,
        params,
        body,
    }
}

fn send_body(
    world: &World,
    query: &[(&str, &str)],
    body: Pieces,
) -> Result<Vec<UploadedFile<NewJob>>, Problem> {
    let config = config();
    let taken = now(uploader(world, &config).take(request(TYPE, body, params(query))));
    taken.map(|taken| taken.files)
}

fn world() -> World {
    World::new(NOW, Policy::default())
}

#[test]
fn a_job_lives_as_long_as_was_asked_for_and_not_longer_than_is_allowed() {
    let life = |query: &[(&str, &str)]| {
        let job = send(&world(), query, &[file(&png(9, 9))])?;
        Ok::<_, Problem>(job.expires_at.unwrap().millis_since(NOW) / 1_000)
    };
    let (day, year) = (86_400, 365 * 86_400);
    assert_eq!(life(&[]).unwrap(), 30 * day);
    assert_eq!(life(&[("expires_in", &year.to_string())]).unwrap(), year);
    let problem = life(&[("expires_in", &(year + 1).to_string())]).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::InvalidOption);
}

#[test]
fn options_come_from_the_query_and_from_both_sides_of_the_file() {
    let world = world();
    let parts = [
        field("width", "200"),
        file(&png(30, 20)),
        field("fit", "inside"),
    ];
    let query = [("quality", "50"), ("expires_in", "600")];
    let job = send(&world, &query, &parts).unwrap();
    let [variant] = job.variants.as_slice() else {
        panic!("{:?}", job.variants)
    };
    let options = variant.options;
    assert_eq!(
        (options.width, options.fit, options.quality),
        (Some(200), Fit::Inside, 50)
    );
    assert_eq!(job.expires_at, Some(NOW.plus_secs(600)));
    assert_eq!(job.source.filename.as_deref(), Some("a.png"));
    assert_eq!(world.object_keys().len(), 1);
}

#[test]
fn nothing_of_a_refused_form_stays_stored() {
    let small = png(30, 20);
    let picture = || file(&small);
    for (query, parts, kind) in [
        (
            vec![],
            vec![picture(), field("widht", "5")],
            ProblemKind::InvalidOption,
        ),
        (
            vec![],
            vec![picture(), field("width", "0")],
            ProblemKind::InvalidOption,
        ),
        (
            vec![("width", "5")],
            vec![picture(), field("width", "5")],
            ProblemKind::InvalidOption,
        ),
        (
            vec![("width", "5")],
            vec![picture(), field("size", "5x5")],
            ProblemKind::InvalidOption,
        ),
        (
            vec![],
            vec![picture(), field("fit", &"x".repeat(9_999))],
            ProblemKind::InvalidOption,
        ),
        (
            vec![],
            vec![field("width", "0"), picture()],
            ProblemKind::InvalidOption,
        ),
        (
            vec![],
            vec![picture(), picture(), field("widht", "5")],
            ProblemKind::InvalidOption,
        ),
        (
            vec![],
            vec![picture(), picture(), picture(), picture(), picture()],
            ProblemKind::TooManyFiles,
        ),
        (
            vec![],
            vec![picture(), field("page", "3")],
            ProblemKind::InvalidOption,
        ),
        (vec![], vec![field("width", "5")], ProblemKind::MissingFile),
    ] {
        let world = world();
        let problem = send(&world, &query, &parts).unwrap_err();
        assert_eq!(problem.kind, kind, "{problem}");
        assert_eq!(world.object_keys(), Vec::<String>::new(), "{problem}");
    }
}

#[test]
fn a_form_that_breaks_off_behind_its_file_is_refused() {
    let world = world();
    let body = [file(&png(30, 20)), b"--XX\r\nContent-Disp".to_vec()].concat();
    let problem = send_body(&world, &[], Pieces::new(body, 50)).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::MalformedForm);
    assert!(world.object_keys().is_empty());
}

#[test]
fn options_that_are_wrong_by_then_are_refused_before_the_file_is_stored() {
    let world = world();
    assert!(send(&world, &[("width", "0")], &[file(&png(9, 9))]).is_err());
    assert!(world.log().is_empty(), "{:?}", world.log());
}

/// Two pages; the second one is 6x3.
fn two_pages() -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut file).unwrap();
    for (width, height) in [(40, 50), (6, 3)] {
        let pixels = vec![7; (width * height) as usize];
        encoder
            .write_image::<tiff::encoder::colortype::Gray8>(width, height, &pixels)
            .unwrap();
    }
    file.into_inner()
}

#[test]
fn a_page_of_a_tiff_is_judged_by_its_own_header() {
    let (world, config) = (world(), config());
    let uploader = uploader(&world, &config);
    let upload = |page: &str| {
        let body = Pieces::new(two_pages(), 50);
        let sent = request("image/tiff", body, params(&[("page", page)]));
        now(uploader.take(sent)).map(|mut taken| taken.files.remove(0).result.unwrap())
    };
    let job = upload("1").unwrap();
    assert_eq!((job.source.width, job.source.height), (Some(6), Some(3)));
    let problem = upload("2").unwrap_err();
    assert_eq!(problem.kind, ProblemKind::InvalidOption);
    assert!(problem.detail.contains("and it has 2"), "{problem}");
    // A form may ask for a page behind its file: then the origin judges it.
    for page in ["1", "2"] {
        let parts = [file(&two_pages()), field("page", page)];
        let job = send(&self::world(), &[], &parts).unwrap();
        assert_eq!(job.variants[0].options.page.to_string(), page);
    }
}

#[test]
fn a_heic_becomes_a_jpeg_and_one_with_alpha_a_png() {
    let opaque = include_bytes!("../images/heic/photo.heic");
    let transparent = include_bytes!("../images/heic/alpha.heic");
    for (bytes, format, want) in [
        (&opaque[..], "source", FormatChoice::Source),
        (&transparent[..], "source", FormatChoice::Png),
        (&transparent[..], "auto", FormatChoice::Png),
        (&transparent[..], "webp", FormatChoice::WebP),
    ] {
        let job = send(&world(), &[("format", format)], &[file(bytes)]).unwrap();
        assert_eq!(job.variants[0].options.format, want);
    }
    let options = Options::default();
    let family = output_format(ImageFormat::Heic, &options);
    assert_eq!(family, OutputFormat::Jpeg);
}

#[test]
fn a_picture_as_it_is_takes_its_options_from_the_query() {
    let (world, config) = (world(), config());
    let uploader = uploader(&world, &config);
    let picture = |query: &[(&str, &str)]| {
        let sent = request("image/png", Pieces::new(png(30, 20), 50), params(query));
        now(uploader.take(sent)).map(|mut taken| taken.files.remove(0).result.unwrap())
    };
    let problem = picture(&[("page", "1")]).unwrap_err();
    assert_eq!((problem.status, problem.errors.len()), (400, 1));
    assert!(world.object_keys().is_empty());
    let job = picture(&[("sizes", "10x10,big:200x100")]).unwrap();
    let names: Vec<_> = job.variants.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["10x10", "big"]);
}

/// Sends a form to its end: the answer, and the jobs that began.
fn upload(world: &World, parts: &[Vec<u8>]) -> (Reply<()>, Vec<UploadedFile<Record>>) {
    let files = send_all(world, &[], parts).unwrap();
    let (files, _) = now(begin(world, files));
    (uploaded::reply(&files, "https://thumbs.example"), files)
}

fn json<B>(reply: &Reply<B>) -> serde_json::Value {
    let Body::Text(text) = &reply.body else {
        panic!("no text")
    };
    serde_json::from_str(text).unwrap()
}

#[test]
fn each_file_of_a_form_gets_a_job_or_its_own_problem() {
    let world = world();
    let picture = png(30, 20);
    let parts = [
        named("a.png", &picture),
        named("b.txt", b"this is no image at all, however long it goes on"),
        field("page", "0"),
        named("c.png", &picture),
        field("width", "64"),
    ];
    let (reply, files) = upload(&world, &parts);
    assert_eq!((reply.status, reply.header("location")), (202, None));
    let items = json(&reply)["files"].clone();
    for (item, (name, member)) in items.as_array().unwrap().iter().zip([
        ("a.png", "job"),
        ("b.txt", "problem"),
        ("c.png", "job"),
    ]) {
        assert_eq!(
            (&item["field"], &item["filename"]),
            (&"image".into(), &name.into())
        );
        assert!(item[member].is_object(), "{item}");
        assert_eq!(item.as_object().unwrap().len(), 3, "{item}");
    }
    assert_eq!(items[1]["problem"]["status"], 400);
    let records = world.records();
    assert_eq!((records.len(), world.object_keys().len()), (2, 2));
    for record in &records {
        assert_eq!(record.variants[0].options.width, Some(64));
        assert!(world.object(&format!("source/{}", record.id)).is_some());
    }
    let ids: Vec<_> = files
        .iter()
        .filter_map(|file| file.result.as_ref().ok())
        .collect();
    assert_ne!(ids[0].id, ids[1].id);
}

#[test]
fn the_options_of_a_form_judge_each_file_for_itself() {
    let world = world();
    // 100x100 of one of them, and 200,000x100 of the other: wider than a WebP can be.
    let pictures = [file(&png(9, 9)), file(&png(2_000, 1))];
    let parts = [
        pictures.concat(),
        field("height", "100"),
        field("format", "webp"),
    ];
    let (reply, files) = upload(&world, &parts);
    assert_eq!(reply.status, 202);
    let kinds: Vec<_> = files
        .iter()
        .map(|file| file.result.as_ref().err().map(|p| p.status))
        .collect();
    assert_eq!(kinds, [None, Some(422)], "{:?}", files[1].result);
    assert_eq!(world.object_keys().len(), 1);
}

#[test]
fn a_form_without_one_good_file_answers_with_the_first_problem() {
    let world = world();
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    let (reply, _) = upload(
        &world,
        &[named("a.svg", svg), named("b", b""), named("c", b"x")],
    );
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json")
    );
    let document = json(&reply);
    assert_eq!((reply.status, &document["status"]), (415, &415.into()));
    let statuses: Vec<_> = document["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["problem"]["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [415, 400, 400]);
    assert!(world.object_keys().is_empty() && world.records().is_empty());
}

#[test]
fn one_file_is_answered_as_if_there_were_no_lists() {
    let world = world();
    let (reply, files) = upload(&world, &[field("width", "5"), file(&png(9, 9))]);
    let id = files[0].result.as_ref().unwrap().id.to_string();
    assert_eq!(
        (reply.status, json(&reply)["id"].as_str()),
        (202, Some(id.as_str()))
    );
    assert!(reply.header("location").unwrap().ends_with(&id));
    let (reply, _) = upload(&world, &[file(b"x")]);
    assert_eq!((reply.status, json(&reply).get("files")), (400, None));
}

#[test]
fn a_form_that_breaks_off_in_its_last_file_leaves_nothing_of_the_others() {
    let picture = png(30, 20);
    let body = [
        named("a", &picture),
        named("b", &picture),
        b"--XX--\r\n".to_vec(),
    ]
    .concat();
    for at in 0..body.len() - 4 {
        let world = world();
        let cut = Pieces::new(body[..at].to_vec(), 50);
        let problem = send_body(&world, &[], cut).unwrap_err();
        assert_eq!(problem.kind, ProblemKind::MalformedForm, "{at}");
        assert!(world.object_keys().is_empty(), "{at}");
        let broken = Pieces::new(body.clone(), 50).breaking_at(at);
        if at < body.len() - 50 {
            let problem = send_body(&world, &[], broken).unwrap_err();
            assert_eq!(problem.kind, ProblemKind::BrokenUpload, "{at}");
            assert!(world.object_keys().is_empty(), "{at}");
        }
    }
}

#[test]
fn a_file_over_the_limit_does_not_cost_the_others() {
    let world = world();
    let mut large = png(40, 40);
    large.resize(33 << 20, 0);
    let body = [file(&large), file(&png(9, 9)), b"--XX--\r\n".to_vec()].concat();
    let files = send_body(&world, &[], Pieces::new(body, 1 << 16)).unwrap();
    let statuses: Vec<_> = files
        .iter()
        .map(|file| file.result.as_ref().err().map(|p| p.status))
        .collect();
    assert_eq!(statuses, [Some(413), None]);
    assert_eq!(world.object_keys().len(), 1);
}

#[test]
fn a_body_is_bounded_in_bytes_and_in_time() {
    let picture = png(30, 20);
    let body = [file(&picture), file(&picture), b"--XX--\r\n".to_vec()].concat();
    let world = world();
    let read = |max_bytes: usize, late_secs| {
        let mut bounded = BoundedBody::new(Pieces::new(body.clone(), 50), max_bytes as u64, &world);
        world.advance_secs(late_secs);
        now(async {
            while bounded.next().await?.is_some() {}
            Ok::<_, Problem>(())
        })
    };
    assert_eq!(read(body.len(), MAX_UPLOAD_SECS), Ok(()));
    for (max_bytes, late_secs, kind) in [
        (body.len() - 1, 0, ProblemKind::UploadTooLarge),
        (body.len(), MAX_UPLOAD_SECS + 1, ProblemKind::BrokenUpload),
    ] {
        assert_eq!(read(max_bytes, late_secs).unwrap_err().kind, kind);
    }
}

/// An image of 600,000 bytes, most of them behind its end.
fn long_png() -> Vec<u8> {
    let mut bytes = png(30, 20);
    bytes.resize(600_000, 7);
    bytes
}

#[test]
fn a_picture_that_tells_its_length_is_stored_while_it_arrives() {
    let bytes = long_png();
    for (bytes, chunk) in [
        (&bytes[..], 700),
        (&bytes[..], 1 << 20),
        (&bytes[..9_000], 50),
    ] {
        let (world, config) = (world(), config());
        let sent = UploadRequest {
            length: Some(bytes.len() as u64),
            ..request("image/png", Pieces::new(bytes, chunk), Params::default())
        };
        let taken = now(uploader(&world, &config).take(sent)).unwrap();
        let source = &taken.files[0].result.as_ref().unwrap().source;
        let digest = Sha256::digest(bytes);
        let digits: Vec<_> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(source.sha256, digits.concat());
        assert_eq!(source.bytes, bytes.len() as u64);
        let [key] = world.object_keys().try_into().unwrap();
        assert_eq!(world.object(&key).unwrap(), bytes);
    }
}

#[test]
fn another_length_than_was_declared_leaves_nothing() {
    let bytes = long_png();
    for (len, declared) in [
        (600_000, 600_001),
        (600_000, 599_999),
        (9_000, 9_001),
        (9_000, 8_999),
        (9_000, 600_000),
    ] {
        let (world, config) = (world(), config());
        let sent = UploadRequest {
            length: Some(declared),
            ..request(
                "image/png",
                Pieces::new(&bytes[..len], 700),
                Params::default(),
            )
        };
        let problem = now(uploader(&world, &config).take(sent)).unwrap_err();
        assert_eq!(problem.kind, ProblemKind::BrokenUpload, "{len} {problem}");
        assert!(world.object_keys().is_empty(), "{len} of {declared}");
    }
}

#[test]
fn what_declares_too_many_bytes_is_refused_unread() {
    let (world, config) = (world(), config());
    for (content_type, bytes) in [(TYPE, 101 << 20), ("image/png", 33 << 20)] {
        let sent = UploadRequest {
            source_url: None,
            length: Some(bytes),
            ..request(
                content_type,
                Pieces::new(png(9, 9), 50).breaking_at(0),
                Params::default(),
            )
        };
        let problem = now(uploader(&world, &config).take(sent)).unwrap_err();
        assert_eq!(problem.kind, ProblemKind::UploadTooLarge);
    }
}

#[test]
fn any_single_fault_costs_one_file_at_most_and_leaves_no_orphan_for_long() {
    let picture = png(30, 20);
    for operation in 0.. {
        let mut hit = false;
        for failure in [Failure::Before, Failure::After] {
            let world = world();
            let struck = std::rc::Rc::new(Cell::new(false));
            let seen = struck.clone();
            world.fail(move |_, count| {
                (count == operation).then(|| {
                    seen.set(true);
                    failure
                })
            });
            let parts = [
                named("a", &picture),
                named("b", &picture),
                named("c", &picture),
            ];
            let (reply, files) = upload(&world, &parts);
            world.heal();
            hit |= struck.get();
            assert_eq!(reply.status, 202);
            let refused = files.iter().filter(|file| file.result.is_err()).count();
            assert!(refused <= 1, "operation {operation} {failure:?}");
            // A job that was promised exists with its bytes.
            for record in files.iter().filter_map(|file| file.result.as_ref().ok()) {
                assert!(world.object(&format!("source/{}", record.id)).is_some());
                assert!(world.records().iter().any(|known| known.id == record.id));
            }
            world.advance_secs(21 * 60);
            now(sweep(&world, &world, &world, &world)).unwrap();
            let sources = world.object_keys().len();
            assert_eq!(
                sources,
                world.records().len(),
                "operation {operation} {failure:?}"
            );
        }
        if !hit {
            assert!(operation > 12, "{operation} operations");
            return;
        }
    }
}

/// A JPEG with 4.5 MB of XMP before its image, and the same without.
fn with_metadata() -> (Vec<u8>, Vec<u8>) {
    let plain = include_bytes!("../images/photo.jpg").to_vec();
    let mut xmp = b"\xFF\xE1\xFD\xEAhttp://ns.adobe.com/xmp/extension/\0".to_vec();
    xmp.resize(65_004, b' ');
    let file = [&plain[..2], &xmp.repeat(70), &plain[2..]].concat();
    (file, plain)
}

#[test]
fn metadata_before_a_picture_are_not_held() {
    let (file, plain) = with_metadata();
    let variants = [Variant::default()];
    let limits = Limits::default();
    let want = render(&plain, &variants, &limits).unwrap();
    for chunk in [1 << 20, 65_000, 50] {
        let most = Cell::new(0_u64);
        let reserve = |bytes: u64| {
            most.set(bytes.max(most.get()));
            Ok(())
        };
        let body = Pieces::new(&file[..], chunk);
        let got = now(Pipeline.render(body, &variants, &limits, reserve)).unwrap();
        assert!(got.thumbnails == want.thumbnails, "{chunk}");
        let most = most.get() - chunk as u64;
        assert!(most <= want.peak_bytes + 4096, "{chunk}: {most}");
    }
}

#[test]
fn a_picture_whose_size_comes_late_is_left_to_the_origin() {
    let (file, _) = with_metadata();
    for chunk in [1 << 20, 5000] {
        let (world, config) = (world(), config());
        let sent = request(
            "image/jpeg",
            Pieces::new(&file[..], chunk),
            Params::default(),
        );
        let mut taken = now(uploader(&world, &config).take(sent)).unwrap();
        let job = taken.files.remove(0).result.unwrap();
        assert_eq!((job.source.width, job.planned_bytes), (None, None));
        let [key] = world.object_keys().try_into().unwrap();
        assert!(world.object(&key).unwrap() == file);
    }
}
