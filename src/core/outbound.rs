//! Where the service may send requests of its own: the addresses that clients name.
//!
//! A Worker cannot resolve a name before it connects, nor pin what it resolved to. So only names are
//! taken, no addresses, and of those only what can be public. In production the platform's network
//! does the rest: with `global_fetch_strictly_public` it reaches nothing private.

use std::fmt;

use url::{Host, Url};

/// The longest URL that is taken, in bytes.
pub const MAX_URL_BYTES: usize = 1 << 10;

/// The longest name of a host, in bytes (RFC 1035, section 2.3.4, as text).
const MAX_HOST_BYTES: usize = 253;

/// The ports of HTTPS and of its usual second.
pub const DEFAULT_PORTS: [u16; 2] = [443, 8443];

/// The ports at which images are.
pub const SOURCE_PORTS: [u16; 4] = [80, 443, 8080, 8443];

/// Names below which nothing is public: special uses (RFC 6761, 6762, 7686, 8375, 9476), what routers,
/// companies and clusters use inside, and names that lead to whatever address stands in them.
const PRIVATE_SUFFIXES: [&str; 31] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "mail",
    "host",
    "svc",
    "cluster",
    "consul",
    "docker",
    "test",
    "example",
    "invalid",
    "alt",
    "onion",
    "arpa",
    "localtest.me",
    "lvh.me",
    "lacolhost.com",
    "vcap.me",
    "nip.io",
    "sslip.io",
    "xip.io",
    "traefik.me",
    "local.gd",
    "rbndr.us",
];

/// Which addresses are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundPolicy {
    /// The hosts that are taken; all public ones where it is empty. `*.example.com` stands for
    /// everything below `example.com`.
    pub hosts: Vec<String>,
    /// The ports that are taken.
    pub ports: Vec<u16>,
    /// Whether addresses may be without encryption.
    pub allows_http: bool,
    /// Whether this machine itself may be named too, without encryption and on any port.
    /// For development only.
    pub allows_loopback: bool,
}

impl Default for OutboundPolicy {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            ports: DEFAULT_PORTS.into(),
            allows_http: false,
            allows_loopback: false,
        }
    }
}

/// Why an address is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// It is too long.
    #[error("it has more than {MAX_URL_BYTES} bytes")]
    TooLong,
    /// It is no absolute URL.
    #[error("it is not an absolute URL such as https://example.com/hook")]
    Malformed,
    /// It is not encrypted.
    #[error("it must begin with https://")]
    NotHttps,
    /// It is not of the web.
    #[error("it must begin with https:// or http://")]
    NotHttp,
    /// It has a user name or a password.
    #[error("it must not have a user name or a password")]
    Credentials,
    /// It has a port that is not taken.
    #[error("port {0} is not allowed")]
    Port(u16),
    /// It has an address in place of a name, in whatever spelling.
    #[error("its host must be a name, not an IP address")]
    Address,
    /// Its host can only be inside a network.
    #[error("its host is not a public name")]
    Private,
    /// Its host is none of those that the service may reach.
    #[error("its host is not one that this service may reach")]
    Unlisted,
    /// There is no secret to sign with.
    #[error("this service is not set up to sign them")]
    Unsigned,
    /// It is this service itself.
    #[error("it leads back to this service")]
    Own,
}

/// An address that was checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination(Url);

/// Shows the origin only: paths and queries of such addresses hold secrets.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

impl Destination {
    /// The whole address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address that a reference leads to from here, not yet checked.
    pub fn join(&self, reference: &str) -> Result<String, OutboundError> {
        if reference.len() > MAX_URL_BYTES {
            return Err(OutboundError::TooLong);
        }
        let url = self.0.join(reference);
        url.map(String::from).map_err(|_| OutboundError::Malformed)
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

impl OutboundPolicy {
    /// Checks an address. `own` is the service's own origin, which is no destination.
    pub fn check(&self, text: &str, own: &str) -> Result<Destination, OutboundError> {
        if text.len() > MAX_URL_BYTES {
            return Err(OutboundError::TooLong);
        }
        // What a parser skips or rewrites is no way to write an address.
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if text.contains(odd) {
            return Err(OutboundError::Malformed);
        }
        let mut url = Url::parse(text).map_err(|_| OutboundError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::Credentials);
        }
        if !(self.allows_loopback && is_loopback(&url)) {
            self.check_public(&url)?;
        }
        if url.origin().ascii_serialization() == own {
            return Err(OutboundError::Own);
        }
        url.set_fragment(None);
        Ok(Destination(url))
    }

    fn check_public(&self, url: &Url) -> Result<(), OutboundError> {
        match url.scheme() {
            "https" => {}
            "http" if self.allows_http => {}
            _ if self.allows_http => return Err(OutboundError::NotHttp),
            _ => return Err(OutboundError::NotHttps),
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if !self.ports.contains(&port) {
            return Err(OutboundError::Port(port));
        }
        // By now every spelling of an IPv4 address is one: decimal, octal, hexadecimal, shortened.
        let Some(Host::Domain(host)) = url.host() else {
            return Err(OutboundError::Address);
        };
        if !is_public(host) {
            return Err(OutboundError::Private);
        }
        let listed = self.hosts.is_empty() || self.hosts.iter().any(|entry| covers(entry, host));
        if listed {
            Ok(())
        } else {
            Err(OutboundError::Unlisted)
        }
    }
}

/// Whether a name, in lower case, can be one of the public Internet.
fn is_public(host: &str) -> bool {
    let well_formed = host.len() <= MAX_HOST_BYTES && host.split('.').all(is_label);
    // A name with a dot at its end is refused as well: it has an empty label.
    let single = !host.contains('.');
    let private = PRIVATE_SUFFIXES.iter().any(|suffix| ends_in(host, suffix));
    well_formed && !single && !private
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn ends_in(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether an entry of the list of hosts is, or covers, a host.
fn covers(entry: &str, host: &str) -> bool {
    match entry.strip_prefix("*.") {
        Some(parent) => host != parent && ends_in(host, parent),
        None => host == entry,
    }
}

fn is_loopback(url: &Url) -> bool {
    let http = matches!(url.scheme(), "http" | "https");
    http && match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
