//! Texts with an entity tag: documents and pages.

use sha2::{Digest, Sha256};

use super::conditional::{Precondition, ReadRequest};
use super::problem::{Problem, ProblemKind};
use super::reply::{Body, Reply};
use crate::hex;

/// How much of a digest is a tag: 128 bits.
const TAG_BYTES: usize = 16;

/// The strong tag of a text, without quotes.
pub fn etag(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    hex::encode(digest.get(..TAG_BYTES).unwrap_or_default())
}

/// The answer with the tag of its text, or 304 or 412 where the request's conditions say so. What is
/// no text, or no 200, stays as it is.
pub fn tagged<B>(reply: Reply<B>, request: &ReadRequest) -> Result<Reply<B>, Problem> {
    let Body::Text(text) = &reply.body else {
        return Ok(reply);
    };
    if reply.status != 200 {
        return Ok(reply);
    }
    let tag = etag(text);
    let outcome = request.evaluate_tag(&tag);
    let reply = reply.with("etag", format!("\"{tag}\""));
    match outcome {
        Precondition::Passed => Ok(reply),
        Precondition::NotModified => Ok(not_modified(reply)),
        Precondition::Failed => Err(another(&tag)),
    }
}

/// 412: the client goes by another state of it.
pub fn another(tag: &str) -> Problem {
    let detail = format!("its entity tag is \"{tag}\" by now");
    Problem::new(ProblemKind::PreconditionFailed, detail)
}

/// RFC 9110, section 15.4.5: what describes the text stays away with it.
fn not_modified<B>(mut reply: Reply<B>) -> Reply<B> {
    reply.headers.retain(|(name, _)| *name != "content-type");
    Reply {
        status: 304,
        body: Body::Empty,
        ..reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Method;

    fn ask(name: &'static str, value: &str) -> Result<Reply<()>, Problem> {
        let value = value.to_owned();
        let request = ReadRequest::new(Method::Get, |asked| (asked == name).then(|| value.clone()));
        let reply = Reply::new(200, Body::Text("text".into())).with("content-type", "text/plain");
        tagged(reply, &request)
    }

    #[test]
    fn a_text_is_sent_to_who_does_not_have_it() {
        let first = ask("accept", "*/*").unwrap();
        // printf text | sha256sum
        let tag = "\"982d9e3eb996f559e633f4d194def376\"";
        assert_eq!((first.status, first.header("etag")), (200, Some(tag)));
        for known in [tag, &format!("W/{tag}"), "*"] {
            let again = ask("if-none-match", known).unwrap();
            assert_eq!((again.status, &again.body), (304, &Body::Empty), "{known}");
            assert_eq!(again.header("etag"), Some(tag));
            assert_eq!(again.header("content-type"), None);
        }
        assert_eq!(ask("if-none-match", "\"other\"").unwrap().status, 200);
        assert_eq!(ask("if-match", tag).unwrap().status, 200);
        assert_eq!(ask("if-match", "\"other\"").unwrap_err().status, 412);
    }

    #[test]
    fn what_is_no_200_has_no_tag() {
        let request = ReadRequest::new(Method::Get, |_| Some("*".into()));
        let gone: Reply<()> = Reply::json(410, &"gone");
        assert_eq!(tagged(gone, &request).unwrap().header("etag"), None);
    }
}
