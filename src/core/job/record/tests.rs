//! Tests of `record`.

use super::*;

const DONE: &str = r#"{"v":1,"id":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","owner":"anonymous","state":"done","revision":2,"attempts":1,"lost_attempts":0,"faults":0,"sends":1,"created_at":1795428000000,"updated_at":1795428001000,"source":{"format":"png","width":3,"height":2,"bytes":70,"sha256":"00"},"variants":[{"name":"default","dpr":1.0,"fit":"cover","gravity":"center","enlarge":true,"background":"transparent","format":"source","quality":80,"progressive":false,"linear":false,"truncated":"accept","page":0}],"thumbnails":[{"name":"default","format":"png","width":100,"height":100,"bytes":9,"etag":"e"}]}"#;
const VARIANT: &str = r#"{"name":"5x","width":5,"dpr":1.0,"fit":"cover","gravity":"center","enlarge":true,"background":"transparent","format":"source","quality":80,"progressive":false,"linear":false,"truncated":"accept","page":0}"#;

#[test]
fn the_stored_form_of_a_job_that_is_done_stays() {
    let record: Record = serde_json::from_str(DONE).unwrap();
    assert_eq!((&record.extension, record.refused.len()), (&None, 0));
    assert_eq!(serde_json::to_string(&record).unwrap(), DONE);
}

#[test]
fn the_stored_form_of_what_is_counted_stays() {
    let pairs = [
        (
            r#""lost_attempts":0"#,
            r#""lost_attempts":2,"lost_alone":1,"alone":true"#,
        ),
        (
            r#""sends":1"#,
            r#""sends":1,"deferrals":3,"parked":true,"reruns":4,"rerun_at":7"#,
        ),
    ];
    let text = pairs
        .iter()
        .fold(DONE.to_owned(), |text, (old, new)| text.replace(old, new));
    let record: Record = serde_json::from_str(&text).unwrap();
    assert!(record.wants_to_be_alone() && record.message().planned_bytes.is_none());
    assert_eq!(serde_json::to_string(&record).unwrap(), text);
}

#[test]
fn the_stored_form_of_what_is_planned_stays() {
    let planned = r#""planned_bytes":5,"thumbnails""#;
    let text = DONE.replace(r#""thumbnails""#, planned);
    let record: Record = serde_json::from_str(&text).unwrap();
    assert_eq!(record.message().planned_bytes, Some(5));
    assert_eq!(serde_json::to_string(&record).unwrap(), text);
}

#[test]
fn the_stored_form_of_an_extension_stays() {
    let more = format!(
        r#","extension":{{"state":"pending","variants":[{VARIANT}]}},"refused":[{{"variant":{VARIANT},"failure":{{"kind":"poison","detail":"x"}}}}]}}"#
    );
    let text = format!("{}{more}", DONE.strip_suffix('}').unwrap());
    let record: Record = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&record).unwrap(), text);
    let intent = format!(r#"{{"intent":"extend","variants":[{VARIANT}]}}"#);
    let read: Intent = serde_json::from_str(&intent).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), intent);
}

/// What the first version stored, before `tries` and `tell_at`.
const OLD: &str = r#"{"v":1,"id":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","owner":"anonymous","state":"processing","revision":2,"attempts":1,"lost_attempts":0,"faults":0,"sends":1,"created_at":1000,"updated_at":2000,"expires_at":9000,"intent":{"intent":"cancel"},"due_at":3000,"source":{"format":"png","width":3,"height":2,"bytes":70,"sha256":"00"},"variants":[]}"#;

#[test]
fn the_stored_form_stays() {
    let record: Record = serde_json::from_str(OLD).unwrap();
    assert_eq!(record.intent, Some(Intent::Cancel));
    assert_eq!(serde_json::to_string(&record).unwrap(), OLD);
}

#[test]
fn what_was_added_is_stored_behind() {
    let mut record: Record = serde_json::from_str(OLD).unwrap();
    (record.tries, record.tell_at) = (2, Some(Timestamp::from_millis(2_500)));
    let text = serde_json::to_string(&record).unwrap();
    assert!(
        text.contains(r#""tries":2,"due_at":3000,"tell_at":2500,"#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    assert_eq!(record.alarm_at(), Some(Timestamp::from_millis(2_500)));
}

#[test]
fn the_stored_form_of_times_stays() {
    let text = r#"{"queued_ms":5,"attempt_at":7,"processing_ms":9}"#;
    let timings: Timings = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&timings).unwrap(), text);
    assert_eq!(timings.attempt_at, Some(Timestamp::from_millis(7)));
}
