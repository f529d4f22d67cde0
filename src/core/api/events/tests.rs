//! Tests of `events`.

use super::*;
use crate::Timestamp;
use crate::job::record::{ANONYMOUS, Source};
use crate::job::{NewJob, State};
use thumbnail_pipeline::ImageFormat;

const A: &str = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa";
const B: &str = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaab";

fn record(revision: u64, state: State) -> Record {
    let new = NewJob {
        id: A.parse().unwrap(),
        owner: ANONYMOUS.into(),
        source: Source {
            filename: None,
            format: ImageFormat::Png,
            width: Some(3),
            height: Some(2),
            bytes: 70,
            sha256: String::new(),
        },
        variants: Vec::new(),
        planned_bytes: None,
        expires_at: None,
        webhook: None,
    };
    Record {
        state,
        revision,
        ..Record::new(new, Timestamp::from_millis(1))
    }
}

#[test]
fn a_listener_hears_each_change_once_and_in_order() {
    let mut listener = Listener::new("https://thumbs.example", None);
    let Telling::Change(text) = listener.tell(&record(1, State::Pending)) else {
        panic!("the current state comes first");
    };
    let change: Change = serde_json::from_str(&text).unwrap();
    assert_eq!(change.revision, 1);
    assert!(text.contains("\"status\":\"pending\""));
    assert!(text.contains(&format!("https://thumbs.example/thumbnails/{A}")));
    assert_eq!(listener.tell(&record(1, State::Pending)), Telling::Nothing);
    assert!(matches!(
        listener.tell(&record(3, State::Processing)),
        Telling::Change(_)
    ));
    assert_eq!(listener.tell(&record(2, State::Pending)), Telling::Nothing);
    assert!(matches!(
        listener.tell(&record(4, State::Done)),
        Telling::Last(_)
    ));
    assert_eq!(listener.tell(&record(4, State::Done)), Telling::Over);
}

#[test]
fn resuming_repeats_nothing_and_invents_nothing() {
    for (seen, want) in [
        (Some(4), true),
        (Some(3), false),
        (Some(9), false),
        (None, false),
    ] {
        let now = record(4, State::Failed);
        let mut listener = Listener::new("", seen);
        listener.doubt(&now);
        assert_eq!(listener.tell(&now) == Telling::Over, want, "{seen:?}");
    }
}

#[test]
fn the_stored_form_of_a_listener_stays_readable() {
    let listener = Listener::new("https://thumbs.example", Some(7));
    let stored = r#"{"v":1,"base":"https://thumbs.example","seen":7}"#;
    assert_eq!(serde_json::to_string(&listener).unwrap(), stored);
    assert_eq!(serde_json::from_str::<Listener>(stored).unwrap(), listener);
    let fresh: Listener = serde_json::from_str(r#"{"v":1,"base":""}"#).unwrap();
    assert_eq!(fresh, Listener::new("", None));
}

#[test]
fn a_request_says_how_it_wants_to_be_told() {
    for (upgrade, accept, want) in [
        (Some("websocket"), None, Some(Channel::WebSocket)),
        (
            Some("WebSocket"),
            Some("text/html"),
            Some(Channel::WebSocket),
        ),
        (Some("h2c"), Some("text/html"), None),
        (None, None, Some(Channel::EventStream)),
        (None, Some("*/*"), Some(Channel::EventStream)),
        (None, Some("TEXT/Event-Stream"), Some(Channel::EventStream)),
        (
            None,
            Some("text/html, text/event-stream;q=0.5"),
            Some(Channel::EventStream),
        ),
        (None, Some("text/event-stream;q=0, */*"), None),
        (None, Some("text/event-stream;q=0.000"), None),
        (None, Some("application/json"), None),
        (None, Some(""), None),
    ] {
        assert_eq!(
            Channel::parse(upgrade, accept).ok(),
            want,
            "{upgrade:?} {accept:?}"
        );
    }
}

#[test]
fn an_event_id_tells_of_each_job_how_far_it_got() {
    let ids: Vec<JobId> = vec![A.parse().unwrap(), B.parse().unwrap()];
    let mut progress = Progress::new(ids.clone(), None);
    assert_eq!(progress.event_id(), ",");
    progress.note(1, 5);
    assert_eq!(progress.event_id(), ",5");
    assert_eq!(Progress::new(ids.clone(), Some(",5")), progress);
    for nonsense in ["", "1", "1,2,3", "x,1", "1,-1", "1,99999999999999999999999"] {
        let fresh = Progress::new(ids.clone(), Some(nonsense));
        assert!(
            fresh.jobs().iter().all(|(_, seen)| seen.is_none()),
            "{nonsense}"
        );
    }
    assert_eq!(progress.add(ids[0]), None);
    let third = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaac".parse().unwrap();
    assert_eq!(progress.add(third), Some(2));
    assert_eq!(progress.event_id(), ",5,");
}

#[test]
fn ids_are_read_once_each_and_up_to_a_limit() {
    let ids = parse_ids(&format!("{A}, {B},{A},"), 2).unwrap();
    assert_eq!(ids, [A.parse().unwrap(), B.parse().unwrap()]);
    assert_eq!(parse_ids("", 2).unwrap(), []);
    for (list, max) in [
        (format!("{A},{B}"), 1),
        ("x".into(), 2),
        ("ä".repeat(90), 2),
    ] {
        let problem = parse_ids(&list, max).unwrap_err();
        assert_eq!(problem.errors[0].pointer, "#/ids");
    }
}

#[test]
fn events_are_framed_line_by_line() {
    assert_eq!(stream_event("3", "{}"), "id: 3\ndata: {}\n\n");
    assert_eq!(
        stream_event("3", "a\nb\rc"),
        "id: 3\ndata: a\ndata: b\ndata: c\n\n"
    );
    assert_eq!(stream_start(), "retry: 1000\n\n");
    assert!(HEARTBEAT.starts_with(':') && HEARTBEAT.ends_with("\n\n"));
}
