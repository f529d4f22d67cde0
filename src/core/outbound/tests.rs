//! Tests of `outbound`.

use super::OutboundError as E;
use super::*;

const OWN: &str = "https://thumbs.example.com";

/// Everything here is refused as it is parsed: nothing is resolved, nothing is connected to.
const REFUSED: &[(&str, E)] = &[
    // No URL, or one that a parser would have to mend.
    ("", E::Malformed),
    ("example.com/hook", E::Malformed),
    ("//example.com/hook", E::Malformed),
    ("https://", E::Malformed),
    ("https://exa mple.com/", E::Malformed),
    (" https://example.com/", E::Malformed),
    ("https://example.com/\n", E::Malformed),
    ("https://exam\tple.com/", E::Malformed),
    ("https:\\\\example.com\\hook", E::Malformed),
    ("https://example.com\\@127.0.0.1/", E::Malformed),
    ("https://example.com:99999/", E::Malformed),
    ("https://[::1/", E::Malformed),
    ("https://exa%00mple.com/", E::Malformed),
    // Other schemes.
    ("http://example.com/hook", E::NotHttps),
    ("ftp://example.com/", E::NotHttps),
    ("file:///etc/passwd", E::NotHttps),
    ("gopher://example.com/", E::NotHttps),
    ("javascript:alert(1)", E::NotHttps),
    ("data:text/plain,x", E::NotHttps),
    ("ws://example.com/", E::NotHttps),
    // Credentials, and what looks like a host and is none.
    ("https://user@example.com/", E::Credentials),
    ("https://user:secret@example.com/", E::Credentials),
    ("https://:secret@example.com/", E::Credentials),
    ("https://example.com@127.0.0.1/", E::Credentials),
    ("https://example.com:443@169.254.169.254/", E::Credentials),
    // Ports.
    ("https://example.com:80/", E::Port(80)),
    ("https://example.com:22/", E::Port(22)),
    ("https://example.com:6379/", E::Port(6379)),
    ("https://example.com:0/", E::Port(0)),
    // Addresses of IPv4 in every spelling that reaches one.
    ("https://127.0.0.1/", E::Address),
    ("https://127.1/", E::Address),
    ("https://127.0.1/", E::Address),
    ("https://2130706433/", E::Address),
    ("https://0x7f000001/", E::Address),
    ("https://0x7f.0.0.1/", E::Address),
    ("https://0177.0.0.1/", E::Address),
    ("https://017700000001/", E::Address),
    ("https://0/", E::Address),
    ("https://0.0.0.0/", E::Address),
    ("https://127.0.0.1./", E::Address),
    ("https://10.0.0.1/", E::Address),
    ("https://172.16.0.1/", E::Address),
    ("https://192.168.1.1/", E::Address),
    ("https://100.64.0.1/", E::Address),
    ("https://169.254.169.254/latest/meta-data/", E::Address),
    ("https://2852039166/", E::Address),
    ("https://0xa9fea9fe/", E::Address),
    ("https://168.63.129.16/", E::Address),
    ("https://255.255.255.255/", E::Address),
    ("https://224.0.0.1/", E::Address),
    ("https://8.8.8.8/", E::Address),
    ("https://１２７.０.０.１/", E::Address),
    ("https://127。0。0。1/", E::Address),
    ("https://①②⑦.⓪.⓪.①/", E::Address),
    ("https://%31%32%37.0.0.1/", E::Address),
    ("https://256.0.0.1/", E::Malformed),
    ("https://1.2.3.4.5/", E::Malformed),
    ("https://example.0x7f/", E::Malformed),
    // Addresses of IPv6.
    ("https://[::1]/", E::Address),
    ("https://[::]/", E::Address),
    ("https://[::ffff:127.0.0.1]/", E::Address),
    ("https://[::ffff:7f00:1]/", E::Address),
    ("https://[::127.0.0.1]/", E::Address),
    ("https://[0:0:0:0:0:0:0:1]/", E::Address),
    ("https://[fe80::1]/", E::Address),
    ("https://[fc00::1]/", E::Address),
    ("https://[fd00:ec2::254]/", E::Address),
    ("https://[64:ff9b::7f00:1]/", E::Address),
    ("https://[2002:7f00:1::]/", E::Address),
    ("https://[2001:0:7f00:1::]/", E::Address),
    ("https://[2606:4700::1111]/", E::Address),
    ("https://[fe80::1%25eth0]/", E::Malformed),
    // Names that are not public.
    ("https://localhost/", E::Private),
    ("https://LOCALHOST/", E::Private),
    ("https://localhost./", E::Private),
    ("https://ｌｏｃａｌｈｏｓｔ/", E::Private),
    ("https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", E::Private),
    ("https://loc%61lhost/", E::Private),
    ("https://loc\u{ad}alhost/", E::Private),
    ("https://app.localhost/", E::Private),
    ("https://printer.local/", E::Private),
    ("https://printer。local/", E::Private),
    (
        "https://metadata.google.internal/computeMetadata/",
        E::Private,
    ),
    ("https://metadata/", E::Private),
    ("https://instance-data/", E::Private),
    ("https://redis/", E::Private),
    ("https://db.svc/", E::Private),
    ("https://kubernetes.default.svc.cluster.local/", E::Private),
    ("https://host.docker.internal/", E::Private),
    ("https://router.lan/", E::Private),
    ("https://nas.home.arpa/", E::Private),
    ("https://wiki.corp/", E::Private),
    ("https://127.0.0.1.nip.io/", E::Private),
    ("https://7f000001.sslip.io/", E::Private),
    ("https://localtest.me/", E::Private),
    ("https://x.onion/", E::Private),
    ("https://example.com./", E::Private),
    ("https://a..com/", E::Private),
    ("https://.example.com/", E::Private),
    ("https://*.example.com/", E::Private),
    // Back to where it came from.
    ("https://thumbs.example.com/thumbnails", E::Own),
    ("https://THUMBS.example.com:443/x", E::Own),
];

#[test]
fn what_is_not_public_is_refused_in_every_spelling() {
    assert!(REFUSED.len() >= 90, "{}", REFUSED.len());
    let policy = OutboundPolicy::default();
    let failed: Vec<_> = REFUSED
        .iter()
        .map(|(text, want)| (text, policy.check(text, OWN).err(), want))
        .filter(|(_, found, want)| found.as_ref() != Some(want))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let long = format!("https://example.com/{}", "a".repeat(MAX_URL_BYTES));
    assert_eq!(policy.check(&long, OWN), Err(E::TooLong));
    let deep = format!("https://{}com/", "a.".repeat(126));
    assert_eq!(policy.check(&deep, OWN), Err(E::Private));
    let label = format!("https://{}.com/", "a".repeat(64));
    assert!(policy.check(&label, OWN).is_err());
}

#[test]
fn what_is_public_passes_as_the_url_standard_writes_it() {
    for (text, want) in [
        ("https://example.com", "https://example.com/"),
        ("https://example.com/hook", "https://example.com/hook"),
        (
            "https://EXAMPLE.com:443/a?b=c#d",
            "https://example.com/a?b=c",
        ),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("https://a_b.example.co.uk/", "https://a_b.example.co.uk/"),
        ("https://bücher.de/", "https://xn--bcher-kva.de/"),
        ("https://xn--bcher-kva.de/", "https://xn--bcher-kva.de/"),
        (
            "https://localhost.example.com/",
            "https://localhost.example.com/",
        ),
        ("https://notlocal.dev/", "https://notlocal.dev/"),
        ("https://10.example.com/", "https://10.example.com/"),
        (
            "https://example.com/http://127.0.0.1/",
            "https://example.com/http://127.0.0.1/",
        ),
        (
            "https://example.com/@127.0.0.1",
            "https://example.com/@127.0.0.1",
        ),
    ] {
        let checked = OutboundPolicy::default().check(text, OWN);
        assert_eq!(
            checked.as_ref().map(Destination::as_str),
            Ok(want),
            "{text}"
        );
    }
}

#[test]
fn a_list_of_hosts_lets_nothing_else_through() {
    let policy = OutboundPolicy {
        hosts: vec!["hooks.example.com".into(), "*.example.org".into()],
        ports: vec![443, 9443],
        ..OutboundPolicy::default()
    };
    for (text, want) in [
        ("https://hooks.example.com/", Ok(())),
        ("https://hooks.example.com:9443/", Ok(())),
        ("https://a.b.example.org/", Ok(())),
        ("https://example.org/", Err(E::Unlisted)),
        ("https://badexample.org/", Err(E::Unlisted)),
        ("https://example.com/", Err(E::Unlisted)),
        ("https://a.hooks.example.com/", Err(E::Unlisted)),
        ("https://hooks.example.com:8443/", Err(E::Port(8443))),
        ("https://127.0.0.1/", Err(E::Address)),
    ] {
        assert_eq!(policy.check(text, OWN).map(drop), want, "{text}");
    }
}

#[test]
fn development_may_name_this_machine_and_nothing_else_more() {
    let policy = OutboundPolicy {
        allows_loopback: true,
        ..OutboundPolicy::default()
    };
    for (text, want) in [
        ("http://127.0.0.1:9000/hook", Ok(())),
        ("http://localhost:9000/hook", Ok(())),
        ("http://[::1]:9000/", Ok(())),
        ("https://localhost/", Ok(())),
        ("https://example.com/", Ok(())),
        ("http://example.com/", Err(E::NotHttps)),
        ("http://10.0.0.1/", Err(E::NotHttps)),
        ("https://10.0.0.1/", Err(E::Address)),
        ("ftp://127.0.0.1/", Err(E::NotHttps)),
        ("http://user@127.0.0.1/", Err(E::Credentials)),
        ("http://app.localhost/", Err(E::NotHttps)),
    ] {
        assert_eq!(policy.check(text, OWN).map(drop), want, "{text}");
    }
    let own = "http://127.0.0.1:8787";
    let back = policy.check("http://127.0.0.1:8787/thumbnails", own);
    assert_eq!(back, Err(E::Own));
}

#[test]
fn a_destination_shows_its_origin_only() {
    let policy = OutboundPolicy::default();
    let destination = policy
        .check("https://example.com/T0/secret?token=x", OWN)
        .unwrap();
    assert_eq!(format!("{destination:?}"), "https://example.com");
}
