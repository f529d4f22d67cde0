//! Options that stand for several thumbnails.

use crate::keys::{DEFAULT_VARIANT, MAX_VARIANT_NAME_LEN, is_variant_name};
use thumbnail_pipeline::options::text::{shown, size};
use thumbnail_pipeline::{Options, Variant};

/// `avatar`, or several of them: `avatar,banner`.
pub(super) fn presets(value: &str, known: &[Variant]) -> Result<Vec<Variant>, String> {
    let mut chosen: Vec<Variant> = Vec::new();
    for name in value.split(',').map(str::trim) {
        let Some(preset) = known.iter().find(|preset| preset.name == name) else {
            return Err(no_preset(name, known));
        };
        if chosen.contains(preset) {
            return Err(format!("preset names {name} twice"));
        }
        chosen.push(preset.clone());
    }
    Ok(chosen)
}

fn no_preset(name: &str, known: &[Variant]) -> String {
    let shown = shown(name);
    if known.is_empty() {
        return format!("there is no preset {shown:?}; this service has none (PRESETS)");
    }
    let names: Vec<&str> = known.iter().map(|preset| preset.name.as_str()).collect();
    let names = names.join(", ");
    format!("there is no preset {shown:?}; the presets are: {names}")
}

/// One thumbnail for each size, all with the same other options; one without sizes.
pub(super) fn variants(boxes: Vec<NamedSize>, options: Options) -> Vec<Variant> {
    if boxes.is_empty() {
        let name = DEFAULT_VARIANT.into();
        return vec![Variant { name, options }];
    }
    let variant = |asked: NamedSize| Variant {
        name: asked.name,
        options: Options {
            width: Some(asked.width),
            height: Some(asked.height),
            ..options
        },
    };
    boxes.into_iter().map(variant).collect()
}

/// A size that is asked for, and its name.
pub(super) struct NamedSize {
    name: String,
    width: u32,
    height: u32,
}

/// `200x200,800x600`, or with names: `small:200x200,large:800x600`.
pub(super) fn sizes(value: &str) -> Result<Vec<NamedSize>, String> {
    let one = |text: &str| {
        let text = text.trim();
        let (name, dimensions) = match text.split_once(':') {
            Some((name, dimensions)) => (Some(name), dimensions),
            None => (None, text),
        };
        let (width, height) = size("each of sizes", dimensions)?;
        let name = name.map_or_else(|| format!("{width}x{height}"), str::to_owned);
        if is_variant_name(&name) {
            Ok(NamedSize {
                name,
                width,
                height,
            })
        } else {
            Err(refused_name(&name))
        }
    };
    value.split(',').map(one).collect()
}

/// Why a name cannot be that of a size.
pub(in crate::api) fn refused_name(name: &str) -> String {
    let shown = shown(name);
    format!("a name in sizes has 1 to {MAX_VARIANT_NAME_LEN} of a-z, 0-9 and -, not {shown:?}")
}
