//! Tests of `apply`.

use super::*;

const DAY: u64 = 86_400;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000).plus_secs(secs)
}

fn claim(token: &str) -> KeyCommand {
    KeyCommand::Claim {
        token: token.into(),
    }
}

fn commit(token: &str) -> KeyCommand {
    KeyCommand::Commit {
        token: token.into(),
        fingerprint: format!("of {token}"),
        files: Vec::new(),
    }
}

fn answer(token: &str, body: &str) -> KeyCommand {
    answer_of(202, token, body)
}

fn answer_of(status: u16, token: &str, body: &str) -> KeyCommand {
    KeyCommand::Answer {
        token: token.into(),
        answer: Answer {
            status,
            body: body.into(),
            location: None,
            link: None,
        },
    }
}

fn release(token: &str) -> KeyCommand {
    KeyCommand::Release {
        token: token.into(),
    }
}

/// Runs commands at their times and returns the last verdict's word.
fn run(steps: &[(u64, KeyCommand)]) -> String {
    let mut record = None;
    let mut last = KeyVerdict::Lost;
    for (secs, command) in steps {
        let decision = apply(record, command.clone(), at(*secs), DAY);
        record = decision.record;
        last = decision.verdict;
    }
    match last {
        KeyVerdict::Answered {
            fingerprint,
            answer,
        } => format!("answered {} {fingerprint}", answer.body),
        KeyVerdict::Committed { token, .. } => format!("committed by {token}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_key_goes_from_hand_to_hand_only_when_it_is_free() {
    let lease = LEASE_SECS;
    for (steps, want) in [
        (vec![(0, claim("a"))], "Proceed"),
        (vec![(0, claim("a")), (1, claim("a"))], "Proceed"),
        (vec![(0, claim("a")), (lease - 1, claim("b"))], "InFlight"),
        (
            vec![(0, claim("a")), (9, claim("a")), (lease, claim("b"))],
            "InFlight",
        ),
        (
            vec![(0, claim("a")), (9, claim("a")), (lease + 9, claim("b"))],
            "Proceed",
        ),
        (vec![(0, claim("a")), (lease, claim("b"))], "Proceed"),
        (
            vec![(0, claim("a")), (1, release("a")), (2, claim("b"))],
            "Proceed",
        ),
        (
            vec![(0, claim("a")), (1, release("b")), (2, claim("b"))],
            "InFlight",
        ),
        (vec![(0, claim("a")), (1, commit("b"))], "Lost"),
        (vec![(0, claim("a")), (lease, commit("a"))], "Lost"),
        (
            vec![(0, claim("a")), (lease, claim("b")), (lease, commit("a"))],
            "Lost",
        ),
        (
            vec![(0, claim("a")), (1, commit("a")), (1, commit("a"))],
            "Taken",
        ),
        (
            vec![(0, claim("a")), (1, commit("a")), (2, claim("b"))],
            "committed by a",
        ),
        (
            vec![
                (0, claim("a")),
                (1, commit("a")),
                (2, release("a")),
                (3, claim("b")),
            ],
            "Proceed",
        ),
        (
            vec![(0, claim("a")), (1, answer("a", "x")), (2, claim("b"))],
            "InFlight",
        ),
        (vec![(0, commit("a"))], "Lost"),
        (vec![(0, answer("a", "x"))], "Lost"),
    ] {
        assert_eq!(run(&steps), want, "{steps:?}");
    }
}

#[test]
fn the_first_answer_is_the_one_that_is_repeated() {
    let answered = [
        (0, claim("a")),
        (1, commit("a")),
        (2, answer("a", "first")),
        (3, answer("a", "second")),
    ];
    for (secs, want) in [
        (4, "answered first of a"),
        (DAY, "answered first of a"),
        (DAY + 1, "Proceed"),
    ] {
        let steps = [&answered[..], &[(secs, claim("b"))]].concat();
        assert_eq!(run(&steps), want, "{secs}");
    }
}

#[test]
fn the_answer_of_whoever_waited_replaces_the_first_one_once() {
    let begun = [(0, claim("a")), (1, commit("a")), (2, answer("a", "began"))];
    for (more, want) in [
        (vec![answer_of(201, "a", "ended")], "answered ended of a"),
        (
            vec![answer_of(422, "a", "failed"), answer_of(201, "a", "ended")],
            "answered failed of a",
        ),
        (
            vec![answer_of(201, "a", "ended"), answer("a", "began")],
            "answered ended of a",
        ),
        (vec![answer_of(201, "b", "other")], "answered began of a"),
    ] {
        let more = more.into_iter().map(|command| (3, command)).collect();
        let steps = [begun.to_vec(), more, vec![(4, claim("c"))]].concat();
        assert_eq!(run(&steps), want, "{steps:?}");
    }
}

#[test]
fn the_alarm_forgets_what_is_due_and_nothing_else() {
    let claimed = apply(None, claim("a"), at(0), DAY).record;
    for (secs, kept) in [(LEASE_SECS - 1, true), (LEASE_SECS, false)] {
        let decision = apply(claimed.clone(), KeyCommand::Alarm, at(secs), DAY);
        assert_eq!(decision.record.is_some(), kept, "{secs}");
    }
}
