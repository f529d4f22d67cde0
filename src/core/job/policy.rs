//! How patient a job is. All of it is configuration.

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
    /// The longest pause after a fault of the platform. Default: 10 min.
    pub retry_cap_secs: u32,
    /// Attempts before a job fails for the platform's faults. Default: 8.
    pub max_attempts: u32,
    /// Attempts that never come back before a job counts as poison. Default: 2.
    pub max_lost_attempts: u32,
    /// Messages sent before a job fails because nobody picks it up. Default: 20.
    pub max_sends: u32,
    /// How long a deleted or expired job is remembered, so that no late message revives it.
    /// Default: 14 days, the longest that a queue keeps a message.
    pub tombstone_secs: u32,
    /// Whether the source stays after success, so that other sizes can be made. Default: true.
    pub keep_sources: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lease_secs: 120,
            rescue_secs: 30,
            rescue_cap_secs: 3_600,
            retry_secs: 10,
            retry_cap_secs: 600,
            max_attempts: 8,
            max_lost_attempts: 2,
            max_sends: 20,
            tombstone_secs: 14 * 86_400,
            keep_sources: true,
        }
    }
}
