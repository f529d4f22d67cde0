//! What the tests of whole flows share: a world, uploads to it, deliveries, reads.

use futures_util::FutureExt;
use image::{ImageFormat as Encoding, RgbImage};
use thumbnail_core::api::{Body, Method, Problem, ReadRequest, Reply};
use thumbnail_core::job::{NewJob, Outcome, Policy, Record, State};
use thumbnail_core::keys::{JobId, ThumbnailFile};
use thumbnail_core::ports::{Chunks, Clock};
use thumbnail_core::service::accept::create_job;
use thumbnail_core::service::process::Processor;
use thumbnail_core::service::render::Pipeline;
use thumbnail_core::service::serve::Reader;
use thumbnail_core::testing::{Pieces, World, store_source};
use thumbnail_core::timestamp::Timestamp;
use thumbnail_pipeline::{Limits, Options, Variant};

/// How long the jobs of these tests live.
pub const LIFE_SECS: u64 = 30 * 86_400;

pub const BASE: &str = "https://thumbs.example";

/// Nothing in a test ever waits.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    future
        .now_or_never()
        .expect("the platform in memory is always ready")
}

pub fn world() -> World {
    World::new(Timestamp::from_millis(1_795_428_000_000), Policy::default())
}

pub fn png(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([x, y, x ^ y].map(|value| u8::try_from(value % 256).unwrap()))
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, Encoding::Png).unwrap();
    bytes.into_inner()
}

pub fn upload(world: &World, chunks: &mut impl Chunks) -> Result<Record, Problem> {
    upload_as(world, chunks, Options::default())
}

pub fn upload_as(
    world: &World,
    chunks: &mut impl Chunks,
    options: Options,
) -> Result<Record, Problem> {
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
pub fn rand_bytes(world: &World) -> [u8; 10] {
    let mut bytes = [0; 10];
    let stored = (world.object_keys().len(), world.log().len());
    bytes[..8].copy_from_slice(&((stored.0 << 32 | stored.1) as u64).to_be_bytes());
    bytes
}

pub fn processor(world: &World) -> Processor<'_, World, World, World, Pipeline> {
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

pub fn deliver(world: &World) -> Option<Outcome> {
    world
        .next_message()
        .map(|message| now(processor(world).process(&message)))
}

pub fn ring_alarms(world: &World) {
    for id in world.due_alarms() {
        // What it answers is for nobody.
        let _ = now(world.ring(id));
    }
}

/// Lets the platform run until every job has ended.
pub fn settle(world: &World) {
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

pub fn reader(world: &World) -> Reader<'_, World, World, World, World> {
    Reader {
        objects: world,
        status: world,
        ledger: world,
        clock: world,
        base: BASE,
        cache_secs: 86_400,
    }
}

pub fn file(record: &Record) -> ThumbnailFile {
    record.files().next().unwrap()
}

pub fn get(world: &World, record: &Record) -> Result<Reply<Pieces>, Problem> {
    ask(world, record, Method::Get, &[])
}

pub fn ask(
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

pub fn state(world: &World, id: JobId) -> State {
    world
        .records()
        .into_iter()
        .find(|record| record.id == id)
        .unwrap()
        .state
}

pub fn status_document(world: &World, id: JobId) -> serde_json::Value {
    let reply = now(reader(world).status(id)).unwrap();
    let Body::Text(text) = reply.body else {
        panic!("no document")
    };
    serde_json::from_str(&text).unwrap()
}
