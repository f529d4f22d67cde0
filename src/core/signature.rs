//! Signatures of webhooks as Standard Webhooks 1.0.0 has them: `v1`, HMAC-SHA256.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How a secret begins.
const PREFIX: &str = "whsec_";

/// The lengths of a secret that the specification allows, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What webhooks are signed with: the secret, and during a rotation the one before it too.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    keys: Vec<Vec<u8>>,
}

/// Shows nothing of them.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} hidden)", self.keys.len())
    }
}

/// A secret is none. What it was is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} must be {SECRET_FORM}")]
pub struct SecretError {
    /// The variable.
    pub name: &'static str,
}

/// What a secret looks like.
pub const SECRET_FORM: &str = "whsec_ and the Base64 of 24 to 64 bytes";

impl Secrets {
    /// Reads `WEBHOOK_SECRET` and `WEBHOOK_SECRET_PREVIOUS`; `None` where neither is set.
    pub fn parse(var: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SecretError> {
        let mut keys = Vec::new();
        for name in ["WEBHOOK_SECRET", "WEBHOOK_SECRET_PREVIOUS"] {
            match var(name) {
                Some(text) => keys.push(key(&text).ok_or(SecretError { name })?),
                // Without a secret of its own, a previous one signs nothing.
                None if keys.is_empty() => return Ok(None),
                None => {}
            }
        }
        Ok(Some(Self { keys }))
    }

    /// The value of `webhook-signature`: one signature for each secret, separated by spaces.
    pub fn sign(&self, id: &str, timestamp_secs: u64, body: &str) -> String {
        let content = format!("{id}.{timestamp_secs}.{body}");
        let signatures = self.keys.iter().filter_map(|key| {
            let code = STANDARD.encode(code(key, &content)?.finalize().into_bytes());
            Some(format!("v1,{code}"))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

/// The code of a text. There is one for every key: HMAC takes any length.
pub(super) fn code(key: &[u8], content: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::new_from_slice(key).ok()?;
    mac.update(content.as_bytes());
    Some(mac)
}

fn key(text: &str) -> Option<Vec<u8>> {
    let encoded = text.trim().strip_prefix(PREFIX)?;
    let key = STANDARD.decode(encoded).ok()?;
    SECRET_BYTES.contains(&key.len()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

    fn secrets(current: &str, previous: Option<&str>) -> Result<Option<Secrets>, SecretError> {
        Secrets::parse(|name| match name {
            "WEBHOOK_SECRET" => Some(current.into()),
            _ => previous.map(str::to_owned),
        })
    }

    /// The specification's own example.
    #[test]
    fn the_test_vector_of_standard_webhooks_is_met() {
        let signature = secrets(SECRET, None).unwrap().unwrap().sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_rotation_signs_with_both_the_new_one_first() {
        let both = secrets(OTHER, Some(SECRET)).unwrap().unwrap();
        let signed = both.sign("msg_1", 7, "{}");
        let alone = |secret| {
            secrets(secret, None)
                .unwrap()
                .unwrap()
                .sign("msg_1", 7, "{}")
        };
        assert_eq!(signed, format!("{} {}", alone(OTHER), alone(SECRET)));
    }

    #[test]
    fn what_is_no_secret_is_refused_and_never_shown() {
        let short = format!("whsec_{}", STANDARD.encode([7; 23]));
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for wrong in ["", "x", "whsec_", "whsec_???", &SECRET[6..], &short, &long] {
            let error = secrets(wrong, None).unwrap_err().to_string();
            assert!(error.starts_with("WEBHOOK_SECRET must be"), "{error}");
            assert!(wrong.len() < 20 || !error.contains(wrong));
            let error = secrets(SECRET, Some(wrong)).unwrap_err().to_string();
            assert!(error.starts_with("WEBHOOK_SECRET_PREVIOUS must be"));
        }
        for bytes in [24, 64] {
            let fits = format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
            assert!(secrets(&fits, None).unwrap().is_some());
        }
        assert_eq!(Secrets::parse(|_| None), Ok(None));
        let shown = format!("{:?}", secrets(SECRET, Some(OTHER)).unwrap());
        assert_eq!(shown, "Some(Secrets(2 hidden))");
    }
}
