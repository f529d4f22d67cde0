//! Where a listing goes on: a text that clients hand back as it is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::keys::JobId;

/// What every cursor of this version begins with.
const VERSION: &str = "1:";

/// A longer text is no cursor: a version, an id, and room for more in Base64.
pub const MAX_LEN: usize = 128;

/// The cursor of the page that begins behind a job.
pub fn encode(last: JobId) -> String {
    URL_SAFE_NO_PAD.encode(format!("{VERSION}{last}"))
}

/// The job that a cursor stands behind, unless it is not one of ours.
pub fn decode(cursor: &str) -> Option<JobId> {
    if cursor.len() > MAX_LEN {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix(VERSION)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa";
    const CURSOR: &str = "MTowMTk5N2MxZS0wMDAwLTdhYWEtOGFhYS1hYWFhYWFhYWFhYWE";

    #[test]
    fn a_cursor_keeps_its_form() {
        assert_eq!(encode(ID.parse().unwrap()), CURSOR);
        assert_eq!(decode(CURSOR), ID.parse().ok());
    }

    #[test]
    fn what_is_cut_short_or_changed_is_no_cursor() {
        for len in 0..CURSOR.len() {
            assert_eq!(decode(&CURSOR[..len]), None, "{len}");
        }
        for wrong in ["x", ID, "Mjo", &format!("{CURSOR}="), &"M".repeat(1 << 16)] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
        for at in 0..CURSOR.len() {
            for bit in 0..7 {
                let mut bytes = CURSOR.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let text = String::from_utf8(bytes).unwrap();
                // Another digit of the id makes another cursor, which is as good; all else is refused.
                if let Some(id) = decode(&text) {
                    assert_eq!(encode(id), text);
                }
            }
        }
    }
}
