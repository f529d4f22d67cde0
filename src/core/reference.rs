//! The tables of src/docs, made of the code's own: calls, options, problems and variables.
//!
//! A test compares them with the pages, between the lines [`BEGIN`] and [`END`].

use std::fmt::Write as _;

use thumbnail_pipeline::options::Values;

use crate::api::openapi::OPERATIONS;
use crate::api::params::table;
use crate::api::problem::ProblemKind;
use crate::config::{Section, VARIABLES, Variable};

/// The line of a page that a table follows.
pub const BEGIN: &str = "<!-- generated: begin -->";
/// The line of a page that ends it.
pub const END: &str = "<!-- generated: end -->";

/// What can be called.
pub fn calls() -> String {
    let rows = OPERATIONS.iter().map(|operation| {
        let (method, path) = (operation.method_name(), operation.path);
        [format!("`{method} {path}`"), operation.summary.into()]
    });
    markdown(["call", "what it does"], rows)
}

/// What can be asked for.
pub fn options() -> String {
    let rows = table::all().map(|row| {
        [
            format!("`{}={}`", row.name, example(&row.values, row.default)),
            row.about.into(),
            values(&row.values),
            code(row.default),
        ]
    });
    markdown(["option", "meaning", "values", "default"], rows)
}

/// What can go wrong.
pub fn errors() -> String {
    let rows = ProblemKind::ALL.iter().map(|kind| {
        let row = kind.row();
        [
            format!("`{}`", row.slug),
            row.status.to_string(),
            row.when.into(),
            row.advice.into(),
        ]
    });
    markdown(["slug", "status", "when", "what to do"], rows)
}

/// What a deployment can set.
pub fn configuration() -> String {
    let mut text = String::new();
    for section in Section::ALL {
        let rows = VARIABLES.iter().filter_map(|variable| match variable {
            Variable::Number(row) if row.section == section => Some([
                format!("`{}`", row.name),
                row.default.to_string(),
                format!("{} to {} {}", row.min, row.max, row.unit),
                row.about.to_owned(),
            ]),
            Variable::Flag(row) if row.section == section => Some([
                format!("`{}`", row.name),
                u8::from(row.default).to_string(),
                "0 or 1".to_owned(),
                row.about.to_owned(),
            ]),
            Variable::Text(row) if row.section == section => Some([
                format!("`{}`", row.name),
                row.default.to_owned(),
                row.values.to_owned(),
                row.about.to_owned(),
            ]),
            _ => None,
        });
        let rows = markdown(["name", "default", "values", "meaning"], rows);
        let _ = write!(text, "## {}\n\n{rows}\n", section.title());
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The table in Markdown.
fn markdown<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(COLUMNS));
    for row in rows {
        let cells = row.map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

fn code(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("`{text}`")
    }
}

fn values(values: &Values) -> String {
    match *values {
        Values::Whole { min, max } => format!("{min} to {max}"),
        Values::Number { min, max } => format!("{min} to {max}"),
        Values::Flag => "`true` or `false`".into(),
        Values::Choice(choices) => {
            let choices: Vec<_> = choices.iter().map(|choice| code(choice)).collect();
            choices.join(", ")
        }
        Values::Text { form, .. } => form.into(),
    }
}

/// A value that is not the default.
fn example(values: &Values, default: &str) -> String {
    match *values {
        Values::Whole { min, max } => min.midpoint(max.min(400)).to_string(),
        Values::Number { min, max } => min.midpoint(max.min(3.0)).to_string(),
        Values::Flag => (default != "true").to_string(),
        Values::Choice(choices) => choices[choices.len() - 1].into(),
        Values::Text { example, .. } => example.into(),
    }
}
