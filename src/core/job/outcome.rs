//! What becomes of a delivered message.

/// The consumer's verdict on one message. Never an error: every fault is one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The job needs nothing more from this message: acknowledge it.
    Complete,
    /// There is no room for the attempt; the job sends another message later: acknowledge this one.
    Deferred,
    /// The platform failed: deliver the message again.
    Retry {
        /// Seconds to wait before.
        after_secs: u32,
    },
    /// The message means nothing: count it, log it, acknowledge it.
    Discard {
        /// Why it means nothing.
        reason: String,
    },
}

/// Seconds to wait before attempt `attempt + 1`: doubles from `base_secs` up to `cap_secs`,
/// and up to a quarter less by `jitter`, so that jobs that failed together do not return together.
pub fn backoff_secs(attempt: u32, base_secs: u32, cap_secs: u32, jitter: u32) -> u32 {
    let doubled = u64::from(base_secs) << attempt.saturating_sub(1).min(20);
    let full = u32::try_from(doubled.min(u64::from(cap_secs)))
        .unwrap_or(cap_secs)
        .max(1);
    full - jitter % (full / 4 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_cap() {
        for (attempt, want) in [
            (0, 10),
            (1, 10),
            (2, 20),
            (3, 40),
            (7, 300),
            (u32::MAX, 300),
        ] {
            assert_eq!(backoff_secs(attempt, 10, 300, 0), want, "{attempt}");
        }
    }

    #[test]
    fn jitter_takes_at_most_a_quarter() {
        for jitter in 0..1_000 {
            assert!((225..=300).contains(&backoff_secs(9, 10, 300, jitter)));
        }
        assert_eq!(backoff_secs(1, 0, 0, 7), 1);
    }
}
