//! An image from an address that a client names, as if it were the body of an upload.
//!
//! Nothing is asked for before somebody reads; every address on the way, redirects too, is one that
//! the service may reach; whose fault a failure is, its error tells.

use crate::api::problem::FieldError;
use crate::api::{Problem, json};
use crate::outbound::{Destination, OutboundError, OutboundPolicy};
use crate::ports::{ChunkError, Chunks, FetchError, SourceAnswer, Sources};
use crate::service::upload::UploadRequest;

/// The most redirects that are followed.
const MAX_REDIRECTS: u32 = 5;

/// The longest name of a file that an address gives, in bytes, before it is decoded.
const MAX_NAME_BYTES: usize = 1_024;

/// What is fetched is an image, or it is refused for what its bytes say.
const FETCHED_TYPE: &str = "application/octet-stream";

/// An image at an address.
pub struct SourceBody<'a, S: Sources> {
    sources: &'a S,
    policy: &'a OutboundPolicy,
    own: &'a str,
    /// Where to ask, until somebody has.
    unasked: Option<Destination>,
    /// What was answered.
    body: Option<S::Body>,
}

impl<'a, S: Sources> SourceBody<'a, S> {
    /// The image at `url`, which may be asked for. `own` is the service's own origin.
    pub fn new(
        sources: &'a S,
        policy: &'a OutboundPolicy,
        url: &str,
        own: &'a str,
    ) -> Result<Self, Problem> {
        let destination = policy.check(url, own).map_err(|error| {
            let detail = format!("source_url cannot be used: {error}");
            Problem::invalid(vec![FieldError::new("source_url", detail)])
        })?;
        Ok(Self {
            sources,
            policy,
            own,
            unasked: Some(destination),
            body: None,
        })
    }

    /// Follows redirects to the answer that has the image.
    async fn ask(&self, mut destination: Destination) -> Result<S::Body, FetchError> {
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.sources.get(&destination).await?;
            let SourceAnswer {
                status,
                location,
                body,
            } = answer;
            match status {
                200 => return Ok(body),
                301 | 302 | 303 | 307 | 308 => {
                    let location = location.unwrap_or_default();
                    destination = self.redirected(&destination, &location)?;
                }
                // Too many requests, and what the server itself says it is at fault for.
                429 | 500.. => return Err(FetchError::Failed(format!("it answered {status}"))),
                _ => return Err(FetchError::Refused(format!("it answered {status}"))),
            }
        }
        let detail = format!("it has more than {MAX_REDIRECTS} redirects");
        Err(FetchError::Refused(detail))
    }

    fn redirected(&self, from: &Destination, location: &str) -> Result<Destination, FetchError> {
        let refused = |error: OutboundError| {
            FetchError::Refused(format!(
                "it leads to an address that cannot be used: {error}"
            ))
        };
        let url = from.join(location).map_err(refused)?;
        self.policy.check(&url, self.own).map_err(refused)
    }
}

impl<S: Sources> Chunks for SourceBody<'_, S> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        if let Some(destination) = self.unasked.take() {
            self.body = Some(self.ask(destination).await?);
        }
        let Some(body) = &mut self.body else {
            return Err(FetchError::Failed("it broke off".into()).into());
        };
        match body.next().await {
            // The client has sent all that it had to send.
            Err(ChunkError::Aborted(why)) => Err(FetchError::Failed(why).into()),
            other => other,
        }
    }
}

/// An upload whose image is at the address that its JSON names. `own` is the service's own origin.
pub async fn fetched<'a, S: Sources>(
    upload: UploadRequest<impl Chunks>,
    sources: &'a S,
    policy: &'a OutboundPolicy,
    own: &'a str,
) -> Result<UploadRequest<SourceBody<'a, S>>, Problem> {
    let mut params = upload.params;
    let url = json::source_url(upload.body, &mut params).await?;
    let body = SourceBody::new(sources, policy, &url, own)?;
    Ok(UploadRequest {
        content_type: FETCHED_TYPE.into(),
        length: None,
        params,
        source_url: Some(url),
        body,
    })
}

/// The name of the file that an address seems to be of: the last part of its path.
pub fn filename(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let last = url.path_segments()?.next_back()?;
    let name = percent_encoding::percent_decode_str(last.get(..last.len().min(MAX_NAME_BYTES))?)
        .decode_utf8_lossy()
        .into_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures_util::FutureExt;

    use super::*;

    const URL: &str = "https://pictures.example.com/a/cat%20one.png?x=1";

    struct Bytes(Vec<Result<Vec<u8>, ChunkError>>);

    impl Chunks for Bytes {
        async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
            self.0.pop().transpose()
        }
    }

    /// Answers in this order, from the last to the first.
    #[derive(Default)]
    struct Web {
        answers: RefCell<Vec<SourceAnswer<Bytes>>>,
        asked: RefCell<Vec<String>>,
    }

    impl Sources for Web {
        type Body = Bytes;

        async fn get(&self, from: &Destination) -> Result<SourceAnswer<Bytes>, FetchError> {
            self.asked.borrow_mut().push(from.as_str().into());
            let answer = self.answers.borrow_mut().pop();
            Ok(answer.expect("nothing else is asked for"))
        }
    }

    fn answer(status: u16, location: Option<&str>) -> SourceAnswer<Bytes> {
        SourceAnswer {
            status,
            location: location.map(Into::into),
            body: Bytes(vec![Ok(b"def".to_vec()), Ok(b"abc".to_vec())]),
        }
    }

    fn read(web: &Web) -> Result<Vec<u8>, ChunkError> {
        let policy = OutboundPolicy::default();
        let mut body = SourceBody::new(web, &policy, URL, "https://thumbs.example.org").unwrap();
        let mut all = Vec::new();
        while let Some(chunk) = body.next().now_or_never().unwrap()? {
            all.extend(chunk);
        }
        Ok(all)
    }

    fn web(answers: Vec<SourceAnswer<Bytes>>) -> Web {
        Web {
            answers: RefCell::new(answers.into_iter().rev().collect()),
            asked: RefCell::default(),
        }
    }

    #[test]
    fn an_answer_is_the_picture() {
        let web = web(vec![answer(200, None)]);
        assert_eq!(read(&web).unwrap(), b"abcdef");
        assert_eq!(*web.asked.borrow(), [URL]);
    }

    #[test]
    fn redirects_are_followed_from_where_they_stand() {
        let web = web(vec![
            answer(301, Some("../b.png")),
            answer(307, Some("//other.example.com/c")),
            answer(200, None),
        ]);
        assert_eq!(read(&web).unwrap(), b"abcdef");
        let asked = web.asked.borrow();
        assert_eq!(
            asked[1..],
            [
                "https://pictures.example.com/b.png",
                "https://other.example.com/c"
            ]
        );
    }

    #[test]
    fn a_redirect_inside_is_refused_before_it_is_followed() {
        for inside in [
            "https://127.0.0.1/",
            "https://localhost/",
            "https://2130706433/",
            "https://metadata.google.internal/",
            "http://pictures.example.com/",
            "https://pictures.example.com:22/",
            "https://user:word@images.example.com/",
            "https://thumbs.example.org/thumbnails",
            "file:///etc/passwd",
            "data:image/png;base64,AAAA",
        ] {
            let web = web(vec![answer(302, Some(inside))]);
            let error = read(&web).unwrap_err();
            assert!(
                matches!(error, ChunkError::Fetch(FetchError::Refused(_))),
                "{inside}"
            );
            assert_eq!(web.asked.borrow().len(), 1, "{inside}");
        }
    }

    #[test]
    fn redirects_have_an_end() {
        let round = (0..10).map(|_| answer(302, Some(URL))).collect();
        let web = web(round);
        let error = read(&web).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the image could not be fetched: it has more than 5 redirects"
        );
        assert_eq!(web.asked.borrow().len(), 6);
    }

    #[test]
    fn an_error_says_whose_fault_it_is() {
        for status in [204, 206, 304, 400, 401, 403, 404, 410] {
            let error = read(&web(vec![answer(status, None)])).unwrap_err();
            assert!(
                matches!(error, ChunkError::Fetch(FetchError::Refused(_))),
                "{status}"
            );
        }
        for status in [429, 500, 503] {
            let error = read(&web(vec![answer(status, None)])).unwrap_err();
            assert!(
                matches!(error, ChunkError::Fetch(FetchError::Failed(_))),
                "{status}"
            );
        }
        let aborted = Bytes(vec![Err(ChunkError::Aborted("reset".into())), Ok(vec![1])]);
        let broken = SourceAnswer {
            status: 200,
            location: None,
            body: aborted,
        };
        let error = read(&web(vec![broken])).unwrap_err();
        assert!(matches!(error, ChunkError::Fetch(FetchError::Failed(_))));
    }

    #[test]
    fn an_address_names_its_file() {
        assert_eq!(filename(URL).as_deref(), Some("cat one.png"));
        assert_eq!(filename("https://example.com/"), None);
        assert_eq!(filename("https://example.com/a/"), None);
        assert_eq!(filename("https://example.com/%ff"), Some("\u{fffd}".into()));
        assert_eq!(filename("nonsense"), None);
    }
}
