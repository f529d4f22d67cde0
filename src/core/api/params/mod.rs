//! Options of an upload, from its query and from the fields of its form: one parser for both.

mod similar;
mod values;
mod variants;

use serde::Serialize;

pub(super) use values::{choice, shown, whole};
pub(super) use variants::refused_name;

use super::problem::{FieldError, Problem};
use similar::similar;
use thumbnail_pipeline::options::MAX_PAGE;
use thumbnail_pipeline::{Options, OptionsError, Variant};
use values::{dpr, flag, side, size, written};
use variants::{presets, sizes, variants};

/// Every option that an upload may have.
pub const NAMES: [&str; 18] = [
    "width",
    "height",
    "size",
    "sizes",
    "dpr",
    "fit",
    "gravity",
    "enlarge",
    "background",
    "format",
    "quality",
    "progressive",
    "linear",
    "truncated",
    "page",
    "preset",
    "expires_in",
    "webhook",
];

/// The longest value of an option, in bytes: sixteen named sizes fit in.
pub const MAX_VALUE_BYTES: usize = 1 << 10;

/// The shortest life that an upload may ask for: a queue's delay and a poll fit in.
pub const MIN_EXPIRES_SECS: u64 = 60;

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

/// Which options of a picture may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freedom {
    /// All of them.
    Any,
    /// None: presets say it all.
    PresetsOnly,
}

/// What an upload asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
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
    pub fn parse(&self, rules: &Rules) -> Result<Asked, Problem> {
        let mut errors = self.contradictions();
        errors.extend(self.liberties(rules));
        let mut asked = Asked {
            variants: Vec::new(),
            expires_in_secs: None,
            webhook: None,
        };
        let mut options = Options::default();
        let mut boxes = Vec::new();
        let mut chosen = Vec::new();
        for (name, value) in &self.given {
            let taken = match *name {
                "expires_in" => whole(name, value, MIN_EXPIRES_SECS..=rules.max_expires_secs)
                    .map(|secs| asked.expires_in_secs = Some(secs)),
                "webhook" => {
                    asked.webhook = Some(value.clone());
                    Ok(())
                }
                "sizes" => sizes(value).map(|all| boxes = all),
                "preset" => presets(value, rules.presets).map(|all| chosen = all),
                _ => set(&mut options, name, value),
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
        names.find(|name| is_about_job(name))
    }

    fn value(&self, name: &str) -> Option<&str> {
        let pair = self.given.iter().find(|(known, _)| *known == name)?;
        Some(&pair.1)
    }

    /// Options of a picture where presets are to say them.
    fn liberties(&self, rules: &Rules) -> Vec<FieldError> {
        let refusal = match (self.value("preset"), rules.freedom) {
            (Some(_), _) => "cannot be given together with preset",
            (None, Freedom::PresetsOnly) => "cannot be given: this service takes presets only",
            (None, Freedom::Any) => return Vec::new(),
        };
        let free = self.given.iter().map(|(name, _)| *name);
        free.filter(|name| is_about_picture(name))
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
    NAMES.into_iter().find(|known| *known == name)
}

fn unknown(name: &str) -> Problem {
    let shown = shown(name);
    let hint = similar(name).map_or_else(
        || format!("the options are {}", NAMES.join(", ")),
        |meant| format!("did you mean `{meant}`?"),
    );
    let detail = format!("there is no option {shown:?}; {hint}");
    Problem::invalid(vec![FieldError::new(&shown, detail)])
}

/// The options about the job as a whole.
const ABOUT_JOB: [&str; 2] = ["expires_in", "webhook"];

/// Whether an option is about the job as a whole, and stands in its upload only.
pub fn is_about_job(name: &str) -> bool {
    ABOUT_JOB.contains(&name)
}

/// Whether an option says how a thumbnail is made.
fn is_about_picture(name: &str) -> bool {
    name != "preset" && !is_about_job(name)
}

fn set(options: &mut Options, name: &str, value: &str) -> Result<(), String> {
    match name {
        "width" => options.width = Some(side(name, value)?),
        "height" => options.height = Some(side(name, value)?),
        "size" => {
            let (width, height) = size(name, value)?;
            (options.width, options.height) = (Some(width), Some(height));
        }
        "dpr" => options.dpr = dpr(value)?,
        "fit" => options.fit = choice(name, value)?,
        "gravity" => options.gravity = written(value)?,
        "enlarge" => options.enlarge = flag(name, value)?,
        "background" => options.background = written(value)?,
        "format" => options.format = choice(name, value)?,
        "quality" => options.quality = whole(name, value, 1..=100)?,
        "progressive" => options.progressive = flag(name, value)?,
        "linear" => options.linear = flag(name, value)?,
        "truncated" => options.truncated = choice(name, value)?,
        "page" => options.page = whole(name, value, 0..=u64::from(MAX_PAGE))?,
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ProblemKind;
    use thumbnail_pipeline::gravity::Gravity;
    use thumbnail_pipeline::options::{Background, Fit, FormatChoice, MAX_VARIANTS, Truncated};

    const RULES: Rules<'static> = Rules {
        max_expires_secs: 86_400,
        presets: &[],
        freedom: Freedom::Any,
    };

    fn parse(pairs: &[(&str, &str)]) -> Result<Asked, Problem> {
        let mut params = Params::default();
        for (name, value) in pairs {
            params.add(name, value)?;
        }
        params.parse(&RULES)
    }

    #[test]
    fn nothing_given_is_the_thumbnail_of_the_old_service() {
        let asked = parse(&[]).unwrap();
        let options = Options::default();
        let name = "default".to_owned();
        assert_eq!(asked.variants, [Variant { name, options }]);
        assert_eq!((asked.expires_in_secs, asked.webhook), (None, None));
    }

    #[test]
    fn every_option_is_read() {
        let asked = parse(&[
            ("width", "200"),
            ("height", "150"),
            ("dpr", "1.5"),
            ("fit", "contain"),
            ("gravity", "0.25,1"),
            ("enlarge", "false"),
            ("background", "#fa0"),
            ("format", "webp"),
            ("quality", "60"),
            ("progressive", "true"),
            ("linear", "1"),
            ("truncated", "refuse"),
            ("page", "2"),
            ("expires_in", "3600"),
            ("webhook", "https://example.com/hook"),
        ])
        .unwrap();
        let want = Options {
            width: Some(200),
            height: Some(150),
            dpr: 1.5,
            fit: Fit::Contain,
            gravity: Gravity::Focus { x: 0.25, y: 1.0 },
            enlarge: false,
            background: Background::Color([0xff, 0xaa, 0]),
            format: FormatChoice::WebP,
            quality: 60,
            progressive: true,
            linear: true,
            truncated: Truncated::Refuse,
            page: 2,
        };
        assert_eq!(asked.variants.first().unwrap().options, want);
        assert_eq!(asked.expires_in_secs, Some(3_600));
        assert_eq!(asked.webhook.as_deref(), Some("https://example.com/hook"));
        let short = parse(&[("size", "200x150")]).unwrap();
        let options = short.variants.first().unwrap().options;
        assert_eq!((options.width, options.height), (Some(200), Some(150)));
    }

    #[test]
    fn each_size_is_a_thumbnail_with_a_name() {
        let asked = parse(&[("sizes", "200x100, large:800x600"), ("quality", "9")]).unwrap();
        let made: Vec<_> = asked
            .variants
            .iter()
            .map(|v| (v.name.as_str(), v.options.width, v.options.quality))
            .collect();
        assert_eq!(made, [("200x100", Some(200), 9), ("large", Some(800), 9)]);
    }

    #[test]
    fn a_wrong_value_is_named_with_what_it_may_be() {
        for (name, value, want) in [
            (
                "width",
                "0",
                "width must be a whole number from 1 to 4096, not \"0\"",
            ),
            (
                "width",
                "+5",
                "width must be a whole number from 1 to 4096, not \"+5\"",
            ),
            (
                "height",
                "",
                "height must be a whole number from 1 to 4096, not \"\"",
            ),
            (
                "quality",
                "101",
                "quality must be a whole number from 1 to 100, not \"101\"",
            ),
            (
                "page",
                "-1",
                "page must be a whole number from 0 to 9999, not \"-1\"",
            ),
            (
                "dpr",
                "NaN",
                "dpr must be a number from 1 to 4, not \"NaN\"",
            ),
            (
                "fit",
                "crop",
                "fit must be one of cover, contain, fill, inside, outside, not \"crop\"",
            ),
            (
                "format",
                "avif",
                "format must be one of source, auto, jpeg, jpg, png, webp, gif, not \"avif\"",
            ),
            (
                "truncated",
                "x",
                "truncated must be one of accept, refuse, not \"x\"",
            ),
            (
                "enlarge",
                "yes",
                "enlarge must be true or false, not \"yes\"",
            ),
            (
                "background",
                "red",
                "background must be transparent or a colour such as #ff8800, not \"red\"",
            ),
            (
                "size",
                "200",
                "size must be a width and a height from 1 to 4096 such as 200x150, not \"200\"",
            ),
            (
                "sizes",
                "2x2,9999x1",
                "each of sizes must be a width and a height from 1 to 4096 such as 200x150, not \"9999x1\"",
            ),
            (
                "sizes",
                "A:2x2",
                "a name in sizes has 1 to 32 of a-z, 0-9 and -, not \"A\"",
            ),
            ("sizes", "2x2,2x2", "two variants have the name \"2x2\""),
            (
                "expires_in",
                "59",
                "expires_in must be a whole number from 60 to 86400, not \"59\"",
            ),
        ] {
            let problem = parse(&[(name, value)]).unwrap_err();
            assert_eq!(problem.kind, ProblemKind::InvalidOption);
            assert_eq!(problem.errors, [FieldError::new(name, want)]);
            assert_eq!(problem.detail, want);
        }
        let gravity = parse(&[("gravity", "up")]).unwrap_err();
        assert!(gravity.detail.starts_with("gravity must be center"));
        let many = vec!["2x2"; MAX_VARIANTS + 1].join(",");
        assert!(parse(&[("sizes", &many)]).is_err());
    }

    #[test]
    fn all_wrong_values_are_named_at_once() {
        let problem = parse(&[("width", "x"), ("fit", "y"), ("page", "1")]).unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["#/width", "#/fit"]);
    }

    #[test]
    fn what_does_not_exist_comes_twice_or_contradicts_is_refused() {
        let long = "x".repeat(MAX_VALUE_BYTES + 1);
        for (pairs, pointer, words) in [
            (vec![("widht", "5")], "#/widht", "there is no option"),
            (vec![("a/b~", "5")], "#/a~1b~0", "there is no option"),
            (vec![("fit", "cover"), ("fit", "cover")], "#/fit", "twice"),
            (vec![("size", "5x5"), ("width", "5")], "#/width", "together"),
            (
                vec![("height", "5"), ("size", "5x5")],
                "#/height",
                "together",
            ),
            (
                vec![("sizes", "5x5"), ("size", "5x5")],
                "#/size",
                "together",
            ),
            (vec![("sizes", long.as_str())], "#/sizes", "1024 bytes"),
            (
                vec![("size", "4000x9"), ("dpr", "2")],
                "#/size",
                "times dpr",
            ),
            (
                vec![("width", "4000"), ("dpr", "2")],
                "#/width",
                "times dpr",
            ),
        ] {
            let problem = parse(&pairs).unwrap_err();
            let [error] = problem.errors.as_slice() else {
                panic!("{:?}", problem.errors)
            };
            assert_eq!(error.pointer, pointer);
            assert!(error.detail.contains(words), "{}", error.detail);
        }
    }

    #[test]
    fn a_form_may_have_fields_that_are_no_options() {
        let mut params = Params::default();
        for name in [
            "name",
            "type",
            "filepond",
            "submit",
            "_charset_",
            "MAX_FILE_SIZE",
            "site",
            "",
        ] {
            params.add_field(name, "x").unwrap();
        }
        assert_eq!(params, Params::default());
        params.add_field("width", "5").unwrap();
        for (name, words) in [
            ("width", "twice"),
            ("widht", "did you mean `width`?"),
            ("expiresIn", "did you mean `expires_in`?"),
        ] {
            let problem = params.add_field(name, "5").unwrap_err();
            assert!(problem.detail.contains(words), "{}", problem.detail);
        }
        let strict = params.add("name", "5").unwrap_err();
        assert!(
            strict.detail.contains("the options are"),
            "{}",
            strict.detail
        );
    }

    #[test]
    fn a_preset_stands_for_its_options_and_stands_alone() {
        let preset = |name: &str, width| Variant {
            name: name.into(),
            options: Options {
                width: Some(width),
                ..Options::default()
            },
        };
        let presets = [preset("avatar", 128), preset("banner", 900)];
        let parse = |pairs: &[(&str, &str)], freedom| {
            let mut params = Params::default();
            for (name, value) in pairs {
                params.add(name, value)?;
            }
            params.parse(&Rules {
                presets: &presets,
                freedom,
                ..RULES
            })
        };
        for freedom in [Freedom::Any, Freedom::PresetsOnly] {
            let asked = parse(
                &[("preset", "banner, avatar"), ("expires_in", "60")],
                freedom,
            );
            assert_eq!(
                asked.unwrap().variants,
                [presets[1].clone(), presets[0].clone()]
            );
            assert_eq!(parse(&[], freedom).unwrap().variants[0].name, "default");
            for (pairs, pointer, words) in [
                (
                    vec![("preset", "x")],
                    "#/preset",
                    "the presets are: avatar, banner",
                ),
                (vec![("preset", "avatar,avatar")], "#/preset", "twice"),
                (vec![("preset", "")], "#/preset", "no preset"),
                (
                    vec![("preset", "avatar"), ("quality", "5")],
                    "#/quality",
                    "together with preset",
                ),
            ] {
                let problem = parse(&pairs, freedom).unwrap_err();
                assert_eq!(problem.errors[0].pointer, pointer);
                assert!(problem.detail.contains(words), "{}", problem.detail);
            }
        }
        let free = [("width", "5"), ("fit", "fill")];
        assert!(parse(&free, Freedom::Any).is_ok());
        let problem = parse(&free, Freedom::PresetsOnly).unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["#/width", "#/fit"]);
    }

    #[test]
    fn a_service_without_presets_says_so() {
        let problem = parse(&[("preset", "x")]).unwrap_err();
        assert_eq!(
            problem.detail,
            "there is no preset \"x\"; this service has none (PRESETS)"
        );
    }

    #[test]
    fn a_refusal_repeats_little_of_what_was_given() {
        let long = "é".repeat(400);
        for name in ["width", "gravity", "background", "fit"] {
            let detail = parse(&[(name, &long)]).unwrap_err().detail;
            assert!(detail.len() < 400, "{detail}");
        }
    }
}
