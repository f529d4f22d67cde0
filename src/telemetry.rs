//! One line per request and per message: a JSON object, so that nothing in it can forge another.

use serde_json::{Value, json};
use worker::{console_error, console_log};

/// Logs an event with its fields.
pub fn log(event: &str, fields: &Value) {
    console_log!("{}", line(event, fields));
}

/// Logs an event that somebody should look at.
pub fn alert(event: &str, fields: &Value) {
    console_error!("{}", line(event, fields));
}

fn line(event: &str, fields: &Value) -> Value {
    json!({ "event": event, "fields": fields })
}
