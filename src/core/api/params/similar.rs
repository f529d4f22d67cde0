//! Names that are an option's but for a slip.

use super::NAMES;

/// Shorter names are too close to words that forms have for themselves: `site` is one letter from `size`.
const MIN_LETTERS: usize = 5;

/// The option that was meant by a name that is none: one letter more, less or another, or two
/// neighbours swapped, whatever its case, its `-` and its `_`.
pub(super) fn similar(name: &str) -> Option<&'static str> {
    let given = letters(name);
    NAMES.into_iter().find(|known| {
        let known = letters(known);
        known.len() >= MIN_LETTERS && is_within_one_edit(&given, &known)
    })
}

fn letters(name: &str) -> Vec<char> {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// What is left of both without their common beginning and end says it all.
fn is_within_one_edit(one: &[char], other: &[char]) -> bool {
    let same = |(a, b): &(&char, &char)| a == b;
    let begin = one.iter().zip(other).take_while(same).count();
    let (one, other) = (&one[begin..], &other[begin..]);
    let end = one.iter().rev().zip(other.iter().rev());
    let end = end.take_while(same).count();
    match (&one[..one.len() - end], &other[..other.len() - end]) {
        ([] | [_], [] | [_]) => true,
        ([a, b], [c, d]) => (a, b) == (d, c),
        _ => false,
    }
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
            "Size",
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
