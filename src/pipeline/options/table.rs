//! Every option of a thumbnail: one row each. Parsing, the description in `OpenAPI` and `src/docs/options.md` are made of them.
//!
//! The order is that of the documentation.

use super::text::{choice, dpr, flag, side, size, whole, written};
use super::{MAX_PAGE, MAX_SIDE, Options};

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct OptionRow {
    /// What users call it.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub about: &'static str,
    /// What it may be.
    pub values: Values,
    /// What counts where it is not given, as text; empty where that depends on other options.
    pub default: &'static str,
    /// Sets it, or says what it may be.
    pub set: fn(&mut Options, &str) -> Result<(), String>,
}

/// What an option may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values {
    /// A whole number.
    Whole {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A number.
    Number {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Anything of a form.
    Text {
        /// The form in words.
        form: &'static str,
        /// The form as a regular expression of ECMA-262.
        pattern: &'static str,
        /// Such as this.
        example: &'static str,
    },
}

const SIDES: Values = Values::Whole {
    min: 1,
    max: MAX_SIDE as u64,
};

/// All of them.
pub const OPTIONS: &[OptionRow] = &[
    OptionRow {
        name: "width",
        about: "Width in CSS pixels. Default: from `height` and the image; 100 without either.",
        values: SIDES,
        default: "",
        set: |options, text| side("width", text).map(|side| options.width = Some(side)),
    },
    OptionRow {
        name: "height",
        about: "Height in CSS pixels. Default: as for `width`.",
        values: SIDES,
        default: "",
        set: |options, text| side("height", text).map(|side| options.height = Some(side)),
    },
    OptionRow {
        name: "size",
        about: "Width and height in one.",
        values: Values::Text {
            form: "a width and a height",
            pattern: "^([1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-6])x([1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-6])$",
            example: "200x150",
        },
        default: "",
        set: |options, text| {
            let (width, height) = size("size", text)?;
            (options.width, options.height) = (Some(width), Some(height));
            Ok(())
        },
    },
    OptionRow {
        name: "dpr",
        about: "Pixels of the screen per CSS pixel.",
        values: Values::Number { min: 1.0, max: 4.0 },
        default: "1",
        set: |options, text| dpr(text).map(|dpr| options.dpr = dpr),
    },
    OptionRow {
        name: "fit",
        about: "How an image of another aspect ratio fits into the box: `cover` fills it and cuts the rest, `contain` adds a border, `fill` stretches, `inside` stays within it, `outside` covers it without a cut.",
        values: Values::Choice(&["cover", "contain", "fill", "inside", "outside"]),
        default: "cover",
        set: |options, text| choice("fit", text).map(|fit| options.fit = fit),
    },
    OptionRow {
        name: "gravity",
        about: "What a cut keeps: a side or a corner, a point as two shares from 0 to 1, `entropy` (the most detail) or `attention` (what draws the eye).",
        values: Values::Text {
            form: "`center`, `north`, `northeast`, …, `entropy`, `attention`, or a point",
            pattern: "^(center|north|northeast|east|southeast|south|southwest|west|northwest|entropy|attention|(0|1|0\\.[0-9]{1,6}),(0|1|0\\.[0-9]{1,6}))$",
            example: "0.3,0.7",
        },
        default: "center",
        set: |options, text| written(text).map(|gravity| options.gravity = gravity),
    },
    OptionRow {
        name: "enlarge",
        about: "Whether images smaller than the box are enlarged.",
        values: Values::Flag,
        default: "true",
        set: |options, text| flag("enlarge", text).map(|enlarge| options.enlarge = enlarge),
    },
    OptionRow {
        name: "background",
        about: "What is under transparent pixels and around an image that does not fill the box; in a JPEG, `transparent` is white.",
        values: Values::Text {
            form: "`transparent`, or a color in hexadecimal digits",
            pattern: "^(transparent|#?[0-9A-Fa-f]{3}|#?[0-9A-Fa-f]{6})$",
            example: "ff8800",
        },
        default: "transparent",
        set: |options, text| written(text).map(|background| options.background = background),
    },
    OptionRow {
        name: "format",
        about: "The format of the thumbnail: `source` keeps the family of the image, `auto` also makes the format that each client likes best.",
        values: Values::Choice(&["source", "auto", "jpeg", "png", "webp", "gif"]),
        default: "source",
        set: |options, text| choice("format", text).map(|format| options.format = format),
    },
    OptionRow {
        name: "quality",
        about: "Quality of a JPEG.",
        values: Values::Whole { min: 1, max: 100 },
        default: "80",
        set: |options, text| {
            whole("quality", text, 1..=100).map(|quality| options.quality = quality)
        },
    },
    OptionRow {
        name: "progressive",
        about: "Whether a JPEG can be shown before all of it has arrived.",
        values: Values::Flag,
        default: "false",
        set: |options, text| {
            flag("progressive", text).map(|progressive| options.progressive = progressive)
        },
    },
    OptionRow {
        name: "linear",
        about: "Whether the last halving is done in linear light.",
        values: Values::Flag,
        default: "false",
        set: |options, text| flag("linear", text).map(|linear| options.linear = linear),
    },
    OptionRow {
        name: "truncated",
        about: "What happens to a file that is cut or damaged: `accept` shows what there is, `refuse` lets the job fail.",
        values: Values::Choice(&["accept", "refuse"]),
        default: "accept",
        set: |options, text| {
            choice("truncated", text).map(|truncated| options.truncated = truncated)
        },
    },
    OptionRow {
        name: "page",
        about: "Which frame of an animated GIF, PNG or WebP, or which page of a TIFF, from 0.",
        values: Values::Whole {
            min: 0,
            max: MAX_PAGE as u64,
        },
        default: "0",
        set: |options, text| {
            whole("page", text, 0..=u64::from(MAX_PAGE)).map(|page| options.page = page)
        },
    },
];
