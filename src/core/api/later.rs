//! Who may ask for more thumbnails of a job that is done, and how a request is signed.

use std::fmt;

use hmac::Mac;

use super::problem::{Problem, ProblemKind};
use crate::hex;
use crate::keys::JobId;
use crate::signature::code;

/// As long as the digest: a shorter key is guessed sooner than it.
const MIN_SIGNING_KEY_BYTES: usize = 32;

/// Who may ask for more thumbnails of a job that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariantsLater {
    /// Nobody.
    Off,
    /// Everybody, for the presets.
    Presets,
    /// Whoever signs the request, for anything.
    Signed(SigningKey),
    /// Everybody, for anything.
    Any,
}

impl VariantsLater {
    /// Reads `VARIANTS_LATER` and `SIGNING_KEY`; an error names the variable and what it must be.
    pub fn parse(value: Option<&str>, key: Option<String>) -> Result<Self, (&'static str, String)> {
        match value {
            None | Some("presets") => Ok(Self::Presets),
            Some("off") => Ok(Self::Off),
            Some("any") => Ok(Self::Any),
            Some("signed") => match key.and_then(SigningKey::new) {
                Some(key) => Ok(Self::Signed(key)),
                None => Err((
                    "SIGNING_KEY",
                    format!("{MIN_SIGNING_KEY_BYTES} bytes or more where VARIANTS_LATER is signed"),
                )),
            },
            Some(other) => Err((
                "VARIANTS_LATER",
                format!("off, presets, signed or any, not {other:?}"),
            )),
        }
    }
}

/// What requests are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(String);

/// Shows nothing of it.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(hidden)")
    }
}

impl SigningKey {
    /// A key, if it is long enough.
    pub fn new(key: String) -> Option<Self> {
        (key.len() >= MIN_SIGNING_KEY_BYTES).then_some(Self(key))
    }

    /// Checks the query of a request for a job, and returns what of it was signed.
    ///
    /// It ends with `signature=`, the HMAC-SHA256 in hexadecimal digits of the job's id, a `?` and
    /// all of the query before it, as it is sent.
    pub fn verify<'a>(&self, id: JobId, query: &'a str) -> Result<&'a str, Problem> {
        let refused = |detail: &str| Problem::new(ProblemKind::BadSignature, detail);
        let (signed, signature) = query
            .rsplit_once("&signature=")
            .ok_or_else(|| refused("the query does not end with a signature"))?;
        let digest: [u8; 32] = hex::decode(signature)
            .ok_or_else(|| refused("a signature has 64 hexadecimal digits"))?;
        let code = code(self.0.as_bytes(), &format!("{id}?{signed}"));
        // Takes the same time whichever byte is wrong.
        match code.map(|code| code.verify_slice(&digest)) {
            Some(Ok(())) => Ok(signed),
            _ => Err(refused(
                "the signature does not belong to this job and these options",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa";
    /// `printf %s "$ID?size=300x200&fit=inside" | openssl dgst -sha256 -hmac "a key of 32 characters, at least"`
    const SIGNATURE: &str = "1e587c538ea077e12b1b057d51564d93015331e13e99670504dfc618cf2c4760";

    fn check(id: &str, query: &str) -> Result<String, ProblemKind> {
        let key = SigningKey::new("a key of 32 characters, at least".into()).unwrap();
        let signed = key.verify(id.parse().unwrap(), query);
        signed.map(str::to_owned).map_err(|problem| problem.kind)
    }

    #[test]
    fn what_openssl_signs_is_taken() {
        let query = format!("size=300x200&fit=inside&signature={SIGNATURE}");
        assert_eq!(check(ID, &query).unwrap(), "size=300x200&fit=inside");
    }

    #[test]
    fn any_other_byte_is_refused() {
        let query = format!("size=300x200&fit=inside&signature={SIGNATURE}");
        for at in 0..query.len() {
            let mut other = query.clone().into_bytes();
            other[at] ^= 1;
            let other = String::from_utf8(other).unwrap();
            assert_eq!(check(ID, &other), Err(ProblemKind::BadSignature), "{other}");
        }
        let other_job = ID.replace("1e-0", "1f-0");
        for (id, query) in [
            (other_job.as_str(), query.as_str()),
            (ID, ""),
            (ID, "size=300x200&fit=inside"),
            (ID, "size=300x200&fit=inside&signature="),
            (ID, &format!("{query}0")),
            (ID, &format!("{query}&quality=5")),
        ] {
            assert_eq!(check(id, query), Err(ProblemKind::BadSignature), "{query}");
        }
    }
}
