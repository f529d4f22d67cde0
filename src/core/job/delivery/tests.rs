//! Tests of `delivery`.

use super::*;
use crate::job::record::{ANONYMOUS, Source};
use crate::job::{Command, Failure, FailureKind, Finish, NewJob, Verdict, WebhookMessage, advance};
use thumbnail_pipeline::{ImageFormat, Options, Variant};

const EXPIRES: u64 = 10_000_000;
const URL: &str = "https://example.com/hook?token=secret";

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000).plus_secs(secs)
}

fn policy() -> Policy {
    Policy {
        tombstone_secs: 1_000,
        ..Policy::default()
    }
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
        planned_bytes: None,
        expires_at: Some(at(EXPIRES)),
        webhook: Some(Webhook::new(URL.into(), "https://thumbs.example".into())),
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

fn status(status: u16) -> Answer {
    let retry_after_secs = None;
    Answer::Status {
        status,
        retry_after_secs,
    }
}

/// A job that is told things, and the messages that come of it.
#[derive(Default)]
struct Told {
    record: Option<Record>,
    messages: Vec<WebhookMessage>,
    now: u64,
}

impl Told {
    /// A job that is done at second 2.
    fn done() -> Self {
        let mut told = Self::default();
        told.tell(create());
        told.now = 1;
        told.tell(Command::Start { alone: Some(true) });
        told.now = 2;
        told.tell(finish());
        told
    }

    fn tell(&mut self, command: Command) -> Verdict {
        let (decision, messages) = advance(self.record.clone(), command, at(self.now), &policy());
        self.messages.extend(messages);
        if decision.changed.is_some() {
            self.record = decision.changed;
        }
        match decision.follow_up {
            FollowUp::Erase => self.record = None,
            FollowUp::CarryOut => {
                let intent = self.record.as_ref().unwrap().intent.clone().unwrap();
                let found = Vec::new();
                return self.tell(Command::Carried { intent, found });
            }
            _ => {}
        }
        decision.verdict
    }

    fn webhook(&self) -> &Webhook {
        self.record.as_ref().unwrap().webhook.as_ref().unwrap()
    }

    fn event(&self) -> &WebhookEvent {
        self.webhook().events.last().unwrap()
    }

    fn deliver(&mut self) -> Verdict {
        let event = self.event().number();
        self.tell(Command::Webhook(WebhookCommand::Deliver { event }))
    }

    fn report(&mut self, attempt: u32, answer: Answer) -> Verdict {
        let event = self.event().number();
        self.tell(Command::Webhook(WebhookCommand::Report {
            event,
            attempt,
            answer,
        }))
    }

    /// Lets the next alarm ring, and returns how long that took.
    fn ring(&mut self) -> u64 {
        let before = self.now;
        // KV has the last change by then.
        let revision = self.record.as_ref().unwrap().revision;
        self.tell(Command::Told { revision });
        let due = self.record.as_ref().unwrap().alarm_at().unwrap();
        self.now = due.millis_since(at(0)).div_ceil(1_000);
        self.tell(Command::Alarm);
        self.now - before
    }
}

#[test]
fn an_end_is_stored_with_its_event_and_asks_for_its_delivery() {
    let mut job = Told::done();
    assert_eq!(job.messages.len(), 1);
    assert_eq!((job.event().stage, job.event().attempts), (Stage::Sent, 0));
    assert_eq!(job.event().job.state, State::Done);
    assert_eq!(job.event().job.webhook, None);
    let id = "msg_01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa_done_0_0";
    assert_eq!((job.event().id().as_str(), job.messages[0].event), (id, 3));
    job.deliver();
    job.report(1, status(204));
    assert_eq!(job.event().stage, Stage::Delivered);
    assert_eq!(job.webhook().due_at(), None);
    let [delivery] = job.webhook().deliveries.as_slice() else {
        panic!("one delivery")
    };
    assert_eq!((delivery.status, delivery.attempt), (Some(204), 1));
}

#[test]
fn an_end_that_is_come_to_twice_has_one_id() {
    let fail = || Command::Fail {
        failure: Failure {
            kind: FailureKind::DamagedImage,
            detail: String::new(),
        },
        attempt: None,
    };
    let end = |job: &mut Told, command: Command| {
        job.tell(command);
        (job.event().id(), job.event().number())
    };
    for command in [finish, fail, || Command::Cancel] {
        let mut job = Told::default();
        job.tell(create());
        job.tell(Command::Start { alone: None });
        let before = job.record.clone();
        let (first, revision) = end(&mut job, command());
        // The record of it is lost, and what follows of the one before comes to the same end.
        job.record = before;
        let reason = String::new();
        job.tell(Command::Retry { attempt: 1, reason });
        job.tell(Command::Start { alone: None });
        let (again, later) = end(&mut job, command());
        assert_eq!(first, again);
        assert!(later > revision);
    }
    // Another run comes to ends of its own.
    let mut job = Told::default();
    let mut ids = std::collections::BTreeSet::new();
    for again in [create(), Command::Rerun, Command::Rerun] {
        job.now += 10_000;
        job.tell(again);
        job.tell(Command::Start { alone: None });
        ids.insert(end(&mut job, fail()).0);
    }
    assert_eq!(ids.len(), 3, "{ids:?}");
}

#[test]
fn a_receiver_that_always_fails_is_asked_as_the_schedule_says() {
    let mut job = Told::done();
    let id = job.event().id();
    let mut pauses = vec![0];
    for attempt in 1..=10 {
        job.deliver();
        assert_eq!(job.event().id(), id);
        job.report(attempt, status(500));
        if attempt < 10 {
            pauses.push(job.ring());
        }
    }
    let standard = [
        0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
    ];
    assert_eq!(pauses.len(), standard.len());
    for (pause, want) in pauses.iter().zip(standard) {
        assert!((want..=want + want / 10).contains(pause), "{pauses:?}");
    }
    assert_eq!(job.event().stage, Stage::GivenUp);
    assert_eq!(
        (job.messages.len(), job.webhook().deliveries.len()),
        (10, 10)
    );
    assert!(!job.webhook().is_waiting());
}

#[test]
fn a_lost_message_is_sent_again_and_a_lost_attempt_counts() {
    let mut job = Told::done();
    assert!(job.ring() <= 30);
    assert_eq!((job.messages.len(), job.event().attempts), (2, 0));
    job.deliver();
    assert_eq!(job.ring(), 45);
    let lost = job.webhook().deliveries.last().unwrap();
    assert_eq!(lost.error.as_deref(), Some("the attempt never came back"));
    assert_eq!(job.event().stage, Stage::Waiting);
    // It has come back after all, and the receiver has the event.
    job.report(1, status(200));
    assert_eq!(job.event().stage, Stage::Delivered);
}

#[test]
fn nobody_delivers_twice_at_a_time_or_too_early() {
    let mut job = Told::done();
    let begun = |verdict| matches!(verdict, Verdict::Recorded { .. });
    assert!(begun(job.deliver()));
    assert!(!begun(job.deliver()));
    job.report(1, status(500));
    assert!(!begun(job.deliver()), "its time has not come");
    job.ring();
    assert!(begun(job.deliver()));
    // A late failure says nothing about the attempt that runs.
    job.report(1, status(500));
    assert_eq!(
        (job.event().stage, job.event().attempts),
        (Stage::Underway, 2)
    );
}

#[test]
fn an_event_that_nobody_takes_is_given_up() {
    let mut job = Told::done();
    for _ in 0..policy().max_sends {
        job.ring();
    }
    assert_eq!(job.event().stage, Stage::GivenUp);
    let last = job.webhook().deliveries.last().unwrap();
    assert_eq!(last.error.as_deref(), Some("no consumer took the event"));
}

#[test]
fn a_receiver_may_ask_for_a_pause_within_bounds() {
    for (asked, want) in [(0, 5), (60, 60), (u32::MAX, 86_400)] {
        let mut job = Told::done();
        job.deliver();
        job.report(
            1,
            Answer::Status {
                status: 429,
                retry_after_secs: Some(asked),
            },
        );
        assert_eq!(job.ring(), want, "{asked}");
    }
}

#[test]
fn a_redirect_is_a_failure_and_410_ends_it_all() {
    let mut job = Told::done();
    job.deliver();
    job.report(1, status(301));
    assert_eq!(job.event().stage, Stage::Waiting);
    job.ring();
    job.deliver();
    job.report(2, status(410));
    assert_eq!(job.event().stage, Stage::Unwanted);
    job.tell(Command::Cancel);
    assert_eq!(job.event().job.state, State::Cancelled);
    assert_eq!(
        (job.event().stage, job.messages.len()),
        (Stage::Unwanted, 2)
    );
}

#[test]
fn a_client_can_have_it_told_again() {
    let again = || Command::Webhook(WebhookCommand::Redeliver);
    let mut job = Told::done();
    job.deliver();
    job.report(1, status(410));
    assert!(matches!(job.tell(again()), Verdict::Recorded { .. }));
    assert_eq!((job.event().stage, job.messages.len()), (Stage::Sent, 2));
    job.deliver();
    job.report(2, status(200));
    assert_eq!(job.event().stage, Stage::Delivered);
    assert_eq!(job.tell(again()), Verdict::RetryAfter { secs: 5 });
    job.now += 5;
    job.tell(again());
    assert_eq!((job.event().stage, job.messages.len()), (Stage::Sent, 3));
    let mut quiet = Told::done();
    quiet.record.as_mut().unwrap().webhook = None;
    assert!(matches!(quiet.tell(again()), Verdict::Rejected { .. }));
}

#[test]
fn a_client_can_have_it_told_again_only_so_often() {
    let again = || Command::Webhook(WebhookCommand::Redeliver);
    let mut job = Told::done();
    let mut pauses = Vec::new();
    for _ in 0..MAX_REDELIVERIES {
        assert!(matches!(job.tell(again()), Verdict::Recorded { .. }));
        if let Verdict::RetryAfter { secs } = job.tell(again()) {
            pauses.push(secs);
            job.now += u64::from(secs);
        }
    }
    assert_eq!(pauses[..5], [5, 10, 20, 40, 80]);
    assert_eq!(pauses.last(), Some(&REDELIVER_CAP_SECS));
    let most = MAX_REDELIVERIES;
    assert_eq!(job.tell(again()), Verdict::UsedUp { most });
}

#[test]
fn a_job_is_remembered_until_its_end_is_told() {
    let mut job = Told::done();
    job.deliver();
    job.report(1, status(200));
    job.now = EXPIRES;
    job.tell(Command::Alarm);
    assert_eq!(job.event().job.state, State::Expired);
    let mut attempt = 1;
    // The tombstone is over after 1,000 s, the schedule after 76 hours.
    while job.event().stage != Stage::GivenUp {
        if job.event().stage == Stage::Sent {
            job.deliver();
            job.report(attempt, status(503));
            attempt += 1;
        } else {
            job.ring();
        }
    }
    assert_eq!(attempt, 11);
    assert!(job.now - EXPIRES > 75 * 3_600);
    job.ring();
    assert_eq!(job.record, None);
}

#[test]
fn what_is_held_is_bounded() {
    let mut job = Told::done();
    for _ in 0..30 {
        let record = job.record.as_mut().unwrap();
        record.revision += 1;
        note(record, at(job.now), &policy());
    }
    assert_eq!(job.webhook().events.len(), MAX_EVENTS);
    assert_eq!(job.webhook().deliveries.len(), 10);
    let long = Answer::Error {
        error: "é".repeat(500),
    };
    job.tell(Command::Alarm);
    job.deliver();
    job.report(1, long);
    let error = job.webhook().deliveries.last().unwrap().error.as_ref();
    assert_eq!(error.unwrap().len(), 200);
}

/// What builds before this one stored, and what this one stores.
#[test]
fn the_stored_form_stays() {
    let job = r#"{"v":1,"id":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","owner":"anonymous","state":"done","revision":3,"attempts":1,"lost_attempts":0,"faults":0,"sends":1,"created_at":1795428000000,"updated_at":1795428002000,"source":{"format":"png","bytes":70,"sha256":""},"variants":[]"#;
    let before: Record = serde_json::from_str(&format!("{job}}}")).unwrap();
    assert_eq!(before.webhook, None);
    let text = r#"{"url":"https://example.com/","base":"https://thumbs.example","disabled":true,"events":[{"stage":"given_up","attempts":10,"step":10,"sends":1,"due_at":1795428003000,"job":JOB}],"deliveries":[{"at":1795428003000,"state":"done","attempt":1,"status":500},{"at":1795428003000,"state":"done","attempt":2,"error":"no answer within 15 s"}]}"#;
    let text = text.replace("JOB", &serde_json::to_string(&before).unwrap());
    let webhook: Webhook = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&webhook).unwrap(), text);
    let short = r#"{"url":"https://example.com/","base":"https://thumbs.example"}"#;
    let webhook: Webhook = serde_json::from_str(short).unwrap();
    assert_eq!(serde_json::to_string(&webhook).unwrap(), short);
}
