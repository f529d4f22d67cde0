//! Every decision about a job, as one pure function of its record, a command and the time.
//!
//! The Durable Object loads the record, asks [`decide`], stores what changed together with the
//! alarm, and only then lets the effects out: the copy in KV first, the message last.

use serde::{Deserialize, Serialize};

use super::outcome::backoff_secs;
use super::record::{Failure, Record, Source, Thumbnail};
use super::state::{Event, State};
use crate::keys::JobId;
use crate::pipeline::Variant;
use crate::timestamp::Timestamp;

/// What reaches a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// An upload was stored: begin the job. Repeating it changes nothing.
    Create {
        /// The job.
        id: JobId,
        /// Who uploaded it.
        owner: String,
        /// What was uploaded.
        source: Source,
        /// What was asked for.
        variants: Vec<Variant>,
    },
    /// A consumer wants to begin an attempt.
    Start,
    /// The attempt stored every thumbnail.
    Finish {
        /// What was made.
        thumbnails: Vec<Thumbnail>,
        /// A placeholder, Base64.
        thumbhash: Option<String>,
        /// The instance's memory high-water mark.
        peak_memory_bytes: Option<u64>,
    },
    /// The file is at fault.
    Fail {
        /// Why.
        failure: Failure,
    },
    /// The platform is at fault.
    Retry {
        /// The attempt that came back.
        attempt: u32,
        /// What failed, for the log and the record if it was the last attempt.
        reason: String,
    },
    /// The queue gave the job's message up.
    DeadLetter,
    /// The alarm went off.
    Alarm,
    /// Read only.
    Get,
}

/// What a job answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// Begin attempt `attempt`.
    Proceed {
        /// Counts from 1.
        attempt: u32,
        /// The job as it is now.
        record: Box<Record>,
    },
    /// There is nothing to do for a consumer: ended, or in other hands.
    Stop {
        /// Where the job stands.
        state: State,
    },
    /// The change was taken.
    Recorded {
        /// The job as it is now.
        record: Box<Record>,
    },
    /// The change came too late: the job stays as it is.
    Rejected {
        /// Where the job stands.
        state: State,
    },
    /// Come again.
    RetryAfter {
        /// Seconds from now.
        secs: u32,
    },
    /// The job, as it was asked for.
    Found {
        /// The job as it is now.
        record: Box<Record>,
    },
    /// There is no such job.
    Unknown,
}

/// The pace of a job. All of it is configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
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
}

impl Default for Timing {
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
        }
    }
}

/// What follows from a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The record to store, with `due_at` as the alarm. `None`: nothing changed.
    pub changed: Option<Record>,
    /// Whether a message is to be sent once the record is stored.
    pub send: bool,
    /// What to answer.
    pub verdict: Verdict,
}

impl Decision {
    fn answer(verdict: Verdict) -> Self {
        Self {
            changed: None,
            send: false,
            verdict,
        }
    }

    fn changed(record: Record, verdict: Verdict) -> Self {
        Self {
            changed: Some(record),
            send: false,
            verdict,
        }
    }

    fn recorded(record: Record) -> Self {
        let verdict = Verdict::Recorded {
            record: Box::new(record.clone()),
        };
        Self::changed(record, verdict)
    }
}

/// Decides about a command. Pure: the same arguments give the same decision.
pub fn decide(
    record: Option<Record>,
    command: Command,
    now: Timestamp,
    timing: &Timing,
) -> Decision {
    let Some(record) = record else {
        return match command {
            Command::Create {
                id,
                owner,
                source,
                variants,
            } => create(Record::new(id, &owner, source, variants, now), now, timing),
            _ => Decision::answer(Verdict::Unknown),
        };
    };
    match command {
        Command::Create { .. } | Command::Get => Decision::answer(Verdict::Found {
            record: Box::new(record),
        }),
        Command::Start => start(record, now, timing),
        Command::Finish {
            thumbnails,
            thumbhash,
            peak_memory_bytes,
        } => step(record, Event::Finish, now, |record| {
            record.thumbnails = thumbnails;
            record.thumbhash = thumbhash;
            record.peak_memory_bytes = peak_memory_bytes;
        }),
        Command::Fail { failure } => fail(record, failure, now),
        Command::Retry { attempt, reason } => retry(record, attempt, &reason, now, timing),
        Command::DeadLetter => fail(
            record,
            failure(
                "dead-letter",
                "the queue gave up delivering the job's message".into(),
            ),
            now,
        ),
        Command::Alarm => alarm(record, now, timing),
    }
}

fn create(record: Record, now: Timestamp, timing: &Timing) -> Decision {
    send(record, now, timing, |record| Verdict::Recorded {
        record: Box::new(record),
    })
}

fn start(mut record: Record, now: Timestamp, timing: &Timing) -> Decision {
    let leased = record.due_at.is_some_and(|due| now < due);
    if record.state.is_final() || (record.state == State::Processing && leased) {
        return Decision::answer(Verdict::Stop {
            state: record.state,
        });
    }
    if record.state == State::Processing {
        record.lost_attempts += 1;
        if record.lost_attempts >= timing.max_lost_attempts {
            let lost = poison(&record);
            let mut decision = fail(record, lost, now);
            decision.verdict = Verdict::Stop {
                state: State::Failed,
            };
            return decision;
        }
    }
    record.attempts += 1;
    record.due_at = Some(now.plus_secs(timing.lease_secs.into()));
    let attempt = record.attempts;
    let mut decision = step_keeping_alarm(record, Event::Start, now);
    if let Some(record) = &decision.changed {
        decision.verdict = Verdict::Proceed {
            attempt,
            record: Box::new(record.clone()),
        };
    }
    decision
}

fn retry(
    mut record: Record,
    attempt: u32,
    reason: &str,
    now: Timestamp,
    timing: &Timing,
) -> Decision {
    // A report of an attempt that was replaced meanwhile says nothing about the one that runs.
    if record.state != State::Processing || attempt != record.attempts {
        return Decision::answer(Verdict::Stop {
            state: record.state,
        });
    }
    if record.attempts >= timing.max_attempts {
        let detail = format!("gave up after {} attempts: {reason}", record.attempts);
        return fail(record, failure("platform-fault", detail), now);
    }
    let secs = backoff_secs(
        attempt,
        timing.retry_secs,
        timing.retry_cap_secs,
        jitter(&record),
    );
    // The queue delivers again after `secs`; the alarm is the net below it.
    record.due_at = Some(now.plus_secs(u64::from(secs) + u64::from(timing.rescue_secs)));
    let mut decision = step_keeping_alarm(record, Event::Retry, now);
    decision.verdict = Verdict::RetryAfter { secs };
    decision
}

fn alarm(mut record: Record, now: Timestamp, timing: &Timing) -> Decision {
    let early = record.due_at.is_some_and(|due| now < due);
    if record.state.is_final() || early {
        // Storing the record again arms the alarm for its time, or disarms it.
        return Decision::recorded(record);
    }
    if record.state == State::Processing {
        record.lost_attempts += 1;
        if record.lost_attempts >= timing.max_lost_attempts {
            let lost = poison(&record);
            return fail(record, lost, now);
        }
        record.state = State::Retrying;
    }
    if record.sends >= timing.max_sends {
        let detail = format!("no consumer took the job after {} messages", record.sends);
        return fail(record, failure("never-processed", detail), now);
    }
    record.revision += 1;
    record.updated_at = now;
    send(record, now, timing, |record| Verdict::Recorded {
        record: Box::new(record),
    })
}

fn fail(record: Record, failure: Failure, now: Timestamp) -> Decision {
    step(record, Event::Fail, now, |record| {
        record.failure = Some(failure);
    })
}

/// Sends the job's message, with the alarm set for the case that nobody answers it.
fn send(
    mut record: Record,
    now: Timestamp,
    timing: &Timing,
    verdict: impl FnOnce(Record) -> Verdict,
) -> Decision {
    record.sends += 1;
    let pause = backoff_secs(
        record.sends,
        timing.rescue_secs,
        timing.rescue_cap_secs,
        jitter(&record),
    );
    record.due_at = Some(now.plus_secs(pause.into()));
    Decision {
        changed: Some(record.clone()),
        send: true,
        verdict: verdict(record),
    }
}

/// Takes a step that ends the job or leaves it without an alarm.
fn step(
    mut record: Record,
    event: Event,
    now: Timestamp,
    change: impl FnOnce(&mut Record),
) -> Decision {
    if record.state.apply(event).is_ok() {
        change(&mut record);
        record.due_at = None;
    }
    step_keeping_alarm(record, event, now)
}

fn step_keeping_alarm(mut record: Record, event: Event, now: Timestamp) -> Decision {
    match record.state.apply(event) {
        Ok(state) => {
            record.state = state;
            record.revision += 1;
            record.updated_at = now;
            Decision::recorded(record)
        }
        Err(rejected) => Decision::answer(Verdict::Rejected {
            state: rejected.state,
        }),
    }
}

fn poison(record: &Record) -> Failure {
    failure(
        "poison",
        format!(
            "{} attempts at this picture never came back",
            record.lost_attempts
        ),
    )
}

fn failure(kind: &str, detail: String) -> Failure {
    Failure {
        kind: kind.into(),
        detail,
    }
}

/// Different for each job and send, the same on each replay.
fn jitter(record: &Record) -> u32 {
    let id = record.id.to_string();
    let hash = id.bytes().fold(2_166_136_261_u32, |h, b| {
        (h ^ u32::from(b)).wrapping_mul(16_777_619)
    });
    hash.wrapping_add(record.sends.wrapping_mul(0x9e37_79b9))
        .wrapping_add(record.attempts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::record::ANONYMOUS;
    use crate::pipeline::{ImageFormat, Options};

    const TIMING: Timing = Timing {
        lease_secs: 60,
        rescue_secs: 30,
        rescue_cap_secs: 120,
        retry_secs: 10,
        retry_cap_secs: 40,
        max_attempts: 3,
        max_lost_attempts: 2,
        max_sends: 4,
    };

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus_secs(secs)
    }

    fn create() -> Command {
        Command::Create {
            id: "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa".parse().unwrap(),
            owner: ANONYMOUS.into(),
            source: Source {
                filename: None,
                format: ImageFormat::Png,
                width: 3,
                height: 2,
                bytes: 70,
                sha256: String::new(),
            },
            variants: vec![Variant {
                name: "default".into(),
                options: Options::default(),
            }],
        }
    }

    fn finish() -> Command {
        Command::Finish {
            thumbnails: Vec::new(),
            thumbhash: None,
            peak_memory_bytes: None,
        }
    }

    /// A job that is told things, one after the other.
    struct Told {
        record: Option<Record>,
        sends: u32,
    }

    impl Told {
        fn job() -> Self {
            let mut told = Self {
                record: None,
                sends: 0,
            };
            told.tell(create(), 0);
            told
        }

        fn tell(&mut self, command: Command, secs: u64) -> Verdict {
            let decision = decide(self.record.clone(), command, at(secs), &TIMING);
            self.sends += u32::from(decision.send);
            if let Some(record) = decision.changed {
                self.record = Some(record);
            }
            decision.verdict
        }

        fn record(&self) -> &Record {
            self.record.as_ref().unwrap()
        }

        fn due_secs(&self) -> Option<u64> {
            self.record()
                .due_at
                .map(|due| due.millis_since(at(0)) / 1_000)
        }
    }

    #[test]
    fn a_new_job_is_pending_with_its_alarm_set_and_its_message_sent() {
        let job = Told::job();
        assert_eq!((job.record().state, job.sends), (State::Pending, 1));
        assert!(
            (22..=30).contains(&job.due_secs().unwrap()),
            "{:?}",
            job.due_secs()
        );
    }

    #[test]
    fn creating_it_again_changes_nothing() {
        let mut job = Told::job();
        let before = job.record().clone();
        assert!(matches!(job.tell(create(), 5), Verdict::Found { .. }));
        assert_eq!((job.record(), job.sends), (&before, 1));
    }

    #[test]
    fn an_attempt_that_comes_back_ends_the_job_once() {
        let mut job = Told::job();
        assert!(matches!(
            job.tell(Command::Start, 1),
            Verdict::Proceed { attempt: 1, .. }
        ));
        assert_eq!(
            job.tell(Command::Start, 2),
            Verdict::Stop {
                state: State::Processing
            }
        );
        assert!(matches!(job.tell(finish(), 3), Verdict::Recorded { .. }));
        assert_eq!((job.record().state, job.due_secs()), (State::Done, None));
        let done = job.record().clone();
        for command in [
            finish(),
            Command::DeadLetter,
            Command::Start,
            Command::Alarm,
        ] {
            job.tell(command, 4);
            assert_eq!(job.record(), &done);
        }
    }

    #[test]
    fn a_lost_message_is_sent_again_with_growing_pauses_until_the_job_fails() {
        let mut job = Told::job();
        let mut pauses = Vec::new();
        while !job.record().state.is_final() {
            let due = job.due_secs().unwrap();
            job.tell(Command::Alarm, due);
            pauses.push(job.due_secs().map(|next| next - due));
        }
        assert_eq!(job.sends, TIMING.max_sends);
        assert_eq!(
            job.record().failure.as_ref().unwrap().kind,
            "never-processed"
        );
        // 30 s doubled once, twice, then held at the cap; up to a quarter less by jitter.
        for (pause, range) in pauses.iter().zip([45..=60, 90..=120, 90..=120]) {
            assert!(range.contains(&pause.unwrap()), "{pauses:?}");
        }
    }

    #[test]
    fn an_early_alarm_only_arms_itself_again() {
        let mut job = Told::job();
        let before = job.record().clone();
        job.tell(Command::Alarm, 1);
        assert_eq!((job.record(), job.sends), (&before, 1));
    }

    #[test]
    fn attempts_that_never_come_back_are_poison() {
        let mut job = Told::job();
        job.tell(Command::Start, 1);
        job.tell(Command::Alarm, 61);
        assert_eq!((job.record().state, job.sends), (State::Retrying, 2));
        job.tell(Command::Start, 62);
        job.tell(Command::Alarm, 122);
        assert_eq!(job.record().state, State::Failed);
        assert_eq!(job.record().failure.as_ref().unwrap().kind, "poison");
    }

    #[test]
    fn a_delivery_after_the_lease_replaces_the_lost_attempt() {
        let mut job = Told::job();
        job.tell(Command::Start, 1);
        assert!(matches!(
            job.tell(Command::Start, 61),
            Verdict::Proceed { attempt: 2, .. }
        ));
        assert_eq!(
            job.tell(Command::Start, 121),
            Verdict::Stop {
                state: State::Failed
            }
        );
    }

    #[test]
    fn faults_of_the_platform_are_retried_up_to_a_limit() {
        let mut job = Told::job();
        for attempt in 1..=2 {
            job.tell(Command::Start, u64::from(attempt));
            let verdict = job.tell(
                Command::Retry {
                    attempt,
                    reason: "R2".into(),
                },
                2,
            );
            assert!(
                matches!(verdict, Verdict::RetryAfter { secs: 8..=20 }),
                "{verdict:?}"
            );
            assert!(job.due_secs().is_some());
        }
        job.tell(Command::Start, 9);
        job.tell(
            Command::Retry {
                attempt: 3,
                reason: "R2 said 10001".into(),
            },
            9,
        );
        let failure = job.record().failure.as_ref().unwrap();
        assert_eq!(failure.kind, "platform-fault");
        assert!(failure.detail.contains("R2 said 10001"));
    }

    #[test]
    fn a_report_of_a_replaced_attempt_is_not_taken() {
        let mut job = Told::job();
        job.tell(Command::Start, 1);
        job.tell(Command::Start, 61);
        let verdict = job.tell(
            Command::Retry {
                attempt: 1,
                reason: String::new(),
            },
            62,
        );
        assert_eq!(
            verdict,
            Verdict::Stop {
                state: State::Processing
            }
        );
    }

    #[test]
    fn a_job_that_never_was_answers_unknown() {
        for command in [
            Command::Start,
            Command::Get,
            Command::Alarm,
            Command::DeadLetter,
            finish(),
        ] {
            let decision = decide(None, command, at(0), &TIMING);
            assert_eq!(
                (decision.changed, decision.send, decision.verdict),
                (None, false, Verdict::Unknown)
            );
        }
    }
}
