//! How many attempts at webhooks go on in one instance when their batches are over.
//!
//! The queue brings the next batch at once, however slow the receivers of the last one are: without a
//! bound, a crowd of slow receivers would fill the instance's memory, in which images are made, too.

use std::cell::RefCell;

use crate::timestamp::Timestamp;

/// The attempts that go on.
#[derive(Debug)]
pub struct Ongoing {
    most: usize,
    /// When each is over at the latest: the platform may end one without running a destructor.
    ends: RefCell<Vec<Timestamp>>,
}

/// The place of an attempt, to be given back.
#[derive(Debug, PartialEq, Eq)]
pub struct Place(Timestamp);

impl Ongoing {
    /// Places for so many attempts.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            ends: RefCell::new(Vec::new()),
        }
    }

    /// A place for an attempt that is over in `secs` at the latest; `None` where all are taken.
    pub fn begin(&self, now: Timestamp, secs: u32) -> Option<Place> {
        let mut ends = self.ends.borrow_mut();
        ends.retain(|end| *end > now);
        if ends.len() >= self.most {
            return None;
        }
        let end = now.plus_secs(secs.into());
        ends.push(end);
        Some(Place(end))
    }

    /// Gives a place back.
    pub fn end(&self, Place(end): Place) {
        let mut ends = self.ends.borrow_mut();
        if let Some(index) = ends.iter().position(|other| *other == end) {
            ends.swap_remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus_secs(secs)
    }

    #[test]
    fn no_more_go_on_than_there_are_places_and_the_dead_leave_theirs() {
        let ongoing = Ongoing::new(2);
        let first = ongoing.begin(at(0), 30).unwrap();
        assert!(ongoing.begin(at(1), 30).is_some());
        assert_eq!(ongoing.begin(at(2), 30), None);
        ongoing.end(first);
        assert!(ongoing.begin(at(3), 30).is_some());
        assert_eq!(ongoing.begin(at(30), 30), None);
        // The one that began at 1 never came back.
        assert!(ongoing.begin(at(31), 30).is_some());
        assert_eq!(ongoing.begin(at(32), 30), None);
    }
}
