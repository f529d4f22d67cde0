//! Names that are an option's but for a slip.

use strsim::osa_distance;

use super::table::names;

/// Shorter names are too close to words that forms have for themselves: `site` is one letter from `size`.
const MIN_LETTERS: usize = 5;

const MAX_EDITS: usize = 1;

/// The option that was meant by a name that is none: one letter more, less or another, or two
/// neighbors swapped, whatever its case, its `-` and its `_`.
pub(super) fn similar(name: &str) -> Option<&'static str> {
    let given = letters(name);
    let near: Vec<_> = names()
        .filter_map(|known| Some((edits(&given, &letters(known))?, known)))
        .collect();
    let is_slip = near
        .iter()
        .any(|(_, known)| letters(known).len() >= MIN_LETTERS);
    // `Size` is nearer to `size` than to `sizes`, though only the longer name makes it a slip.
    let (_, nearest) = near.into_iter().min_by_key(|(edits, _)| *edits)?;
    is_slip.then_some(nearest)
}

/// How many edits apart they are, if at most one.
fn edits(given: &str, known: &str) -> Option<usize> {
    // The distance takes time for each pair of letters, and a name may have thousands.
    if given.len().abs_diff(known.len()) > MAX_EDITS {
        return None;
    }
    Some(osa_distance(given, known)).filter(|edits| *edits <= MAX_EDITS)
}

fn letters(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_recognized() {
        for (name, meant) in [
            ("widht", "width"),
            ("Width", "width"),
            ("widths", "width"),
            ("wdth", "width"),
            ("Size", "size"),
            ("qualty", "quality"),
            ("qualitty", "quality"),
            ("expires-in", "expires_in"),
            ("expiresIn", "expires_in"),
            ("web_hook", "webhook"),
            ("back-ground", "background"),
            ("foramt", "format"),
            ("preset_", "preset"),
        ] {
            assert_eq!(similar(name), Some(meant), "{name}");
        }
    }

    #[test]
    fn other_words_are_no_slips() {
        for name in [
            "",
            "name",
            "type",
            "site",
            "fits",
            "pages",
            "image",
            "idthw",
            "wdiht",
            "filename",
            "relativePath",
            "_charset_",
            "MAX_FILE_SIZE",
            "wïdh",
        ] {
            assert_eq!(similar(name), None, "{name}");
        }
    }
}
