//! Options as JSON and as text, and those that are refused.

use super::*;

#[test]
fn options_survive_json_and_default_what_is_absent() {
    let variant: Variant = serde_json::from_str(
        r##"{"name":"a","width":200,"gravity":"0.25,1","background":"#fa0","format":"webp"}"##,
    )
    .expect("valid");
    assert_eq!(variant.options.gravity, Gravity::Focus { x: 0.25, y: 1.0 });
    assert_eq!(
        variant.options.background,
        Background::Color([0xff, 0xaa, 0])
    );
    assert_eq!(variant.options.quality, 80);
    let json = serde_json::to_string(&variant).expect("serializes");
    assert!(json.contains(r##""background":"#ffaa00""##), "{json}");
    assert_eq!(serde_json::from_str::<Variant>(&json).ok(), Some(variant));
}

#[test]
fn wrong_options_are_named_with_their_numbers() {
    let options = Options::default();
    for (wrong, want) in [
        (
            Options {
                width: Some(0),
                ..options
            },
            "width must be 1 to 4096, not 0",
        ),
        (
            Options {
                height: Some(5000),
                ..options
            },
            "height must be 1 to 4096, not 5000",
        ),
        (
            Options {
                dpr: f64::NAN,
                ..options
            },
            "dpr must be 1 to 4, not NaN",
        ),
        (
            Options {
                width: Some(2000),
                dpr: 3.0,
                ..options
            },
            "width 2000 times dpr 3 is more than 4096",
        ),
        (
            Options {
                quality: 0,
                ..options
            },
            "quality must be 1 to 100, not 0",
        ),
    ] {
        assert_eq!(
            wrong.validate().map_err(|error| error.to_string()),
            Err(want.to_owned())
        );
    }
    for wrong in ["", "#ff", "#12345g", "+12345", "red"] {
        assert!(wrong.parse::<Background>().is_err(), "{wrong}");
    }
    let twice = [Variant::default(), Variant::default()];
    assert!(matches!(
        Variant::validate_all(&twice),
        Err(OptionsError::Name { .. })
    ));
    assert!(matches!(
        Variant::validate_all(&[]),
        Err(OptionsError::Variants { given: 0 })
    ));
}

/// What somebody might give: each row's own example, or a value that its kind allows.
fn example(values: &Values) -> String {
    match values {
        Values::Whole { max, .. } => max.to_string(),
        Values::Number { max, .. } => max.to_string(),
        Values::Flag => "true".into(),
        Values::Choice(choices) => choices[choices.len() - 1].into(),
        Values::Text { example, .. } => (*example).into(),
    }
}

#[test]
fn each_row_sets_an_option_of_its_own() {
    let mut seen: Vec<Options> = Vec::new();
    for row in OPTIONS {
        let mut options = Options::default();
        (row.set)(&mut options, &example(&row.values)).unwrap_or_else(|why| panic!("{why}"));
        if row.name == "format" || options != Options::default() {
            assert!(!seen.contains(&options), "{}", row.name);
            seen.push(options);
        }
        let refused = (row.set)(&mut options, "\u{0}").expect_err(row.name);
        assert!(refused.starts_with(row.name), "{refused}");
    }
}

#[test]
fn each_row_lists_all_choices_and_the_default_is_one() {
    for row in OPTIONS {
        if let Values::Choice(choices) = row.values {
            assert!(choices.contains(&row.default), "{}", row.name);
            let set = |choice: &str| {
                let mut options = Options::default();
                (row.set)(&mut options, choice).map(|()| options)
            };
            let refused = set("none").expect_err(row.name);
            let (_, listed) = refused.split_once("one of ").expect("a list");
            let (listed, _) = listed.split_once(", not").expect("what it is not");
            // Some words have two spellings.
            for word in listed.split(", ") {
                let is_listed = choices.iter().any(|choice| set(choice) == set(word));
                assert!(is_listed, "{}: {word}", row.name);
            }
        }
        if !row.default.is_empty() {
            let mut options = Options::default();
            (row.set)(&mut options, row.default).unwrap_or_else(|why| panic!("{why}"));
            assert_eq!(options, Options::default(), "{}", row.name);
        }
    }
}
