//! A response before it meets the platform.

/// What a response carries.
#[derive(Debug, PartialEq, Eq)]
pub enum Body<B> {
    /// Nothing.
    Empty,
    /// Text in UTF-8.
    Text(String),
    /// A stored object, handed on without being read here.
    Object(B),
}

/// A response: status, headers, body.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply<B> {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, each at most once.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body<B>,
}

impl<B> Reply<B> {
    /// A response with what every response has.
    pub fn new(status: u16, body: Body<B>) -> Self {
        Self {
            status,
            headers: vec![("x-content-type-options", "nosniff".into())],
            body,
        }
    }

    /// A JSON response that no cache may keep.
    pub fn json(status: u16, document: &impl serde::Serialize) -> Self {
        let text = serde_json::to_string(document).unwrap_or_default();
        Self::new(status, Body::Text(text))
            .with("content-type", "application/json")
            .with("cache-control", "no-store")
    }

    /// The response with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The response without its body, as HEAD wants it.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.body = Body::Empty;
        self
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| v.as_str())
    }
}
