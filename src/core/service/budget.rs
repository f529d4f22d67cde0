//! What the uploads of one instance hold, counted together: first come, first served.
//!
//! Everything that runs in an instance shares its 128 MB, so what one upload may hold says nothing.
//! Whoever holds bytes has a lease on them. The budget has three shares, so that no upload waits where
//! there is room for it: small uploads beside large ones, and the copies that JavaScript has of
//! what is being stored. Within a share nobody takes the room of one that came before, so that a
//! large one is not starved.
//!
//! A lease ends by itself where its holder shows no sign of life: the platform may end a request
//! without running a destructor.

use crate::timestamp::Timestamp;

/// How long a lease lasts without a sign of life. Storing a part is none, and may take as long.
const LEASE_SECS: u64 = 30;

/// The same for a place in the queue, whose holder asks many times a second.
const QUEUED_SECS: u64 = 5;

/// How many small uploads are stored at a time. With all of them at once, each is answered when the
/// last one is; with too few, the connections to the storage stand idle.
const STORED_AT_ONCE: u64 = 6;

/// What a lease is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// What small uploads hold.
    Small,
    /// What the others hold.
    Large,
    /// Copies of what is being stored.
    Stored,
}

/// The budget of an instance.
#[derive(Debug)]
pub struct Budget {
    small: Queue,
    large: Queue,
    stored: Queue,
    arrived: u64,
}

#[derive(Debug)]
struct Queue {
    total: u64,
    leases: Vec<Lease>,
    /// In the order in which their uploads arrived.
    waiting: Vec<Lease>,
}

#[derive(Debug)]
struct Lease {
    number: u64,
    bytes: u64,
    until: Timestamp,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(total_bytes: u64) -> Self {
        let (small, stored) = (total_bytes / 8, total_bytes / 4);
        Self {
            small: Queue::new(small),
            large: Queue::new(total_bytes - small - stored),
            stored: Queue::new(stored),
            arrived: 0,
        }
    }

    /// The number of an upload that arrives: the lower, the earlier.
    pub fn arrive(&mut self) -> u64 {
        self.arrived += 1;
        self.arrived
    }

    /// Asks for a lease, or asks again: whether the upload has it now. What is more than all there
    /// is counts as all there is.
    pub fn ask(&mut self, share: Share, number: u64, bytes: u64, now: Timestamp) -> bool {
        let queue = self.queue_mut(share);
        let least = match share {
            Share::Stored => queue.total / STORED_AT_ONCE,
            Share::Small | Share::Large => 0,
        };
        queue.ask(number, bytes.clamp(least, queue.total), now)
    }

    /// How many that arrived before wait for a lease too.
    pub fn ahead(&self, share: Share, number: u64) -> usize {
        let waiting = &self.queue(share).waiting;
        waiting.partition_point(|lease| lease.number < number)
    }

    /// Shows that a holder is alive. False where its lease has ended.
    pub fn renew(&mut self, share: Share, number: u64, now: Timestamp) -> bool {
        let mut leases = self.queue_mut(share).leases.iter_mut();
        match leases.find(|lease| lease.number == number) {
            Some(lease) => {
                lease.until = now.plus_secs(LEASE_SECS);
                true
            }
            None => false,
        }
    }

    /// Gives back all of a lease but so many bytes.
    pub fn shrink(&mut self, share: Share, number: u64, bytes: u64) {
        for lease in &mut self.queue_mut(share).leases {
            if lease.number == number {
                lease.bytes = lease.bytes.min(bytes);
            }
        }
    }

    /// Gives back a lease, or the place in the queue.
    pub fn leave(&mut self, share: Share, number: u64) {
        let queue = self.queue_mut(share);
        queue.leases.retain(|lease| lease.number != number);
        queue.waiting.retain(|lease| lease.number != number);
    }

    /// Whether somebody waits for a lease.
    pub fn is_awaited(&self, share: Share, now: Timestamp) -> bool {
        let mut waiting = self.queue(share).waiting.iter();
        waiting.any(|lease| now < lease.until)
    }

    /// How many bytes are held.
    pub fn held_bytes(&self) -> u64 {
        self.small.held() + self.large.held() + self.stored.held()
    }

    fn queue(&self, share: Share) -> &Queue {
        match share {
            Share::Small => &self.small,
            Share::Large => &self.large,
            Share::Stored => &self.stored,
        }
    }

    fn queue_mut(&mut self, share: Share) -> &mut Queue {
        match share {
            Share::Small => &mut self.small,
            Share::Large => &mut self.large,
            Share::Stored => &mut self.stored,
        }
    }
}

impl Queue {
    fn new(total: u64) -> Self {
        Self {
            total,
            leases: Vec::new(),
            waiting: Vec::new(),
        }
    }

    fn held(&self) -> u64 {
        self.leases.iter().map(|lease| lease.bytes).sum()
    }

    fn ask(&mut self, number: u64, bytes: u64, now: Timestamp) -> bool {
        if self.leases.iter().any(|lease| lease.number == number) {
            return true;
        }
        self.waiting
            .retain(|lease| lease.number != number && now < lease.until);
        let at = self.waiting.partition_point(|lease| lease.number < number);
        let before: u64 = self.waiting[..at].iter().map(|lease| lease.bytes).sum();
        if self.has_room(before + bytes, now) {
            let until = now.plus_secs(LEASE_SECS);
            self.leases.push(Lease {
                number,
                bytes,
                until,
            });
            return true;
        }
        let until = now.plus_secs(QUEUED_SECS);
        self.waiting.insert(
            at,
            Lease {
                number,
                bytes,
                until,
            },
        );
        false
    }

    /// Takes from the dead only what somebody else needs: a clock that jumps kills nobody alone.
    fn has_room(&mut self, bytes: u64, now: Timestamp) -> bool {
        if self.held() + bytes > self.total {
            self.leases.retain(|lease| now < lease.until);
        }
        self.held() + bytes <= self.total
    }
}

#[cfg(test)]
mod tests;
