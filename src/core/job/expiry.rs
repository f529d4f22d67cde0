//! Expired means gone when it is read, whatever became of the alarm that should have said so.
//!
//! When a job's time is over stands in its record, in each copy of it, and beside each thumbnail in
//! R2. Whoever reads one of them compares it with the clock, and asks nobody.

use super::command::Verdict;
use super::ledger::{Decision, intend};
use super::policy::Policy;
use super::record::{Intent, Record};
use super::state::State;
use crate::timestamp::Timestamp;

impl Record {
    /// Whether its time is over, although it does not say so yet.
    pub fn has_outlived(&self, now: Timestamp) -> bool {
        let over = matches!(self.state, State::Cancelled | State::Expired);
        !over && self.expires_at.is_some_and(|at| at <= now)
    }

    /// The job as clients may see it at `now`: what its alarm makes of it, or would have made.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp) -> Self {
        if !self.has_outlived(now) {
            return self;
        }
        self.fold();
        self.thumbnails.clear();
        self.thumbhash = None;
        self.state = State::Expired;
        self.revision += 1;
        self.updated_at = self.expires_at.unwrap_or(now);
        // Whoever looks for alarms that are overdue finds this one.
        self.due_at = self.expires_at;
        self
    }
}

/// How much longer than a job may be remembered its copy in KV stays, where nobody deletes it: clocks
/// differ, and alarms are late.
const COPY_GRACE_SECS: u64 = 3_600;

/// Until when the copy of a job in KV is of use; without an expiry it always may be.
pub fn copy_until(record: &Record, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
    let over = matches!(record.state, State::Cancelled | State::Expired);
    let ends_at = if over {
        Some(record.updated_at)
    } else {
        record.expires_at
    };
    let kept_secs = u64::from(policy.tombstone_secs) + COPY_GRACE_SECS;
    ends_at.map(|at| at.max(now).plus_secs(kept_secs))
}

/// Ends a job whose time is over in place of what it was told to begin; `verdict` is the answer.
pub(super) fn expire(
    record: Record,
    verdict: Verdict,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    if record.intent.is_some() {
        return Decision::answer(verdict);
    }
    Decision {
        verdict,
        ..intend(record, Intent::Expire, now, policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::record::{ANONYMOUS, Source};
    use crate::job::{Command, NewJob};
    use thumbnail_pipeline::ImageFormat;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus_secs(secs)
    }

    fn record(state: State, expires_at: Option<Timestamp>) -> Record {
        let new = NewJob {
            id: "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa".parse().unwrap(),
            owner: ANONYMOUS.into(),
            source: Source {
                filename: None,
                format: ImageFormat::Png,
                width: None,
                height: None,
                bytes: 1,
                sha256: String::new(),
            },
            variants: Vec::new(),
            planned_bytes: None,
            expires_at,
            webhook: None,
        };
        Record {
            state,
            ..Record::new(new, at(0))
        }
    }

    #[test]
    fn every_state_but_the_last_two_is_outlived() {
        for state in [
            State::Pending,
            State::Processing,
            State::Done,
            State::Failed,
        ] {
            let job = record(state, Some(at(9)));
            assert!(!job.has_outlived(at(8)) && job.has_outlived(at(9)));
            assert_eq!(job.clone().as_of(at(8)), job);
            let seen = job.clone().as_of(at(9));
            assert_eq!((seen.state, seen.revision), (State::Expired, 1));
            assert!(!record(state, None).has_outlived(at(9)));
        }
        for state in [State::Cancelled, State::Expired] {
            let job = record(state, Some(at(9)));
            assert_eq!(job.clone().as_of(at(10)), job);
        }
    }

    #[test]
    fn the_alarm_rings_when_the_time_is_over_whatever_else_is_due() {
        let job = Record {
            due_at: Some(at(3_600)),
            ..record(State::Pending, Some(at(60)))
        };
        assert_eq!(job.alarm_at(), Some(at(60)));
        let (expiring, policy) = (at(60), Policy::default());
        let decision = crate::job::advance(Some(job), Command::Alarm, expiring, &policy).0;
        let intent = decision.changed.unwrap();
        assert_eq!(intent.intent, Some(Intent::Expire));
        // What is being done in R2 has a time of its own: no alarm rings all the while.
        assert_eq!(intent.alarm_at(), intent.due_at);
        assert!(intent.due_at > Some(expiring));
    }

    #[test]
    fn a_copy_outlives_its_job_by_little() {
        let policy = Policy {
            tombstone_secs: 1_000,
            ..Policy::default()
        };
        let kept_secs = 1_000 + COPY_GRACE_SECS;
        for (state, expires_at, now, want) in [
            (State::Done, None, 5, None),
            (State::Done, Some(at(60)), 5, Some(at(60 + kept_secs))),
            (State::Pending, Some(at(60)), 90, Some(at(90 + kept_secs))),
            (State::Cancelled, Some(at(60)), 5, Some(at(5 + kept_secs))),
        ] {
            assert_eq!(
                copy_until(&record(state, expires_at), at(now), &policy),
                want
            );
        }
    }
}
