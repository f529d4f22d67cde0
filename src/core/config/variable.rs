//! What a configuration variable is, and how one is read.

use super::ConfigError;

/// What a variable is about: a heading of the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What both Workers have to know.
    Both,
    /// What answers say.
    Answers,
    /// What uploads may be.
    Uploads,
    /// How patient jobs are, and how long they live.
    Jobs,
    /// Live status.
    Live,
    /// Images by address.
    Sources,
    /// Webhooks.
    Webhooks,
    /// What is never written into a file.
    Secrets,
}

impl Section {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Both,
        Self::Answers,
        Self::Uploads,
        Self::Jobs,
        Self::Live,
        Self::Sources,
        Self::Webhooks,
        Self::Secrets,
    ];

    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Both => {
                "Limits: set them in both files, since the edge refuses by them and the origin decodes by them"
            }
            Self::Answers => "Edge: answers",
            Self::Uploads => "Edge: uploads",
            Self::Jobs => "Edge: jobs",
            Self::Live => "Edge: live status",
            Self::Sources => "Edge: images by address",
            Self::Webhooks => "Edge: webhooks",
            Self::Secrets => "Edge: secrets",
        }
    }
}

/// A whole number.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    /// The variable.
    pub name: &'static str,
    /// What it is about.
    pub section: Section,
    /// What is counted.
    pub unit: &'static str,
    /// What counts where it is not set.
    pub default: u64,
    /// The least that it may be.
    pub min: u64,
    /// The most that it may be.
    pub max: u64,
    /// A sentence about it.
    pub about: &'static str,
}

/// 0 or 1.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// The variable.
    pub name: &'static str,
    /// What it is about.
    pub section: Section,
    /// What counts where it is not set.
    pub default: bool,
    /// A sentence about it.
    pub about: &'static str,
}

/// What has a form of its own.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// The variable.
    pub name: &'static str,
    /// What it is about.
    pub section: Section,
    /// What counts where it is not set, in words.
    pub default: &'static str,
    /// What it may be, in words.
    pub values: &'static str,
    /// A sentence about it.
    pub about: &'static str,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub enum Variable {
    /// A whole number.
    Number(Number),
    /// 0 or 1.
    Flag(Flag),
    /// What has a form of its own.
    Text(Text),
}

/// Makes a constant of each variable, and the table of all: a row without one of its parts does not compile.
macro_rules! variables {
    ($($kind:ident $name:ident { $($field:ident: $value:expr,)+ })+) => {
        $(
            #[doc = concat!("`", stringify!($name), "`")]
            pub const $name: $kind = $kind { name: stringify!($name), $($field: $value,)+ };
        )+

        /// All of them.
        pub const VARIABLES: &[Variable] = &[$(Variable::$kind($name),)+];
    };
}

pub(super) use variables;

/// Reads variables by their rows.
pub(super) struct Reader<F>(pub F);

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    pub fn number(&self, row: Number) -> Result<u64, ConfigError> {
        let Number {
            name,
            default,
            min,
            max,
            ..
        } = row;
        match (self.0)(name) {
            None => Ok(default),
            Some(value) => match value.parse() {
                Ok(number) if (min..=max).contains(&number) => Ok(number),
                _ => Err(ConfigError::Number {
                    name,
                    value,
                    min,
                    max,
                }),
            },
        }
    }

    /// A number that its row keeps below 2^32.
    pub fn small(&self, row: Number) -> Result<u32, ConfigError> {
        self.number(row)
            .map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    pub fn flag(&self, row: Flag) -> Result<bool, ConfigError> {
        let number = Number {
            name: row.name,
            section: row.section,
            unit: "",
            default: row.default.into(),
            min: 0,
            max: 1,
            about: row.about,
        };
        self.number(number).map(|number| number == 1)
    }

    pub fn text(&self, row: Text) -> Option<String> {
        (self.0)(row.name)
    }
}
