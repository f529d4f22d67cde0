//! Options of an upload, from its query and from the fields of its form: one parser for both.

mod similar;
pub mod table;
mod variants;

use serde::Serialize;

pub(super) use variants::refused_name;

use super::problem::{FieldError, Problem};
use similar::similar;
use table::{Sets, UploadOption, named, names};
use thumbnail_pipeline::options::text::{shown, whole};
use thumbnail_pipeline::{Options, OptionsError, Variant};
use variants::{presets, sizes, variants};

/// The longest value of an option, in bytes: sixteen named sizes fit in.
pub const MAX_VALUE_BYTES: usize = 1 << 10;

/// The shortest life that an upload may ask for: a queue's delay and a poll fit in.
pub const MIN_EXPIRES_SECS: u64 = 60;

/// The longest that one may ask for where nothing else is configured.
pub const MAX_EXPIRES_SECS: u64 = 365 * 86_400;

/// Options as they were given: names and values, each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params {
    given: Vec<(&'static str, String)>,
}

/// What a service lets be asked for.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The longest life that an upload may ask for.
    pub max_expires_secs: u64,
    /// Names, and the options that they stand for.
    pub presets: &'a [Variant],
    /// Which options may be given beside presets.
    pub freedom: Freedom,
}

/// Which options of an image may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freedom {
    /// All of them.
    Any,
    /// None: presets say it all.
    PresetsOnly,
}

/// What an upload asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParsedOptions {
    /// The thumbnails.
    pub variants: Vec<Variant>,
    /// How long everything of the job lives; the service's default where it is absent.
    pub expires_in_secs: Option<u64>,
    /// Who is told of the end, not yet checked; the service's default where it is absent.
    pub webhook: Option<String>,
}

impl Params {
    /// Takes one more option. Refuses at once what does not exist, comes twice or is too long,
    /// which bounds how much is held.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        match known(name) {
            Some(known) => self.give(known, value),
            None => Err(unknown(name)),
        }
    }

    /// Takes a field of a form. Browsers and upload widgets send some of their own, so that what does
    /// not exist is ignored, unless it is an option but for a slip.
    pub fn add_field(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        match known(name) {
            Some(known) => self.give(known, value),
            None if similar(name).is_some() => Err(unknown(name)),
            None => Ok(()),
        }
    }

    fn give(&mut self, name: &'static str, value: &str) -> Result<(), Problem> {
        let refused = |detail: String| Err(Problem::invalid(vec![FieldError::new(name, detail)]));
        if self.value(name).is_some() {
            return refused(format!("{name} is given twice"));
        }
        if value.len() > MAX_VALUE_BYTES {
            return refused(format!("{name} has more than {MAX_VALUE_BYTES} bytes"));
        }
        self.given.push((name, value.into()));
        Ok(())
    }

    /// Checks the options; a refusal names each one that is wrong.
    pub fn parse(&self, rules: &Rules) -> Result<ParsedOptions, Problem> {
        let mut errors = self.contradictions();
        errors.extend(self.non_preset_options(rules));
        let mut asked = ParsedOptions {
            variants: Vec::new(),
            expires_in_secs: None,
            webhook: None,
        };
        let mut options = Options::default();
        let mut boxes = Vec::new();
        let mut chosen = Vec::new();
        for (name, value) in &self.given {
            let Some(UploadOption { sets, .. }) = named(name) else {
                continue;
            };
            let taken = match sets {
                Sets::Image(set) => set(&mut options, value),
                Sets::Sizes => sizes(value).map(|all| boxes = all),
                Sets::Presets => presets(value, rules.presets).map(|all| chosen = all),
                Sets::Expiry => whole(name, value, MIN_EXPIRES_SECS..=rules.max_expires_secs)
                    .map(|secs| asked.expires_in_secs = Some(secs)),
                Sets::Webhook => {
                    asked.webhook = Some(value.clone());
                    Ok(())
                }
            };
            errors.extend(taken.err().map(|detail| FieldError::new(name, detail)));
        }
        asked.variants = if chosen.is_empty() {
            variants(boxes, options)
        } else {
            chosen
        };
        if errors.is_empty() {
            let checked = Variant::validate_all(&asked.variants);
            errors.extend(checked.err().map(|error| self.field_error(&error)));
        }
        if errors.is_empty() {
            Ok(asked)
        } else {
            Err(Problem::invalid(errors))
        }
    }

    /// The first option that is about the job as a whole.
    pub fn about_job(&self) -> Option<&'static str> {
        let mut names = self.given.iter().map(|(name, _)| *name);
        names.find(|name| named(name).is_some_and(|row| row.sets.is_about_job()))
    }

    fn value(&self, name: &str) -> Option<&str> {
        let pair = self.given.iter().find(|(known, _)| *known == name)?;
        Some(&pair.1)
    }

    /// Options of an image where presets are to say them.
    fn non_preset_options(&self, rules: &Rules) -> Vec<FieldError> {
        let refusal = match (self.value("preset"), rules.freedom) {
            (Some(_), _) => "cannot be given together with preset",
            (None, Freedom::PresetsOnly) => "cannot be given: this service takes presets only",
            (None, Freedom::Any) => return Vec::new(),
        };
        let free = self.given.iter().map(|(name, _)| *name);
        free.filter(|name| named(name).is_some_and(|row| row.sets.is_about_image()))
            .map(|name| FieldError::new(name, format!("{name} {refusal}")))
            .collect()
    }

    /// Options that say the same thing in two ways.
    fn contradictions(&self) -> Vec<FieldError> {
        let given = |name: &&str| self.value(name).is_some();
        let mut ways = ["sizes", "size", "width", "height"]
            .into_iter()
            .filter(given);
        let first = ways.next();
        let second = ways.next();
        match (first, second) {
            (Some(first @ ("sizes" | "size")), Some(second)) => {
                let detail = format!("{first} and {second} cannot be given together");
                vec![FieldError::new(second, detail)]
            }
            _ => Vec::new(),
        }
    }

    /// An error about an option, or about what `size` or `sizes` stand for.
    fn field_error(&self, error: &OptionsError) -> FieldError {
        let field = error.field();
        let stands_for = ["sizes", "size"]
            .into_iter()
            .find(|name| self.value(name).is_some());
        let name = match (field, stands_for) {
            ("width" | "height" | "sizes", Some(name)) => name,
            _ => field,
        };
        FieldError::new(name, error.to_string())
    }
}

fn known(name: &str) -> Option<&'static str> {
    named(name).map(|row| row.name)
}

fn unknown(name: &str) -> Problem {
    let shown = shown(name);
    let hint = similar(name).map_or_else(
        || format!("the options are {}", names().collect::<Vec<_>>().join(", ")),
        |meant| format!("did you mean `{meant}`?"),
    );
    let detail = format!("there is no option {shown:?}; {hint}");
    Problem::invalid(vec![FieldError::new(&shown, detail)])
}

#[cfg(test)]
mod tests;
