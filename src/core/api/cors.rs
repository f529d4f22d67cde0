//! Cross-origin requests: the CORS protocol of the Fetch standard, without credentials.

use super::reply::Reply;

/// What a page may read of a response beside the few headers that every page may.
///
/// By name, because older browsers do not take `*` for all.
const EXPOSED: &str = "Accept-Ranges, Allow, Content-Disposition, Content-Length, Content-Range, \
    ETag, Idempotent-Replayed, Link, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, \
    Server-Timing, X-Request-Id";

/// What a page may send beside what every page may: what the service reads, and what upload widgets and
/// tracing libraries add to every request.
const ALLOWED: &str = "Authorization, Baggage, Cache-Control, Content-Type, Idempotency-Key, If-Match, \
    If-Modified-Since, If-None-Match, If-Range, If-Unmodified-Since, Last-Event-ID, Prefer, Range, \
    Sentry-Trace, Traceparent, Tracestate, X-Request-Id, X-Requested-With";

/// How long a browser may keep the answer to a preflight: the longest that Chromium does.
const MAX_AGE_SECS: u32 = 7_200;

/// The most origins that can be listed.
const MAX_ORIGINS: usize = 100;

/// Whose pages may call the service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cors {
    /// Everybody's.
    #[default]
    Any,
    /// Those of these origins; of nobody where there are none.
    Listed(Vec<String>),
}

impl Cors {
    /// Reads `*`, or origins with commas or white space between them; an error is what is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|word| !word.is_empty())
            .collect();
        if words == ["*"] {
            return Ok(Self::Any);
        }
        match words.iter().find(|word| !is_origin(word)) {
            Some(wrong) => Err((*wrong).into()),
            None if words.len() > MAX_ORIGINS => Err(format!("{} origins", words.len())),
            None => Ok(Self::Listed(words.into_iter().map(str::to_owned).collect())),
        }
    }

    /// The response as the page at `origin` may read it, if it may.
    #[must_use]
    pub fn apply<B>(&self, reply: Reply<B>, origin: Option<&str>) -> Reply<B> {
        let (reply, allowed) = match self {
            Self::Any => (reply, Some("*")),
            Self::Listed(origins) => {
                let known = origin.filter(|origin| origins.iter().any(|known| known == origin));
                // Also where no origin was sent: a cache must not hand that answer to a page.
                (reply.also("vary", "Origin"), known)
            }
        };
        match allowed {
            Some(allowed) => reply
                .with("access-control-allow-origin", allowed)
                .with("access-control-expose-headers", EXPOSED),
            None => reply,
        }
    }
}

/// The answer to a preflight of a URL that takes `methods`; [`Cors::apply`] adds who may read it.
#[must_use]
pub fn preflight<B>(reply: Reply<B>, methods: &'static str) -> Reply<B> {
    reply
        .with("access-control-allow-methods", methods)
        .with("access-control-allow-headers", ALLOWED)
        .with("access-control-max-age", MAX_AGE_SECS.to_string())
}

/// An origin as browsers write it: scheme and host in lower case, a port at the most.
fn is_origin(word: &str) -> bool {
    let host = word
        .strip_prefix("https://")
        .or_else(|| word.strip_prefix("http://"));
    host.is_some_and(|host| {
        let byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:[]".contains(&b);
        !host.is_empty() && host.bytes().all(byte)
    })
}

#[cfg(test)]
mod tests {
    use super::super::reply::Body;
    use super::*;

    fn allowed(cors: &Cors, origin: Option<&str>) -> (Option<String>, Option<String>) {
        let reply: Reply<()> = cors.apply(Reply::new(200, Body::Empty), origin);
        let value = |name| reply.header(name).map(str::to_owned);
        let exposes = value("access-control-expose-headers").is_some();
        assert_eq!(value("access-control-allow-origin").is_some(), exposes);
        (value("access-control-allow-origin"), value("vary"))
    }

    #[test]
    fn any_origin_gets_the_same_answer() {
        for origin in [None, Some("https://a.example"), Some("null")] {
            assert_eq!(allowed(&Cors::Any, origin), (Some("*".into()), None));
        }
    }

    #[test]
    fn a_list_answers_each_of_its_origins_and_varies() {
        let cors = Cors::parse("https://a.example, http://localhost:5173").unwrap();
        for (origin, want) in [
            (Some("https://a.example"), Some("https://a.example")),
            (Some("http://localhost:5173"), Some("http://localhost:5173")),
            (Some("https://b.example"), None),
            (Some("https://a.example.evil.example"), None),
            (Some("http://a.example"), None),
            (Some("null"), None),
            (Some("*"), None),
            (None, None),
        ] {
            let (got, vary) = allowed(&cors, origin);
            assert_eq!(
                (got.as_deref(), vary.as_deref()),
                (want, Some("Origin")),
                "{origin:?}"
            );
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        assert_eq!(Cors::parse(" * "), Ok(Cors::Any));
        assert_eq!(Cors::parse(""), Ok(Cors::Listed(Vec::new())));
        for wrong in [
            "a.example",
            "https://",
            "https://a.example/",
            "https://A.example",
            "https://*.example",
            "https://a@b",
            "null",
            "ftp://a.example",
        ] {
            assert_eq!(Cors::parse(wrong), Err(wrong.into()));
            let listed = format!("https://a.example {wrong}");
            assert_eq!(Cors::parse(&listed), Err(wrong.into()));
        }
        assert_eq!(Cors::parse("* https://a.example"), Err("*".into()));
        let many = "https://a.example ".repeat(MAX_ORIGINS + 1);
        assert_eq!(Cors::parse(&many), Err("101 origins".into()));
    }

    #[test]
    fn a_preflight_says_methods_headers_and_for_how_long() {
        let reply: Reply<()> = preflight(Reply::new(204, Body::Empty), "POST, OPTIONS");
        assert_eq!(
            reply.header("access-control-allow-methods"),
            Some("POST, OPTIONS")
        );
        let allowed = reply.header("access-control-allow-headers").unwrap();
        for name in [
            "Content-Type",
            "Idempotency-Key",
            "Cache-Control",
            "X-Requested-With",
            "Traceparent",
            "Tracestate",
            "Sentry-Trace",
            "Baggage",
        ] {
            assert!(allowed.split(", ").any(|header| header == name), "{name}");
        }
        assert_eq!(reply.header("access-control-max-age"), Some("7200"));
    }
}
