//! Tests of `budget`.

use super::*;

const MIB: u64 = 1 << 20;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000).plus_secs(secs)
}

/// 8 MiB small, 40 MiB large, 16 MiB stored.
fn budget() -> Budget {
    Budget::new(64 * MIB)
}

#[test]
fn first_come_is_first_served() {
    let mut budget = budget();
    let large =
        |budget: &mut Budget, number, mib| budget.ask(Share::Large, number, mib * MIB, at(0));
    assert!(large(&mut budget, 1, 30));
    assert!(!large(&mut budget, 2, 20));
    // There is room for it, and one that came before it waits.
    assert!(!large(&mut budget, 3, 1));
    assert!(large(&mut budget, 1, 30), "whoever has it, has it");
    assert_eq!(budget.ahead(Share::Large, 3), 1);
    budget.leave(Share::Large, 1);
    assert!(!large(&mut budget, 3, 21), "it would take the other's room");
    assert!(large(&mut budget, 3, 1), "there is room for both");
    assert!(large(&mut budget, 2, 20));
    assert_eq!(budget.held_bytes(), 21 * MIB);
}

#[test]
fn what_arrived_first_goes_first_whenever_it_asks() {
    let mut budget = budget();
    for number in 1..=STORED_AT_ONCE {
        assert!(budget.ask(Share::Stored, number, 1, at(0)), "{number}");
    }
    for number in [8, 7, 9] {
        assert!(!budget.ask(Share::Stored, number, 1, at(0)), "{number}");
    }
    budget.leave(Share::Stored, 5);
    // Its second turn, and the others have not had their first.
    assert!(budget.ask(Share::Stored, 5, 1, at(0)));
    budget.leave(Share::Stored, 6);
    assert!(!budget.ask(Share::Stored, 8, 1, at(0)));
    assert!(budget.ask(Share::Stored, 7, 1, at(0)));
}

#[test]
fn small_ones_do_not_wait_for_large_ones() {
    let mut budget = budget();
    assert!(budget.ask(Share::Large, 1, 40 * MIB, at(0)));
    assert!(!budget.ask(Share::Large, 2, 40 * MIB, at(0)));
    assert!(budget.ask(Share::Small, 3, MIB, at(0)));
}

#[test]
fn the_dead_lose_their_leases_when_somebody_needs_them() {
    let mut budget = budget();
    assert!(budget.ask(Share::Large, 1, 30 * MIB, at(0)));
    assert!(budget.ask(Share::Large, 2, 10 * MIB, at(0)));
    let late = LEASE_SECS + 9;
    assert!(budget.renew(Share::Large, 1, at(late)), "nobody needs it");
    assert!(!budget.ask(Share::Large, 3, 20 * MIB, at(late)));
    assert!(!budget.renew(Share::Large, 2, at(late)), "it is gone");
    assert!(budget.renew(Share::Large, 1, at(late + LEASE_SECS - 1)));
    assert!(!budget.ask(Share::Large, 3, 20 * MIB, at(late + LEASE_SECS)));
    assert!(budget.ask(Share::Large, 3, 20 * MIB, at(late + 2 * LEASE_SECS)));
}

#[test]
fn the_dead_hold_nobody_up_in_the_queue() {
    let mut budget = budget();
    assert!(budget.ask(Share::Large, 1, 40 * MIB, at(0)));
    assert!(!budget.ask(Share::Large, 2, MIB, at(0)));
    assert!(!budget.ask(Share::Large, 3, MIB, at(QUEUED_SECS - 1)));
    budget.leave(Share::Large, 1);
    let all = 40 * MIB;
    assert!(!budget.ask(Share::Large, 3, all, at(QUEUED_SECS - 1)));
    assert!(budget.ask(Share::Large, 3, all, at(QUEUED_SECS)));
    assert!(!budget.is_awaited(Share::Large, at(QUEUED_SECS)));
}

#[test]
fn one_that_needs_less_gives_back_the_rest() {
    let mut budget = budget();
    assert!(budget.ask(Share::Large, 1, 40 * MIB, at(0)));
    assert!(!budget.ask(Share::Large, 2, 30 * MIB, at(0)));
    assert!(budget.is_awaited(Share::Large, at(0)));
    budget.shrink(Share::Large, 1, 10 * MIB);
    budget.shrink(Share::Large, 1, 20 * MIB);
    assert!(budget.ask(Share::Large, 2, 30 * MIB, at(0)));
    assert!(!budget.is_awaited(Share::Large, at(0)));
}

#[test]
fn more_than_all_there_is_goes_alone() {
    let mut budget = budget();
    assert!(budget.ask(Share::Large, 1, 99 * MIB, at(0)));
    assert!(!budget.ask(Share::Large, 2, 1, at(0)));
}
