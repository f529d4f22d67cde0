//! Every decision about the events of a job's webhook.
//!
//! An event waits for its step of the schedule, is sent as a message, is taken by a consumer, and
//! comes back with the receiver's answer. Whatever is lost on the way, its `due_at` finds.

use super::command::Verdict;
use super::ledger::{Decision, FollowUp};
use super::outcome::backoff_secs;
use super::policy::{MAX_REDELIVERIES, Policy, REDELIVER_CAP_SECS, REDELIVER_SECS, TELL_SECS};
use super::record::{Intent, Record};
use super::state::State;
use super::webhook::{Answer, Delivery, Stage, Webhook, WebhookCommand, WebhookEvent, shortened};
use crate::timestamp::Timestamp;

/// How many events are held. The oldest gives way: only a client that has a job tried again and
/// again, and whose receiver answers to none of it, gets there.
const MAX_EVENTS: usize = 8;

/// The longest pause that a receiver may ask for: a day.
const MAX_RETRY_AFTER_SECS: u32 = 86_400;

/// The status with which a receiver wants no more events.
const GONE: u16 = 410;

/// Notes the end of a job that has just come to it, or that of thumbnails that were asked for later.
pub(super) fn note(record: &mut Record, now: Timestamp, policy: &Policy) {
    let Some(mut webhook) = record.webhook.take() else {
        return;
    };
    webhook.events.retain(|event| !event.stage.is_over());
    if webhook.events.len() >= MAX_EVENTS {
        let given_up = webhook.events.remove(0);
        webhook.log(given_up.failed(now, "given up for newer events"));
    }
    let mut event = WebhookEvent {
        stage: Stage::Waiting,
        attempts: 0,
        step: 0,
        sends: 0,
        due_at: None,
        job: Box::new(record.clone()),
    };
    if webhook.disabled {
        event.end(Stage::Unwanted);
    } else {
        event.wait(now, policy, 0);
    }
    webhook.events.push(event);
    record.webhook = Some(webhook);
}

/// Does what is due; returns the numbers of the events whose message is to be sent.
pub(super) fn post(record: &mut Record, now: Timestamp, policy: &Policy) -> Vec<u64> {
    let Some(webhook) = &mut record.webhook else {
        return Vec::new();
    };
    let (mut sent, mut failed) = (Vec::new(), Vec::new());
    let due = |event: &&mut WebhookEvent| event.due_at.is_some_and(|due| due <= now);
    for event in webhook.events.iter_mut().filter(due) {
        if event.stage == Stage::Underway {
            failed.push(event.failed(now, "the attempt never came back"));
            event.wait(now, policy, 0);
        } else if event.sends >= policy.max_sends {
            failed.push(event.failed(now, "no consumer took the event"));
            event.end(Stage::GivenUp);
        } else {
            event.send(now, policy);
            sent.push(event.number());
        }
    }
    for delivery in failed {
        webhook.log(delivery);
    }
    sent
}

impl WebhookEvent {
    fn end(&mut self, stage: Stage) {
        self.stage = stage;
        self.due_at = None;
    }

    /// Waits for the next step of the schedule, or gives up after its last.
    fn wait(&mut self, now: Timestamp, policy: &Policy, at_least_secs: u32) {
        let Some(secs) = policy.webhook_schedule.pause_secs(self.step) else {
            return self.end(Stage::GivenUp);
        };
        // A tenth more at the most, so that events which failed together do not come again together.
        let secs = secs + jitter(self) % (secs / 10 + 1);
        self.step += 1;
        self.sends = 0;
        self.stage = Stage::Waiting;
        self.due_at = Some(now.plus_secs(secs.max(at_least_secs).into()));
    }

    fn send(&mut self, now: Timestamp, policy: &Policy) {
        self.stage = Stage::Sent;
        self.sends += 1;
        let (base, cap) = (policy.rescue_secs, policy.rescue_cap_secs);
        let pause = backoff_secs(self.sends, base, cap, jitter(self));
        self.due_at = Some(now.plus_secs(pause.into()));
    }
}

/// A job that is to be forgotten stays as long as something of it is to be told.
pub(super) fn postpone_purge(record: &mut Record, now: Timestamp, policy: &Policy) {
    let over = matches!(record.state, State::Cancelled | State::Expired);
    let waiting = record.webhook.as_ref().is_some_and(Webhook::is_waiting);
    let due = record.due_at.is_some_and(|due| due <= now);
    if over && waiting && due && record.intent.is_none() {
        record.due_at = Some(now.plus_secs(policy.rescue_cap_secs.into()));
    }
}

/// Applies a command that is about the webhook.
pub(super) fn apply_webhook_command(
    record: Record,
    command: WebhookCommand,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    match command {
        WebhookCommand::Deliver { event } => deliver(record, event, now, policy),
        WebhookCommand::Report {
            event,
            attempt,
            answer,
        } => report(record, event, attempt, answer, now, policy),
        WebhookCommand::Redeliver => redeliver(record, now),
    }
}

fn deliver(mut record: Record, number: u64, now: Timestamp, policy: &Policy) -> Decision {
    let webhook = record.webhook.as_mut();
    let event = webhook.and_then(|webhook| webhook.event_mut(number));
    // A message that comes twice, or too early, finds nothing to do.
    let Some(event) = event.filter(|event| event.stage == Stage::Sent) else {
        return Decision::stop(&record);
    };
    event.stage = Stage::Underway;
    event.attempts += 1;
    event.due_at = Some(now.plus_secs(policy.webhook_lease_secs.into()));
    Decision::recorded(record, FollowUp::Deliver { event: number })
}

fn report(
    mut record: Record,
    number: u64,
    attempt: u32,
    answer: Answer,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    let Some(mut webhook) = record.webhook.take() else {
        return Decision::rejected(&record);
    };
    let taken = settle(&mut webhook, number, attempt, answer, now, policy);
    record.webhook = Some(webhook);
    if !taken {
        return Decision::rejected(&record);
    }
    changed(&mut record, now);
    Decision::recorded(record, FollowUp::Nothing)
}

/// Takes a report; false where it says nothing about what is going on.
fn settle(
    webhook: &mut Webhook,
    number: u64,
    attempt: u32,
    answer: Answer,
    now: Timestamp,
    policy: &Policy,
) -> bool {
    let Some(event) = webhook.event_mut(number) else {
        return false;
    };
    let (status, retry_after_secs, error) = match answer {
        Answer::Status {
            status,
            retry_after_secs,
        } => (Some(status), retry_after_secs, None),
        Answer::Error { error } => (None, None, Some(shortened(&error))),
    };
    let delivered = status.is_some_and(|status| (200..300).contains(&status));
    let current = event.stage == Stage::Underway && event.attempts == attempt;
    // A late success is one all the same: the receiver has it.
    if event.stage.is_over() || !(current || delivered) {
        return false;
    }
    if delivered {
        event.end(Stage::Delivered);
    } else {
        let at_least_secs = retry_after_secs.unwrap_or(0).min(MAX_RETRY_AFTER_SECS);
        event.wait(now, policy, at_least_secs);
    }
    let state = event.job.state;
    if status == Some(GONE) {
        webhook.disabled = true;
        for event in &mut webhook.events {
            if !event.stage.is_over() || event.number() == number {
                event.end(Stage::Unwanted);
            }
        }
    }
    webhook.log(Delivery {
        at: now,
        state,
        attempt,
        status,
        error,
    });
    true
}

fn redeliver(mut record: Record, now: Timestamp) -> Decision {
    let purged = record.intent == Some(Intent::Purge);
    let Some(webhook) = record
        .webhook
        .as_mut()
        .filter(|w| !purged && !w.events.is_empty())
    else {
        return Decision::rejected(&record);
    };
    if webhook.redeliveries >= MAX_REDELIVERIES {
        let most = MAX_REDELIVERIES;
        return Decision::answer(Verdict::UsedUp { most });
    }
    if let Some(early) = Decision::too_early(webhook.redeliver_at, now) {
        return early;
    }
    webhook.redeliveries += 1;
    let secs = backoff_secs(webhook.redeliveries, REDELIVER_SECS, REDELIVER_CAP_SECS, 0);
    webhook.redeliver_at = Some(now.plus_secs(secs.into()));
    webhook.disabled = false;
    let last = webhook.events.len() - 1;
    let all_delivered = webhook.events.iter().all(|e| e.stage == Stage::Delivered);
    for (index, event) in webhook.events.iter_mut().enumerate() {
        let again = event.stage != Stage::Delivered || (all_delivered && index == last);
        if again && event.stage != Stage::Underway {
            event.stage = Stage::Waiting;
            event.sends = 0;
            event.due_at = Some(now);
            // The first pause of the schedule is what is skipped.
            event.step = 1;
        }
    }
    changed(&mut record, now);
    Decision::recorded(record, FollowUp::Nothing)
}

/// Clients can see it: it is a revision, and told until everybody knows.
fn changed(record: &mut Record, now: Timestamp) {
    record.revision += 1;
    record.updated_at = now;
    record.tell_at = Some(now.plus_secs(TELL_SECS.into()));
}

/// Different for each event and attempt, the same on each replay (FNV-1a over the id).
fn jitter(event: &WebhookEvent) -> u32 {
    let hash = event.id().bytes().fold(2_166_136_261_u32, |h, b| {
        (h ^ u32::from(b)).wrapping_mul(16_777_619)
    });
    let turn = event.step.wrapping_mul(31).wrapping_add(event.sends);
    hash.wrapping_add(turn.wrapping_mul(0x9e37_79b9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::record::{ANONYMOUS, Source};
    use crate::job::{
        Command, Failure, FailureKind, Finish, NewJob, Verdict, WebhookMessage, advance,
    };
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
            let (decision, messages) =
                advance(self.record.clone(), command, at(self.now), &policy());
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
}
