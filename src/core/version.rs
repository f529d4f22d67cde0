//! Versions of what is stored: what a later build has written is refused, never guessed at.
//!
//! Read as far as it is known and stored again, it would lose what this build does not know. So the
//! build that does not know it leaves it alone, and whoever asks comes back when a later one answers.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::transfer::StoreError;

#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

/// The version that a JSON text says it has, if it says one.
pub fn version_of(text: &str) -> Option<u64> {
    serde_json::from_str::<Versioned>(text).ok().map(|it| it.v)
}

/// Reads JSON of a version up to `known`.
pub fn read<T: DeserializeOwned>(text: &str, known: u32) -> Result<T, StoreError> {
    match version_of(text) {
        Some(v) if v > known.into() => Err(StoreError::Transient(format!(
            "stored in version {v} by a later build; this one reads {known}"
        ))),
        _ => serde_json::from_str(text).map_err(|e| StoreError::Permanent(e.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Stored {
        v: u32,
    }

    #[test]
    fn a_later_version_is_refused_and_an_earlier_one_is_read() {
        assert_eq!(read(r#"{"v":1}"#, 2), Ok(Stored { v: 1 }));
        assert_eq!(read(r#"{"v":2,"new":true}"#, 2), Ok(Stored { v: 2 }));
        let later = read::<Stored>(r#"{"v":3}"#, 2);
        assert!(matches!(later, Err(StoreError::Transient(_))), "{later:?}");
        let damaged = read::<Stored>(r#"{"v":"#, 2);
        assert!(matches!(damaged, Err(StoreError::Permanent(_))));
    }
}
