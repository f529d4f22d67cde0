//! Options that are read, and options that are refused.

use super::*;
use crate::api::ProblemKind;
use thumbnail_pipeline::gravity::Gravity;
use thumbnail_pipeline::options::{Background, Fit, FormatChoice, MAX_VARIANTS, Truncated};

const RULES: Rules<'static> = Rules {
    max_expires_secs: 86_400,
    presets: &[],
    freedom: Freedom::Any,
};

fn parse(pairs: &[(&str, &str)]) -> Result<ParsedOptions, Problem> {
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
            "background must be transparent or a color such as #ff8800, not \"red\"",
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
