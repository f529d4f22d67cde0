//! Tests of `extension`.

use super::*;
use crate::job::FailureKind;
use crate::job::ledger::apply;
use crate::job::{Command, Finish, NewJob, Source, Webhook};
use thumbnail_pipeline::{ImageFormat, OutputFormat};

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000).plus_secs(secs)
}

fn variant(name: &str, width: Option<u32>) -> Variant {
    let options = Options {
        width,
        ..Options::default()
    };
    Variant {
        name: name.into(),
        options,
    }
}

fn made(name: &str) -> Thumbnail {
    Thumbnail {
        name: name.into(),
        format: OutputFormat::Png,
        width: 1,
        height: 1,
        bytes: 1,
        etag: name.into(),
    }
}

fn finish(name: &str) -> Command {
    Command::Finish(Box::new(Finish {
        thumbnails: vec![made(name)],
        source_width: 3,
        source_height: 2,
        thumbhash: String::new(),
        peak_memory_bytes: None,
        incomplete: false,
    }))
}

fn fail(attempt: u32) -> Command {
    Command::Fail {
        failure: Failure {
            kind: FailureKind::DamagedImage,
            detail: String::new(),
        },
        attempt: Some(attempt),
    }
}

fn tell(record: &mut Option<Record>, secs: u64, command: Command) -> Verdict {
    let decision = apply(record.clone(), command, at(secs), &Policy::default());
    if decision.changed.is_some() {
        *record = decision.changed;
    }
    decision.verdict
}

/// A job that is done, whose second thumbnail an attempt is at.
fn extended_job() -> Option<Record> {
    let mut record = None;
    let create = Command::Create(Box::new(NewJob {
        id: "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa".parse().unwrap(),
        owner: "anonymous".into(),
        source: Source {
            filename: None,
            format: ImageFormat::Png,
            width: None,
            height: None,
            bytes: 70,
            sha256: String::new(),
        },
        variants: vec![variant("default", None)],
        planned_bytes: None,
        expires_at: Some(at(100_000)),
        webhook: None,
    }));
    let extend = Command::Extend {
        variants: vec![variant("later", Some(5))],
        planned_bytes: Some(9),
    };
    for (secs, command) in [
        (0, create),
        (1, Command::Start { alone: Some(true) }),
        (2, finish("default")),
        (3, extend),
        (4, Command::Start { alone: Some(true) }),
    ] {
        tell(&mut record, secs, command);
    }
    record
}

#[test]
fn the_job_stays_done_and_counts_anew() {
    let record = extended_job().unwrap();
    assert_eq!(
        (record.state, record.phase()),
        (State::Done, State::Processing)
    );
    assert_eq!((record.attempts, record.sends), (2, 1));
    assert_eq!(record.thumbnails, [made("default")]);
    assert_eq!(record.due_at, Some(at(4 + 120)));
}

#[test]
fn what_an_earlier_attempt_reports_changes_nothing() {
    let mut record = extended_job();
    let before = record.clone();
    for command in [
        finish("default"),
        fail(1),
        Command::Retry {
            attempt: 1,
            reason: String::new(),
        },
        Command::Start { alone: Some(true) },
    ] {
        tell(&mut record, 5, command.clone());
        assert_eq!(record, before, "{command:?}");
    }
    tell(&mut record, 5, finish("later"));
    let record = record.unwrap();
    assert_eq!((record.state, &record.extension), (State::Done, &None));
    assert_eq!(record.thumbnails, [made("default"), made("later")]);
    assert_eq!(record.due_at, Some(at(100_000)));
}

#[test]
fn attempts_that_never_come_back_refuse_it_and_leave_the_job_done() {
    let mut record = extended_job();
    tell(&mut record, 124, Command::Alarm);
    tell(&mut record, 125, Command::Start { alone: Some(true) });
    tell(&mut record, 245, Command::Alarm);
    let intent = record.clone().unwrap().intent.unwrap();
    let found = Vec::new();
    tell(&mut record, 246, Command::Carried { intent, found });
    let record = record.unwrap();
    assert_eq!((record.state, record.phase()), (State::Done, State::Done));
    assert_eq!(record.refused[0].failure.kind, FailureKind::Poison);
    assert_eq!(
        (record.failure, record.thumbnails),
        (None, vec![made("default")])
    );
}

#[test]
fn its_end_is_told_by_the_webhook_under_an_id_of_its_own() {
    let attempt = extended_job().unwrap().attempts;
    for (end, made) in [(finish("later"), 2), (fail(attempt), 1)] {
        let mut record = extended_job().unwrap();
        record.webhook = Some(Webhook::new("https://example.com/".into(), String::new()));
        let policy = Policy::default();
        let (decision, messages) = crate::job::advance(Some(record), end, at(5), &policy);
        let mut record = decision.changed.unwrap();
        if let Some(intent) = record.intent.clone() {
            // What was refused gets tombstones first.
            assert_eq!(messages, []);
            let found = Vec::new();
            let carried = Command::Carried { intent, found };
            let (decision, messages) = crate::job::advance(Some(record), carried, at(6), &policy);
            assert_eq!(messages.len(), 1);
            record = decision.changed.unwrap();
        } else {
            assert_eq!(messages.len(), 1);
        }
        let [event] = record.webhook.as_ref().unwrap().events.as_slice() else {
            panic!("one event")
        };
        assert_eq!(event.id(), format!("msg_{}_done_0_1", record.id));
        assert_eq!(event.job.thumbnails.len(), made);
    }
}

#[test]
fn what_is_missing_of_a_picture_stays_known() {
    // As an origin says it that knows of no such thing.
    let text = r#"{"thumbnails":[],"source_width":3,"source_height":2,"thumbhash":"","peak_memory_bytes":null}"#;
    let older: Finish = serde_json::from_str(text).unwrap();
    assert!(!older.incomplete);
    assert_eq!(serde_json::to_string(&older).unwrap(), text);
    for incomplete in [false, true] {
        let mut record = extended_job();
        record.as_mut().unwrap().incomplete = incomplete;
        tell(&mut record, 9, finish("later"));
        let record = record.unwrap();
        assert_eq!((record.incomplete, record.extension), (incomplete, None));
    }
}

#[test]
fn a_deleted_job_forgets_that_more_was_coming() {
    let mut record = extended_job();
    tell(&mut record, 5, Command::Cancel);
    let intent = Intent::Cancel;
    let found = Vec::new();
    tell(&mut record, 6, Command::Carried { intent, found });
    let record = record.unwrap();
    assert_eq!(
        (record.state, record.phase()),
        (State::Cancelled, State::Cancelled)
    );
    let names: Vec<_> = record.files().map(|file| file.variant).collect();
    assert_eq!(names, ["default", "later"]);
}

#[test]
fn a_name_follows_from_the_options() {
    let plain = Options {
        width: Some(300),
        height: Some(200),
        ..Options::default()
    };
    let other = Options {
        quality: 50,
        ..plain
    };
    assert_eq!(name_of(&plain), "300x200");
    assert_eq!(name_of(&variant("", Some(300)).options), "300x");
    // It is the name of a stored object: the same for ever.
    assert_eq!(name_of(&other), "300x200-2bf3b063c990");
    for options in [plain, other, Options::default()] {
        assert!(crate::keys::is_variant_name(&name_of(&options)));
    }
}
