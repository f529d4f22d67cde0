//! Configuration: read once, checked before use, errors name the variable.

use serde_json::{Map, Value};
use url::Url;

use crate::api::later::VariantsLater;
use crate::api::params::{Freedom, Rules};
use crate::api::signature::{SECRET_FORM, SecretError, Secrets};
use crate::api::{Cors, Params};
use crate::job::policy::MAX_STEPS;
use crate::job::{Policy, Schedule};
use crate::keys::{DEFAULT_VARIANT, is_variant_name};
use crate::outbound::{DEFAULT_PORTS, Destination, OutboundError, OutboundPolicy, SOURCE_PORTS};
use thumbnail_pipeline::{Limits, Variant};

/// Everything that a deployment can set. The names are those of `[vars]` in `wrangler.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `MAX_UPLOAD_BYTES`: the largest picture that is accepted. Default: 32 MiB.
    pub max_upload_bytes: u64,
    /// `MAX_FILES`: the most files in one form. Default: 20.
    pub max_files: usize,
    /// `MAX_REQUEST_BYTES`: the most bytes that the files of one form have together.
    /// Default: 100 MiB, what the platform lets through.
    pub max_request_bytes: u64,
    /// `UPLOAD_MEMORY_BYTES`: what all uploads to one instance may hold together, the copies that
    /// JavaScript makes counted. Default: 56 MiB, of an instance's 128.
    pub upload_memory_bytes: u64,
    /// What the picture pipeline accepts: `MAX_PIXELS` sets its pixel limit,
    /// `MAX_OUTPUT_BYTES` the longest file that it writes,
    /// `MAX_WORK_MS` how much work a job may be. Default: 10 s.
    pub limits: Limits,
    /// How patient a job is: `LEASE_SECS`, `RESCUE_SECS`, `RETRY_SECS`, `MAX_ATTEMPTS`, …
    pub policy: Policy,
    /// `DEFAULT_EXPIRES_SECS`: after how long a job is deleted where its upload says nothing.
    /// Default: 30 days.
    pub default_expires_secs: u64,
    /// `MAX_EXPIRES_SECS`: the longest that an upload may ask for. Default: 365 days.
    pub max_expires_secs: u64,
    /// `IDEMPOTENCY_SECS`: how long the answer to an upload with an `Idempotency-Key` is remembered.
    /// Default: 24 h.
    pub idempotency_secs: u64,
    /// `PRESETS`: names, and the options that they stand for. Default: none.
    pub presets: Vec<Variant>,
    /// `PRESETS_ONLY`: whether other options than presets are refused. Default: no.
    pub presets_only: bool,
    /// `VARIANTS_LATER`, `SIGNING_KEY`: who may ask for thumbnails of a job that is done.
    /// Default: everybody, for presets.
    pub variants_later: VariantsLater,
    /// `LISTING`: whether `GET /thumbnails` lists everybody's jobs to whoever asks. Default: no.
    pub listing: bool,
    /// `MAX_BACKLOG`: how many messages may wait before uploads are refused. Default: 100,000.
    pub max_backlog: u64,
    /// `CACHE_SECS`: the longest that caches may keep a thumbnail. Default: a day.
    pub cache_secs: u64,
    /// `PUBLIC_ORIGIN`: what the service's URLs begin with. Default: what each request was sent to.
    pub public_origin: Option<String>,
    /// `CORS_ORIGINS`: whose pages may call the service from a browser. Default: everybody's.
    pub cors: Cors,
    /// `MAX_WAIT_SECS`: the longest that `Prefer: wait` is granted. Default: 30 s.
    pub max_wait_secs: u32,
    /// How many listen, and to how much.
    pub listening: Listening,
    /// Who may be told of a job's end, and how.
    pub webhooks: WebhookConfig,
    /// Whether pictures are fetched from addresses that clients name, and from where.
    pub sources: SourceConfig,
}

/// Where pictures may be fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// `SOURCE_URLS`: whether any are. Default: no.
    pub enabled: bool,
    /// `SOURCE_HOSTS`, `ALLOW_INSECURE_SOURCES`: from where. Default: every public host.
    pub policy: OutboundPolicy,
    /// `SOURCE_TIMEOUT_SECS`: how long a server has to answer, and between two pieces of the picture.
    /// Default: 15 s.
    pub timeout_secs: u32,
}

/// The limits of live status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// `MAX_LISTENERS`: how many may listen to one job at a time. Default: 50.
    pub max_listeners: u32,
    /// `MAX_LISTENED_JOBS`: how many jobs one connection may follow. Default: 100.
    pub max_jobs: u32,
    /// `HEARTBEAT_SECS`: the pause between two signs of life in a silent stream. Default: 15 s.
    pub heartbeat_secs: u32,
}

/// A variable's name and its value, where it has one.
type Given = (&'static str, Option<String>);

/// What webhooks may be.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookConfig {
    /// `WEBHOOK_URL`: who is told where an upload says nothing. Default: nobody.
    pub default_url: Option<String>,
    /// `WEBHOOK_HOSTS`, `WEBHOOK_PORTS`, `ALLOW_INSECURE_WEBHOOKS`: who may be.
    pub policy: OutboundPolicy,
    /// `WEBHOOK_TIMEOUT_SECS`: how long a receiver has to answer. Default: 15 s; at most 25, since the
    /// platform ends what runs 30 s after its batch.
    pub timeout_secs: u32,
    /// `WEBHOOK_SECRET`, `WEBHOOK_SECRET_PREVIOUS`: what events are signed with. Without, there are
    /// no webhooks. Only the edge has them.
    pub secrets: Option<Secrets>,
}

impl WebhookConfig {
    /// Checks a receiver. `own` is the service's own origin.
    pub fn check(&self, url: &str, own: &str) -> Result<Destination, OutboundError> {
        if self.secrets.is_none() {
            return Err(OutboundError::Unsigned);
        }
        self.policy.check(url, own)
    }
}

/// A variable has a value that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not a number, or out of range.
    #[error("{name} must be a whole number from {min} to {max}, not {value:?}")]
    Number {
        /// The variable.
        name: &'static str,
        /// What it says.
        value: String,
        /// The least that it may be.
        min: u64,
        /// The most that it may be.
        max: u64,
    },
    /// Nothing that the variable can be.
    #[error("{name} {reason}")]
    Other {
        /// The variable.
        name: &'static str,
        /// What it must be.
        reason: String,
    },
    /// Not origins.
    #[error("CORS_ORIGINS must be `*`, or origins such as `https://shop.example`, not {0:?}")]
    Origin(String),
    /// No list, address or secret.
    #[error("{name} must be {must}")]
    Text {
        /// The variable.
        name: &'static str,
        /// What it may be.
        must: String,
    },
}

impl Config {
    /// What [`Self::max_request_bytes`] is by default.
    pub const MAX_REQUEST_BYTES: u64 = 100 << 20;

    /// Reads the variables that `var` knows; the others keep their defaults.
    pub fn parse(var: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let number = |name: &'static str, default: u64, min: u64, max: u64| match var(name) {
            None => Ok(default),
            Some(value) => match value.parse() {
                Ok(n) if (min..=max).contains(&n) => Ok(n),
                _ => Err(ConfigError::Number {
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
        let list = |name: &'static str| (name, var(name));
        let webhook_timeout_secs = small("WEBHOOK_TIMEOUT_SECS", 15, 1, 25)?;
        let webhooks = WebhookConfig {
            default_url: None,
            policy: OutboundPolicy {
                hosts: hosts(var("WEBHOOK_HOSTS")),
                ports: numbers(list("WEBHOOK_PORTS"), &DEFAULT_PORTS)?,
                allows_loopback: number("ALLOW_INSECURE_WEBHOOKS", 0, 0, 1)? == 1,
                ..OutboundPolicy::default()
            },
            timeout_secs: webhook_timeout_secs,
            secrets: Secrets::parse(&var)?,
        };
        let (t, l) = (Policy::default(), Limits::default());
        // A queue delays a message for a day at the most.
        let (day, year) = (86_400, 365 * 86_400);
        let max_expires_secs = number("MAX_EXPIRES_SECS", year, 60, 100 * year)?;
        let max_upload_bytes = number("MAX_UPLOAD_BYTES", l.max_bytes, 1_024, 100 << 20)?;
        let max_request_bytes = number(
            "MAX_REQUEST_BYTES",
            Self::MAX_REQUEST_BYTES,
            max_upload_bytes,
            500 << 20,
        )?;
        Ok(Self {
            variants_later: variants_later(&var)?,
            presets: presets(var("PRESETS").as_deref().unwrap_or("{}"))?,
            presets_only: number("PRESETS_ONLY", 0, 0, 1)? == 1,
            max_upload_bytes,
            // A form has no more parts than that.
            max_files: small("MAX_FILES", 20, 1, 100)? as usize,
            max_request_bytes,
            // A part of 5 MiB has to fit into the quarter for copies.
            upload_memory_bytes: number("UPLOAD_MEMORY_BYTES", 56 << 20, 24 << 20, 64 << 20)?,
            limits: Limits {
                max_bytes: max_upload_bytes,
                max_pixels: number("MAX_PIXELS", l.max_pixels, 1, 1 << 32)?,
                max_output_bytes: number("MAX_OUTPUT_BYTES", l.max_output_bytes, 1_024, 24 << 20)?,
                max_work: 1_000_000 * number("MAX_WORK_MS", l.max_work / 1_000_000, 1, 86_400_000)?,
                ..l
            },
            policy: Policy {
                lease_secs: small("LEASE_SECS", t.lease_secs, 1, day)?,
                rescue_secs: small("RESCUE_SECS", t.rescue_secs, 1, day)?,
                rescue_cap_secs: small("RESCUE_CAP_SECS", t.rescue_cap_secs, 1, day)?,
                retry_secs: small("RETRY_SECS", t.retry_secs, 1, day)?,
                retry_cap_secs: small("RETRY_CAP_SECS", t.retry_cap_secs, 1, day)?,
                max_attempts: small("MAX_ATTEMPTS", t.max_attempts, 1, 100)?,
                max_lost_attempts: small("MAX_LOST_ATTEMPTS", t.max_lost_attempts, 1, 100)?,
                max_sends: small("MAX_SENDS", t.max_sends, 1, 1_000)?,
                long_queue: small("LONG_QUEUE", t.long_queue, 1, u32::MAX)?,
                tombstone_secs: small("TOMBSTONE_SECS", t.tombstone_secs, 1, 365 * day)?,
                keep_sources: number("KEEP_SOURCES", t.keep_sources.into(), 0, 1)? == 1,
                webhook_schedule: schedule(list("WEBHOOK_SCHEDULE"))?,
                webhook_lease_secs: 3 * webhook_timeout_secs,
            },
            default_expires_secs: number(
                "DEFAULT_EXPIRES_SECS",
                30 * 86_400,
                60,
                max_expires_secs,
            )?,
            max_expires_secs,
            idempotency_secs: number("IDEMPOTENCY_SECS", 86_400, 60, year)?,
            listing: number("LISTING", 0, 0, 1)? == 1,
            max_backlog: number("MAX_BACKLOG", 100_000, 1, 1 << 40)?,
            cache_secs: number("CACHE_SECS", day.into(), 0, year)?,
            cors: cors(var("CORS_ORIGINS"))?,
            public_origin: var("PUBLIC_ORIGIN").map(public_origin).transpose()?,
            max_wait_secs: small("MAX_WAIT_SECS", 30, 0, 60)?,
            listening: Listening {
                max_listeners: small("MAX_LISTENERS", 50, 1, 1_000)?,
                max_jobs: small("MAX_LISTENED_JOBS", 100, 1, 1_000)?,
                heartbeat_secs: small("HEARTBEAT_SECS", 15, 1, 60)?,
            },
            webhooks: webhooks.with_default(list("WEBHOOK_URL"))?,
            sources: SourceConfig {
                enabled: number("SOURCE_URLS", 0, 0, 1)? == 1,
                policy: OutboundPolicy {
                    hosts: hosts(var("SOURCE_HOSTS")),
                    ports: SOURCE_PORTS.into(),
                    allows_http: true,
                    allows_loopback: number("ALLOW_INSECURE_SOURCES", 0, 0, 1)? == 1,
                },
                timeout_secs: small("SOURCE_TIMEOUT_SECS", 15, 1, 60)?,
            },
        })
    }
}

impl Config {
    /// What an upload may ask for.
    pub fn rules(&self) -> Rules<'_> {
        Rules {
            max_expires_secs: self.max_expires_secs,
            presets: &self.presets,
            freedom: if self.presets_only {
                Freedom::PresetsOnly
            } else {
                Freedom::Any
            },
        }
    }
}

fn cors(value: Option<String>) -> Result<Cors, ConfigError> {
    value.map_or(Ok(Cors::default()), |value| {
        Cors::parse(&value).map_err(ConfigError::Origin)
    })
}

/// An origin as `Url` writes it: no path can follow, and no two spellings can stand for one.
fn public_origin(value: String) -> Result<String, ConfigError> {
    let url = Url::parse(&value).ok();
    let web = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    match web.map(|url| url.origin().ascii_serialization()) {
        Some(origin) if origin == value => Ok(value),
        _ => Err(ConfigError::Text {
            name: "PUBLIC_ORIGIN",
            must: format!("scheme and host alone, such as https://thumbs.example, not {value:?}"),
        }),
    }
}

fn variants_later(var: impl Fn(&str) -> Option<String>) -> Result<VariantsLater, ConfigError> {
    let (later, key) = (var("VARIANTS_LATER"), var("SIGNING_KEY"));
    VariantsLater::parse(later.as_deref(), key)
        .map_err(|(name, must)| ConfigError::Text { name, must })
}

/// `{"avatar": {"size": "128x128", "fit": "cover"}}`: the options of an upload, by name.
fn presets(text: &str) -> Result<Vec<Variant>, ConfigError> {
    let refused = |reason| ConfigError::Other {
        name: "PRESETS",
        reason,
    };
    let presets: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| refused(format!("must be a JSON object of presets: {error}")))?;
    presets
        .into_iter()
        .map(|(name, options)| {
            let wrong = |why| refused(format!("has a wrong preset {name:?}: {why}"));
            preset(&name, &options).map_err(wrong)
        })
        .collect()
}

fn preset(name: &str, options: &Value) -> Result<Variant, String> {
    if !is_variant_name(name) || name == DEFAULT_VARIANT {
        return Err("a name has 1 to 32 of a-z, 0-9 and -, and is not \"default\"".into());
    }
    let mut params = Params::default();
    for (option, value) in options
        .as_object()
        .ok_or("its options are no JSON object")?
    {
        if matches!(
            option.as_str(),
            "sizes" | "preset" | "expires_in" | "webhook"
        ) {
            return Err(format!("{option} cannot stand in it"));
        }
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let added = params.add(option, &value);
        added.map_err(|problem| problem.detail)?;
    }
    let rules = Rules {
        max_expires_secs: u64::MAX,
        presets: &[],
        freedom: Freedom::Any,
    };
    let asked = params.parse(&rules).map_err(|problem| problem.detail)?;
    let options = asked.variants.first().map(|variant| variant.options);
    Ok(Variant {
        name: name.into(),
        options: options.unwrap_or_default(),
    })
}

impl WebhookConfig {
    /// With a receiver for uploads that name none. It is not repeated in an error: it may be secret.
    fn with_default(mut self, (name, url): Given) -> Result<Self, ConfigError> {
        if let Some(url) = url {
            let refused = |error| ConfigError::Text {
                name,
                must: format!("an address that may be told, and is not: {error}"),
            };
            self.default_url = Some(self.check(&url, "").map_err(refused)?.as_str().into());
        }
        Ok(self)
    }
}

impl From<SecretError> for ConfigError {
    fn from(SecretError { name }: SecretError) -> Self {
        let must = SECRET_FORM.into();
        Self::Text { name, must }
    }
}

/// Names of hosts, separated by commas.
fn hosts(value: Option<String>) -> Vec<String> {
    let value = value.unwrap_or_default();
    let names = value
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase());
    names.filter(|name| !name.is_empty()).collect()
}

/// Whole numbers, separated by commas.
fn numbers<T: std::str::FromStr + Clone>(
    (name, value): Given,
    default: &[T],
) -> Result<Vec<T>, ConfigError> {
    let Some(value) = value else {
        return Ok(default.into());
    };
    let wrong = |_| ConfigError::Text {
        name,
        must: format!("whole numbers separated by commas, not {value:?}"),
    };
    let parse = |number: &str| number.trim().parse();
    value
        .split(',')
        .map(parse)
        .collect::<Result<_, _>>()
        .map_err(wrong)
}

fn schedule((name, value): Given) -> Result<Schedule, ConfigError> {
    if value.is_none() {
        return Ok(Schedule::STANDARD);
    }
    let pauses = numbers((name, value), &[])?;
    let wrong = || ConfigError::Text {
        name,
        must: format!("1 to {MAX_STEPS} pauses of at most a week, in seconds"),
    };
    let fits = pauses.iter().all(|secs| *secs <= 7 * 86_400);
    Schedule::new(&pauses).filter(|_| fits).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::later::SigningKey;

    #[test]
    fn nothing_set_gives_the_defaults() {
        let config = Config::parse(|_| None).unwrap();
        assert_eq!(config.max_upload_bytes, 32 << 20);
        assert_eq!(config.policy, Policy::default());
        assert_eq!(config.cors, Cors::Any);
    }

    #[test]
    fn a_wrong_origin_is_shown() {
        let error = Config::parse(|name| (name == "CORS_ORIGINS").then(|| "x".into()));
        let text = error.unwrap_err().to_string();
        assert!(
            text.starts_with("CORS_ORIGINS must be") && text.ends_with("\"x\""),
            "{text}"
        );
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

    #[test]
    fn a_public_origin_is_scheme_and_host_alone() {
        let parse =
            |text: &str| Config::parse(|name| (name == "PUBLIC_ORIGIN").then(|| text.into()));
        for origin in [
            "https://thumbs.example",
            "http://127.0.0.1:8787",
            "https://xn--mnchen-3ya.example",
        ] {
            assert_eq!(
                parse(origin).unwrap().public_origin.as_deref(),
                Some(origin)
            );
        }
        for wrong in [
            "thumbs.example",
            "https://thumbs.example/",
            "https://thumbs.example/a",
            "https://Thumbs.example",
            "https://thumbs.example:443",
            "https://user@thumbs.example",
            "https://thumbs.example?a",
            "ftp://thumbs.example",
            "https://",
        ] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(
                error.starts_with("PUBLIC_ORIGIN must be scheme and host alone"),
                "{error}"
            );
        }
    }

    #[test]
    fn presets_are_options_by_name() {
        let parse = |text: &str| Config::parse(|name| (name == "PRESETS").then(|| text.into()));
        let config =
            parse(r#"{"avatar": {"size": "128x96", "enlarge": false, "quality": 60}, "b": {}}"#);
        let presets = config.unwrap().presets;
        let names: Vec<_> = presets.iter().map(|preset| preset.name.as_str()).collect();
        assert_eq!(names, ["avatar", "b"]);
        let options = presets[0].options;
        assert_eq!((options.width, options.height), (Some(128), Some(96)));
        assert_eq!((options.enlarge, options.quality), (false, 60));
    }

    #[test]
    fn a_wrong_preset_is_named() {
        for (text, words) in [
            ("", "JSON object"),
            ("[]", "JSON object"),
            ("{\"a\": 5}", "\"a\""),
            ("{\"A\": {}}", "\"A\""),
            ("{\"default\": {}}", "default"),
            ("{\"a\": {\"width\": 0}}", "width must be"),
            ("{\"a\": {\"widht\": 5}}", "no option"),
            ("{\"a\": {\"sizes\": \"5x5\"}}", "sizes cannot"),
        ] {
            let error = Config::parse(|name| (name == "PRESETS").then(|| text.into()));
            let error = error.unwrap_err().to_string();
            assert!(
                error.starts_with("PRESETS ") && error.contains(words),
                "{error}"
            );
        }
    }

    #[test]
    fn later_variants_are_signed_with_a_key_that_is_long_enough() {
        let parse = |later: &str, key: Option<&str>| {
            let config = Config::parse(|name| match name {
                "VARIANTS_LATER" => Some(later.into()),
                "SIGNING_KEY" => key.map(str::to_owned),
                _ => None,
            });
            config
                .map(|config| config.variants_later)
                .map_err(|error| error.to_string())
        };
        let key = "k".repeat(32);
        let signed = SigningKey::new(key.clone()).map(VariantsLater::Signed);
        for (later, key, want) in [
            ("off", None, Ok(VariantsLater::Off)),
            ("presets", None, Ok(VariantsLater::Presets)),
            ("any", None, Ok(VariantsLater::Any)),
            ("signed", Some(key.as_str()), Ok(signed.unwrap())),
            ("signed", None, Err("SIGNING_KEY must be")),
            ("signed", Some("short"), Err("SIGNING_KEY must be")),
            ("yes", None, Err("VARIANTS_LATER must be")),
        ] {
            match (parse(later, key), want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want),
                (Err(got), Err(start)) => {
                    assert!(got.starts_with(start) && !got.contains("short"), "{got}");
                }
                (got, want) => panic!("{later}: {got:?}, not {want:?}"),
            }
        }
        let shown = format!("{:?}", parse("signed", Some(&key)));
        assert!(!shown.contains("kkk"), "{shown}");
    }

    fn with(pairs: &[(&str, &str)]) -> Result<WebhookConfig, String> {
        let var = |name: &str| {
            pairs
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).into())
        };
        let config = Config::parse(var).map_err(|e| e.to_string())?;
        Ok(config.webhooks)
    }

    const SECRET: (&str, &str) = ("WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

    #[test]
    fn webhooks_need_a_secret() {
        let url = "https://example.com/hook";
        assert_eq!(
            with(&[]).unwrap().check(url, ""),
            Err(OutboundError::Unsigned)
        );
        assert!(with(&[SECRET]).unwrap().check(url, "").is_ok());
        let error = with(&[("WEBHOOK_URL", url)]).unwrap_err();
        assert!(error.starts_with("WEBHOOK_URL must be"), "{error}");
        let config = with(&[SECRET, ("WEBHOOK_URL", url)]).unwrap();
        assert_eq!(config.default_url.as_deref(), Some(url));
    }

    #[test]
    fn lists_are_read_and_wrong_ones_are_named() {
        let hosts = ("WEBHOOK_HOSTS", "Example.com, *.example.org,");
        let config = with(&[hosts, ("WEBHOOK_PORTS", "443, 9443")]).unwrap();
        assert_eq!(config.policy.hosts, ["example.com", "*.example.org"]);
        assert_eq!(config.policy.ports, [443, 9443]);
        for (name, value) in [
            ("WEBHOOK_PORTS", "https"),
            ("WEBHOOK_PORTS", "70000"),
            ("WEBHOOK_SCHEDULE", ""),
            ("WEBHOOK_SCHEDULE", "0,-5"),
            ("WEBHOOK_SCHEDULE", "9999999"),
            ("WEBHOOK_SCHEDULE", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"),
            ("WEBHOOK_SECRET", "secret"),
            ("WEBHOOK_TIMEOUT_SECS", "60"),
        ] {
            let error = with(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{name} must be")), "{error}");
        }
        let secret = with(&[("WEBHOOK_SECRET", "hush")]).unwrap_err();
        assert!(!secret.contains("hush"));
    }

    #[test]
    fn a_schedule_is_read() {
        let policy = Config::parse(|name| (name == "WEBHOOK_SCHEDULE").then(|| "0,2".into()))
            .unwrap()
            .policy;
        let pauses: Vec<_> = (0..3)
            .map(|step| policy.webhook_schedule.pause_secs(step))
            .collect();
        assert_eq!(pauses, [Some(0), Some(2), None]);
    }
}
