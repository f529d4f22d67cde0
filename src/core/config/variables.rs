//! Every configuration variable: one row each. Parsing and `src/docs/configuration.md` are made of them.
//!
//! The order is that of the documentation.

use super::variable::{Flag, Number, Section, Text, Variable, variables};

const DAY_SECS: u64 = 86_400;
const YEAR_SECS: u64 = 365 * DAY_SECS;

variables! {
    Number MAX_UPLOAD_BYTES {
        section: Section::Both,
        unit: "bytes",
        default: 32 << 20,
        min: 1_024,
        max: 100 << 20,
        about: "The largest file that is accepted.",
    }
    Number MAX_PIXELS {
        section: Section::Both,
        unit: "pixels",
        default: 400_000_000,
        min: 1,
        max: 1 << 32,
        about: "The largest image, width times height.",
    }
    Number MAX_OUTPUT_BYTES {
        section: Section::Both,
        unit: "bytes",
        default: 24 << 20,
        min: 1_024,
        max: 24 << 20,
        about: "The longest file of a thumbnail; more than the default does not fit into a Worker.",
    }
    Number MAX_WORK_MS {
        section: Section::Both,
        unit: "milliseconds",
        default: 10_000,
        min: 1,
        max: 86_400_000,
        about: "The most work of one job, all of its sizes together: roughly the CPU time that it may take.",
    }
    Number WEBHOOK_TIMEOUT_SECS {
        section: Section::Both,
        unit: "seconds",
        default: 15,
        min: 1,
        max: 25,
        about: "How long the receiver of a webhook has to answer. The platform ends what runs 30 s after its batch.",
    }
    Number CACHE_SECS {
        section: Section::Answers,
        unit: "seconds",
        default: DAY_SECS,
        min: 0,
        max: YEAR_SECS,
        about: "The longest that caches may keep a thumbnail.",
    }
    Text PUBLIC_ORIGIN {
        section: Section::Answers,
        default: "the host of each request",
        values: "scheme and host",
        about: "What the URLs of the service begin with, in answers and in webhooks, such as `https://thumbs.example.com`. Without it, a webhook has the host of its upload.",
    }
    Text CORS_ORIGINS {
        section: Section::Answers,
        default: "`*`",
        values: "origins, separated by commas",
        about: "The origins whose pages may call the service from a browser, such as `https://shop.example`.",
    }
    Number MAX_WAIT_SECS {
        section: Section::Answers,
        unit: "seconds",
        default: 30,
        min: 0,
        max: 60,
        about: "The longest that `Prefer: wait` is granted; 0 grants nothing.",
    }
    Flag LISTING {
        section: Section::Answers,
        default: false,
        about: "Whether `GET /thumbnails` lists everybody's jobs to whoever asks.",
    }
    Number MAX_FILES {
        section: Section::Uploads,
        unit: "files",
        default: 20,
        min: 1,
        max: 100,
        about: "The most files in one form.",
    }
    Number MAX_REQUEST_BYTES {
        section: Section::Uploads,
        unit: "bytes",
        default: 100 << 20,
        min: 1_024,
        max: 500 << 20,
        about: "The most bytes that the files of one form have together, at least `MAX_UPLOAD_BYTES`. The platform lets 100 MiB through.",
    }
    Number UPLOAD_MEMORY_BYTES {
        section: Section::Uploads,
        unit: "bytes",
        default: 56 << 20,
        min: 24 << 20,
        max: 64 << 20,
        about: "What all uploads to one instance hold together, the copies in JavaScript included. An eighth is for uploads of up to 256 KiB, a quarter for what is being stored.",
    }
    Number MAX_BACKLOG {
        section: Section::Uploads,
        unit: "messages",
        default: 100_000,
        min: 1,
        max: 1 << 40,
        about: "How many jobs may wait before uploads are answered with 503.",
    }
    Number IDEMPOTENCY_SECS {
        section: Section::Uploads,
        unit: "seconds",
        default: DAY_SECS,
        min: 60,
        max: YEAR_SECS,
        about: "How long the answer to an upload with an `Idempotency-Key` is remembered.",
    }
    Text PRESETS {
        section: Section::Uploads,
        default: "none",
        values: "JSON",
        about: "Options by name: `{\"avatar\": {\"size\": \"128x128\", \"fit\": \"cover\"}}`.",
    }
    Flag PRESETS_ONLY {
        section: Section::Uploads,
        default: false,
        about: "Whether presets are all that may be asked for.",
    }
    Text VARIANTS_LATER {
        section: Section::Uploads,
        default: "`presets`",
        values: "`off`, `presets`, `signed`, `any`",
        about: "Who may ask for [another size later](api.md#another-size-later).",
    }
    Number LEASE_SECS {
        section: Section::Jobs,
        unit: "seconds",
        default: 120,
        min: 1,
        max: DAY_SECS,
        about: "How long an attempt may run before it counts as lost.",
    }
    Number RESCUE_SECS {
        section: Section::Jobs,
        unit: "seconds",
        default: 30,
        min: 1,
        max: DAY_SECS,
        about: "After how long a message that nobody answered is sent again; doubles each time.",
    }
    Number RESCUE_CAP_SECS {
        section: Section::Jobs,
        unit: "seconds",
        default: 3_600,
        min: 1,
        max: DAY_SECS,
        about: "The longest pause between two sends.",
    }
    Number RETRY_SECS {
        section: Section::Jobs,
        unit: "seconds",
        default: 10,
        min: 1,
        max: DAY_SECS,
        about: "The pause after the first fault of the platform; doubles each time.",
    }
    Number RETRY_CAP_SECS {
        section: Section::Jobs,
        unit: "seconds",
        default: 3_600,
        min: 1,
        max: DAY_SECS,
        about: "The longest pause after a fault of the platform.",
    }
    Number MAX_ATTEMPTS {
        section: Section::Jobs,
        unit: "attempts",
        default: 12,
        min: 1,
        max: 100,
        about: "Attempts before a job fails for the platform's faults; by default they spread over three hours.",
    }
    Number MAX_LOST_ATTEMPTS {
        section: Section::Jobs,
        unit: "attempts",
        default: 2,
        min: 1,
        max: 100,
        about: "Attempts that never come back although nothing else ran in their isolate, before a job fails as `poison`.",
    }
    Number MAX_SENDS {
        section: Section::Jobs,
        unit: "messages",
        default: 20,
        min: 1,
        max: 1_000,
        about: "Messages before a job fails as `never-processed`.",
    }
    Number LONG_QUEUE {
        section: Section::Jobs,
        unit: "messages",
        default: 1_000,
        min: 1,
        max: u32::MAX as u64,
        about: "With this many messages in the queue, a job waits `RESCUE_CAP_SECS` before its message counts as lost.",
    }
    Number DEFAULT_EXPIRES_SECS {
        section: Section::Jobs,
        unit: "seconds",
        default: 30 * DAY_SECS,
        min: 60,
        max: 100 * YEAR_SECS,
        about: "After how long a job is deleted if its upload does not say, at most `MAX_EXPIRES_SECS`.",
    }
    Number MAX_EXPIRES_SECS {
        section: Section::Jobs,
        unit: "seconds",
        default: YEAR_SECS,
        min: 60,
        max: 100 * YEAR_SECS,
        about: "The longest life that an upload may ask for with `expires_in`.",
    }
    Number TOMBSTONE_SECS {
        section: Section::Jobs,
        unit: "seconds",
        default: 14 * DAY_SECS,
        min: 1,
        max: YEAR_SECS,
        about: "How long a deleted or expired job answers 410 before it is forgotten.",
    }
    Flag KEEP_SOURCES {
        section: Section::Jobs,
        default: true,
        about: "Whether the source is kept after success, so that other sizes can be made.",
    }
    Number MAX_LISTENERS {
        section: Section::Live,
        unit: "listeners",
        default: 50,
        min: 1,
        max: 1_000,
        about: "How many may listen to one job at a time, or wait for it.",
    }
    Number MAX_LISTENED_JOBS {
        section: Section::Live,
        unit: "jobs",
        default: 100,
        min: 1,
        max: 1_000,
        about: "How many jobs one connection may follow.",
    }
    Number HEARTBEAT_SECS {
        section: Section::Live,
        unit: "seconds",
        default: 15,
        min: 1,
        max: 60,
        about: "The pause between two signs of life in a silent stream of events.",
    }
    Flag SOURCE_URLS {
        section: Section::Sources,
        default: false,
        about: "Whether images are fetched from [addresses](api.md#images-by-address) that uploads name.",
    }
    Text SOURCE_HOSTS {
        section: Section::Sources,
        default: "all public hosts",
        values: "names, separated by commas",
        about: "The only hosts that images are fetched from; `*.example.com` is everything below it.",
    }
    Number SOURCE_TIMEOUT_SECS {
        section: Section::Sources,
        unit: "seconds",
        default: 15,
        min: 1,
        max: 60,
        about: "How long a server has to answer, and between two pieces of the image.",
    }
    Flag ALLOW_INSECURE_SOURCES {
        section: Section::Sources,
        default: false,
        about: "Whether this machine itself may be named. For development only.",
    }
    Text WEBHOOK_URL {
        section: Section::Webhooks,
        default: "none",
        values: "an address",
        about: "The receiver for uploads that name none.",
    }
    Text WEBHOOK_HOSTS {
        section: Section::Webhooks,
        default: "all public hosts",
        values: "names, separated by commas",
        about: "The only hosts that may receive webhooks; `*.example.com` is everything below it.",
    }
    Text WEBHOOK_PORTS {
        section: Section::Webhooks,
        default: "443, 8443",
        values: "ports, separated by commas",
        about: "The ports that webhooks may be sent to.",
    }
    Text WEBHOOK_SCHEDULE {
        section: Section::Webhooks,
        default: "0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400",
        values: "up to 16 numbers of seconds, separated by commas",
        about: "The pause before each attempt.",
    }
    Flag ALLOW_INSECURE_WEBHOOKS {
        section: Section::Webhooks,
        default: false,
        about: "Whether this machine itself may receive webhooks, without encryption. For development only.",
    }
    Text SIGNING_KEY {
        section: Section::Secrets,
        default: "none",
        values: "32 characters or more",
        about: "What requests for another size are signed with if `VARIANTS_LATER` is `signed`.",
    }
    Text WEBHOOK_SECRET {
        section: Section::Secrets,
        default: "none; without it there are no webhooks",
        values: "`whsec_` and Base64 of 24 to 64 bytes",
        about: "What [webhooks](webhooks.md) are signed with.",
    }
    Text WEBHOOK_SECRET_PREVIOUS {
        section: Section::Secrets,
        default: "none",
        values: "as `WEBHOOK_SECRET`",
        about: "The secret before, during a rotation: webhooks are signed with both.",
    }
}
