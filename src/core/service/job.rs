//! A job's own side: commands in, decisions stored, effects out.
//!
//! 1. load the record, decide, store what changed with its alarm: atomic, nothing else runs between;
//!    whoever listens is told at once
//! 2. copy the record to KV, before any message: a pending copy never follows a finished one
//! 3. send the messages: if that fails, the alarm is already set and sends them later
//! 4. copy the record to the index, for which nothing and nobody waits
//!
//! An intent is carried out in R2 first, then decided about once more.
//! The end of a job is told again by its alarm until KV is known to have it.

use std::cell::Cell;

use futures_util::lock::Mutex;

use crate::api::webhook::compose;
use crate::job::expiry::copy_until;
use crate::job::policy::TELL_SECS;
use crate::job::record::Intent;
use crate::job::{
    Command, Decision, FollowUp, Policy, Record, State, Thumbnail, Verdict, WebhookMessage, advance,
};
use crate::keys::{ThumbnailFile, source_key, thumbnail_key};
use crate::object::ObjectMeta;
use crate::ports::{
    Clock, JobIndex, JobQueue, JobStorage, Listeners, ObjectInfo, ObjectStore, Platform,
    StatusCache, StoreError, WebhookQueue,
};
use crate::service::reindex::check_at;
use crate::timestamp::Timestamp;

/// One job: what runs inside its Durable Object.
pub struct JobService<S, P> {
    storage: S,
    platform: P,
    policy: Policy,
    /// Held while a copy is on its way to KV, so that an older one never lands after a newer one.
    publishing: Mutex<()>,
    /// Held while R2 is made to agree with an intent, so that two of them never mix.
    carrying: Mutex<()>,
    /// The revision that KV is known to hold.
    published: Cell<u64>,
    /// Whether an older copy may still be on its way to KV: its write was given up, or nobody knows,
    /// because this instance has not been there from the beginning.
    in_doubt: Cell<bool>,
    /// Until when a copy of the present revision may still be on its way to KV in the same manner. It does no
    /// harm by itself, but would to the next revision.
    unsure_until: Cell<Timestamp>,
    /// Held while a row is on its way to the index, so that they do not pile up before a slow one.
    indexing: Mutex<()>,
    /// Whether something has changed that the index was not told.
    unindexed: Cell<bool>,
}

impl<S: JobStorage, P: Platform> JobService<S, P> {
    /// A job over its platform.
    pub fn new(storage: S, platform: P, policy: Policy) -> Self {
        let now = platform.clock().now();
        Self {
            unsure_until: Cell::new(now.plus_secs(TELL_SECS.into())),
            storage,
            platform,
            policy,
            publishing: Mutex::new(()),
            carrying: Mutex::new(()),
            published: Cell::new(0),
            in_doubt: Cell::new(true),
            indexing: Mutex::new(()),
            unindexed: Cell::new(false),
        }
    }

    /// What it acts on.
    pub fn platform(&self) -> &P {
        &self.platform
    }

    /// Takes a command to its end. An error means that it was not taken, or that it is not known
    /// whether it was; repeating it is harmless.
    pub async fn handle(&self, command: Command) -> Result<Verdict, StoreError> {
        let came = matches!(
            command,
            Command::Start { .. } | Command::Defer { attempt: None, .. } | Command::DeadLetter
        );
        let (decision, messages) = self.apply(command).await?;
        if came {
            let job = decision.changed.as_ref().map(|record| record.id);
            let now = self.platform.clock().now();
            self.platform.pace().came(job, now);
        }
        if decision.follow_up != FollowUp::CarryOut {
            return self.follow_up(decision, messages).await;
        }
        self.send(messages).await;
        // Whoever did not ask for the intent is told what became of what they did ask for.
        let asked = matches!(decision.verdict, Verdict::Recorded { .. });
        let carried = self.carry_out().await?;
        Ok(if asked { carried } else { decision.verdict })
    }

    /// Takes the alarm. An error means that nothing was stored, and that it has to ring again; what
    /// fails later has its next alarm set already, because the platform gives one up that keeps failing.
    pub async fn ring(&self) -> Result<(), StoreError> {
        let (decision, messages) = self.apply(self.alarm_command().await?).await?;
        // Neither has anybody to answer to.
        if decision.follow_up == FollowUp::CarryOut {
            self.send(messages).await;
            let _ = self.carry_out().await;
        } else {
            let _ = self.follow_up(decision, messages).await;
        }
        Ok(())
    }

    /// An alarm means less where the job's message waits behind others.
    async fn alarm_command(&self) -> Result<Command, StoreError> {
        let now = self.platform.clock().now();
        let waits = |record: &Record| record.may_wait(now, &self.policy);
        let Some(record) = self.storage.load().await?.filter(waits) else {
            return Ok(Command::Alarm);
        };
        let backlog = self.platform.queue().backlog().await.ok().flatten();
        let long = backlog.is_some_and(|count| count >= self.policy.long_queue.into());
        let slow = self.platform.pace().may_wait(record.id, now);
        Ok(if long || slow {
            Command::Wait
        } else {
            Command::Alarm
        })
    }

    /// Tells the index what commands have changed. To be called after each, by nobody who waits:
    /// what fails here is made up for by the sweep.
    pub async fn index(&self) {
        let _guard = self.indexing.lock().await;
        if !self.unindexed.take() {
            return;
        }
        if let Ok(Some(record)) = self.storage.load().await {
            let check_at = check_at(&record, self.platform.clock().now());
            let _ = self.platform.index().put(&record, check_at).await;
        }
    }

    /// Loads the record, applies a command, and stores what it changed.
    async fn apply(&self, command: Command) -> Result<(Decision, Vec<WebhookMessage>), StoreError> {
        let record = self.storage.load().await?;
        if record.is_none() {
            self.in_doubt.set(false);
            self.unsure_until.set(Timestamp::default());
        }
        let now = self.platform.clock().now();
        let (decision, messages) = advance(record, command, now, &self.policy);
        match &decision.changed {
            Some(_) if decision.follow_up == FollowUp::Erase => self.storage.erase().await?,
            Some(record) => {
                self.storage.save(record).await?;
                // Before the copy in KV, which may be slow or fail: what is stored is true.
                self.platform.listeners().tell(record);
            }
            None => {}
        }
        Ok((decision, messages))
    }

    /// Lets the effects out. None of their failures is harmful.
    async fn follow_up(
        &self,
        mut decision: Decision,
        messages: Vec<WebhookMessage>,
    ) -> Result<Verdict, StoreError> {
        let Some(record) = &decision.changed else {
            return Ok(decision.verdict);
        };
        if decision.follow_up == FollowUp::Erase {
            // Last, because both lead a sweep to the job: without a job it deletes what stays of them.
            let _ = self.unbury(record.files()).await;
            let _ = self.platform.index().delete(record.id).await;
            return Ok(decision.verdict);
        }
        self.unindexed.set(true);
        // Readers of an old or missing copy ask the job itself.
        self.tell().await;
        if decision.follow_up == FollowUp::Send {
            // The alarm sends again.
            let sent = self.platform.queue().send(&record.message()).await;
            if sent.is_ok() {
                let now = self.platform.clock().now();
                self.platform.pace().sent(record.id, now);
            }
            if let Verdict::Recorded { overloaded, .. } = &mut decision.verdict {
                *overloaded = matches!(sent, Err(StoreError::Overloaded(_)));
            }
        }
        if let FollowUp::Deliver { event } = decision.follow_up {
            decision.verdict = self.delivery(record, event)?;
        }
        self.send(messages).await;
        Ok(decision.verdict)
    }

    /// Sends what asks for deliveries. What is lost here, the alarm sends again.
    async fn send(&self, messages: Vec<WebhookMessage>) {
        for message in messages {
            let _ = self.platform.webhooks().send(&message).await;
        }
    }

    /// The request that tells an event. Signed here, so that no other Worker needs the secret.
    fn delivery(&self, record: &Record, number: u64) -> Result<Verdict, StoreError> {
        let webhook = record.webhook.as_ref();
        let found = webhook.and_then(|webhook| Some((webhook, webhook.event(number)?)));
        let Some((webhook, event)) = found else {
            return Ok(Verdict::Stop {
                state: record.state,
            });
        };
        let secrets = self.platform.secrets().ok_or_else(|| {
            StoreError::Permanent("WEBHOOK_SECRET is not set: events cannot be signed".into())
        })?;
        let now = self.platform.clock().now();
        let base = self.platform.public_origin().unwrap_or(&webhook.base);
        Ok(Verdict::Deliver {
            attempt: event.attempts,
            request: Box::new(compose(webhook, event, base, now, secrets)),
        })
    }

    /// Tells everybody how the job stands by now. What an end asks for stays due until it is certain.
    async fn tell(&self) {
        let Ok(Some(record)) = self.publish().await else {
            return;
        };
        let certain = !self.in_doubt.get();
        if record.tell_at.is_some() && self.drop_source(&record).await.is_ok() && certain {
            let revision = record.revision;
            if let Ok((_, messages)) = self.apply(Command::Told { revision }).await {
                self.send(messages).await;
            }
        }
    }

    /// Deletes the source of a job that is done, where it is of no more use.
    async fn drop_source(&self, record: &Record) -> Result<(), StoreError> {
        let needed = record.extension.is_some();
        if self.policy.keep_sources || record.state != State::Done || needed {
            return Ok(());
        }
        self.platform.objects().delete(&source_key(record.id)).await
    }

    /// Copies the record to KV as it is by now, and returns it.
    async fn publish(&self) -> Result<Option<Record>, StoreError> {
        let _guard = self.publishing.lock().await;
        let Some(record) = self.storage.load().await? else {
            return Ok(None);
        };
        let now = self.platform.clock().now();
        let is_new = record.revision > self.published.get();
        if is_new && now < self.unsure_until.get() {
            self.in_doubt.set(true);
        }
        // Whatever older copy was on its way has landed by now: one more write stays the last.
        let since_millis = now.millis_since(record.updated_at);
        let settles = self.in_doubt.get() && since_millis >= u64::from(TELL_SECS) * 1_000;
        if is_new || settles {
            let was_in_doubt = self.in_doubt.replace(true);
            let unsure_until = self.unsure_until.replace(now.plus_secs(TELL_SECS.into()));
            let until = copy_until(&record, now, &self.policy);
            self.platform.status().put(&record, until).await?;
            self.unsure_until.set(unsure_until);
            self.published.set(record.revision);
            self.in_doubt.set(was_in_doubt && !settles);
        }
        Ok(Some(record))
    }

    /// Makes R2 agree with the record's intent, then lets the state change.
    async fn carry_out(&self) -> Result<Verdict, StoreError> {
        let _guard = self.carrying.lock().await;
        let Some(record) = self.storage.load().await? else {
            return Ok(Verdict::Unknown);
        };
        let Some(intent) = record.intent.clone() else {
            // Somebody else has carried it out while this waited.
            return Ok(Verdict::Recorded {
                record: Box::new(record),
                overloaded: false,
            });
        };
        let found = self.apply_intent(&record, &intent).await?;
        let (decision, messages) = self.apply(Command::Carried { intent, found }).await?;
        self.follow_up(decision, messages).await
    }

    /// What each intent means in R2; returns thumbnails that were there after all.
    async fn apply_intent(
        &self,
        record: &Record,
        intent: &Intent,
    ) -> Result<Vec<Thumbnail>, StoreError> {
        let objects = self.platform.objects();
        let mut found = Vec::new();
        match intent {
            Intent::Fail { .. } => {
                for file in record.wanted_files() {
                    let key = thumbnail_key(&file);
                    if objects
                        .put_new(&key, Vec::new(), ObjectMeta::Tombstone)
                        .await?
                        .is_none()
                    {
                        let info = objects.head(&key).await?;
                        if info.as_ref().is_some_and(|i| i.meta == ObjectMeta::Foreign) {
                            let what = format!("what is stored at {key} is of a later build");
                            return Err(StoreError::Transient(what));
                        }
                        found.extend(info.and_then(|info| thumbnail(file.variant, &info)));
                    }
                }
            }
            // In this order: without a source no attempt begins, behind a tombstone none ends.
            Intent::Cancel | Intent::Expire => {
                objects.delete(&source_key(record.id)).await?;
                for file in record.files() {
                    objects
                        .put(&thumbnail_key(&file), Vec::new(), ObjectMeta::Tombstone)
                        .await?;
                }
            }
            Intent::Rerun => self.unbury(record.files()).await?,
            Intent::Extend { variants } => {
                // A thumbnail that is there after all stays: somebody may have seen it.
                for file in variants.iter().flat_map(|variant| record.files_of(variant)) {
                    let info = objects.head(&thumbnail_key(&file)).await?;
                    if info.is_some_and(|info| info.meta == ObjectMeta::Tombstone) {
                        objects.delete(&thumbnail_key(&file)).await?;
                    }
                }
            }
            Intent::Purge => self.platform.status().delete(record.id).await?,
        }
        Ok(found)
    }

    async fn unbury(&self, files: impl Iterator<Item = ThumbnailFile>) -> Result<(), StoreError> {
        for file in files {
            self.platform
                .objects()
                .delete(&thumbnail_key(&file))
                .await?;
        }
        Ok(())
    }
}

/// A thumbnail as its object describes it, if it is one.
pub fn thumbnail(name: String, info: &ObjectInfo) -> Option<Thumbnail> {
    let ObjectMeta::Thumbnail {
        format,
        width,
        height,
        ..
    } = info.meta
    else {
        return None;
    };
    Some(Thumbnail {
        name,
        format,
        width,
        height,
        bytes: info.bytes,
        etag: info.etag.clone(),
    })
}
