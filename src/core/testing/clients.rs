//! Who acts in a simulation: a client, consumers, alarms, the sweep. Each act is a task of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::clock::EdgeClock;
use super::executor::Actor;
use super::queue::{Delivery, Line};
use super::receiver::webhook;
use super::story::{Picture, Scenario, Wish};
use super::witness::{Answer, Sabotage};
use super::{Pieces, World};
use crate::api::{Body, Method, Problem, ProblemKind, ReadRequest, Reply};
use crate::job::{Command, Message, NewJob, Outcome, Record, Verdict, WebhookMessage};
use crate::keys::{DEFAULT_VARIANT, JobId, ThumbnailFile};
use crate::ports::{ChunkError, Chunks, Clock, JobLedger, StatusCache};
use crate::service::accept::create_job;
use crate::service::change::{cancel, rerun};
use crate::service::deliver::WebhookSender;
use crate::service::extend::extend;
use crate::service::memory::{Full, LEASE_SECS, Memory};
use crate::service::process::Processor;
use crate::service::reindex::reindex;
use crate::service::render::{Render, RenderError};
use crate::service::serve::Reader;
use crate::service::sweep::sweep;
use crate::timestamp::Timestamp;
use thumbnail_pipeline::decode::Completeness;
use thumbnail_pipeline::geometry::Size;
use thumbnail_pipeline::{
    Encoded, ImageFormat, Limits, Options, OutputFormat, PipelineError, Rendered, Thumbnail,
    Variant,
};

/// How long a job lives. Longer than any job takes that ends at all.
pub(super) const LIFE_SECS: u64 = 2 * 86_400;

/// How often a client tries to upload before it gives up.
const UPLOADS: u32 = 3;

/// When the client looks once more, in seconds after its upload: settled, expired, forgotten.
const LOOKS: [u64; 3] = [36 * 3_600, LIFE_SECS + 3_600, LIFE_SECS + 16 * 86_400];

/// The smallest PNG: one black pixel.
const PNG: [u8; 67] = [
    0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0,
    0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 10, b'I', b'D', b'A', b'T', 0x78, 0x9c,
    0x63, 0x60, 0, 0, 0, 2, 0, 1, 0x48, 0xaf, 0xa4, 0x71, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae,
    0x42, 0x60, 0x82,
];

/// The client, and the hands of the platform.
pub(super) struct Client {
    world: World,
    scenario: Scenario,
    /// Which of the clients it is.
    number: u32,
    uploads: Rc<Cell<u32>>,
    accepted: Rc<RefCell<Option<Record>>>,
    later: Rc<RefCell<Option<ThumbnailFile>>>,
    uploading: Rc<Cell<bool>>,
}

/// Ends a state of affairs when a task ends, whichever way it does.
struct Until<F: FnMut()>(F);

impl<F: FnMut()> Drop for Until<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Client {
    /// The clients of a story: the one that it tells of, and those beside it.
    pub fn all(world: &World, scenario: &Scenario) -> Vec<Self> {
        let beside = scenario.beside.iter().map(|picture| Scenario {
            picture: *picture,
            ..scenario.clone()
        });
        let scenarios = std::iter::once(scenario.clone()).chain(beside);
        let clients = scenarios.zip(0..);
        clients
            .map(|(story, number)| Self::new(world, story, number))
            .collect()
    }

    fn new(world: &World, scenario: Scenario, number: u32) -> Self {
        Self {
            world: world.clone(),
            scenario,
            number,
            uploads: Rc::default(),
            accepted: Rc::default(),
            later: Rc::default(),
            uploading: Rc::default(),
        }
    }

    /// The job, once it was accepted.
    pub fn job(&self) -> Option<JobId> {
        self.accepted.borrow().as_ref().map(|record| record.id)
    }

    /// When to look once more.
    pub fn look_at(&self, looks: u32) -> Option<Timestamp> {
        let created_at = self.accepted.borrow().as_ref()?.created_at;
        let secs = LOOKS.get(usize::try_from(looks).ok()?)?;
        Some(created_at.plus_secs(*secs))
    }

    pub fn wants_to_upload(&self) -> bool {
        self.job().is_none() && !self.uploading.get() && self.uploads.get() < UPLOADS
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.world.inner.executor.spawn(Actor::Caller, task);
    }

    pub fn upload(&self) {
        self.uploads.set(self.uploads.get() + 1);
        self.uploading.set(true);
        let (world, scenario) = (self.world.clone(), self.scenario.clone());
        let (accepted, uploading) = (self.accepted.clone(), self.uploading.clone());
        let number = self.number * 100 + self.uploads.get();
        self.spawn(async move {
            let _end = Until(move || uploading.set(false));
            if let Ok(record) = upload(&world, &scenario, number).await {
                world.accepted(&record);
                *accepted.borrow_mut() = Some(record);
            }
        });
    }

    pub fn grant(&self, wish: Wish) {
        let (world, record) = (self.world.clone(), self.accepted.borrow().clone());
        let Some(record) = record else {
            return;
        };
        let id = record.id;
        match wish {
            Wish::Look => {
                for (number, file) in record.files().enumerate() {
                    let world = world.clone();
                    self.spawn(async move { look(&world, number, &file).await });
                }
                if let Some(file) = self.later.borrow().clone() {
                    let world = world.clone();
                    self.spawn(async move { look(&world, LATER, &file).await });
                }
                self.spawn(async move { ask(&world, id).await });
            }
            Wish::Extend => {
                world.asked_to_extend(id);
                let later = self.later.clone();
                self.spawn(async move {
                    let before = world.seen(id);
                    match extend(
                        &world,
                        &world,
                        &Limits::default(),
                        id,
                        vec![later_variant()],
                    )
                    .await
                    {
                        Ok(extended) => {
                            world.answered_extend(id);
                            *later.borrow_mut() = extended.file;
                        }
                        Err(problem) if problem.kind == ProblemKind::NotFound => {
                            world.answered(id, None, &before, &Answer::Missing);
                        }
                        // It may have been taken all the same.
                        Err(problem) if problem.kind == ProblemKind::Unavailable => {}
                        Err(_) => world.answered_extend(id),
                    }
                });
            }
            Wish::Delete => {
                world.asked_to_delete(id);
                self.spawn(async move {
                    let before = world.seen(id);
                    let answer = match cancel(&world, id).await {
                        Ok(()) => Answer::Gone,
                        Err(problem) => absence(&problem),
                    };
                    world.answered(id, None, &before, &answer);
                });
            }
            Wish::Rerun => {
                world.asked_to_rerun(id);
                self.spawn(async move {
                    let before = world.seen(id);
                    let answer = rerun(&world, &world, id).await;
                    match answer.err().map(|problem| problem.kind) {
                        None
                        | Some(
                            ProblemKind::NotFailed
                            | ProblemKind::Gone
                            | ProblemKind::TooEarly
                            | ProblemKind::UsedUp,
                        ) => {
                            world.answered_rerun(id);
                        }
                        Some(ProblemKind::NotFound) => {
                            world.answered(id, None, &before, &Answer::Missing);
                        }
                        Some(_) => {}
                    }
                });
            }
        }
    }

    pub fn consume(&self, delivery: Delivery) {
        match delivery.line() {
            Some((Line::Webhooks, dead)) => self.tell(delivery, dead),
            Some((Line::Resize, dead)) => self.process(delivery, dead),
            None => {}
        }
    }

    /// What the consumer of the webhook queue does.
    fn tell(&self, delivery: Delivery, dead: bool) {
        let world = self.world.clone();
        self.spawn(async move {
            let body = delivery.body();
            let courier = WebhookSender {
                ledger: &world,
                receivers: &world,
            };
            // Dead letters are only logged: the job sends another message by itself.
            let (outcome, attempt) = if dead {
                (Outcome::Complete, None)
            } else {
                courier.begin(&body).await
            };
            if let (Outcome::Discard { .. }, Ok(message)) =
                (&outcome, WebhookMessage::decode(&body))
            {
                world.discarded(message.job);
            }
            world.pause().await;
            delivery.settle(&outcome);
            if let Some(attempt) = attempt {
                courier.run(attempt).await;
            }
        });
    }

    fn process(&self, delivery: Delivery, dead: bool) {
        let world = self.world.clone();
        let body = delivery.body();
        let job = Message::decode(&body).ok().map(|message| message.job);
        let uploaded = job.and_then(|job| world.uploaded(job));
        let (picture, bytes) = uploaded.unwrap_or((self.scenario.picture, 0));
        let renderer = Brush {
            world: world.clone(),
            picture,
            bytes,
        };
        self.world.inner.executor.spawn(Actor::Origin, async move {
            let mut delivery = Some(delivery);
            if world.sabotaged(Sabotage::AckFirst)
                && let Some(delivery) = delivery.take()
            {
                delivery.settle(&Outcome::Complete);
            }
            // Of nobody's but its own.
            let own = Memory::new(Limits::default().max_memory_bytes, LEASE_SECS);
            let shared = !world.sabotaged(Sabotage::NoBudget);
            let processor = Processor {
                objects: &world,
                ledger: &world,
                clock: &world,
                memory: if shared { world.memory() } else { &own },
                renderer,
                limits: Limits::default(),
                memory_high_water: || None,
            };
            let outcome = if dead {
                processor.bury(&body).await
            } else {
                processor.process(&body).await
            };
            if let (Outcome::Discard { .. }, Ok(message)) = (&outcome, Message::decode(&body)) {
                world.discarded(message.job);
            }
            if world.sabotaged(Sabotage::TwoWriters) {
                copy_as_well(&world, &body).await;
            }
            // The acknowledgement is a step of its own: who dies before it gets the message again.
            world.pause().await;
            if let Some(delivery) = delivery {
                delivery.settle(&outcome);
            }
        });
    }

    pub fn sweep(&self) {
        let world = self.world.clone();
        self.spawn(async move {
            let clock = EdgeClock(&world);
            let began_at = clock.now();
            // A failure waits for the next trigger.
            let checked = reindex(&world, &world, &clock).await;
            let swept = sweep(&world, &world, &world, &clock).await;
            let answered = checked.is_ok_and(|done| done.unanswered == 0 && done.ended);
            if answered && swept.is_ok_and(|done| done.failed == 0 && done.ended && !done.resumed) {
                world.inner.reindexed_at.set(began_at);
            }
        });
    }
}

/// What a consumer must not do: its copy may be older than what the job has written meanwhile.
async fn copy_as_well(world: &World, body: &str) {
    if let Ok(Message { job, .. }) = Message::decode(body)
        && let Ok(Verdict::Found { record }) = world.call(job, Command::Get).await
    {
        let _ = StatusCache::put(world, &record, None).await;
    }
}

async fn upload(world: &World, scenario: &Scenario, number: u32) -> Result<Record, Problem> {
    let mut random = [0; 10];
    random[..4].copy_from_slice(&number.to_be_bytes());
    let now = EdgeClock(world).now();
    let id = JobId::new(now, random);
    let variants: Vec<Variant> = (0..scenario.variants).map(variant).collect();
    let mut body = Slow {
        world: world.clone(),
        pieces: Pieces::new(PNG, 40),
        secs: scenario.upload_secs,
    };
    let limits = Limits::default();
    let stored = super::store_source(world, id, None, &mut body, Some(&variants), &limits).await?;
    let planned_bytes = stored.planned_bytes(&variants, &limits);
    let (bytes, planned_bytes) = match number / 100 {
        _ if scenario.beside.is_empty() => (0, planned_bytes),
        // Known, known too low, and not known.
        n if n % 3 == 0 => (HEAVY_BYTES, Some(HEAVY_BYTES)),
        n if n % 3 == 1 => (HEAVY_BYTES, Some(HEAVY_BYTES / 2)),
        _ => (HEAVY_BYTES, None),
    };
    world.uploads(id, scenario.picture, bytes);
    let new = NewJob {
        id,
        owner: crate::job::record::ANONYMOUS.into(),
        planned_bytes,
        source: stored.source,
        variants,
        expires_at: Some(now.plus_secs(LIFE_SECS)),
        webhook: scenario.webhook.then(webhook),
    };
    Ok(create_job(world, new).await?.0)
}

/// What an image takes beside which others are made: two fit together, three not into an instance.
const HEAVY_BYTES: u64 = 32 << 20;

/// The number of the thumbnail that is asked for when the others are there.
pub(super) const LATER: usize = 100;

fn later_variant() -> Variant {
    Variant {
        name: "later".into(),
        options: Options {
            width: Some(7),
            ..Options::default()
        },
    }
}

fn variant(number: usize) -> Variant {
    let name = match number {
        0 => DEFAULT_VARIANT.into(),
        n => format!("v{n}"),
    };
    Variant {
        name,
        options: Options::default(),
    }
}

/// A body that takes its time.
struct Slow {
    world: World,
    pieces: Pieces,
    secs: u64,
}

impl Chunks for Slow {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        self.world.pause().await;
        self.world.advance_secs(std::mem::take(&mut self.secs));
        self.pieces.next().await
    }
}

/// A renderer that is quick, and does with a file what the story wants.
struct Brush {
    world: World,
    picture: Picture,
    /// What it takes.
    bytes: u64,
}

impl Render for Brush {
    async fn render(
        &self,
        mut body: impl Chunks,
        variants: &[Variant],
        _: &Limits,
        reserve: impl Fn(u64) -> Result<(), Full>,
    ) -> Result<Rendered, RenderError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await? {
            bytes.extend(chunk);
        }
        reserve(self.bytes)?;
        let _held = self.world.hold(self.bytes).await;
        self.world.pause().await;
        let later = variants.contains(&later_variant());
        match self.picture {
            Picture::Good => {}
            Picture::GoodOnce | Picture::PoisonLater if !later => {}
            Picture::Damaged | Picture::GoodOnce => {
                return Err(RenderError::Picture(PipelineError::Malformed {
                    format: ImageFormat::Png,
                    detail: "on purpose".into(),
                }));
            }
            Picture::Poison | Picture::PoisonLater => self.world.die(true).await,
        }
        let thumbnails = variants.iter().map(|variant| Thumbnail {
            name: variant.name.clone(),
            encoded: Encoded {
                bytes: [&bytes, variant.name.as_bytes()].concat(),
                format: OutputFormat::Png,
                width: 100,
                height: 100,
            },
        });
        Ok(Rendered {
            thumbnails: thumbnails.collect(),
            source: Size::new(1, 1),
            thumbhash: String::new(),
            completeness: Completeness::Whole,
            peak_bytes: 0,
        })
    }
}

fn reader<'a>(
    world: &'a World,
    clock: &'a EdgeClock<'a>,
) -> Reader<'a, World, World, World, EdgeClock<'a>> {
    Reader {
        objects: world,
        status: world,
        ledger: world,
        clock,
        base: "https://thumbs.example",
        cache_secs: 86_400,
    }
}

async fn look(world: &World, number: usize, file: &ThumbnailFile) {
    let before = world.seen(file.id);
    let request = ReadRequest::new(Method::Get, |_| None);
    let answer = match reader(world, &EdgeClock(world))
        .thumbnail(file, &request)
        .await
    {
        Ok(reply) => Answer::Served(reply.header("etag").unwrap_or_default().into()),
        Err(problem) => absence(&problem),
    };
    world.answered(file.id, Some(number), &before, &answer);
}

async fn ask(world: &World, id: JobId) {
    let before = world.seen(id);
    let answer = match reader(world, &EdgeClock(world)).status(id).await {
        Ok(Reply {
            body: Body::Text(text),
            ..
        }) => status(&text),
        Ok(_) => Answer::Nothing,
        Err(problem) => absence(&problem),
    };
    world.answered(id, None, &before, &answer);
}

fn status(text: &str) -> Answer {
    let is = |state: &str| text.contains(&format!("\"status\":\"{state}\""));
    if is("done") {
        Answer::Done
    } else if is("failed") {
        Answer::Failed
    } else if is("cancelled") || is("expired") {
        Answer::Gone
    } else {
        Answer::Waiting
    }
}

fn absence(problem: &Problem) -> Answer {
    match problem.kind {
        ProblemKind::NotReady => Answer::Waiting,
        ProblemKind::Gone => Answer::Gone,
        ProblemKind::NotFound => Answer::Missing,
        _ if problem.processing.is_some() => Answer::Failed,
        _ => Answer::Nothing,
    }
}
