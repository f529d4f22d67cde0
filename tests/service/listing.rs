//! Listings over an index that is fed by the jobs and kept true by the sweep.

use futures_util::FutureExt;
use thumbnail_core::Timestamp;
use thumbnail_core::api::listing::ListQuery;
use thumbnail_core::api::{Body, Reply};
use thumbnail_core::job::record::{ANONYMOUS, Source};
use thumbnail_core::job::{Command, NewJob, Policy, State};
use thumbnail_core::keys::{JobId, source_key};
use thumbnail_core::object::ObjectMeta;
use thumbnail_core::ports::{Clock, JobLedger, ObjectStore};
use thumbnail_core::service::accept::create_job;
use thumbnail_core::service::change::cancel;
use thumbnail_core::service::list::{admit, list};
use thumbnail_core::service::reindex::{Reindexed, reindex};
use thumbnail_core::service::sweep;
use thumbnail_core::testing::{Failure, World};
use thumbnail_pipeline::{ImageFormat, Options, Variant};

const BASE: &str = "https://thumbs.example";

const DAY_SECS: u64 = 86_400;

/// Nothing in a test ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future
        .now_or_never()
        .expect("the platform in memory is always ready")
}

fn world() -> World {
    World::new(Timestamp::from_millis(1_795_428_000_000), Policy::default())
}

/// A job whose source is stored, as an upload leaves it.
fn begin(world: &World, number: u8) -> JobId {
    let id = JobId::new(world.now(), [number; 10]);
    let new = NewJob {
        id,
        owner: ANONYMOUS.into(),
        source: Source {
            filename: None,
            format: ImageFormat::Png,
            width: None,
            height: None,
            bytes: 1,
            sha256: String::new(),
        },
        variants: vec![Variant {
            name: "default".into(),
            options: Options::default(),
        }],
        planned_bytes: None,
        expires_at: Some(world.now().plus_secs(30 * DAY_SECS)),
        webhook: None,
    };
    now(async {
        let meta = ObjectMeta::Source {
            format: ImageFormat::Png,
        };
        world.put(&source_key(id), vec![1], meta).await.unwrap();
        create_job(world, new).await.unwrap();
    });
    id
}

/// A page: the ids on it, and the query of the next one.
fn page(world: &World, query: &ListQuery) -> (Vec<String>, Option<ListQuery>) {
    let reply: Reply<()> = now(list(world, ANONYMOUS, query, BASE, world)).unwrap();
    let link = reply.header("link").map(str::to_owned);
    let Body::Text(text) = reply.body else {
        panic!("no document")
    };
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let jobs = document["jobs"].as_array().unwrap().iter();
    let ids = jobs.map(|job| job["id"].as_str().unwrap().to_owned());
    let next = document["next"].as_str();
    assert_eq!(link, next.map(|next| format!("<{next}>; rel=\"next\"")));
    let query = next.map(|next| {
        let (_, parameters) = next.split_once('?').unwrap();
        let pairs = parameters.split('&');
        ListQuery::parse(pairs.map(|pair| pair.split_once('=').unwrap())).unwrap()
    });
    (ids.collect(), query)
}

/// What a look at the rows did, and how many rows the walk through the bucket added.
fn sweep(world: &World) -> (Reindexed, u32) {
    let done = now(reindex(world, world, world)).unwrap();
    let swept = now(sweep::sweep(world, world, world, world)).unwrap();
    (done, swept.added)
}

#[test]
fn nobody_lists_where_listing_is_off() {
    assert_eq!(admit(false).unwrap_err().status, 403);
    assert!(admit(true).is_ok());
}

#[test]
fn jobs_that_are_added_between_pages_repeat_none_and_hide_none() {
    let world = world();
    let mut want = Vec::new();
    for number in 0..10 {
        want.insert(0, begin(&world, number).to_string());
    }
    let mut seen = Vec::new();
    let mut query = Some(ListQuery {
        limit: 3,
        ..ListQuery::default()
    });
    let mut number = 10;
    while let Some(asked) = query {
        let (ids, next) = page(&world, &asked);
        seen.extend(ids);
        query = next;
        // Later ones, and one of the same millisecond.
        begin(&world, number);
        world.advance_secs(1);
        begin(&world, number);
        number += 1;
    }
    assert_eq!(seen, want);
}

#[test]
fn a_page_of_a_state_has_no_other() {
    let world = world();
    let (first, second) = (begin(&world, 1), begin(&world, 2));
    now(cancel(&world, first)).unwrap();
    for (state, want) in [(State::Cancelled, first), (State::Pending, second)] {
        let query = ListQuery {
            state: Some(state),
            ..ListQuery::default()
        };
        assert_eq!(page(&world, &query), (vec![want.to_string()], None));
    }
}

#[test]
fn a_row_that_was_never_written_is_added_by_the_sweep() {
    let world = world();
    world.fail(|name, _| name.starts_with("d1.").then_some(Failure::Before));
    let id = begin(&world, 1);
    world.heal();
    assert!(world.indexed(id).is_none());
    // Too young: its row may be on its way.
    assert_eq!(sweep(&world).1, 0);
    world.advance_secs(16 * 60);
    assert_eq!(sweep(&world).1, 1);
    assert_eq!(world.indexed(id), world.records().pop());
    let nothing_due = Reindexed {
        ended: true,
        ..Reindexed::default()
    };
    assert_eq!(sweep(&world), (nothing_due, 0));
}

#[test]
fn rows_of_a_month_are_added_by_one_walk() {
    let world = world();
    world.fail(|name, _| name.starts_with("d1.").then_some(Failure::Before));
    let mut ids = Vec::new();
    for number in 0..31 {
        ids.push(begin(&world, number));
        world.advance_secs(DAY_SECS - 60);
    }
    world.heal();
    world.advance_secs(16 * 60);
    assert_eq!(sweep(&world).1, 31);
    let alive = |id: &JobId| world.records().iter().any(|record| record.id == *id);
    assert!(ids.iter().all(alive));
    assert_eq!(world.indexed_jobs(), ids);
}

#[test]
fn a_deletion_that_the_index_missed_is_seen_within_a_week() {
    let world = world();
    let id = begin(&world, 1);
    now(world.call(id, Command::Start { alone: None })).unwrap();
    now(world.call(id, Command::DeadLetter)).unwrap();
    // Its end is told again, so that nothing is due any more.
    world.advance_secs(60);
    now(world.call(id, Command::Alarm)).unwrap();
    world.fail(|name, _| name.starts_with("d1.").then_some(Failure::Before));
    now(cancel(&world, id)).unwrap();
    world.heal();
    assert_eq!(world.indexed(id).unwrap().state, State::Failed);
    world.advance_secs(7 * DAY_SECS);
    assert_eq!(sweep(&world).0.checked, 0);
    world.advance_secs(10 * 60);
    assert_eq!(sweep(&world).0.checked, 1);
    assert_eq!(world.indexed(id).unwrap().state, State::Cancelled);
}

#[test]
fn a_row_that_outlived_its_job_is_removed() {
    let world = world();
    let id = begin(&world, 1);
    now(cancel(&world, id)).unwrap();
    world.fail(|name, _| (name == "d1.delete").then_some(Failure::Before));
    world.advance_secs(14 * DAY_SECS);
    now(world.call(id, Command::Alarm)).unwrap();
    world.heal();
    assert!(world.records().is_empty() && world.indexed(id).is_some());
    world.advance_secs(10 * 60);
    assert_eq!(sweep(&world).0.removed, 1);
    assert!(world.indexed_jobs().is_empty());
}

#[test]
fn a_sweep_that_runs_out_of_time_says_so_and_the_next_one_goes_on() {
    let world = world();
    for number in 1..=5 {
        begin(&world, number);
    }
    world.advance_secs(3_600);
    let slow = world.clone();
    world.fail(move |name, _| {
        // The first call reads a job, the second wakes it: a minute for each job.
        slow.advance_secs(if name == "job.call" { 30 } else { 0 });
        None
    });
    for (checked, ended) in [(3, false), (2, true)] {
        let done = now(reindex(&world, &world, &world)).unwrap();
        assert_eq!((done.checked, done.ended), (checked, ended));
    }
    world.heal();
}

#[test]
fn jobs_that_never_answer_keep_no_other_from_its_turn() {
    // As many as one sweep asks: once they were asked again by each, and nobody else was.
    const SILENT: usize = 2_500;
    let world = world();
    for _ in 0..=SILENT {
        begin(&world, 1);
        world.advance_secs(1);
    }
    world.advance_secs(DAY_SECS);
    let mut calls = 0;
    world.fail(move |name, _| {
        calls += usize::from(name == "job.call");
        (name == "job.call" && calls <= SILENT).then_some(Failure::Before)
    });
    let silent = u32::try_from(SILENT).unwrap();
    for (checked, unanswered) in [(silent, silent), (1, 0), (0, 0)] {
        let done = sweep(&world).0;
        assert_eq!((done.checked, done.unanswered), (checked, unanswered));
    }
    world.advance_secs(3_600);
    assert_eq!(sweep(&world).0.checked, silent);
}

#[test]
fn a_job_whose_time_is_over_is_listed_as_expired_or_not_at_all() {
    let world = world();
    let id = begin(&world, 1).to_string();
    world.advance_secs(30 * DAY_SECS);
    let all = ListQuery::default();
    let pending = ListQuery {
        state: Some(State::Pending),
        ..ListQuery::default()
    };
    assert_eq!(page(&world, &all).0, [id]);
    assert!(page(&world, &pending).0.is_empty());
}
