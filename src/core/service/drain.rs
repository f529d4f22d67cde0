//! What a refusal leaves unread.
//!
//! A server that answers before it has read everything has its connection reset behind the answer,
//! and with it the answer is lost: RFC 9112, section 9.6.

use std::cell::Cell;
use std::pin::pin;

use futures_util::future::{Either, select};

use crate::ports::{Chunks, Timer};

/// How long a sender may take for [`MIN_BYTES`]; less is a stall.
const STALL_MILLIS: u64 = 10_000;
/// As for uploads that are wanted: 16 KiB a second.
const MIN_BYTES: u64 = 160 << 10;
/// How often that is waited for: a minute, in which a crowd on a busy machine gets its answers.
const MAX_PERIODS: usize = 6;

/// Reads a body to its end and keeps nothing of it. What stalls, goes on for longer than a minute,
/// or is longer than `max_bytes`, is left.
pub async fn drain(body: &mut impl Chunks, timer: &impl Timer, max_bytes: u64) {
    let seen = Cell::new(0);
    let mut rest = pin!(async {
        while let Ok(Some(chunk)) = body.next().await {
            seen.set(seen.get() + chunk.len() as u64);
            if seen.get() > max_bytes {
                break;
            }
        }
    });
    for _ in 0..MAX_PERIODS {
        let before = seen.get();
        let period = pin!(timer.sleep(STALL_MILLIS));
        if let Either::Left(_) = select(&mut rest, period).await {
            return;
        }
        if seen.get() - before < MIN_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::ports::ChunkError;

    /// A timer whose every sleep is over when nothing else goes on.
    struct Impatient;

    impl Timer for Impatient {
        async fn sleep(&self, _: u64) {}
    }

    /// A sender of chunks of so many bytes, each period of them followed by a pause; then of the end.
    struct Sender<'a> {
        periods: &'a [usize],
        pauses: bool,
        sent: usize,
    }

    impl Chunks for Sender<'_> {
        async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
            poll_fn(|_| {
                if std::mem::take(&mut self.pauses) {
                    return Poll::Pending;
                }
                let chunk = self.periods.get(self.sent).map(|&bytes| vec![0; bytes]);
                self.sent += 1;
                self.pauses = true;
                Poll::Ready(Ok(chunk))
            })
            .await
        }
    }

    /// How many chunks are asked for, the end included.
    fn asked(periods: &[usize], max_bytes: u64) -> usize {
        let mut sender = Sender {
            periods,
            pauses: false,
            sent: 0,
        };
        let end = {
            let reading = pin!(drain(&mut sender, &Impatient, max_bytes));
            reading.poll(&mut Context::from_waker(Waker::noop()))
        };
        assert_eq!(end, Poll::Ready(()));
        sender.sent
    }

    #[test]
    fn a_body_is_read_to_its_end_unless_it_stalls() {
        let enough = usize::try_from(MIN_BYTES).unwrap();
        assert_eq!(asked(&[], u64::MAX), 1);
        // As long as it comes, the end is reached, though periods pass.
        assert_eq!(asked(&[enough; 4], u64::MAX), 5);
        // Too little within one.
        assert_eq!(asked(&[enough, enough - 1, enough], u64::MAX), 2);
        // For too long, and too much.
        assert_eq!(asked(&[enough; 20], u64::MAX), MAX_PERIODS);
        assert_eq!(asked(&[enough; 4], 2 * MIN_BYTES - 1), 2);
    }
}
