//! A body that has options and no image, in any of the forms in which clients send such a thing.

use url::form_urlencoded;

use super::form::{Form, Part};
use super::json;
use super::media_type::media_type;
use super::{Params, Problem, ProblemKind};
use crate::transfer::{ChunkError, Chunks};

/// Reads a whole body, which the caller bounds, and adds its options to `params`. An empty one has none.
pub async fn options(
    content_type: &str,
    mut body: impl Chunks,
    params: &mut Params,
) -> Result<(), Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await? {
        bytes.extend(chunk);
    }
    if bytes.is_empty() {
        return Ok(());
    }
    match media_type(content_type).as_str() {
        "application/x-www-form-urlencoded" => {
            form_urlencoded::parse(&bytes).try_for_each(|(name, value)| params.add(&name, &value))
        }
        "application/json" => json::options(&bytes, params),
        "multipart/form-data" => form(content_type, bytes, params).await,
        _ => {
            let detail = "options stand in the query, or in a body of application/x-www-form-urlencoded, \
                application/json or multipart/form-data";
            Err(Problem::new(ProblemKind::UnsupportedMediaType, detail))
        }
    }
}

async fn form(content_type: &str, bytes: Vec<u8>, params: &mut Params) -> Result<(), Problem> {
    let mut form = Form::new(content_type, Whole(Some(bytes)))?;
    while let Some(part) = form.next_part().await? {
        match part {
            Part::Field { name, value } => params.add_field(&name, &value)?,
            Part::File(_) => {
                let detail = "the form has a file; the image of this job is stored already, \
                    and another one is uploaded to /thumbnails";
                return Err(Problem::new(ProblemKind::MalformedForm, detail));
            }
        }
    }
    Ok(())
}

/// A body in one piece.
struct Whole(Option<Vec<u8>>);

impl Chunks for Whole {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        Ok(self.0.take())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const MULTIPART: &str = "multipart/form-data; boundary=X";

    fn read(content_type: &str, body: &str) -> Result<Params, Problem> {
        let mut params = Params::default();
        let body = Whole(Some(body.as_bytes().to_vec()));
        let read = options(content_type, body, &mut params).now_or_never();
        read.expect("the body is always ready").map(|()| params)
    }

    fn part(disposition: &str, value: &str) -> String {
        format!("--X\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n--X--\r\n")
    }

    #[test]
    fn all_three_forms_say_the_same() {
        let mut want = Params::default();
        want.add("sizes", "a:5x6,7x8").unwrap();
        for (content_type, body) in [
            (
                "Application/X-WWW-Form-URLencoded; charset=utf-8",
                "sizes=a%3A5x6,7x8".to_owned(),
            ),
            ("application/json", r#"{"sizes":"a:5x6,7x8"}"#.into()),
            (MULTIPART, part("name=sizes", "a:5x6,7x8")),
        ] {
            assert_eq!(read(content_type, &body).unwrap(), want, "{content_type}");
        }
        for content_type in ["", "text/plain", "application/json", MULTIPART] {
            assert_eq!(read(content_type, "").unwrap(), Params::default());
        }
    }

    #[test]
    fn a_form_is_as_patient_as_that_of_an_upload() {
        let other = read(MULTIPART, &part("name=_charset_", "utf-8"));
        assert_eq!(other.unwrap(), Params::default());
        let slip = read(MULTIPART, &part("name=widht", "5")).unwrap_err();
        assert!(slip.detail.contains("did you mean `width`"), "{slip}");
    }

    #[test]
    fn what_has_no_options_is_refused() {
        for (content_type, body, kind) in [
            ("", "width=5".to_owned(), ProblemKind::UnsupportedMediaType),
            ("image/png", "PNG".into(), ProblemKind::UnsupportedMediaType),
            ("application/json", "[]".into(), ProblemKind::MalformedJson),
            (
                MULTIPART,
                part("name=image; filename=a.png", "PNG"),
                ProblemKind::MalformedForm,
            ),
        ] {
            let problem = read(content_type, &body).unwrap_err();
            assert_eq!(problem.kind, kind, "{content_type}");
        }
    }
}
