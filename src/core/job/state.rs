//! The states of a job and the only steps between them.

use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Accepted; no attempt has begun.
    Pending,
    /// An attempt is running.
    Processing,
    /// The last attempt met a fault of the platform; another will follow.
    Retrying,
    /// The thumbnails are there.
    Done,
    /// There will be no thumbnail; the record says why.
    Failed,
    /// The client called it off, or deleted what was made.
    Cancelled,
    /// Its time was over.
    Expired,
}

/// What can happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An attempt begins.
    Start,
    /// An attempt met a fault of the platform, or never came back.
    Retry,
    /// An attempt has stored every thumbnail.
    Finish,
    /// The file is at fault, or the attempts are used up.
    Fail,
    /// The client calls it off.
    Cancel,
    /// Its time is over.
    Expire,
    /// The client wants a failed job tried again.
    Rerun,
}

/// The step does not exist: the job is in a state that the event cannot change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {state:?} cannot take {event:?}")]
pub struct Rejected {
    /// The state that stays.
    pub state: State,
    /// The event that was refused.
    pub event: Event,
}

impl State {
    /// The state after `event`, or a refusal that leaves everything as it is.
    pub fn apply(self, event: Event) -> Result<Self, Rejected> {
        use Event as E;
        match (self, event) {
            // A running attempt may be replaced by a new one: its lease has run out.
            (Self::Pending | Self::Processing | Self::Retrying, E::Start) => Ok(Self::Processing),
            (Self::Processing, E::Retry) => Ok(Self::Retrying),
            // An attempt that outlived its lease may still bring its result.
            (Self::Pending | Self::Processing | Self::Retrying, E::Finish) => Ok(Self::Done),
            (Self::Pending | Self::Processing | Self::Retrying, E::Fail) => Ok(Self::Failed),
            (state, E::Cancel) if !state.is_over() => Ok(Self::Cancelled),
            (state, E::Expire) if !state.is_over() => Ok(Self::Expired),
            (Self::Failed, E::Rerun) => Ok(Self::Pending),
            (state, event) => Err(Rejected { state, event }),
        }
    }

    /// Whether no attempt will follow.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Failed | Self::Cancelled | Self::Expired
        )
    }

    /// Whether the thumbnails are gone for good.
    const fn is_over(self) -> bool {
        matches!(self, Self::Cancelled | Self::Expired)
    }

    /// The name in the status document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Retrying => "retrying",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The name that clients of the replaced service know (Celery's states).
    pub const fn celery_name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Processing => "STARTED",
            Self::Retrying => "RETRY",
            Self::Done => "SUCCESS",
            Self::Failed => "FAILURE",
            Self::Cancelled | Self::Expired => "REVOKED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 7] = [
        State::Pending,
        State::Processing,
        State::Retrying,
        State::Done,
        State::Failed,
        State::Cancelled,
        State::Expired,
    ];
    const EVENTS: [Event; 7] = [
        Event::Start,
        Event::Retry,
        Event::Finish,
        Event::Fail,
        Event::Cancel,
        Event::Expire,
        Event::Rerun,
    ];

    #[test]
    fn a_final_state_is_only_left_by_deletion_expiry_or_another_try() {
        for state in STATES.into_iter().filter(|s| s.is_final()) {
            for event in EVENTS {
                if let Ok(next) = state.apply(event) {
                    let again = (state, event) == (State::Failed, Event::Rerun);
                    let over = matches!(next, State::Cancelled | State::Expired);
                    assert!(over || again, "{state:?} {event:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_follows_cancelled_or_expired() {
        for state in [State::Cancelled, State::Expired] {
            for event in EVENTS {
                assert_eq!(state.apply(event), Err(Rejected { state, event }));
            }
        }
    }

    #[test]
    fn every_open_state_can_reach_every_end() {
        for state in STATES.into_iter().filter(|s| !s.is_final()) {
            assert_eq!(state.apply(Event::Finish), Ok(State::Done));
            assert_eq!(state.apply(Event::Fail), Ok(State::Failed));
            assert_eq!(state.apply(Event::Cancel), Ok(State::Cancelled));
            assert_eq!(state.apply(Event::Expire), Ok(State::Expired));
            assert_eq!(state.apply(Event::Start), Ok(State::Processing));
        }
    }

    #[test]
    fn names_are_those_that_are_stored() {
        for state in STATES {
            assert_eq!(
                serde_json::to_string(&state).unwrap(),
                format!("\"{}\"", state.name())
            );
        }
    }
}
