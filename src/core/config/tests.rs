//! Values that are read, and values that are refused.

use super::*;
use crate::api::later::SigningKey;

#[test]
fn nothing_set_gives_the_defaults() {
    let config = Config::parse(|_| None).unwrap();
    assert_eq!(config.max_upload_bytes, 32 << 20);
    assert_eq!(config.policy, Policy::default());
    assert_eq!(config.cors, Cors::Any);
}

#[test]
fn a_wrong_origin_is_shown() {
    let error = Config::parse(|name| (name == "CORS_ORIGINS").then(|| "x".into()));
    let text = error.unwrap_err().to_string();
    assert!(
        text.starts_with("CORS_ORIGINS must be") && text.ends_with("\"x\""),
        "{text}"
    );
}

#[test]
fn a_wrong_value_names_its_variable() {
    for value in ["", "x", "-1", "1.5", "0", "999999999999999999999"] {
        let error = Config::parse(|name| (name == "LEASE_SECS").then(|| value.into())).unwrap_err();
        assert!(
            error.to_string().starts_with("LEASE_SECS must be"),
            "{error}"
        );
    }
}

#[test]
fn a_public_origin_is_scheme_and_host_alone() {
    let parse = |text: &str| Config::parse(|name| (name == "PUBLIC_ORIGIN").then(|| text.into()));
    for origin in [
        "https://thumbs.example",
        "http://127.0.0.1:8787",
        "https://xn--mnchen-3ya.example",
    ] {
        assert_eq!(
            parse(origin).unwrap().public_origin.as_deref(),
            Some(origin)
        );
    }
    for wrong in [
        "thumbs.example",
        "https://thumbs.example/",
        "https://thumbs.example/a",
        "https://Thumbs.example",
        "https://thumbs.example:443",
        "https://user@thumbs.example",
        "https://thumbs.example?a",
        "ftp://thumbs.example",
        "https://",
    ] {
        let error = parse(wrong).unwrap_err().to_string();
        assert!(
            error.starts_with("PUBLIC_ORIGIN must be scheme and host alone"),
            "{error}"
        );
    }
}

#[test]
fn presets_are_options_by_name() {
    let parse = |text: &str| Config::parse(|name| (name == "PRESETS").then(|| text.into()));
    let config =
        parse(r#"{"avatar": {"size": "128x96", "enlarge": false, "quality": 60}, "b": {}}"#);
    let presets = config.unwrap().presets;
    let names: Vec<_> = presets.iter().map(|preset| preset.name.as_str()).collect();
    assert_eq!(names, ["avatar", "b"]);
    let options = presets[0].options;
    assert_eq!((options.width, options.height), (Some(128), Some(96)));
    assert_eq!((options.enlarge, options.quality), (false, 60));
}

#[test]
fn a_wrong_preset_is_named() {
    for (text, words) in [
        ("", "JSON object"),
        ("[]", "JSON object"),
        ("{\"a\": 5}", "\"a\""),
        ("{\"A\": {}}", "\"A\""),
        ("{\"default\": {}}", "default"),
        ("{\"a\": {\"width\": 0}}", "width must be"),
        ("{\"a\": {\"widht\": 5}}", "no option"),
        ("{\"a\": {\"sizes\": \"5x5\"}}", "sizes cannot"),
    ] {
        let error = Config::parse(|name| (name == "PRESETS").then(|| text.into()));
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("PRESETS ") && error.contains(words),
            "{error}"
        );
    }
}

#[test]
fn later_variants_are_signed_with_a_key_that_is_long_enough() {
    let parse = |later: &str, key: Option<&str>| {
        let config = Config::parse(|name| match name {
            "VARIANTS_LATER" => Some(later.into()),
            "SIGNING_KEY" => key.map(str::to_owned),
            _ => None,
        });
        config
            .map(|config| config.variants_later)
            .map_err(|error| error.to_string())
    };
    let key = "k".repeat(32);
    let signed = SigningKey::new(key.clone()).map(VariantsLater::Signed);
    for (later, key, want) in [
        ("off", None, Ok(VariantsLater::Off)),
        ("presets", None, Ok(VariantsLater::Presets)),
        ("any", None, Ok(VariantsLater::Any)),
        ("signed", Some(key.as_str()), Ok(signed.unwrap())),
        ("signed", None, Err("SIGNING_KEY must be")),
        ("signed", Some("short"), Err("SIGNING_KEY must be")),
        ("yes", None, Err("VARIANTS_LATER must be")),
    ] {
        match (parse(later, key), want) {
            (Ok(got), Ok(want)) => assert_eq!(got, want),
            (Err(got), Err(start)) => {
                assert!(got.starts_with(start) && !got.contains("short"), "{got}");
            }
            (got, want) => panic!("{later}: {got:?}, not {want:?}"),
        }
    }
    let shown = format!("{:?}", parse("signed", Some(&key)));
    assert!(!shown.contains("kkk"), "{shown}");
}

fn with(pairs: &[(&str, &str)]) -> Result<WebhookConfig, String> {
    let var = |name: &str| {
        pairs
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| (*v).into())
    };
    let config = Config::parse(var).map_err(|e| e.to_string())?;
    Ok(config.webhooks)
}

const SECRET: (&str, &str) = ("WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

#[test]
fn webhooks_need_a_secret() {
    let url = "https://example.com/hook";
    assert_eq!(
        with(&[]).unwrap().check(url, ""),
        Err(OutboundError::Unsigned)
    );
    assert!(with(&[SECRET]).unwrap().check(url, "").is_ok());
    let error = with(&[("WEBHOOK_URL", url)]).unwrap_err();
    assert!(error.starts_with("WEBHOOK_URL must be"), "{error}");
    let config = with(&[SECRET, ("WEBHOOK_URL", url)]).unwrap();
    assert_eq!(config.default_url.as_deref(), Some(url));
}

#[test]
fn lists_are_read_and_wrong_ones_are_named() {
    let hosts = ("WEBHOOK_HOSTS", "Example.com, *.example.org,");
    let config = with(&[hosts, ("WEBHOOK_PORTS", "443, 9443")]).unwrap();
    assert_eq!(config.policy.hosts, ["example.com", "*.example.org"]);
    assert_eq!(config.policy.ports, [443, 9443]);
    for (name, value) in [
        ("WEBHOOK_PORTS", "https"),
        ("WEBHOOK_PORTS", "70000"),
        ("WEBHOOK_SCHEDULE", ""),
        ("WEBHOOK_SCHEDULE", "0,-5"),
        ("WEBHOOK_SCHEDULE", "9999999"),
        ("WEBHOOK_SCHEDULE", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"),
        ("WEBHOOK_SECRET", "secret"),
        ("WEBHOOK_TIMEOUT_SECS", "60"),
    ] {
        let error = with(&[(name, value)]).unwrap_err();
        assert!(error.starts_with(&format!("{name} must be")), "{error}");
    }
    let secret = with(&[("WEBHOOK_SECRET", "hush")]).unwrap_err();
    assert!(!secret.contains("hush"));
}

#[test]
fn a_schedule_is_read() {
    let policy = Config::parse(|name| (name == "WEBHOOK_SCHEDULE").then(|| "0,2".into()))
        .unwrap()
        .policy;
    let pauses: Vec<_> = (0..3)
        .map(|step| policy.webhook_schedule.pause_secs(step))
        .collect();
    assert_eq!(pauses, [Some(0), Some(2), None]);
}
