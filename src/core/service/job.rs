//! A job's own side: commands in, decisions stored, effects out.
//!
//! 1. load the record, decide, store what changed with its alarm: atomic, nothing else runs between;
//!    whoever listens is told at once
//! 2. copy the record to KV, before any message: a pending copy never follows a finished one
//! 3. send the message: if that fails, the alarm is already set and sends it later
//!
//! An intent is carried out in R2 first, then decided about once more.

use std::cell::Cell;

use futures_util::lock::Mutex;

use crate::job::ledger::decide;
use crate::job::record::Intent;
use crate::job::{Command, Decision, FollowUp, Message, Policy, Record, Thumbnail, Verdict};
use crate::keys::{source_key, thumbnail_key};
use crate::object::ObjectMeta;
use crate::ports::{
    Clock, JobQueue, JobStorage, Listeners, ObjectInfo, ObjectStore, Platform, StatusCache,
    StoreError,
};

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
}

impl<S: JobStorage, P: Platform> JobService<S, P> {
    /// A job over its platform.
    pub fn new(storage: S, platform: P, policy: Policy) -> Self {
        Self {
            storage,
            platform,
            policy,
            publishing: Mutex::new(()),
            carrying: Mutex::new(()),
            published: Cell::new(0),
        }
    }

    /// What it acts on.
    pub fn platform(&self) -> &P {
        &self.platform
    }

    /// Takes a command to its end. An error means that it was not taken, or that it is not known
    /// whether it was; repeating it is harmless.
    pub async fn handle(&self, command: Command) -> Result<Verdict, StoreError> {
        let decision = self.decide(command).await?;
        if decision.follow_up != FollowUp::CarryOut {
            return self.follow_up(decision).await;
        }
        let stopped = matches!(decision.verdict, Verdict::Stop { .. });
        let carried = self.carry_out().await?;
        Ok(if stopped { decision.verdict } else { carried })
    }

    /// Loads, decides, stores.
    async fn decide(&self, command: Command) -> Result<Decision, StoreError> {
        let record = self.storage.load().await?;
        let decision = decide(record, command, self.platform.clock().now(), &self.policy);
        match &decision.changed {
            Some(_) if decision.follow_up == FollowUp::Erase => self.storage.erase().await?,
            Some(record) => {
                self.storage.save(record).await?;
                // Before the copy in KV, which may be slow or fail: what is stored is true.
                self.platform.listeners().tell(record);
            }
            None => {}
        }
        Ok(decision)
    }

    /// Lets the effects out. None of their failures is harmful.
    async fn follow_up(&self, mut decision: Decision) -> Result<Verdict, StoreError> {
        let Some(record) = &decision.changed else {
            return Ok(decision.verdict);
        };
        if decision.follow_up == FollowUp::Erase {
            return Ok(decision.verdict);
        }
        // Readers of an old or missing copy ask the job itself.
        self.publish().await;
        match decision.follow_up {
            FollowUp::Send => {
                // The alarm sends again.
                let sent = self
                    .platform
                    .queue()
                    .send(&Message { job: record.id })
                    .await;
                if let Verdict::Recorded { overloaded, .. } = &mut decision.verdict {
                    *overloaded = matches!(sent, Err(StoreError::Overloaded(_)));
                }
            }
            FollowUp::DropSource => {
                // Expiry deletes it at the latest.
                let _ = self.platform.objects().delete(&source_key(record.id)).await;
            }
            _ => {}
        }
        Ok(decision.verdict)
    }

    /// Copies the record to KV as it is by now.
    async fn publish(&self) {
        let _guard = self.publishing.lock().await;
        let Ok(Some(record)) = self.storage.load().await else {
            return;
        };
        if record.revision > self.published.get()
            && self.platform.status().put(&record).await.is_ok()
        {
            self.published.set(record.revision);
        }
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
        let found = self.agree(&record, &intent).await?;
        let decision = self.decide(Command::Carried { intent, found }).await?;
        self.follow_up(decision).await
    }

    /// What each intent means in R2; returns thumbnails that were there after all.
    async fn agree(&self, record: &Record, intent: &Intent) -> Result<Vec<Thumbnail>, StoreError> {
        let objects = self.platform.objects();
        let mut found = Vec::new();
        match intent {
            Intent::Fail { .. } => {
                for file in record.files() {
                    let key = thumbnail_key(&file);
                    if objects
                        .put_new(&key, Vec::new(), ObjectMeta::Tombstone)
                        .await?
                        .is_none()
                    {
                        let info = objects.head(&key).await?;
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
            Intent::Rerun => self.unbury(record).await?,
            Intent::Purge => {
                self.unbury(record).await?;
                self.platform.status().delete(record.id).await?;
            }
        }
        Ok(found)
    }

    async fn unbury(&self, record: &Record) -> Result<(), StoreError> {
        for file in record.files() {
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
