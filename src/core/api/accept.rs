//! Content negotiation: `Accept`, RFC 9110, section 12.5.1.

use thumbnail_pipeline::OutputFormat;

/// The most members of the list that are read.
const MAX_MEMBERS: usize = 64;

/// How much a client likes a media type: thousandths, and whether it names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Liking {
    quality: u16,
    named: bool,
}

/// Chooses between a thumbnail in its source's family and another format of it.
///
/// The other one has to be named: `*/*` is also what clients say that cannot show it. Where both
/// are liked alike, WebP is chosen, since it is smaller. Who likes neither gets the family: a
/// image that may not be shown is better than a 406 that certainly is not.
pub fn choose(
    accept: Option<&str>,
    family: OutputFormat,
    other: Option<OutputFormat>,
) -> OutputFormat {
    let Some(other) = other else {
        return family;
    };
    let liking = |format: OutputFormat| liking(accept, format.image_format().media_type());
    let (of_family, of_other) = (liking(family), liking(other));
    let smaller = other == OutputFormat::WebP;
    let liked_more = of_other.quality > of_family.quality
        || of_other.quality == of_family.quality && smaller && of_other.quality > 0;
    let refused = of_family.quality == 0 && of_other.quality > 0;
    if refused || of_other.named && liked_more {
        other
    } else {
        family
    }
}

/// Whether a client asks for an image rather than for the document about it.
///
/// `<img>` does; `curl` and `fetch`, which say `*/*`, and a visit with a browser, which names HTML, do not.
pub fn wants_picture(accept: Option<&str>) -> bool {
    let text = accept.unwrap_or_default();
    let pictures = members(text).filter(|member| member.range.starts_with("image/"));
    let best = pictures.map(|member| member.quality).max();
    let visit = liking(accept, "text/html").named;
    !visit && best.unwrap_or(0) > liking(accept, "application/json").quality
}

/// The most specific member that covers a media type counts.
fn liking(accept: Option<&str>, media_type: &str) -> Liking {
    let text = accept.filter(|text| !text.trim().is_empty());
    let Some(text) = text else {
        return Liking {
            quality: 1_000,
            named: false,
        };
    };
    let specificity = |range: &str| match range.strip_suffix("/*") {
        Some("*") => Some(1),
        Some(family) => (media_type.split('/').next() == Some(family)).then_some(2),
        None => (range == media_type).then_some(3),
    };
    let covering = members(text).filter_map(|m| Some((specificity(&m.range)?, m.quality)));
    let most_specific = covering.max();
    most_specific.map_or(Liking::default(), |(specificity, quality)| Liking {
        quality,
        named: specificity == 3,
    })
}

struct Member {
    range: String,
    quality: u16,
}

/// The members that can be read. Those with parameters of their own are of no type that is served.
fn members(text: &str) -> impl Iterator<Item = Member> {
    text.split(',').take(MAX_MEMBERS).filter_map(|member| {
        let mut parts = member.split(';').map(str::trim);
        let range = parts.next()?.to_ascii_lowercase();
        let quality = match (parts.next(), parts.next()) {
            (None, _) => 1_000,
            (Some(weight), None) => quality(weight)?,
            _ => return None,
        };
        Some(Member { range, quality })
    })
}

/// `q=0.7` as thousandths: a digit and up to three decimals.
fn quality(weight: &str) -> Option<u16> {
    let (name, value) = weight.split_once('=')?;
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    if !name.trim().eq_ignore_ascii_case("q") || !digits {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutputFormat::{Gif, Jpeg, Png, WebP};

    const CHROME_IMG: &str = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
    const FIREFOX_IMG: &str =
        "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5";
    const SAFARI_IMG: &str = "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5";
    const OLD_SAFARI_IMG: &str = "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5";
    const VISIT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";

    #[test]
    fn webp_goes_to_those_who_name_it() {
        for (accept, want) in [
            (Some(CHROME_IMG), WebP),
            (Some(FIREFOX_IMG), WebP),
            (Some(SAFARI_IMG), WebP),
            (Some(OLD_SAFARI_IMG), Png),
            (Some("*/*"), Png),
            (Some("image/*"), Png),
            (None, Png),
            (Some(""), Png),
            (Some("image/webp"), WebP),
            (Some("image/webp, image/png"), WebP),
            (Some("image/webp;q=0.5, image/png"), Png),
            (Some("image/webp;q=0.5, image/png;q=0.4"), WebP),
            (Some("image/webp;q=0, */*"), Png),
            (Some("image/png;q=0, */*"), WebP),
            (Some("image/png"), Png),
            (Some("IMAGE/WEBP"), WebP),
            (Some("image/webp ; Q=1.000"), WebP),
            // Neither: the family all the same.
            (Some("application/json"), Png),
            (Some("image/webp;q=0, image/png;q=0"), Png),
            (Some("image/webp;q=2"), Png),
            (Some("image/webp;q=0.1234"), Png),
            (Some(";;,,=,q=1"), Png),
        ] {
            assert_eq!(choose(accept, Png, Some(WebP)), want, "{accept:?}");
        }
    }

    #[test]
    fn a_webp_has_a_way_out_for_those_who_cannot_show_it() {
        for (accept, want) in [
            (Some(CHROME_IMG), WebP),
            (Some(OLD_SAFARI_IMG), Png),
            (Some("image/png"), Png),
            (Some("image/png, image/webp"), WebP),
            (Some("*/*"), WebP),
            (None, WebP),
        ] {
            assert_eq!(choose(accept, WebP, Some(Png)), want, "{accept:?}");
        }
    }

    #[test]
    fn without_another_format_there_is_no_choice() {
        for family in [Jpeg, Gif] {
            assert_eq!(choose(Some("image/webp"), family, None), family);
        }
    }

    #[test]
    fn pictures_are_for_those_who_prefer_them() {
        for (accept, want) in [
            (Some(CHROME_IMG), true),
            (Some(FIREFOX_IMG), true),
            (Some(SAFARI_IMG), true),
            (Some(OLD_SAFARI_IMG), true),
            (Some("image/*"), true),
            (Some("image/jpeg"), true),
            (Some(VISIT), false),
            (Some("*/*"), false),
            (Some("application/json"), false),
            (Some("application/json, image/*"), false),
            (Some("application/json;q=0.5, image/*"), true),
            (Some("image/*;q=0"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(wants_picture(accept), want, "{accept:?}");
        }
    }

    #[test]
    fn a_long_list_is_not_read_to_its_end() {
        let long = "a/b,".repeat(MAX_MEMBERS) + "image/webp";
        assert_eq!(choose(Some(&long), Png, Some(WebP)), Png);
    }
}
