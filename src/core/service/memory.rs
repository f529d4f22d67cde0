//! The memory of an instance, shared by all attempts that run in it.
//!
//! The platform may run several invocations in one instance, and what kills it takes all of them. So
//! an attempt reserves what it plans before it begins; what does not fit comes again later.
//!
//! An invocation that is cancelled runs no destructor: its reservation ends by itself when no
//! invocation can live any longer. What it held stays held, and the instance dies of that in the
//! end, with nothing worse than attempts that count against no image.

use std::cell::{Cell, RefCell};

use crate::job::Record;
use crate::keys::JobId;
use crate::timestamp::Timestamp;

/// After how long a reservation that nobody gives back ends: a consumer of a queue has 15 minutes.
/// <https://developers.cloudflare.com/queues/platform/limits/>
pub const LEASE_SECS: u32 = 15 * 60;

/// So often is an attempt put off before other jobs have to leave room for it.
const PATIENCE: u32 = 5;

/// How much longer than the job waits the room is kept, in seconds: the way through the queue.
const TURN_SECS: u64 = 10;

/// What attempts in one instance may take together.
#[derive(Debug)]
pub struct Memory {
    total_bytes: u64,
    lease_secs: u32,
    leases: RefCell<Vec<Lease>>,
    numbers: Cell<u64>,
    turn: Cell<Option<Turn>>,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    number: u64,
    bytes: u64,
    ends_at: Timestamp,
}

/// Room that is kept for a job which was put off again and again.
#[derive(Debug, Clone, Copy)]
struct Turn {
    job: JobId,
    bytes: u64,
    ends_at: Timestamp,
}

/// A part of it; given back when it is dropped.
#[derive(Debug)]
pub struct Reservation<'a> {
    memory: &'a Memory,
    number: u64,
}

/// More than is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{wanted_bytes} bytes do not fit beside what else runs in the instance, {free_bytes} are free"
)]
pub struct Full {
    /// What is wanted.
    pub wanted_bytes: u64,
    /// What is free.
    pub free_bytes: u64,
}

impl Memory {
    /// The memory of an instance: so many bytes. A reservation that nobody gives back ends after `lease_secs`: [`LEASE_SECS`].
    pub const fn new(total_bytes: u64, lease_secs: u32) -> Self {
        Self {
            total_bytes,
            lease_secs,
            leases: RefCell::new(Vec::new()),
            numbers: Cell::new(0),
            turn: Cell::new(None),
        }
    }

    /// Reserves what an attempt at a job plans. Unknown, or more than there is: all of it.
    pub fn reserve(
        &self,
        job: JobId,
        planned_bytes: Option<u64>,
        now: Timestamp,
    ) -> Result<Reservation<'_>, Full> {
        let bytes = self.clamp(planned_bytes.unwrap_or(u64::MAX));
        let kept = self.turn_of_another(job, now);
        let kept_bytes = kept.map_or(0, |turn| turn.bytes);
        let number = self.numbers.replace(self.numbers.get() + 1);
        self.take(number, bytes, kept_bytes, now)?;
        if kept.is_none() {
            self.turn.set(None);
        }
        Ok(Reservation {
            memory: self,
            number,
        })
    }

    /// Notes that an attempt at a job was put off. If that happens again and again, room is kept until
    /// it comes back, for one job at a time.
    pub fn put_off(&self, record: &Record, now: Timestamp) {
        let job = record.id;
        let impatient = record.deferrals >= PATIENCE && self.turn_of_another(job, now).is_none();
        if let Some(back_at) = record.due_at.filter(|_| impatient) {
            let planned_bytes = record.message().planned_bytes;
            self.turn.set(Some(Turn {
                job,
                bytes: self.clamp(planned_bytes.unwrap_or(u64::MAX)),
                ends_at: back_at.plus_secs(TURN_SECS),
            }));
        }
    }

    fn turn_of_another(&self, job: JobId, now: Timestamp) -> Option<Turn> {
        let turn = self.turn.get();
        turn.filter(|turn| now < turn.ends_at && turn.job != job)
    }

    /// Cancels what runs in the instance: none of it runs a destructor.
    #[cfg(feature = "testing")]
    pub(crate) fn leak(&self, cancel: impl FnOnce()) {
        let before = self.leases.borrow().clone();
        cancel();
        *self.leases.borrow_mut() = before;
    }

    /// A new instance begins with nothing.
    #[cfg(feature = "testing")]
    pub(crate) fn clear(&self) {
        self.leases.borrow_mut().clear();
        self.turn.set(None);
    }

    fn clamp(&self, bytes: u64) -> u64 {
        bytes.clamp(1, self.total_bytes)
    }

    /// Takes `bytes` in all under a number, beside what others have.
    fn take(&self, number: u64, bytes: u64, kept_bytes: u64, now: Timestamp) -> Result<(), Full> {
        let mut leases = self.leases.borrow_mut();
        leases.retain(|lease| now < lease.ends_at);
        let others = leases.iter().filter(|lease| lease.number != number);
        let taken: u64 = others.map(|lease| lease.bytes).sum();
        let free_bytes = self.total_bytes.saturating_sub(taken + kept_bytes);
        if bytes > free_bytes {
            return Err(Full {
                wanted_bytes: bytes,
                free_bytes,
            });
        }
        leases.retain(|lease| lease.number != number);
        leases.push(Lease {
            number,
            bytes,
            ends_at: now.plus_secs(self.lease_secs.into()),
        });
        Ok(())
    }
}

impl Reservation<'_> {
    /// Whether nothing else can run beside it.
    pub fn is_whole(&self) -> bool {
        self.bytes() >= self.memory.total_bytes
    }

    /// Reserves `bytes` in all, if that is more than it has.
    pub fn grow(&self, bytes: u64, now: Timestamp) -> Result<(), Full> {
        let bytes = self.memory.clamp(bytes);
        if bytes <= self.bytes() {
            return Ok(());
        }
        self.memory.take(self.number, bytes, 0, now)
    }

    fn bytes(&self) -> u64 {
        let leases = self.memory.leases.borrow();
        let own = leases.iter().find(|lease| lease.number == self.number);
        own.map_or(0, |lease| lease.bytes)
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut leases = self.memory.leases.borrow_mut();
        leases.retain(|lease| lease.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: u8) -> JobId {
        JobId::new(at(0), [number; 10])
    }

    /// A job that was put off, and comes back at second 10.
    fn put_off(deferrals: u32) -> Record {
        let text = r#"{"v":1,"id":"01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa","owner":"anonymous","state":"pending","revision":2,"attempts":0,"lost_attempts":0,"faults":0,"sends":1,"created_at":1000,"updated_at":2000,"source":{"format":"png","width":3,"height":2,"bytes":70,"sha256":"00"},"variants":[]}"#;
        Record {
            deferrals,
            due_at: Some(at(10)),
            ..serde_json::from_str(text).unwrap()
        }
    }

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus_secs(secs)
    }

    #[test]
    fn what_fits_together_runs_together() {
        let memory = Memory::new(100, 60);
        let first = memory.reserve(job(1), Some(40), at(0)).unwrap();
        let second = memory.reserve(job(2), Some(60), at(0)).unwrap();
        let full = memory.reserve(job(3), Some(1), at(0)).unwrap_err();
        assert_eq!((full.wanted_bytes, full.free_bytes), (1, 0));
        drop(first);
        assert!(memory.reserve(job(3), Some(41), at(0)).is_err());
        assert!(!memory.reserve(job(3), Some(40), at(0)).unwrap().is_whole());
        drop(second);
    }

    #[test]
    fn what_is_unknown_or_too_much_runs_alone() {
        let memory = Memory::new(100, 60);
        for planned in [None, Some(100), Some(u64::MAX)] {
            let whole = memory.reserve(job(1), planned, at(0)).unwrap();
            assert!(whole.is_whole());
            for other in [None, Some(0), Some(1)] {
                assert!(memory.reserve(job(2), other, at(0)).is_err());
            }
        }
    }

    #[test]
    fn a_reservation_grows_where_there_is_room() {
        let memory = Memory::new(100, 60);
        let first = memory.reserve(job(1), Some(40), at(0)).unwrap();
        let second = memory.reserve(job(2), Some(40), at(0)).unwrap();
        assert_eq!(first.grow(60, at(0)), Ok(()));
        assert_eq!(second.grow(41, at(0)).unwrap_err().free_bytes, 40);
        // Less is enough already.
        assert_eq!((second.grow(1, at(0)), second.bytes()), (Ok(()), 40));
        drop(first);
        assert_eq!(second.grow(u64::MAX, at(0)), Ok(()));
        assert!(second.is_whole());
    }

    #[test]
    fn what_nobody_gives_back_ends_by_itself() {
        let memory = Memory::new(100, 60);
        std::mem::forget(memory.reserve(job(1), None, at(0)).unwrap());
        assert!(memory.reserve(job(2), Some(1), at(59)).is_err());
        assert!(memory.reserve(job(2), Some(100), at(60)).is_ok());
    }

    #[test]
    fn who_was_put_off_often_has_room_kept_for_a_while() {
        let memory = Memory::new(100, 60);
        let small = memory.reserve(job(1), Some(50), at(0)).unwrap();
        for deferrals in 1..=PATIENCE {
            assert!(memory.reserve(job(3), Some(50), at(1)).is_ok());
            memory.put_off(&put_off(deferrals), at(1));
        }
        assert!(memory.reserve(job(3), Some(50), at(1)).is_err());
        drop(small);
        assert!(memory.reserve(job(3), Some(50), at(1)).is_err());
        assert!(
            memory
                .reserve(put_off(0).id, None, at(10))
                .unwrap()
                .is_whole()
        );
        assert!(memory.reserve(job(3), Some(50), at(10)).is_ok());
        // It may have gone to another instance meanwhile.
        memory.put_off(&put_off(PATIENCE), at(1));
        assert!(memory.reserve(job(3), Some(50), at(20)).is_ok());
    }
}
