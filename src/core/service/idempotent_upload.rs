//! An upload with an `Idempotency-Key`: however often it is sent, its jobs begin once.
//!
//! 1. claim the key, before anything is read
//! 2. store the sources
//! 3. commit to the jobs, with a fingerprint of what was sent
//! 4. begin the jobs
//! 5. keep the answer
//!
//! Whoever comes with the key after 3 sends the bytes again, which are only hashed, and gets the
//! same jobs: the answer that was kept, or, where a crash kept it from being, one made from them.
//!
//! All strangers share one space of keys. What keeps them apart is the fingerprint: who has the key
//! and not the very bytes and options learns that the key is taken, and nothing of the job. A network
//! address would not tell strangers apart better: it changes between an upload and its repetition on
//! the way from one network to another, which is when answers are lost.

use std::pin::pin;

use futures_util::future::{Either, select};

use crate::api::uploaded;
use crate::api::{Problem, ProblemKind, Reply, UploadedFile};
use crate::idempotency::{
    Answer, CommittedFile, KeyCommand, KeyVerdict, LEASE_SECS, fetched_fingerprint, fingerprint,
};
use crate::job::policy::CREATE_WITHIN_SECS;
use crate::job::{Command, NewJob, Record, Verdict};
use crate::keys::{JobId, source_key};
use crate::ports::{Chunks, Clock, JobLedger, KeyLedger, ObjectStore, Timer};
use crate::service::null_store::NullStore;
use crate::service::upload::{Taken, UploadRequest, Uploader};

/// After how long a request whose key is in use may come again.
const IN_FLIGHT_RETRY_SECS: u32 = 5;

/// A key, and who asks with it.
pub struct IdempotentUpload<'a, K, L> {
    /// The keys.
    pub keys: &'a K,
    /// The jobs.
    pub ledger: &'a L,
    /// The name of the key.
    pub name: String,
    /// Tells this request from all others with the key.
    pub token: String,
    /// The service's own origin, for the answer.
    pub base: &'a str,
}

/// What became of an upload.
pub enum Outcome {
    /// It was taken, or each of its files was refused.
    Taken {
        /// The files, in order.
        files: Vec<UploadedFile<Record>>,
        /// Whether the queue said that it is overloaded.
        overloaded: bool,
        /// Under what the answer is kept, where it is.
        kept: Option<Kept>,
    },
    /// It came before, and was answered with this.
    Replayed(Answer),
}

/// Under what the answer to an upload is kept.
pub struct Kept {
    name: String,
    token: String,
}

impl Kept {
    /// Keeps the answer that the client got who has waited for the end of its jobs.
    pub async fn settle<B>(&self, keys: &impl KeyLedger, reply: &Reply<B>) {
        if let Some(answer) = Answer::of(reply).filter(Answer::is_final) {
            let token = self.token.clone();
            // Without it, the first answer is told again.
            let _ = keys
                .call(&self.name, KeyCommand::Answer { token, answer })
                .await;
        }
    }
}

/// What an earlier request with the key committed to.
struct Earlier {
    token: String,
    fingerprint: String,
    files: Vec<CommittedFile>,
}

impl<K: KeyLedger, L: JobLedger> IdempotentUpload<'_, K, L> {
    /// Takes an upload, unless it came before.
    pub async fn take<O, C, I, B>(
        &self,
        uploader: &Uploader<'_, O, C, I>,
        request: UploadRequest<B>,
    ) -> Result<Outcome, Problem>
    where
        O: ObjectStore,
        C: Clock + Timer,
        I: Fn() -> Result<JobId, Problem>,
        B: Chunks,
    {
        match self.claim().await? {
            KeyVerdict::Proceed => self.first(uploader, request).await,
            KeyVerdict::Answered {
                fingerprint,
                answer,
            } => {
                same(uploader, request, &fingerprint).await?;
                Ok(Outcome::Replayed(answer))
            }
            KeyVerdict::Committed {
                token,
                fingerprint,
                files,
            } => {
                let earlier = Earlier {
                    token,
                    fingerprint,
                    files,
                };
                self.again(uploader, request, earlier).await
            }
            _ => Err(in_flight()),
        }
    }

    async fn claim(&self) -> Result<KeyVerdict, Problem> {
        let token = self.token.clone();
        self.call(KeyCommand::Claim { token }).await
    }

    async fn call(&self, command: KeyCommand) -> Result<KeyVerdict, Problem> {
        Ok(self.keys.call(&self.name, command).await?)
    }

    async fn first<O, C, I, B>(
        &self,
        uploader: &Uploader<'_, O, C, I>,
        request: UploadRequest<B>,
    ) -> Result<Outcome, Problem>
    where
        O: ObjectStore,
        C: Clock + Timer,
        I: Fn() -> Result<JobId, Problem>,
        B: Chunks,
    {
        let mut taken = self.hold(uploader.clock, uploader.take(request)).await;
        if let Ok(stored) = &taken
            && let Some(fault) = platform_fault(&stored.files)
        {
            // Sent again, the file may be taken: its fault must not become part of the answer.
            uploader.discard(&stored.files).await;
            taken = Err(fault);
        }
        let accepted = |taken: &Taken| taken.files.iter().any(|file| file.result.is_ok());
        if !taken.as_ref().is_ok_and(accepted) {
            // Nothing came of it: corrected, it may be sent with the same key.
            let token = self.token.clone();
            let _ = self.call(KeyCommand::Release { token }).await;
            return Ok(self.begin(uploader, taken?.files).await);
        }
        let taken = taken?;
        let commit = KeyCommand::Commit {
            token: self.token.clone(),
            fingerprint: taken.fingerprint(),
            files: taken.files.iter().map(CommittedFile::from).collect(),
        };
        // Where no reply comes, the sources stay: if it was committed they are needed, else the
        // sweep deletes them.
        if self.call(commit).await? != KeyVerdict::Taken {
            uploader.discard(&taken.files).await;
            return Err(in_flight());
        }
        Ok(self.finish(uploader, &self.token, taken.files).await)
    }

    /// Makes the claim again and again while the upload arrives.
    async fn hold<T>(&self, timer: &impl Timer, upload: impl Future<Output = T>) -> T {
        let mut upload = pin!(upload);
        loop {
            let pause = pin!(timer.sleep(LEASE_SECS * 1_000 / 4));
            match select(upload.as_mut(), pause).await {
                Either::Left((taken, _)) => return taken,
                // Where this fails, the next one or the commit tells.
                Either::Right(_) => drop(self.claim().await),
            }
        }
    }

    /// Begins what an earlier request committed to, where that request did not come to its end.
    async fn again<O, C, I, B>(
        &self,
        uploader: &Uploader<'_, O, C, I>,
        request: UploadRequest<B>,
        earlier: Earlier,
    ) -> Result<Outcome, Problem>
    where
        O: ObjectStore,
        C: Clock + Timer,
        I: Fn() -> Result<JobId, Problem>,
        B: Chunks,
    {
        let mut files = Vec::with_capacity(earlier.files.len());
        for file in earlier.files {
            files.push(self.still_there(uploader, file.into()).await?);
        }
        if files.iter().all(|file| file.result.is_err()) {
            // The crash was so long ago that its jobs cannot begin any more.
            let token = earlier.token;
            self.call(KeyCommand::Release { token }).await?;
            return match self.claim().await? {
                KeyVerdict::Proceed => self.first(uploader, request).await,
                _ => Err(in_flight()),
            };
        }
        same(uploader, request, &earlier.fingerprint).await?;
        Ok(self.finish(uploader, &earlier.token, files).await)
    }

    /// A file whose job exists, or can still begin.
    async fn still_there<O: ObjectStore, C: Clock + Timer, I>(
        &self,
        uploader: &Uploader<'_, O, C, I>,
        file: UploadedFile<NewJob>,
    ) -> Result<UploadedFile<NewJob>, Problem> {
        let Ok(job) = &file.result else {
            return Ok(file);
        };
        if let Verdict::Found { .. } = self.ledger.call(job.id, Command::Get).await? {
            return Ok(file);
        }
        let age_millis = uploader.clock.now().millis_since(job.id.created_at());
        let in_time = age_millis < CREATE_WITHIN_SECS * 1_000;
        if in_time && uploader.objects.head(&source_key(job.id)).await?.is_some() {
            return Ok(file);
        }
        let detail = "the uploaded file is no longer stored";
        let lost = Problem::new(ProblemKind::SourceMissing, detail);
        Ok(UploadedFile {
            result: Err(lost),
            ..file
        })
    }

    async fn begin<O, C, I>(
        &self,
        uploader: &Uploader<'_, O, C, I>,
        files: Vec<UploadedFile<NewJob>>,
    ) -> Outcome
    where
        O: ObjectStore,
        C: Clock + Timer,
        I: Fn() -> Result<JobId, Problem>,
    {
        let (files, overloaded) = uploader.begin(self.ledger, files).await;
        Outcome::Taken {
            files,
            overloaded,
            kept: None,
        }
    }

    /// Begins the jobs and keeps the answer, unless a job could not begin: then the next request
    /// tries again.
    async fn finish<O, C, I>(
        &self,
        uploader: &Uploader<'_, O, C, I>,
        token: &str,
        files: Vec<UploadedFile<NewJob>>,
    ) -> Outcome
    where
        O: ObjectStore,
        C: Clock + Timer,
        I: Fn() -> Result<JobId, Problem>,
    {
        let mut outcome = self.begin(uploader, files).await;
        if let Outcome::Taken { files, kept, .. } = &mut outcome
            && !files.iter().any(is_unavailable)
            && let Some(answer) = Answer::of(&uploaded::reply::<()>(files, self.base))
        {
            let token = token.to_owned();
            *kept = Some(Kept {
                name: self.name.clone(),
                token: token.clone(),
            });
            // Without it, the next request makes the same answer again.
            let _ = self.call(KeyCommand::Answer { token, answer }).await;
        }
        outcome
    }
}

impl Taken {
    /// What the upload was.
    fn fingerprint(&self) -> String {
        match &self.source_url {
            Some(url) => fetched_fingerprint(url, &self.asked),
            None => fingerprint(&self.files, &self.asked),
        }
    }
}

fn is_unavailable(file: &UploadedFile<Record>) -> bool {
    let kind = file.result.as_ref().err().map(|problem| problem.kind);
    kind == Some(ProblemKind::Unavailable)
}

/// What the platform is at fault for in one of the files.
fn platform_fault(files: &[UploadedFile<NewJob>]) -> Option<Problem> {
    let mut problems = files.iter().filter_map(|file| file.result.as_ref().err());
    problems
        .find(|problem| problem.kind == ProblemKind::Unavailable)
        .cloned()
}

/// Reads an upload without storing it: is it the one that came before?
async fn same<O, C, I, B>(
    uploader: &Uploader<'_, O, C, I>,
    request: UploadRequest<B>,
    before: &str,
) -> Result<(), Problem>
where
    C: Clock + Timer,
    I: Fn() -> Result<JobId, Problem>,
    B: Chunks,
{
    let reader = Uploader {
        objects: &NullStore,
        clock: uploader.clock,
        config: uploader.config,
        new_id: &uploader.new_id,
        base: uploader.base,
        admission: uploader.admission,
    };
    let now = match &request.source_url {
        // Whatever is at the address by now.
        Some(url) => fetched_fingerprint(url, &reader.asked(&request.params)?),
        None => reader.take(request).await?.fingerprint(),
    };
    if now == before {
        return Ok(());
    }
    let detail = "the Idempotency-Key came with another upload before";
    Err(Problem::new(ProblemKind::IdempotencyKeyReused, detail))
}

fn in_flight() -> Problem {
    let detail = "an upload with this Idempotency-Key is still on its way";
    Problem {
        retry_after_secs: Some(IN_FLIGHT_RETRY_SECS),
        ..Problem::new(ProblemKind::IdempotencyKeyInUse, detail)
    }
}
