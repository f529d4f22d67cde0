//! Configuration: read once, checked before use, errors name the variable.

use crate::job::Timing;
use crate::pipeline::Limits;

/// Everything that a deployment can set. The names are those of `[vars]` in `wrangler.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `MAX_UPLOAD_BYTES`: the largest picture that is accepted. Default: 32 MiB.
    pub max_upload_bytes: u64,
    /// What the picture pipeline accepts; `MAX_PIXELS` sets its pixel limit.
    pub limits: Limits,
    /// The pace of a job: `LEASE_SECS`, `RESCUE_SECS`, `RETRY_SECS`, `MAX_ATTEMPTS`, …
    pub timing: Timing,
}

/// A variable has a value that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} must be a whole number from {min} to {max}, not {value:?}")]
pub struct ConfigError {
    name: &'static str,
    value: String,
    min: u64,
    max: u64,
}

impl Config {
    /// Reads the variables that `var` knows; the others keep their defaults.
    pub fn parse(var: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let number = |name: &'static str, default: u64, min: u64, max: u64| match var(name) {
            None => Ok(default),
            Some(value) => match value.parse() {
                Ok(n) if (min..=max).contains(&n) => Ok(n),
                _ => Err(ConfigError {
                    name,
                    value,
                    min,
                    max,
                }),
            },
        };
        let small = |name, default: u32, min, max: u32| {
            number(name, default.into(), min, max.into()).map(|n| u32::try_from(n).unwrap_or(max))
        };
        let (t, l) = (Timing::default(), Limits::default());
        // A day: the longest that a queue delays a message.
        let day = 86_400;
        let max_upload_bytes = number("MAX_UPLOAD_BYTES", l.max_bytes, 1_024, 100 << 20)?;
        Ok(Self {
            max_upload_bytes,
            limits: Limits {
                max_bytes: max_upload_bytes,
                max_pixels: number("MAX_PIXELS", l.max_pixels, 1, 1 << 32)?,
                ..l
            },
            timing: Timing {
                lease_secs: small("LEASE_SECS", t.lease_secs, 1, day)?,
                rescue_secs: small("RESCUE_SECS", t.rescue_secs, 1, day)?,
                rescue_cap_secs: small("RESCUE_CAP_SECS", t.rescue_cap_secs, 1, day)?,
                retry_secs: small("RETRY_SECS", t.retry_secs, 1, day)?,
                retry_cap_secs: small("RETRY_CAP_SECS", t.retry_cap_secs, 1, day)?,
                max_attempts: small("MAX_ATTEMPTS", t.max_attempts, 1, 100)?,
                max_lost_attempts: small("MAX_LOST_ATTEMPTS", t.max_lost_attempts, 1, 100)?,
                max_sends: small("MAX_SENDS", t.max_sends, 1, 1_000)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_set_gives_the_defaults() {
        let config = Config::parse(|_| None).unwrap();
        assert_eq!(config.max_upload_bytes, 32 << 20);
        assert_eq!(config.timing, Timing::default());
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        for value in ["", "x", "-1", "1.5", "0", "999999999999999999999"] {
            let error =
                Config::parse(|name| (name == "LEASE_SECS").then(|| value.into())).unwrap_err();
            assert!(
                error.to_string().starts_with("LEASE_SECS must be"),
                "{error}"
            );
        }
    }
}
