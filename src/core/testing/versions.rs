//! Two versions of each Worker at once: a later one says more than an earlier one knows, and at times
//! something that it cannot read at all.

use serde::Serialize;
use serde_json::{Value, from_value, json, to_value};

use super::World;
use crate::job::{Command, Verdict};
use crate::ports::StoreError;

/// How seldom an answer cannot be read.
const UNREADABLE_ONE_IN: u64 = 8;

impl World {
    /// A command as it arrives.
    pub(super) fn command_over_the_wire(&self, command: Command) -> Result<Command, StoreError> {
        if !self.inner.mixed.get() {
            return Ok(command);
        }
        from_value(later(&command)).map_err(|e| StoreError::Permanent(e.to_string()))
    }

    /// An answer as it arrives.
    pub(super) fn verdict_over_the_wire(&self, verdict: Verdict) -> Result<Verdict, StoreError> {
        if !self.inner.mixed.get() {
            return Ok(verdict);
        }
        let mut value = later(&verdict);
        if self.inner.random.borrow_mut().once_in(UNREADABLE_ONE_IN) {
            value["verdict"] = json!("later");
        }
        Verdict::decode(&value.to_string())
    }
}

/// What a later version makes of a value: it says something more.
fn later(value: &impl Serialize) -> Value {
    let mut value = to_value(value).unwrap_or_default();
    value["later"] = json!({ "more": [1] });
    if let Some(record) = value.get_mut("record") {
        record["later"] = json!("more");
    }
    value
}
