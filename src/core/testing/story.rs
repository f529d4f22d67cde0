//! What a simulation is asked for, and what it tells.

use super::Failure;
use super::witness::Sabotage;
use crate::job::FailureKind;
use crate::job::State;

/// What the uploaded file does to a renderer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// It becomes a thumbnail.
    Good,
    /// It cannot be decoded.
    Damaged,
    /// It kills the consumer.
    Poison,
    /// It becomes a thumbnail, and cannot be decoded when another one is wanted.
    GoodOnce,
    /// It becomes a thumbnail, and kills the consumer when another one is wanted.
    PoisonLater,
}

/// What a client does after its upload was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// GET of every thumbnail and of the status.
    Look,
    /// DELETE.
    Delete,
    /// POST of a retry.
    Rerun,
    /// POST of another size.
    Extend,
}

/// One client's story.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What is uploaded.
    pub picture: Picture,
    /// How many thumbnails are asked for.
    pub variants: usize,
    /// What is done then: not before so many operations, nor out of this order.
    pub wishes: Vec<(usize, Wish)>,
    /// Whether sources stay after success.
    pub keep_sources: bool,
    /// How long the upload takes, in seconds.
    pub upload_secs: u64,
    /// Whether somebody is to be told of its ends.
    pub webhook: bool,
    /// What others upload at the same time. All of it is made in one instance.
    pub beside: Vec<Picture>,
}

/// Which operations fail.
#[derive(Debug, Clone)]
pub enum Faults {
    /// None, but the alarm with this number dies when it should ring.
    Alarm(u32),
    /// Those with these numbers.
    At(Vec<(usize, Failure)>),
    /// One in `one_in`, among the first `until`.
    Random {
        /// How seldom.
        one_in: u64,
        /// How long.
        until: usize,
    },
    /// All whose names begin so, for a while from the operation with this number on.
    Outage {
        /// The operation.
        at: usize,
        /// How the names begin.
        what: &'static str,
        /// How long.
        secs: u64,
    },
}

/// How a run is to go.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The story.
    pub scenario: Scenario,
    /// What fails.
    pub faults: Faults,
    /// What everything else follows from.
    pub seed: u64,
    /// Whether tasks run one after the other and each message comes once.
    pub calm: bool,
    /// What is broken on purpose.
    pub sabotage: Option<Sabotage>,
}

/// What a run was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Choices of the scheduler.
    pub steps: usize,
    /// Operations of the platform.
    pub operations: usize,
    /// The name of each operation, and how it could have failed.
    pub trace: Vec<(&'static str, &'static [Failure])>,
    /// Whether every planned fault came to be.
    pub all_hit: bool,
    /// What cannot be, if anything.
    pub violation: Option<String>,
    /// The states that the job went through.
    pub states: Vec<State>,
    /// Why it failed at last, if it did.
    pub failure: Option<FailureKind>,
    /// Seconds from its acceptance until it was done.
    pub done_secs: Option<u64>,
    /// Messages that were sent.
    pub messages: u32,
    /// How often its alarm rang.
    pub rings: u32,
    /// Events that the receiver took, and requests that reached it.
    pub told: (u32, u32),
    /// What became of each upload: its image, why it failed, and its attempts.
    pub ends: Vec<(Picture, Option<FailureKind>, u32)>,
    /// How often the job that was put off most often was put off.
    pub deferrals: u32,
    /// How often the origin's instance died.
    pub deaths: u32,
    /// The last operations, for whoever has to find out why.
    pub log: Vec<String>,
}
