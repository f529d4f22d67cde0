//! Calls that are given up when they hang. What they were to do may happen all the same.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use thumbnail_core::ports::StoreError;
use worker::Delay;

/// How long a binding may take. A send to a queue has been seen to hang for 57 s.
const LIMIT: Duration = Duration::from_secs(5);

/// What `call` comes to, or a fault where it takes too long.
pub async fn time_boxed<T>(
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match select(pin!(call), pin!(Delay::from(LIMIT))).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(StoreError::Transient(format!(
            "no answer within {} s",
            LIMIT.as_secs()
        ))),
    }
}
