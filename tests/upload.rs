//! Uploads with options: what becomes of them, and that nothing of a refused one stays.

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use image::{ImageFormat as Encoding, RgbImage};
use thumbnail_core::Config;
use thumbnail_core::api::form::Form;
use thumbnail_core::api::{Params, Problem, ProblemKind};
use thumbnail_core::job::{NewJob, Policy};
use thumbnail_core::keys::JobId;
use thumbnail_core::pipeline::options::Fit;
use thumbnail_core::ports::{ChunkError, Clock};
use thumbnail_core::service::upload::Uploader;
use thumbnail_core::testing::{Pieces, World};
use thumbnail_core::timestamp::Timestamp;

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
    let head = "--XX\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\n";
    [head.as_bytes(), bytes, b"\r\n"].concat()
}

fn uploader<'a>(world: &'a World, config: &'a Config) -> Uploader<'a, World> {
    Uploader {
        objects: world,
        config,
        id: JobId::new(NOW, [1; 10]),
        now: world.now(),
    }
}

/// Sends a form of `parts` with the options of a query.
fn send(world: &World, query: &[(&str, &str)], parts: &[Vec<u8>]) -> Result<NewJob, Problem> {
    let body = [parts.concat(), b"--XX--\r\n".to_vec()].concat();
    send_body(world, query, &body)
}

fn send_body(world: &World, query: &[(&str, &str)], body: &[u8]) -> Result<NewJob, Problem> {
    let config = Config::parse(|_| None).unwrap();
    let chunks: Vec<Result<Bytes, ChunkError>> = body
        .chunks(50)
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect();
    let form = Form::new(TYPE, stream::iter(chunks), config.max_upload_bytes)?;
    now(uploader(world, &config).form(form, params(query)))
}

fn world() -> World {
    World::new(NOW, Policy::default())
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
            vec![picture(), picture()],
            ProblemKind::MalformedForm,
        ),
        (
            vec![],
            vec![picture(), field("page", "3")],
            ProblemKind::UnsupportedImage,
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
    let problem = send_body(&world, &[], &body).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::MalformedForm);
    assert!(world.object_keys().is_empty());
}

#[test]
fn options_that_are_wrong_by_then_are_refused_before_the_file_is_stored() {
    let world = world();
    assert!(send(&world, &[("width", "0")], &[file(&png(9, 9))]).is_err());
    assert!(world.log().is_empty(), "{:?}", world.log());
}

#[test]
fn a_picture_as_it_is_takes_its_options_from_the_query() {
    let (world, config) = (world(), Config::parse(|_| None).unwrap());
    let uploader = uploader(&world, &config);
    let picture = |query: &[(&str, &str)]| {
        let mut chunks = Pieces::new(png(30, 20), 50);
        now(uploader.picture(&mut chunks, &params(query)))
    };
    assert_eq!(picture(&[("page", "1")]).unwrap_err().status, 415);
    assert!(world.object_keys().is_empty());
    let job = picture(&[("sizes", "10x10,big:200x100")]).unwrap();
    let names: Vec<_> = job.variants.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["10x10", "big"]);
}
