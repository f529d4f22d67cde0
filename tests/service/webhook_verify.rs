//! The Rust code of `src/docs/webhooks.md`, as it stands there.
//!
//! With `WEBHOOK_DELIVERY`, the path of a delivery as JSON, it verifies that one; `tests/contract` makes it.

// docs
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether a body is from the service, unchanged, and not older than five minutes.
#[rustfmt::skip]
fn verify(secret: &str, id: &str, timestamp: &str, signatures: &str, body: &[u8], now: u64) -> bool {
    let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
    let (Ok(key), Ok(sent)) = (STANDARD.decode(encoded), timestamp.parse::<u64>()) else {
        return false;
    };
    now.abs_diff(sent) <= 300
        && signatures.split(' ').any(|signature| {
            let code = signature.strip_prefix("v1,").map(|code| STANDARD.decode(code));
            let Some(Ok(code)) = code else { return false };
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body);
            // Takes the same time whatever the codes have in common.
            mac.verify_slice(&code).is_ok()
        })
}
// end of docs

/// What was delivered, and the secrets that it is signed with.
struct Delivery {
    secrets: Vec<String>,
    id: String,
    timestamp: String,
    signatures: String,
    body: String,
}

/// The example of the specification, or a delivery of the service.
fn delivery() -> Delivery {
    let Ok(path) = std::env::var("WEBHOOK_DELIVERY") else {
        return Delivery {
            secrets: vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()],
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".into(),
            timestamp: "1614265330".into(),
            signatures: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".into(),
            body: r#"{"test": 2432232314}"#.into(),
        };
    };
    let text = std::fs::read_to_string(path).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let header = |name: &str| text(&value["headers"][name]);
    Delivery {
        secrets: value["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect(),
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signatures: header("webhook-signature"),
        body: text(&value["body"]),
    }
}

#[test]
fn the_code_of_the_documentation_verifies_a_delivery() {
    let Delivery {
        secrets,
        id,
        timestamp,
        signatures,
        body,
    } = delivery();
    let sent: u64 = timestamp.parse().unwrap();
    let check = |secret: &str, body: &str, now: u64| {
        verify(secret, &id, &timestamp, &signatures, body.as_bytes(), now)
    };
    for secret in &secrets {
        assert!(check(secret, &body, sent + 300));
        assert!(!check(secret, &body, sent + 301));
        assert!(!check(secret, &format!("{body} "), sent));
    }
    assert!(!check(
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        &body,
        sent
    ));
    assert!(!check("x", &body, sent));
}

#[test]
fn the_documentation_shows_this_code() {
    let source = include_str!("webhook_verify.rs");
    let (_, code) = source.split_once("// docs\n").unwrap();
    let (code, _) = code.split_once("// end of docs\n").unwrap();
    let shown = code.replace("#[rustfmt::skip]\n", "");
    assert!(include_str!("../../src/docs/webhooks.md").contains(&format!("```rust\n{shown}```")));
}
