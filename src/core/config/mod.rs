//! Configuration: read once, checked before use, errors name the variable.

mod variable;
mod variables;

use serde_json::{Map, Value};
use url::Url;

use crate::api::later::VariantsLater;
use crate::api::params::{Freedom, Rules};
use crate::api::{Cors, Params};
use crate::job::policy::MAX_STEPS;
use crate::job::{Policy, Schedule};
use crate::keys::{DEFAULT_VARIANT, is_variant_name};
use crate::outbound::{DEFAULT_PORTS, Destination, OutboundError, OutboundPolicy, SOURCE_PORTS};
use crate::signature::{SECRET_FORM, SecretError, Secrets};
use thumbnail_pipeline::{Limits, Variant};

use variable::{Number, Reader, Text};
use variables as v;

pub use variable::{Section, Variable};
pub use variables::VARIABLES;

/// Everything that a deployment can set. The names are those of `[vars]` in `wrangler.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `MAX_UPLOAD_BYTES`: the largest image that is accepted. Default: 32 MiB.
    pub max_upload_bytes: u64,
    /// `MAX_FILES`: the most files in one form. Default: 20.
    pub max_files: usize,
    /// `MAX_REQUEST_BYTES`: the most bytes that the files of one form have together.
    /// Default: 100 MiB, what the platform lets through.
    pub max_request_bytes: u64,
    /// `UPLOAD_MEMORY_BYTES`: what all uploads to one instance may hold together, the copies that
    /// JavaScript makes counted. Default: 56 MiB, of an instance's 128.
    pub upload_memory_bytes: u64,
    /// What the image pipeline accepts: `MAX_PIXELS` sets its pixel limit,
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
    /// Whether images are fetched from addresses that clients name, and from where.
    pub sources: SourceConfig,
}

/// Where images may be fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// `SOURCE_URLS`: whether any are. Default: no.
    pub enabled: bool,
    /// `SOURCE_HOSTS`, `ALLOW_INSECURE_SOURCES`: from where. Default: every public host.
    pub policy: OutboundPolicy,
    /// `SOURCE_TIMEOUT_SECS`: how long a server has to answer, and between two pieces of the image.
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
    pub const MAX_REQUEST_BYTES: u64 = v::MAX_REQUEST_BYTES.default;

    /// Reads the variables that `var` knows; the others keep their defaults.
    pub fn parse(var: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let read = Reader(&var);
        let webhook_timeout_secs = read.small(v::WEBHOOK_TIMEOUT_SECS)?;
        let max_expires_secs = read.number(v::MAX_EXPIRES_SECS)?;
        let max_upload_bytes = read.number(v::MAX_UPLOAD_BYTES)?;
        Ok(Self {
            variants_later: variants_later(
                read.text(v::VARIANTS_LATER).as_deref(),
                read.text(v::SIGNING_KEY),
            )?,
            presets: presets(read.text(v::PRESETS).as_deref().unwrap_or("{}"))?,
            presets_only: read.flag(v::PRESETS_ONLY)?,
            max_upload_bytes,
            max_files: read.small(v::MAX_FILES)? as usize,
            max_request_bytes: read.number(Number {
                min: max_upload_bytes,
                ..v::MAX_REQUEST_BYTES
            })?,
            upload_memory_bytes: read.number(v::UPLOAD_MEMORY_BYTES)?,
            limits: Limits {
                max_bytes: max_upload_bytes,
                max_pixels: read.number(v::MAX_PIXELS)?,
                max_output_bytes: read.number(v::MAX_OUTPUT_BYTES)?,
                max_work: 1_000_000 * read.number(v::MAX_WORK_MS)?,
                ..Limits::default()
            },
            policy: Policy {
                lease_secs: read.small(v::LEASE_SECS)?,
                rescue_secs: read.small(v::RESCUE_SECS)?,
                rescue_cap_secs: read.small(v::RESCUE_CAP_SECS)?,
                retry_secs: read.small(v::RETRY_SECS)?,
                retry_cap_secs: read.small(v::RETRY_CAP_SECS)?,
                max_attempts: read.small(v::MAX_ATTEMPTS)?,
                max_lost_attempts: read.small(v::MAX_LOST_ATTEMPTS)?,
                max_sends: read.small(v::MAX_SENDS)?,
                long_queue: read.small(v::LONG_QUEUE)?,
                tombstone_secs: read.small(v::TOMBSTONE_SECS)?,
                keep_sources: read.flag(v::KEEP_SOURCES)?,
                webhook_schedule: schedule(v::WEBHOOK_SCHEDULE, read.text(v::WEBHOOK_SCHEDULE))?,
                webhook_lease_secs: 3 * webhook_timeout_secs,
            },
            default_expires_secs: read.number(Number {
                max: max_expires_secs,
                ..v::DEFAULT_EXPIRES_SECS
            })?,
            max_expires_secs,
            idempotency_secs: read.number(v::IDEMPOTENCY_SECS)?,
            listing: read.flag(v::LISTING)?,
            max_backlog: read.number(v::MAX_BACKLOG)?,
            cache_secs: read.number(v::CACHE_SECS)?,
            cors: cors(read.text(v::CORS_ORIGINS))?,
            public_origin: read.text(v::PUBLIC_ORIGIN).map(public_origin).transpose()?,
            max_wait_secs: read.small(v::MAX_WAIT_SECS)?,
            listening: Listening {
                max_listeners: read.small(v::MAX_LISTENERS)?,
                max_jobs: read.small(v::MAX_LISTENED_JOBS)?,
                heartbeat_secs: read.small(v::HEARTBEAT_SECS)?,
            },
            webhooks: webhooks(&read, Secrets::parse(&var)?, webhook_timeout_secs)?,
            sources: SourceConfig {
                enabled: read.flag(v::SOURCE_URLS)?,
                policy: OutboundPolicy {
                    hosts: hosts(read.text(v::SOURCE_HOSTS)),
                    ports: SOURCE_PORTS.into(),
                    allows_http: true,
                    allows_loopback: read.flag(v::ALLOW_INSECURE_SOURCES)?,
                },
                timeout_secs: read.small(v::SOURCE_TIMEOUT_SECS)?,
            },
        })
    }
}

fn webhooks<F: Fn(&str) -> Option<String>>(
    read: &Reader<F>,
    secrets: Option<Secrets>,
    timeout_secs: u32,
) -> Result<WebhookConfig, ConfigError> {
    let config = WebhookConfig {
        default_url: None,
        policy: OutboundPolicy {
            hosts: hosts(read.text(v::WEBHOOK_HOSTS)),
            ports: numbers(
                v::WEBHOOK_PORTS,
                read.text(v::WEBHOOK_PORTS),
                &DEFAULT_PORTS,
            )?,
            allows_loopback: read.flag(v::ALLOW_INSECURE_WEBHOOKS)?,
            ..OutboundPolicy::default()
        },
        timeout_secs,
        secrets,
    };
    config.with_default(read.text(v::WEBHOOK_URL))
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
            name: v::PUBLIC_ORIGIN.name,
            must: format!("scheme and host alone, such as https://thumbs.example, not {value:?}"),
        }),
    }
}

fn variants_later(later: Option<&str>, key: Option<String>) -> Result<VariantsLater, ConfigError> {
    VariantsLater::parse(later, key).map_err(|(name, must)| ConfigError::Text { name, must })
}

/// `{"avatar": {"size": "128x128", "fit": "cover"}}`: the options of an upload, by name.
fn presets(text: &str) -> Result<Vec<Variant>, ConfigError> {
    let refused = |reason| ConfigError::Other {
        name: v::PRESETS.name,
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
    fn with_default(mut self, url: Option<String>) -> Result<Self, ConfigError> {
        if let Some(url) = url {
            let refused = |error| ConfigError::Text {
                name: v::WEBHOOK_URL.name,
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
    Text { name, .. }: Text,
    value: Option<String>,
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

fn schedule(row: Text, value: Option<String>) -> Result<Schedule, ConfigError> {
    if value.is_none() {
        return Ok(Schedule::STANDARD);
    }
    let pauses = numbers(row, value, &[])?;
    let wrong = || ConfigError::Text {
        name: row.name,
        must: format!("1 to {MAX_STEPS} pauses of at most a week, in seconds"),
    };
    let fits = pauses.iter().all(|secs| *secs <= 7 * 86_400);
    Schedule::new(&pauses).filter(|_| fits).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
