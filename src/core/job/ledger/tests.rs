//! Tests of `ledger`.

use super::*;
use crate::job::record::{ANONYMOUS, Source};
use crate::job::{NewJob, Schedule};
use thumbnail_pipeline::{ImageFormat, Options, Variant};

const POLICY: Policy = Policy {
    lease_secs: 60,
    rescue_secs: 30,
    rescue_cap_secs: 120,
    retry_secs: 10,
    retry_cap_secs: 40,
    max_attempts: 3,
    max_lost_attempts: 2,
    max_sends: 4,
    long_queue: 100,
    tombstone_secs: 1_000,
    keep_sources: true,
    webhook_schedule: Schedule::STANDARD,
    webhook_lease_secs: 45,
};

const EXPIRES: u64 = 100_000;

/// As an older origin says it.
const START: Command = Command::Start { alone: None };

const ALONE: Command = Command::Start { alone: Some(true) };

const SHARED: Command = Command::Start { alone: Some(false) };

const DEFER: Command = Command::Defer {
    attempt: None,
    planned_bytes: None,
};

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000).plus_secs(secs)
}

fn create() -> Command {
    Command::Create(Box::new(NewJob {
        id: "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa".parse().unwrap(),
        owner: ANONYMOUS.into(),
        source: Source {
            filename: None,
            format: ImageFormat::Png,
            width: Some(3),
            height: Some(2),
            bytes: 70,
            sha256: String::new(),
        },
        variants: vec![Variant {
            name: "default".into(),
            options: Options::default(),
        }],
        planned_bytes: Some(7),
        expires_at: Some(at(EXPIRES)),
        webhook: None,
    }))
}

fn finish() -> Command {
    Command::Finish(Box::new(Finish {
        thumbnails: Vec::new(),
        source_width: 3,
        source_height: 2,
        thumbhash: String::new(),
        peak_memory_bytes: None,
        incomplete: false,
    }))
}

/// A job that is told things, one after the other, over an R2 that always agrees.
struct Told {
    record: Option<Record>,
    sends: u32,
    found: Vec<Thumbnail>,
}

impl Told {
    /// The file is at fault.
    fn fail_at(&mut self, secs: u64) {
        let fail = Command::Fail {
            failure: Failure::new(FailureKind::DamagedImage, ""),
            attempt: None,
        };
        self.tell(fail, secs);
    }

    fn job() -> Self {
        let mut told = Self {
            record: None,
            sends: 0,
            found: Vec::new(),
        };
        told.tell(create(), 0);
        told
    }

    fn tell(&mut self, command: Command, secs: u64) -> Verdict {
        let decision = apply(self.record.clone(), command, at(secs), &POLICY);
        if decision.changed.is_some() {
            self.record = decision.changed;
        }
        match decision.follow_up {
            FollowUp::Send => self.sends += 1,
            FollowUp::Erase => self.record = None,
            FollowUp::CarryOut => {
                let intent = self.record().intent.clone().unwrap();
                let found = self.found.clone();
                return self.tell(Command::Carried { intent, found }, secs);
            }
            FollowUp::Nothing | FollowUp::Deliver { .. } => {}
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

    fn failed_as(&self) -> Option<&FailureKind> {
        self.record().failure.as_ref().map(|failure| &failure.kind)
    }
}

fn thumbnail() -> Thumbnail {
    Thumbnail {
        name: "default".into(),
        format: thumbnail_pipeline::OutputFormat::Png,
        width: 100,
        height: 100,
        bytes: 9,
        etag: "e".into(),
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
fn times_are_those_of_the_commands() {
    let mut told = Told::job();
    told.tell(START, 5);
    told.tell(finish(), 8);
    let timings = told.record().timings;
    assert_eq!(
        (timings.queued_ms, timings.processing_ms),
        (Some(5_000), Some(3_000))
    );
}

#[test]
fn an_attempt_that_may_be_another_has_no_time() {
    let mut told = Told::job();
    told.tell(START, 5);
    told.tell(START, 5 + u64::from(POLICY.lease_secs));
    told.tell(finish(), 70);
    let timings = told.record().timings;
    assert_eq!(
        (timings.queued_ms, timings.processing_ms),
        (Some(5_000), None)
    );
}

#[test]
fn an_attempt_that_comes_back_ends_the_job_once() {
    let mut job = Told::job();
    assert!(matches!(
        job.tell(START, 1),
        Verdict::Proceed { attempt: 1, .. }
    ));
    assert_eq!(
        job.tell(START, 2),
        Verdict::Stop {
            state: State::Processing
        }
    );
    assert!(matches!(job.tell(finish(), 3), Verdict::Recorded { .. }));
    assert_eq!(
        (job.record().state, job.due_secs()),
        (State::Done, Some(EXPIRES))
    );
    let done = job.record().clone();
    for command in [finish(), Command::DeadLetter, START] {
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
    assert_eq!(job.sends, POLICY.max_sends);
    assert_eq!(job.failed_as(), Some(&FailureKind::NeverProcessed));
    // 30 s doubled once, twice, then held at the cap; up to a quarter less by jitter.
    for (pause, range) in pauses.iter().zip([45..=60, 90..=120, 90..=120]) {
        assert!(range.contains(&pause.unwrap()), "{pauses:?}");
    }
}

#[test]
fn behind_a_long_queue_a_message_is_lost_only_after_the_longest_pause() {
    let mut job = Told::job();
    let mut looks = Vec::new();
    while job.sends == 1 {
        let due = job.due_secs().unwrap();
        looks.push(due);
        let waits = job.record().may_wait(at(due), &POLICY);
        job.tell(if waits { Command::Wait } else { Command::Alarm }, due);
    }
    // Pauses double here too, up to `rescue_cap_secs`.
    let (last, others) = looks.split_last().unwrap();
    assert!(
        *last >= 120 && others.iter().all(|due| *due < 120),
        "{looks:?}"
    );
    assert!((2..=4).contains(&looks.len()), "{looks:?}");
    assert_eq!(
        (job.record().state, job.record().revision),
        (State::Pending, 2)
    );
}

#[test]
fn a_lost_attempt_is_rescued_however_long_the_queue_is() {
    let mut job = Told::job();
    job.tell(START, 1);
    assert!(!job.record().may_wait(at(61), &POLICY));
    job.tell(Command::Wait, 61);
    assert_eq!((job.record().state, job.sends), (State::Retrying, 2));
}

#[test]
fn an_end_is_told_until_it_is_known_to_be() {
    let mut job = Told::job();
    job.tell(START, 1);
    job.tell(finish(), 2);
    let done = job.record().clone();
    assert_eq!(done.alarm_at(), Some(at(2 + u64::from(TELL_SECS))));
    // Nobody said that it was told: the alarm sets itself again, and pauses grow.
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let alarm = job.record().alarm_at().unwrap();
        let secs = alarm.millis_since(at(0)) / 1_000;
        job.tell(Command::Alarm, secs);
        pauses.push(job.record().alarm_at().unwrap().millis_since(alarm) / 1_000);
    }
    assert_eq!(pauses, [30, 60, 120, 120]);
    job.tell(
        Command::Told {
            revision: done.revision - 1,
        },
        400,
    );
    assert!(job.record().tell_at.is_some());
    job.tell(
        Command::Told {
            revision: done.revision,
        },
        400,
    );
    assert_eq!(
        job.record(),
        &Record {
            tell_at: None,
            ..done
        }
    );
    assert_eq!(job.record().alarm_at(), Some(at(EXPIRES)));
}

#[test]
fn an_intent_that_fails_is_tried_again_with_growing_pauses() {
    let mut job = Told::job();
    let mut told = |command, secs| {
        let decision = apply(job.record.clone(), command, at(secs), &POLICY);
        assert_eq!(decision.follow_up, FollowUp::CarryOut);
        job.record = decision.changed;
        job.due_secs().unwrap() - secs
    };
    let mut pauses = vec![told(Command::Cancel, 1)];
    let mut now = 1;
    for _ in 0..4 {
        now += pauses.last().unwrap();
        pauses.push(told(Command::Alarm, now));
    }
    for (pause, full) in pauses.iter().zip([10, 20, 40, 80, 120]) {
        assert!((full - full / 4..=full).contains(pause), "{pauses:?}");
    }
}

#[test]
fn a_job_is_not_created_when_its_source_may_be_swept() {
    for (late, want) in [
        (0, true),
        (CREATE_WITHIN_SECS, true),
        (CREATE_WITHIN_SECS + 1, false),
    ] {
        let Command::Create(mut new) = create() else {
            unreachable!()
        };
        new.id = JobId::new(at(0), [0; 10]);
        let decision = apply(None, Command::Create(new), at(late), &POLICY);
        assert_eq!(decision.changed.is_some(), want, "{late}");
        assert_eq!(decision.verdict == Verdict::TooLate, !want, "{late}");
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
    job.tell(ALONE, 1);
    job.tell(Command::Alarm, 61);
    assert_eq!((job.record().state, job.sends), (State::Retrying, 2));
    job.tell(ALONE, 62);
    job.tell(Command::Alarm, 122);
    assert_eq!(job.record().state, State::Failed);
    assert_eq!(job.failed_as(), Some(&FailureKind::Poison));
}

#[test]
fn a_loss_beside_others_only_asks_for_an_instance_alone() {
    let mut job = Told::job();
    assert_eq!(job.record().message().planned_bytes, Some(7));
    job.tell(SHARED, 1);
    job.tell(Command::Alarm, 61);
    assert_eq!(job.record().message().planned_bytes, None);
    // Its first message comes once more, or was redelivered.
    let before = job.record().clone();
    assert!(matches!(job.tell(SHARED, 62), Verdict::Stop { .. }));
    assert_eq!(job.record(), &before);
    job.tell(ALONE, 63);
    job.tell(Command::Alarm, 123);
    assert_eq!(
        (job.record().state, job.record().lost_alone),
        (State::Retrying, 1)
    );
    job.tell(ALONE, 124);
    job.tell(Command::Alarm, 184);
    assert_eq!(job.failed_as(), Some(&FailureKind::Poison));
}

#[test]
fn a_shared_message_after_the_lease_sends_one_that_asks_to_be_alone() {
    let mut job = Told::job();
    job.tell(SHARED, 1);
    assert!(matches!(job.tell(SHARED, 61), Verdict::Stop { .. }));
    assert_eq!((job.record().state, job.sends), (State::Retrying, 2));
    assert_eq!(job.record().lost_attempts, 1);
}

#[test]
fn losses_beside_others_end_as_a_fault_of_the_platform() {
    let mut job = Told::job();
    // An older origin, which does not say what else runs, goes on.
    for (lost, start) in [(1, 1), (2, 61), (3, 121)] {
        job.tell(START, start);
        assert_eq!(job.record().lost_attempts, lost - 1);
    }
    job.tell(START, 181);
    let failure = job.record().failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::PlatformFault);
    assert!(failure.detail.contains("3 never came back"), "{failure:?}");
}

#[test]
fn what_does_not_fit_comes_again_with_growing_pauses_that_count_nothing() {
    let mut job = Told::job();
    let first = job.record().clone();
    let (mut now, mut pauses) = (0, Vec::new());
    for _ in 0..8 {
        job.tell(DEFER, now);
        // Another message of the same job.
        assert!(matches!(job.tell(DEFER, now), Verdict::Stop { .. }));
        assert!(!job.record().may_wait(at(now + 100), &POLICY));
        pauses.push(job.due_secs().unwrap() - now);
        now = job.due_secs().unwrap();
        let sent = job.sends;
        job.tell(Command::Alarm, now);
        assert_eq!(job.sends, sent + 1);
    }
    for (pause, full) in pauses.iter().zip([2, 4, 8, 16, 32, 60, 60, 60]) {
        assert!((full - full / 4..=full).contains(pause), "{pauses:?}");
    }
    let record = job.record();
    assert_eq!((record.sends, record.attempts, record.deferrals), (1, 0, 8));
    assert_eq!(record.revision, first.revision);
    assert!(matches!(
        job.tell(SHARED, now),
        Verdict::Proceed { attempt: 1, .. }
    ));
    job.tell(finish(), now);
    assert_eq!((job.record().deferrals, job.record().parked), (0, false));
}

#[test]
fn an_attempt_that_turns_out_not_to_fit_is_not_counted() {
    let mut job = Told::job();
    job.tell(SHARED, 1);
    let defer = |attempt| Command::Defer {
        attempt: Some(attempt),
        planned_bytes: Some(9),
    };
    assert!(matches!(job.tell(defer(2), 2), Verdict::Stop { .. }));
    assert!(matches!(job.tell(DEFER, 2), Verdict::Stop { .. }));
    job.tell(defer(1), 2);
    let record = job.record();
    assert_eq!((record.state, record.attempts), (State::Retrying, 0));
    assert_eq!(record.message().planned_bytes, Some(9));
    assert!(matches!(
        job.tell(SHARED, 4),
        Verdict::Proceed { attempt: 1, .. }
    ));
}

#[test]
fn a_dead_letter_of_a_job_that_was_never_begun_is_sent_again() {
    let mut job = Told::job();
    let mut now = 0;
    for sends in 2..=POLICY.max_sends {
        assert!(matches!(
            job.tell(Command::DeadLetter, now),
            Verdict::Recorded { .. }
        ));
        // It came twice.
        assert!(matches!(
            job.tell(Command::DeadLetter, now),
            Verdict::Stop { .. }
        ));
        assert!(job.due_secs().unwrap() > now + 20);
        now = job.due_secs().unwrap();
        job.tell(Command::Alarm, now);
        assert_eq!((job.record().sends, job.sends), (sends, sends));
    }
    job.tell(Command::DeadLetter, now);
    assert_eq!(job.failed_as(), Some(&FailureKind::DeadLetter));
}

#[test]
fn a_delivery_after_the_lease_replaces_the_lost_attempt() {
    let mut job = Told::job();
    job.tell(START, 1);
    assert!(matches!(
        job.tell(START, 61),
        Verdict::Proceed { attempt: 2, .. }
    ));
    assert_eq!(
        (job.record().lost_attempts, job.record().lost_alone),
        (1, 0)
    );
}

#[test]
fn faults_of_the_platform_are_retried_up_to_a_limit() {
    let mut job = Told::job();
    for attempt in 1..=2 {
        job.tell(START, u64::from(attempt));
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
    job.tell(START, 9);
    job.tell(
        Command::Retry {
            attempt: 3,
            reason: "R2 said 10001".into(),
        },
        9,
    );
    let failure = job.record().failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::PlatformFault);
    assert!(failure.detail.contains("R2 said 10001"));
}

#[test]
fn a_report_of_a_replaced_attempt_is_not_taken() {
    let mut job = Told::job();
    job.tell(START, 1);
    job.tell(START, 61);
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
        START,
        Command::Get,
        Command::Alarm,
        Command::DeadLetter,
        finish(),
    ] {
        let decision = apply(None, command, at(0), &POLICY);
        assert_eq!(
            (decision.changed, decision.follow_up, decision.verdict),
            (None, FollowUp::Nothing, Verdict::Unknown)
        );
    }
}

#[test]
fn a_cancelled_job_takes_nothing_more_until_it_is_forgotten() {
    for begun in [false, true] {
        let mut job = Told::job();
        if begun {
            job.tell(START, 1);
        }
        assert!(matches!(
            job.tell(Command::Cancel, 2),
            Verdict::Recorded { .. }
        ));
        let cancelled = job.record().clone();
        assert_eq!(
            (cancelled.state, job.due_secs()),
            (State::Cancelled, Some(1_002))
        );
        for command in [
            START,
            finish(),
            Command::Rerun,
            Command::Cancel,
            Command::DeadLetter,
        ] {
            assert!(!matches!(
                job.tell(command, 3),
                Verdict::Recorded { .. } | Verdict::Proceed { .. }
            ));
            assert_eq!(job.record(), &cancelled);
        }
        job.tell(Command::Alarm, 1_002);
        assert_eq!(job.record, None);
    }
}

#[test]
fn nothing_is_visible_before_r2_agrees() {
    let mut job = Told::job();
    job.tell(START, 1);
    let decision = apply(job.record.clone(), Command::Cancel, at(2), &POLICY);
    assert_eq!(decision.follow_up, FollowUp::CarryOut);
    job.record = decision.changed;
    assert_eq!(
        (job.record().state, job.record().revision),
        (State::Processing, 2)
    );
    // The attempt that was running comes too late.
    assert_eq!(
        job.tell(finish(), 3),
        Verdict::Rejected {
            state: State::Processing
        }
    );
    // A crash here leaves the intent to the alarm.
    job.tell(Command::Alarm, job.due_secs().unwrap());
    assert_eq!(job.record().state, State::Cancelled);
}

#[test]
fn a_cancel_replaces_a_failure_that_nobody_has_seen() {
    let mut job = Told::job();
    job.tell(START, 1);
    let fail = Command::Fail {
        failure: Failure::new(FailureKind::DamagedImage, ""),
        attempt: None,
    };
    job.record = apply(job.record.clone(), fail, at(2), &POLICY).changed;
    job.tell(Command::Cancel, 2);
    assert_eq!(
        (job.record().state, job.failed_as()),
        (State::Cancelled, None)
    );
}

#[test]
fn thumbnails_that_are_there_make_a_lost_job_done() {
    let mut job = Told::job();
    job.found = vec![thumbnail()];
    job.tell(ALONE, 1);
    job.tell(Command::Alarm, 61);
    job.tell(ALONE, 62);
    job.tell(Command::Alarm, 122);
    assert_eq!((job.record().state, job.failed_as()), (State::Done, None));
    assert_eq!(job.record().thumbnails, [thumbnail()]);
}

#[test]
fn a_failed_job_can_be_run_again() {
    let mut job = Told::job();
    assert!(matches!(
        job.tell(Command::Rerun, 1),
        Verdict::Rejected { .. }
    ));
    job.fail_at(1);
    assert!(matches!(
        job.tell(Command::Rerun, 2),
        Verdict::Recorded { .. }
    ));
    assert_eq!(
        (job.record().state, job.sends, job.failed_as()),
        (State::Pending, 2, None)
    );
    job.tell(START, 3);
    job.tell(finish(), 4);
    assert_eq!(job.record().state, State::Done);
}

#[test]
fn a_job_is_run_again_with_growing_pauses_and_only_so_often() {
    let mut job = Told::job();
    let (mut now, mut pauses) = (1, Vec::new());
    for _ in 0..MAX_RERUNS {
        job.fail_at(now);
        let Verdict::RetryAfter { secs } = job.tell(Command::Rerun, now) else {
            assert_eq!(job.record().reruns, 1);
            continue;
        };
        now += u64::from(secs);
        let early = job.tell(Command::Rerun, now - 1);
        assert_eq!(early, Verdict::RetryAfter { secs: 1 });
        job.tell(Command::Rerun, now);
        pauses.push(secs);
    }
    assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560]);
    job.fail_at(now);
    let most = MAX_RERUNS;
    assert_eq!(
        job.tell(Command::Rerun, now + 9_999),
        Verdict::UsedUp { most }
    );
}

#[test]
fn poison_is_run_again_twice_and_never_at_once() {
    let mut job = Told::job();
    let mut now = 0;
    for pause in [300, 600, 1_200] {
        for _ in 0..2 {
            job.tell(ALONE, now);
            now += 60;
            job.tell(Command::Alarm, now);
        }
        assert_eq!(job.failed_as(), Some(&FailureKind::Poison));
        let verdict = job.tell(Command::Rerun, now);
        if pause == 1_200 {
            assert_eq!(verdict, Verdict::UsedUp { most: 2 });
        } else {
            assert_eq!(verdict, Verdict::RetryAfter { secs: pause });
            now += u64::from(pause);
            job.tell(Command::Rerun, now);
        }
    }
}

#[test]
fn everything_of_a_job_ends_at_its_expiry() {
    let mut job = Told::job();
    job.tell(START, 1);
    job.tell(finish(), 2);
    job.tell(Command::Alarm, EXPIRES);
    assert_eq!(
        (job.record().state, job.due_secs()),
        (State::Expired, Some(EXPIRES + 1_000))
    );
    job.tell(Command::Alarm, EXPIRES + 1_000);
    assert_eq!(job.record, None);
}
