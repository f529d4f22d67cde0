//! What is remembered of a job: in the Durable Object as the truth, in KV as a copy.

use serde::{Deserialize, Serialize};

use super::command::NewJob;
use super::failure::Failure;
use super::message::Message;
use super::state::State;
use super::webhook::Webhook;
use crate::keys::{JobId, ThumbnailFile};
use crate::timestamp::Timestamp;
use thumbnail_pipeline::plan::output_formats;
use thumbnail_pipeline::{ImageFormat, OutputFormat, Variant};

/// The version of the stored form.
pub const VERSION: u32 = 1;

/// Who a job belongs to where nobody signs in.
pub const ANONYMOUS: &str = "anonymous";

/// Everything that is known of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this form.
    pub v: u32,
    /// The job.
    pub id: JobId,
    /// Who uploaded it.
    pub owner: String,
    /// Where it stands.
    pub state: State,
    /// Rises with each change: the newer of two copies has the higher one.
    pub revision: u64,
    /// Attempts begun.
    pub attempts: u32,
    /// Attempts that never came back.
    pub lost_attempts: u32,
    /// Those of them beside which nothing else ran in their instance.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost_alone: u32,
    /// Whether nothing else runs in the instance of the attempt that runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// Attempts that met a fault of the platform.
    pub faults: u32,
    /// Messages sent.
    pub sends: u32,
    /// How often in a row its attempt did not fit beside what else ran in an instance.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deferrals: u32,
    /// Whether its message came back: the alarm sends the next one, which is counted already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parked: bool,
    /// How often a client had it tried again after it had failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reruns: u32,
    /// When it may be tried again, after it has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_at: Option<Timestamp>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When everything of it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What is being done to it and no client can see yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// How often the intent was begun.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries: u32,
    /// When the alarm is to look at it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When its end is told once more, because it is not known whether everybody was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tell_at: Option<Timestamp>,
    /// How long it waited and worked.
    #[serde(default, skip_serializing_if = "Timings::are_unknown")]
    pub timings: Timings,
    /// What was uploaded.
    pub source: Source,
    /// What was asked for.
    pub variants: Vec<Variant>,
    /// The most memory that making what is wanted takes. Unknown where no header said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_bytes: Option<u64>,
    /// What was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thumbnails: Vec<Thumbnail>,
    /// Thumbnails that are being made although the job is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
    /// How often more thumbnails were begun after the job was done.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extensions: u32,
    /// Thumbnails that could not be made after the job was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// A placeholder for the image, Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbhash: Option<String>,
    /// The most memory that the instance which made the thumbnails has used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// Whether the file was cut or damaged, so that parts are missing in what was made of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Who is told of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields by reference"
)]
pub(super) const fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// How long a job waited and worked, by the times at which its commands arrived.
///
/// A Worker's clock moves at I/O only, so that nothing finer can be told than these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timings {
    /// Milliseconds from the upload until its first attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_ms: Option<u64>,
    /// When the last attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_at: Option<Timestamp>,
    /// Milliseconds that the attempt took that made the thumbnails: reading, rendering and storing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processing_ms: Option<u64>,
}

impl Timings {
    fn are_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// An uploaded image, as its header and the upload described it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// The name that the client gave, cut to 255 bytes. Shown, never used as a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The format that its bytes say.
    pub format: ImageFormat,
    /// Width in pixels, as the image is shown; absent while no header has been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels, as the image is shown; absent while no header has been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
}

/// A thumbnail that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Thumbnail {
    /// The variant that it is of.
    pub name: String,
    /// Its format.
    pub format: OutputFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Length in bytes.
    pub bytes: u64,
    /// The strong entity tag, without quotes.
    pub etag: String,
}

/// An end, or a new beginning, that R2 has to agree with before anybody is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "intent")]
pub enum Intent {
    /// Fail, unless every thumbnail turns out to be there.
    Fail {
        /// Why.
        failure: Failure,
    },
    /// Call it off: delete the source, bury the thumbnails.
    Cancel,
    /// Its time is over: as for cancel.
    Expire,
    /// Try again: remove the tombstones.
    Rerun,
    /// Make more thumbnails, although they failed before: remove their tombstones.
    Extend {
        /// Which ones.
        variants: Vec<Variant>,
    },
    /// Forget it: remove the copy in KV, then the record, then the tombstones.
    Purge,
}

/// Thumbnails that are being made of a job that is done: it stays done, whatever becomes of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extension {
    /// Where they stand, as a job would: never at an end, which ends the extension.
    pub state: State,
    /// What was asked for.
    pub variants: Vec<Variant>,
}

/// A thumbnail that could not be made after the job was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// What was asked for.
    pub variant: Variant,
    /// Why it cannot be had.
    pub failure: Failure,
}

impl Record {
    /// The record of a job that was just accepted.
    pub fn new(new: NewJob, now: Timestamp) -> Self {
        Self {
            v: VERSION,
            id: new.id,
            owner: new.owner,
            state: State::Pending,
            revision: 0,
            attempts: 0,
            lost_attempts: 0,
            lost_alone: 0,
            alone: false,
            faults: 0,
            sends: 0,
            deferrals: 0,
            parked: false,
            reruns: 0,
            rerun_at: None,
            created_at: now,
            updated_at: now,
            expires_at: new.expires_at,
            intent: None,
            tries: 0,
            due_at: None,
            tell_at: None,
            timings: Timings::default(),
            source: new.source,
            variants: new.variants,
            planned_bytes: new.planned_bytes,
            thumbnails: Vec::new(),
            extension: None,
            extensions: 0,
            refused: Vec::new(),
            thumbhash: None,
            peak_memory_bytes: None,
            incomplete: false,
            failure: None,
            webhook: new.webhook,
        }
    }

    /// Where the thumbnails stand that are being made: the job itself, or its extension.
    pub fn phase(&self) -> State {
        let extension = self.extension.as_ref();
        extension.map_or(self.state, |extension| extension.state)
    }

    /// Whether nothing is being made any more: the job has ended, and so has what was asked for later.
    pub fn is_settled(&self) -> bool {
        self.state.is_final() && self.extension.is_none()
    }

    pub(super) fn set_phase(&mut self, state: State) {
        match &mut self.extension {
            Some(extension) => extension.state = state,
            None => self.state = state,
        }
    }

    /// The thumbnails that an attempt has to make.
    pub fn wanted(&self) -> &[Variant] {
        let extension = self.extension.as_ref();
        extension.map_or(&self.variants, |extension| &extension.variants)
    }

    /// Everything that was ever asked for.
    pub fn all_variants(&self) -> impl Iterator<Item = &Variant> {
        let extension = self.extension.iter().flat_map(|e| &e.variants);
        let refused = self.refused.iter().map(|refused| &refused.variant);
        self.variants.iter().chain(extension).chain(refused)
    }

    /// Makes one list of all that was ever asked for: nothing more is going to be made.
    pub(super) fn fold(&mut self) {
        let all = self.all_variants().cloned().collect();
        self.variants = all;
        self.extension = None;
        self.refused.clear();
    }

    /// Takes what an attempt made.
    pub(super) fn add(&mut self, thumbnails: Vec<Thumbnail>) {
        if let Some(extension) = self.extension.take() {
            self.variants.extend(extension.variants);
            self.thumbnails.extend(thumbnails);
        } else {
            self.thumbnails = thumbnails;
        }
    }

    /// Forgets what was made; the rest stays until `forget_at`.
    pub(super) fn bury(&mut self, forget_at: Timestamp) {
        self.thumbnails.clear();
        self.thumbhash = None;
        self.incomplete = false;
        self.due_at = Some(forget_at);
    }

    /// Begins anew. Attempts are counted on, so that a late report of an earlier one stays apart.
    pub(super) fn reset(&mut self, state: State) {
        self.state = state;
        self.recount();
        self.failure = None;
        self.rerun_at = None;
        self.timings.processing_ms = None;
        self.incomplete = false;
        self.thumbnails.clear();
    }

    /// Counts attempts and messages from the beginning.
    pub(super) fn recount(&mut self) {
        self.lost_attempts = 0;
        self.lost_alone = 0;
        self.faults = 0;
        self.sends = 0;
        self.deferrals = 0;
        self.parked = false;
    }

    /// Whether its attempts are to have an instance to themselves: one was lost, and nobody knows
    /// whether for this image or for what ran beside it.
    pub fn wants_to_be_alone(&self) -> bool {
        self.lost_attempts > 0
    }

    /// Whether no attempt has begun since it was accepted, or asked for again.
    pub(super) fn is_untried(&self) -> bool {
        let waits = matches!(self.phase(), State::Pending | State::Retrying);
        waits && self.lost_attempts == 0 && self.faults == 0
    }

    /// The message that asks for an attempt.
    pub fn message(&self) -> Message {
        let planned_bytes = self.planned_bytes.filter(|_| !self.wants_to_be_alone());
        Message {
            job: self.id,
            planned_bytes,
        }
    }

    /// When the alarm rings. What is being done in R2 is ended before the job expires.
    pub fn alarm_at(&self) -> Option<Timestamp> {
        let webhook = self.webhook.as_ref().and_then(Webhook::due_at);
        let over = matches!(self.state, State::Cancelled | State::Expired);
        let expires_at = self.expires_at.filter(|_| !over && self.intent.is_none());
        self.due_at
            .into_iter()
            .chain(expires_at)
            .chain(self.tell_at)
            .chain(webhook)
            .min()
    }

    /// Notes that an attempt begins.
    pub(super) fn begin_attempt(&mut self, now: Timestamp) {
        self.attempts += 1;
        self.timings.attempt_at = Some(now);
        let queued_ms = now.millis_since(self.created_at);
        self.timings.queued_ms.get_or_insert(queued_ms);
    }

    /// The file of the first variant.
    pub fn first_file(&self) -> Option<ThumbnailFile> {
        self.files().next()
    }

    /// The file of each thumbnail that was ever asked for, whether it was made or not.
    pub fn files(&self) -> impl Iterator<Item = ThumbnailFile> {
        self.all_variants()
            .flat_map(|variant| self.files_of(variant))
    }

    /// The file of each thumbnail that an attempt has to make.
    pub fn wanted_files(&self) -> impl Iterator<Item = ThumbnailFile> {
        self.wanted()
            .iter()
            .flat_map(|variant| self.files_of(variant))
    }

    /// The files of a variant: one for each of its formats.
    pub fn files_of(&self, variant: &Variant) -> impl Iterator<Item = ThumbnailFile> + use<> {
        let (format, other) = self.formats(variant);
        let other = other.map(|format| self.file(&variant.name, format));
        [Some(self.file(&variant.name, format)), other]
            .into_iter()
            .flatten()
    }

    /// The formats of a variant: the one that everybody gets, and the one for those who name it.
    pub fn formats(&self, variant: &Variant) -> (OutputFormat, Option<OutputFormat>) {
        output_formats(self.source.format, &variant.options)
    }

    /// The file of a variant in one of its formats.
    pub fn file(&self, variant: &str, format: OutputFormat) -> ThumbnailFile {
        ThumbnailFile {
            id: self.id,
            variant: variant.into(),
            extension: format.image_format().extension().into(),
        }
    }
}

#[cfg(test)]
mod tests;
