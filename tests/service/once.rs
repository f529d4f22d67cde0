//! Uploads that come again with their `Idempotency-Key`, whatever fails on the way.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::FutureExt;
use image::{ImageFormat as Encoding, RgbImage};
use thumbnail_core::Config;
use thumbnail_core::api::{Params, Problem, ProblemKind, Reply, uploaded};
use thumbnail_core::idempotency::key_name;
use thumbnail_core::job::Policy;
use thumbnail_core::keys::JobId;
use thumbnail_core::service::idempotent_upload::{IdempotentUpload, Outcome};
use thumbnail_core::service::sweep::sweep;
use thumbnail_core::service::upload::{UploadRequest, Uploader};
use thumbnail_core::testing::{Failure, Pieces, World};
use thumbnail_core::timestamp::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const BASE: &str = "https://thumbs.example";

/// Nothing in a test ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future
        .now_or_never()
        .expect("the platform in memory is always ready")
}

fn png(width: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = RgbImage::new(width, 9);
    picture.write_to(&mut bytes, Encoding::Png).unwrap();
    bytes.into_inner()
}

/// A form with these files, and the options of its query.
#[derive(Clone)]
struct Upload {
    files: Vec<Vec<u8>>,
    query: Vec<(&'static str, &'static str)>,
}

fn two_files() -> Upload {
    Upload {
        files: vec![png(20), png(30)],
        query: vec![("width", "8")],
    }
}

impl Upload {
    fn request(&self) -> UploadRequest<Pieces> {
        let mut body = Vec::new();
        for file in &self.files {
            body.extend(
                b"--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n",
            );
            body.extend(file);
            body.extend(b"\r\n");
        }
        body.extend(b"--XX--\r\n");
        let mut params = Params::default();
        for (name, value) in &self.query {
            params.add(name, value).unwrap();
        }
        UploadRequest {
            source_url: None,
            content_type: "multipart/form-data; boundary=XX".into(),
            length: None,
            params,
            body: Pieces::new(body, 40),
        }
    }
}

/// Requests to one service. Each has ids and a token of its own.
struct Client {
    world: World,
    requests: Cell<u8>,
}

impl Client {
    fn new() -> Self {
        Self {
            world: World::new(NOW, Policy::default()),
            requests: Cell::default(),
        }
    }

    fn send(&self, key: &str, upload: &Upload) -> Result<Reply<()>, Problem> {
        let request = self.requests.get() + 1;
        self.requests.set(request);
        let config = Config::parse(|_| None).unwrap();
        let ids = Cell::new(0);
        let uploader = Uploader {
            objects: &self.world,
            clock: &self.world,
            config: &config,
            new_id: || {
                ids.set(ids.get() + 1);
                Ok(JobId::new(
                    thumbnail_core::ports::Clock::now(&self.world),
                    [request, ids.get(), 0, 0, 0, 0, 0, 0, 0, 0],
                ))
            },
            base: "https://thumbs.example",
            admission: self.world.admission(),
        };
        let once = IdempotentUpload {
            keys: &self.world,
            ledger: &self.world,
            name: key_name("anonymous", key),
            token: request.to_string(),
            base: BASE,
        };
        Ok(match now(once.take(&uploader, upload.request()))? {
            Outcome::Taken { files, .. } => uploaded::reply(&files, BASE),
            Outcome::Replayed(answer) => answer.reply(BASE),
        })
    }
}

#[test]
fn the_same_upload_gets_the_same_answer_and_no_second_job() {
    let client = Client::new();
    let first = client.send("k", &two_files()).unwrap();
    let writes = |client: &Client| {
        let log = client.world.log();
        log.iter()
            .filter(|name| name.starts_with("r2.") || name.starts_with("queue."))
            .count()
    };
    let before = writes(&client);
    client.world.advance_secs(3_600);
    let second = client.send("k", &two_files()).unwrap();
    assert_eq!((first.status, second.status), (202, 202));
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(writes(&client), before);
    assert_eq!(
        (
            client.world.records().len(),
            client.world.object_keys().len()
        ),
        (2, 2)
    );
}

#[test]
fn another_upload_with_the_key_is_refused_and_stores_nothing() {
    let client = Client::new();
    client.send("k", &two_files()).unwrap();
    let mut other_bytes = two_files();
    other_bytes.files[1] = png(31);
    let mut other_options = two_files();
    other_options.query = vec![("width", "9")];
    let mut fewer = two_files();
    fewer.files.pop();
    for upload in [other_bytes, other_options, fewer] {
        let problem = client.send("k", &upload).unwrap_err();
        assert_eq!(
            (problem.kind, problem.status),
            (ProblemKind::IdempotencyKeyReused, 422)
        );
    }
    assert_eq!(client.world.object_keys().len(), 2);
    assert_eq!(
        client
            .send("other", &two_files())
            .unwrap()
            .header("idempotent-replayed"),
        None
    );
    assert_eq!(client.world.records().len(), 4);
}

#[test]
fn what_was_refused_may_be_corrected_under_its_key() {
    let client = Client::new();
    let wrong = Upload {
        files: vec![b"no image".to_vec()],
        query: vec![],
    };
    assert_eq!(client.send("k", &wrong).unwrap().status, 400);
    let mut wrong = two_files();
    wrong.query = vec![("width", "0")];
    assert_eq!(
        client.send("k", &wrong).unwrap_err().kind,
        ProblemKind::InvalidOption
    );
    assert!(client.world.keys().is_empty() && client.world.object_keys().is_empty());
    assert_eq!(client.send("k", &two_files()).unwrap().status, 202);
}

#[test]
fn a_key_is_forgotten_after_its_time() {
    let client = Client::new();
    client.send("k", &two_files()).unwrap();
    client.world.advance_secs(86_400);
    client.send("k", &two_files()).unwrap();
    assert_eq!(client.world.records().len(), 4);
}

/// From one operation on, nothing works any more: the isolate is gone.
fn dies_at(world: &World, operation: usize) -> Rc<Cell<bool>> {
    let dead = Rc::new(Cell::new(false));
    let seen = dead.clone();
    let begin = Cell::new(None);
    world.fail(move |_, count| {
        let begin = begin.get().unwrap_or_else(|| {
            begin.set(Some(count));
            count
        });
        (count >= begin + operation).then(|| {
            seen.set(true);
            Failure::Before
        })
    });
    dead
}

#[test]
fn a_crash_at_any_moment_never_makes_a_second_job_and_never_blocks_the_key_for_ever() {
    for operation in 0.. {
        let client = Client::new();
        let dead = dies_at(&client.world, operation);
        let first = client.send("k", &two_files());
        if !dead.get() {
            assert!(operation > 10, "{operation} operations");
            return;
        }
        client.world.heal();
        // The client tries again, at once and then after the lease.
        let again = client.send("k", &two_files());
        if let Err(problem) = &again {
            assert_eq!(
                problem.kind,
                ProblemKind::IdempotencyKeyInUse,
                "{operation}"
            );
            assert_eq!(problem.retry_after_secs, Some(5));
        }
        client.world.advance_secs(661);
        let last = client.send("k", &two_files()).unwrap();
        assert_eq!(last.status, 202, "{operation}");
        if let Ok(again) = again {
            assert_eq!(
                (again.status, &again.body),
                (202, &last.body),
                "{operation}"
            );
        }
        let records = client.world.records();
        assert_eq!(
            records.len(),
            2,
            "{operation}: {:?}",
            first.map(|reply| reply.status)
        );
        for record in &records {
            assert!(
                client
                    .world
                    .object(&format!("source/{}", record.id))
                    .is_some()
            );
        }
        client.world.advance_secs(16 * 60);
        now(sweep(
            &client.world,
            &client.world,
            &client.world,
            &client.world,
        ))
        .unwrap();
        assert_eq!(
            client.world.object_keys().len(),
            2,
            "{operation}: an orphan stays"
        );
    }
}

#[test]
fn any_single_fault_is_answered_truly_and_repaired_by_sending_again() {
    for operation in 0.. {
        for failure in [Failure::Before, Failure::After] {
            let client = Client::new();
            let struck = Rc::new(Cell::new(false));
            let seen = struck.clone();
            client.world.fail(move |_, count| {
                (count == operation).then(|| {
                    seen.set(true);
                    failure
                })
            });
            let _ = client.send("k", &two_files());
            client.world.heal();
            if !struck.get() {
                assert!(operation > 10, "{operation} operations");
                return;
            }
            client.world.advance_secs(661);
            let reply = client.send("k", &two_files()).unwrap();
            assert_eq!(reply.status, 202, "{operation} {failure:?}");
            let thumbnail_core::api::Body::Text(text) = &reply.body else {
                panic!("no text")
            };
            let jobs = text.matches("\"job\":").count();
            assert_eq!(
                client.world.records().len(),
                jobs,
                "{operation} {failure:?}: {text}"
            );
            assert_eq!(jobs, 2, "{operation} {failure:?}: {text}");
        }
    }
}

#[test]
fn a_crash_whose_sources_were_swept_begins_anew() {
    let client = Client::new();
    client
        .world
        .fail(|name, _| (name == "job.call").then_some(Failure::Before));
    let refused = client.send("k", &two_files()).unwrap();
    assert_eq!(refused.status, 503);
    client.world.heal();
    client.world.advance_secs(21 * 60);
    now(sweep(
        &client.world,
        &client.world,
        &client.world,
        &client.world,
    ))
    .unwrap();
    assert!(client.world.object_keys().is_empty());
    assert_eq!(client.send("k", &two_files()).unwrap().status, 202);
    assert_eq!(
        (
            client.world.records().len(),
            client.world.object_keys().len()
        ),
        (2, 2)
    );
}
