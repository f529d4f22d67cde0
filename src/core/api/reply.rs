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

    /// The response with one more member of a header that is a list, such as `Vary` or `Link`.
    #[must_use]
    pub fn also(mut self, name: &'static str, member: &str) -> Self {
        if let Some((_, list)) = self.headers.iter_mut().find(|(n, _)| *n == name) {
            *list = format!("{list}, {member}");
            return self;
        }
        self.with(name, member)
    }

    /// The response with another kind of object in its body.
    pub fn map<C>(self, into: impl FnOnce(B) -> C) -> Reply<C> {
        let body = match self.body {
            Body::Empty => Body::Empty,
            Body::Text(text) => Body::Text(text),
            Body::Object(object) => Body::Object(into(object)),
        };
        Reply {
            status: self.status,
            headers: self.headers,
            body,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_a_list_share_one_header() {
        let reply: Reply<()> = Reply::new(200, Body::Empty)
            .also("vary", "Accept")
            .also("vary", "Origin");
        assert_eq!(reply.header("vary"), Some("Accept, Origin"));
    }
}
