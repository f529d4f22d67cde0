//! What a refusal leaves unread.
//!
//! A server that answers before it has read everything has its connection reset behind the answer,
//! and with it the answer is lost: RFC 9112, section 9.6.

use std::pin::pin;

use futures_util::future::select;

use crate::ports::{Chunks, Timer};

/// How long is read on.
const DRAIN_MILLIS: u64 = 10_000;

/// Reads a body to its end and keeps nothing of it. What goes on for too long, or is longer than
/// `max_bytes`, is left.
pub async fn drain(body: &mut impl Chunks, timer: &impl Timer, max_bytes: u64) {
    let rest = pin!(async {
        let mut seen = 0;
        while let Ok(Some(chunk)) = body.next().await {
            seen += chunk.len() as u64;
            if seen > max_bytes {
                break;
            }
        }
    });
    select(rest, pin!(timer.sleep(DRAIN_MILLIS))).await;
}
