//! More thumbnails of a job that is done. It stays done, and what was made stays made.
//!
//! One extension is at work at a time, and goes through the steps of a job of its own: it is sent,
//! attempted, rescued and given up by the same rules, with counts of its own. When it ends, its
//! thumbnails join those of the job, or are noted as refused, with tombstones in their places. What
//! the file is to blame for is never tried again, so that nobody makes work by asking for it.

use serde_json::to_string;
use sha2::{Digest, Sha256};

use super::command::Verdict;
use super::failure::Failure;
use super::ledger::{Decision, FollowUp, intend, moved};
use super::policy::Policy;
use super::record::{Extension, Intent, Record, Refused, Thumbnail};
use super::rescue::send;
use super::state::{Event, State};
use crate::hex;
use crate::timestamp::Timestamp;
use thumbnail_pipeline::{Options, Variant};

/// The most thumbnails that a job may come to have: its record stays a few KiB long.
pub const MAX_THUMBNAILS: usize = 64;

/// After how long another thumbnail may be asked for while one is being made.
const BUSY_RETRY_SECS: u32 = 1;

/// What a thumbnail is called whose name nobody chose: its size, and a digest of its options where
/// they say more than that.
pub fn name_of(options: &Options) -> String {
    let plain = Options {
        width: options.width,
        height: options.height,
        ..Options::default()
    };
    if *options == plain {
        size_of(options)
    } else {
        full_name_of(options)
    }
}

fn full_name_of(options: &Options) -> String {
    let digest = Sha256::digest(to_string(options).unwrap_or_default());
    format!("{}-{}", size_of(options), hex::encode(&digest[..6]))
}

fn size_of(options: &Options) -> String {
    let side = |side: Option<u32>| side.map_or(String::new(), |side| side.to_string());
    format!("{}x{}", side(options.width), side(options.height))
}

pub(super) fn extend(
    mut record: Record,
    asked: &[Variant],
    planned_bytes: Option<u64>,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    if record.state != State::Done {
        return Decision::rejected(&record);
    }
    let mut new: Vec<Variant> = Vec::new();
    for variant in asked.iter().map(|variant| named(&record, variant)) {
        if !record.variants.contains(&variant) && !new.contains(&variant) {
            new.push(variant);
        }
    }
    let under_way = record.extension.as_ref();
    let coming = |variant: &Variant| under_way.is_some_and(|e| e.variants.contains(variant));
    if record.intent.is_none() && new.iter().all(coming) {
        return Decision::answer(Verdict::Found {
            record: Box::new(record),
        });
    }
    if record.intent.is_some() || under_way.is_some() {
        return Decision::answer(Verdict::RetryAfter {
            secs: BUSY_RETRY_SECS,
        });
    }
    let others = record.all_variants().filter(|known| !new.contains(known));
    if others.count() + new.len() > MAX_THUMBNAILS {
        return Decision::answer(Verdict::Full);
    }
    let refusal = refusal(&record, &new).cloned();
    // What all that is asked for takes is enough for those that are new.
    record.planned_bytes = planned_bytes;
    match refusal {
        None => extended(record, new, now, policy),
        Some(failure) if !failure.may_pass() => Decision::answer(Verdict::Refused { failure }),
        Some(_) => intend(record, Intent::Extend { variants: new }, now, policy),
    }
}

/// A variant under the name that it has, or will have.
fn named(record: &Record, asked: &Variant) -> Variant {
    let known = record
        .all_variants()
        .find(|known| known.options == asked.options);
    let taken = record.all_variants().any(|known| known.name == asked.name);
    match known {
        Some(known) => known.clone(),
        None if taken => Variant {
            name: full_name_of(&asked.options),
            options: asked.options,
        },
        None => asked.clone(),
    }
}

/// Why some of these variants could not be made before: a reason for good, if there is one.
fn refusal<'a>(record: &'a Record, variants: &[Variant]) -> Option<&'a Failure> {
    let refused = record.refused.iter();
    refused
        .filter(|refused| variants.contains(&refused.variant))
        .map(|refused| &refused.failure)
        .min_by_key(|failure| failure.may_pass())
}

/// Begins an extension: no tombstone stands in its way.
pub(super) fn extended(
    mut record: Record,
    variants: Vec<Variant>,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    let others = |refused: &Refused| !variants.contains(&refused.variant);
    record.refused.retain(others);
    record.extension = Some(Extension {
        state: State::Pending,
        variants,
    });
    record.extensions += 1;
    record.recount();
    send(record, now, policy)
}

/// Ends an extension that failed; `found` are the thumbnails that were there after all.
pub(super) fn refuse(
    mut record: Record,
    failure: &Failure,
    found: Vec<Thumbnail>,
    now: Timestamp,
) -> Decision {
    if !moved(&mut record, Event::Fail, now) {
        return Decision::rejected(&record);
    }
    let variants = record.extension.take().map_or(Vec::new(), |e| e.variants);
    // One that is there in one of its formats only is made again as a whole.
    let is_found = |variant: &Variant| {
        let there = found.iter().filter(|made| made.name == variant.name);
        there.count() == record.files_of(variant).count()
    };
    let (made, refused): (Vec<_>, Vec<_>) = variants.into_iter().partition(is_found);
    let found = found.into_iter();
    let found = found.filter(|there| made.iter().any(|variant| variant.name == there.name));
    record.thumbnails.extend(found);
    record.variants.extend(made);
    record
        .refused
        .extend(refused.into_iter().map(|variant| Refused {
            variant,
            failure: failure.clone(),
        }));
    record.due_at = record.expires_at;
    Decision::recorded(record, FollowUp::Nothing)
}

#[cfg(test)]
mod tests;
