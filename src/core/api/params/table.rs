//! Every option of an upload: those of its thumbnails, which the pipeline knows, and those of its job.

use thumbnail_pipeline::Options;
use thumbnail_pipeline::options::{MAX_VARIANTS, OPTIONS, Values};

use super::{MAX_EXPIRES_SECS, MIN_EXPIRES_SECS};

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct UploadOption {
    /// What users call it.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub about: &'static str,
    /// What it may be.
    pub values: Values,
    /// What counts where it is not given, as text.
    pub default: &'static str,
    /// What it sets.
    pub sets: Sets,
}

/// What an option sets.
#[derive(Debug, Clone, Copy)]
pub enum Sets {
    /// How each thumbnail is made.
    Image(fn(&mut Options, &str) -> Result<(), String>),
    /// Several sizes.
    Sizes,
    /// The names of presets, which say everything about the thumbnails.
    Presets,
    /// How long the job lives.
    Expiry,
    /// Who is notified.
    Webhook,
}

impl Sets {
    /// Whether it is about the job as a whole, and may be given with its upload only.
    pub const fn is_about_job(self) -> bool {
        matches!(self, Self::Expiry | Self::Webhook)
    }

    /// Whether it says how a thumbnail is made.
    pub const fn is_about_image(self) -> bool {
        matches!(self, Self::Image(_) | Self::Sizes)
    }
}

/// Those that the pipeline does not know.
const OF_UPLOADS: [UploadOption; 4] = [
    UploadOption {
        name: "sizes",
        about: sizes_are(),
        values: Values::Text {
            form: "sizes separated by commas, each with a name before it if wanted",
            pattern: "^([a-z0-9-]{1,32}:)?([1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-6])x([1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-6])(,([a-z0-9-]{1,32}:)?([1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-6])x([1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-6])){0,15}$",
            example: "200x200,large:800x600",
        },
        default: "",
        sets: Sets::Sizes,
    },
    UploadOption {
        name: "preset",
        about: "Names of presets of the configuration, instead of all other options of thumbnails.",
        values: Values::Text {
            form: "names separated by commas",
            pattern: "^[a-z0-9-]{1,32}(,[a-z0-9-]{1,32}){0,15}$",
            example: "avatar,banner",
        },
        default: "",
        sets: Sets::Presets,
    },
    UploadOption {
        name: "expires_in",
        about: "Seconds after which the source, the thumbnails and the job are deleted. Default: `DEFAULT_EXPIRES_SECS`, 30 days.",
        values: Values::Whole {
            min: MIN_EXPIRES_SECS,
            max: MAX_EXPIRES_SECS,
        },
        default: "",
        sets: Sets::Expiry,
    },
    UploadOption {
        name: "webhook",
        about: "The address that is notified when the job has ended: a public name, with https. How to verify it: `/docs/webhooks`.",
        values: Values::Text {
            form: "an address",
            pattern: "^https://",
            example: "https://example.com/hook",
        },
        default: "",
        sets: Sets::Webhook,
    },
];

const fn sizes_are() -> &'static str {
    // The number is in the text, so that a reader sees the limit.
    const { assert!(MAX_VARIANTS == 16) };
    "Up to 16 thumbnails of one upload."
}

/// All options of an upload, in the order of the documentation.
pub fn all() -> impl Iterator<Item = UploadOption> {
    let of_images = OPTIONS.iter().map(|row| UploadOption {
        name: row.name,
        about: row.about,
        values: row.values,
        default: row.default,
        sets: Sets::Image(row.set),
    });
    of_images.chain(OF_UPLOADS)
}

/// The option of this name.
pub fn named(name: &str) -> Option<UploadOption> {
    all().find(|row| row.name == name)
}

/// The names of all options.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|row| row.name)
}
