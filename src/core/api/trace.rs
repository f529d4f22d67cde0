//! What lets a client and the log speak of the same request: its id, and where its time went.

use std::fmt::Write;

/// The longest id that is taken from a client.
const MAX_ID_LEN: usize = 128;

/// The id of a request: the client's own where it is fit for a log, else a new one.
pub fn request_id(given: Option<&str>, random: [u8; 16]) -> String {
    let fit = |id: &&str| {
        let byte = |b: u8| b.is_ascii_alphanumeric() || b"-_.:=+/".contains(&b);
        (1..=MAX_ID_LEN).contains(&id.len()) && id.bytes().all(byte)
    };
    match given.filter(fit) {
        Some(id) => id.into(),
        None => uuid::Builder::from_random_bytes(random)
            .into_uuid()
            .to_string(),
    }
}

/// Calls of a binding during one request, and how long they took together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BindingTime {
    /// The binding.
    pub name: &'static str,
    /// How often it was called.
    pub calls: u32,
    /// Milliseconds.
    pub millis: u64,
}

/// `Server-Timing`, where anything was called.
pub fn server_timing(times: &[BindingTime]) -> Option<String> {
    let mut header = String::new();
    for BindingTime {
        name,
        calls,
        millis,
    } in times
    {
        let comma = if header.is_empty() { "" } else { ", " };
        // Writing into a string cannot fail.
        let _ = write!(header, "{comma}{name};dur={millis}");
        if *calls > 1 {
            let _ = write!(header, ";desc=\"{calls} calls\"");
        }
    }
    (!header.is_empty()).then_some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_a_log_is_replaced() {
        let new = "01010101-0101-4101-8101-010101010101";
        for (given, want) in [
            (Some("abc-123_X.y"), "abc-123_X.y"),
            (None, new),
            (Some(""), new),
            (Some("a b"), new),
            (Some("a\nb"), new),
            (Some("a\"b"), new),
            (Some("ä"), new),
        ] {
            assert_eq!(request_id(given, [1; 16]), want, "{given:?}");
        }
        let long = "x".repeat(MAX_ID_LEN + 1);
        assert_eq!(request_id(Some(&long[1..]), [1; 16]), long[1..]);
        assert_eq!(request_id(Some(&long), [1; 16]), new);
    }

    #[test]
    fn each_binding_shows_its_time() {
        let time = |name, calls, millis| BindingTime {
            name,
            calls,
            millis,
        };
        assert_eq!(server_timing(&[]), None);
        assert_eq!(
            server_timing(&[time("r2", 1, 12), time("kv", 2, 3)]).as_deref(),
            Some("r2;dur=12, kv;dur=3;desc=\"2 calls\"")
        );
    }
}
