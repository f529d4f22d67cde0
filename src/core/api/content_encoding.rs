//! `Content-Encoding` of a request: RFC 9110, section 8.4.

use super::problem::{Problem, ProblemKind};

/// Refuses a body that is encoded. Section 12.5.3: the answer says in `Accept-Encoding` what is taken.
pub fn check(header: Option<&str>) -> Result<(), Problem> {
    let codings = header.unwrap_or_default().split(',').map(str::trim);
    let is_none = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    if codings.into_iter().all(is_none) {
        return Ok(());
    }
    let detail = "the body has a Content-Encoding; send the bytes as they are, without it";
    Err(Problem::new(ProblemKind::UnsupportedEncoding, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Reply;

    #[test]
    fn only_what_is_not_encoded_is_taken() {
        for header in [None, Some(""), Some("identity"), Some("Identity, identity")] {
            assert_eq!(check(header), Ok(()), "{header:?}");
        }
        for header in ["gzip", "br", "identity, gzip", "x-unknown"] {
            let problem = check(Some(header)).unwrap_err();
            let reply: Reply<()> = problem.reply("https://thumbs.example");
            assert_eq!(reply.status, 415, "{header}");
            assert_eq!(reply.header("accept-encoding"), Some("identity"));
        }
    }
}
