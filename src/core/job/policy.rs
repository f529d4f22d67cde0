//! How patient a job is. All of it is configuration.

/// A job is created within this time after its id was made, or never: afterwards the sweep may take
/// its source for an orphan. Not configuration, because both sides have to agree on it.
pub const CREATE_WITHIN_SECS: u64 = 15 * 60;

/// After how long the end of a job is told again where it is not certain that everybody was told. A write
/// to KV that was given up has landed by then, or never does.
pub const TELL_SECS: u32 = 30;

/// The pause before the message of an attempt that did not fit into its instance is sent again; it
/// doubles, up to a minute.
pub(super) const DEFER_SECS: u32 = 2;
pub(super) const DEFER_CAP_SECS: u32 = 60;

/// How often a client may have a failed job tried again. The first time at once, then with pauses that double.
pub(super) const MAX_RERUNS: u32 = 10;
pub(super) const RERUN_SECS: u32 = 10;
/// An image that killed its instances takes others with it: less often, and never at once.
pub(super) const MAX_POISON_RERUNS: u32 = 2;
pub(super) const POISON_RERUN_SECS: u32 = 300;
/// The longest of these pauses.
pub(super) const RERUN_CAP_SECS: u32 = 3_600;

/// How often a client may have events delivered again. The first time at once, then with pauses that double.
pub(super) const MAX_REDELIVERIES: u32 = 20;
pub(super) const REDELIVER_SECS: u32 = 5;
pub(super) const REDELIVER_CAP_SECS: u32 = 3_600;

/// The pace of a job, and how long its traces stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long an attempt may run before it counts as lost. Default: 120 s,
    /// twice the CPU time that the origin allows.
    pub lease_secs: u32,
    /// After how long a message that nobody answered is sent again. Default: 30 s, then doubling.
    pub rescue_secs: u32,
    /// The longest pause between two sends. Default: 1 h.
    pub rescue_cap_secs: u32,
    /// The pause after the first fault of the platform. Default: 10 s, then doubling.
    pub retry_secs: u32,
    /// The longest pause after a fault of the platform. Default: 1 h.
    pub retry_cap_secs: u32,
    /// Attempts that met the platform's faults or never came back before a job fails.
    /// Default: 12, spread over 3 hours.
    pub max_attempts: u32,
    /// Attempts that never come back although nothing else ran in their instance, before a job counts
    /// as poison. Default: 2.
    pub max_lost_attempts: u32,
    /// Messages sent before a job fails because nobody picks it up. Default: 20.
    pub max_sends: u32,
    /// With so many messages in the queue, a job's own is not lost but waits its turn, and is sent
    /// again only once in `rescue_cap_secs`. Default: 1,000.
    pub long_queue: u32,
    /// How long a deleted or expired job is remembered, so that no late message revives it.
    /// Default: 14 days, the longest that a queue keeps a message.
    pub tombstone_secs: u32,
    /// Whether the source stays after success, so that other sizes can be made. Default: true.
    pub keep_sources: bool,
    /// The pauses before each attempt at an event. Default: [`Schedule::STANDARD`].
    pub webhook_schedule: Schedule,
    /// How long an attempt at an event may take before it counts as lost. Default: 45 s,
    /// three times what the receiver has.
    pub webhook_lease_secs: u32,
}

/// The most attempts at an event.
pub const MAX_STEPS: usize = 16;

/// The pauses before each attempt at an event, in seconds; there are as many attempts as pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    secs: [u32; MAX_STEPS],
    len: u32,
}

impl Schedule {
    /// What Standard Webhooks recommends: 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
    pub const STANDARD: Self = Self {
        secs: [
            0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 0, 0, 0, 0, 0, 0,
        ],
        len: 10,
    };

    /// A schedule of one to [`MAX_STEPS`] pauses.
    pub fn new(pauses: &[u32]) -> Option<Self> {
        let mut secs = [0; MAX_STEPS];
        secs.get_mut(..pauses.len())?.copy_from_slice(pauses);
        let len = u32::try_from(pauses.len()).ok().filter(|len| *len > 0)?;
        Some(Self { secs, len })
    }

    /// The pause before the attempt after so many steps; `None` after the last.
    pub fn pause_secs(&self, steps: u32) -> Option<u32> {
        let at = usize::try_from(steps).ok().filter(|_| steps < self.len)?;
        self.secs.get(at).copied()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lease_secs: 120,
            rescue_secs: 30,
            rescue_cap_secs: 3_600,
            retry_secs: 10,
            retry_cap_secs: 3_600,
            max_attempts: 12,
            max_lost_attempts: 2,
            max_sends: 20,
            long_queue: 1_000,
            tombstone_secs: 14 * 86_400,
            keep_sources: true,
            webhook_schedule: Schedule::STANDARD,
            webhook_lease_secs: 45,
        }
    }
}
