//! `multipart/form-data` as a stream: no part is ever held whole.

use super::multipart::Multipart;
use super::params::MAX_VALUE_BYTES;
use super::problem::{Problem, ProblemKind};
use crate::transfer::{ChunkError, Chunks};

/// The most parts that a form may have.
const MAX_PARTS: usize = 100;

/// What a form may have around its files: part headers, boundaries, small fields.
pub const FORM_OVERHEAD_BYTES: u64 = 64 << 10;

/// A form while it arrives.
pub struct Form<C> {
    parts: Multipart<C>,
    seen: usize,
}

/// A part of a form.
pub enum Part<'a, C> {
    /// A file, which is still to be read.
    File(FilePart<'a, C>),
    /// A small field that is none.
    Field {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// A part that carries a file, while it arrives. What of it is not read is skipped.
pub struct FilePart<'a, C> {
    /// The name of the field.
    pub field: String,
    /// The name that the client gave the file.
    pub filename: Option<String>,
    /// What was read of it to see that there is something.
    begin: Option<Vec<u8>>,
    parts: &'a mut Multipart<C>,
}

impl<C: Chunks> Form<C> {
    /// A form from its content type and its body.
    pub fn new(content_type: &str, body: C) -> Result<Self, Problem> {
        let parts = Multipart::new(content_type, body)?;
        Ok(Self { parts, seen: 0 })
    }

    /// The next part. It is a file if it has a file name, or is in a field named `image` or `file`.
    ///
    /// What a file input sends in which nobody chose a file is skipped: an empty name and no bytes
    /// (HTML, "constructing the entry list").
    pub async fn next_part(&mut self) -> Result<Option<Part<'_, C>>, Problem> {
        loop {
            let Some(header) = self.parts.next_part().await? else {
                return Ok(None);
            };
            self.seen += 1;
            if self.seen > MAX_PARTS {
                let detail = format!("the form has more than {MAX_PARTS} parts");
                return Err(Problem::new(ProblemKind::MalformedForm, detail));
            }
            let name = header.name.unwrap_or_default();
            let mut begin = None;
            match header.filename.as_deref() {
                Some("") => {
                    begin = self.parts.chunk().await?;
                    if begin.is_none() {
                        continue;
                    }
                }
                Some(_) => {}
                None if matches!(name.as_str(), "image" | "file") => {}
                None => {
                    let value = self.small_value().await?;
                    return Ok(Some(Part::Field { name, value }));
                }
            }
            return Ok(Some(Part::File(FilePart {
                field: name,
                filename: header.filename,
                begin,
                parts: &mut self.parts,
            })));
        }
    }

    /// Reads a field that is no file; one byte more than allowed is enough to see that it is too long.
    async fn small_value(&mut self) -> Result<String, Problem> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.parts.chunk().await? {
            let room = (MAX_VALUE_BYTES + 1).saturating_sub(bytes.len());
            bytes.extend(chunk.iter().take(room));
            if bytes.len() > MAX_VALUE_BYTES {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl<C: Chunks> Chunks for FilePart<'_, C> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        match self.begin.take() {
            Some(begin) => Ok(Some(begin)),
            None => self.parts.chunk().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// A body in chunks.
    struct Body(std::collections::VecDeque<Vec<u8>>);

    impl Chunks for Body {
        async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
            Ok(self.0.pop_front())
        }
    }

    const TYPE: &str = "multipart/form-data; boundary=XX";

    /// The parts of a form that arrives in chunks of `step` bytes: what it is, name and content.
    fn parts(body: &str, step: usize) -> Result<Vec<(&'static str, String, String)>, Problem> {
        let chunks = body.as_bytes().chunks(step).map(<[u8]>::to_vec);
        let mut form = Form::new(TYPE, Body(chunks.collect()))?;
        async {
            let mut parts = Vec::new();
            while let Some(part) = form.next_part().await? {
                parts.push(match part {
                    Part::Field { name, value } => ("field", name, value),
                    Part::File(mut file) => {
                        let name = file.filename.clone().unwrap_or("nameless".into());
                        let mut content = Vec::new();
                        while let Some(chunk) = file.next().await? {
                            content.extend(chunk);
                        }
                        ("file", name, String::from_utf8_lossy(&content).into_owned())
                    }
                });
            }
            Ok(parts)
        }
        .now_or_never()
        .expect("the stream is always ready")
    }

    fn part(headers: &str, content: &str) -> String {
        format!("--XX\r\n{headers}\r\n\r\n{content}\r\n")
    }

    #[test]
    fn files_and_fields_are_told_apart_in_any_chunking() {
        let body = part("Content-Disposition: form-data; name=\"width\"", "200")
            + &part(
                "Content-Disposition: form-data; name=\"x\"; filename=\"a.png\"",
                "BYTES",
            )
            + &part("Content-Disposition: form-data; name=\"image\"", "RAW")
            + &part("Content-Disposition: form-data", "no name")
            + "--XX--\r\n";
        for step in [1, 2, 7, 1_000] {
            let want = [
                ("field", "width", "200"),
                ("file", "a.png", "BYTES"),
                ("file", "nameless", "RAW"),
                ("field", "", "no name"),
            ]
            .map(|(kind, name, content)| (kind, name.to_owned(), content.to_owned()));
            assert_eq!(parts(&body, step).unwrap(), want, "{step}");
        }
    }

    #[test]
    fn a_file_input_without_a_file_is_skipped() {
        let input = |name: &str, filename: &str, content: &str| {
            let headers =
                format!("Content-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"");
            part(&headers, content)
        };
        let body = input("first", "", "")
            + &input("image", "a.png", "BYTES")
            + &input("second", "", "")
            + &input("third", "", "NAMELESS")
            + &input("fourth", "empty.png", "")
            + "--XX--\r\n";
        for step in [1, 2, 7, 1_000] {
            let want = [("a.png", "BYTES"), ("", "NAMELESS"), ("empty.png", "")]
                .map(|(name, content)| ("file", name.to_owned(), content.to_owned()));
            assert_eq!(parts(&body, step).unwrap(), want, "{step}");
        }
    }

    #[test]
    fn little_of_a_long_field_is_held() {
        let long = part(
            "Content-Disposition: form-data; name=\"n\"",
            &"x".repeat(9_999),
        );
        for step in [1_000, 20_000] {
            let parts = parts(&(long.clone() + "--XX--\r\n"), step).unwrap();
            let [(_, _, value)] = parts.as_slice() else {
                panic!("{parts:?}")
            };
            assert_eq!(value.len(), MAX_VALUE_BYTES + 1);
        }
    }

    #[test]
    fn a_part_whose_header_never_ends_is_not_held_for_ever() {
        let body = format!("--XX\r\nX: {}", "x".repeat(2 << 20));
        let problem = parts(&body, 10_000).unwrap_err();
        assert_eq!(problem.kind, ProblemKind::MalformedForm);
        assert!(problem.detail.contains("16384"), "{}", problem.detail);
    }

    #[test]
    fn broken_forms_are_the_clients_fault() {
        let open = part(
            "Content-Disposition: form-data; name=\"image\"; filename=\"a\"",
            "BYTES",
        );
        for body in [
            "",
            "nonsense",
            "--XX\r\n",
            open.as_str(),
            "--XX\r\n\u{0}\u{0}: x\r\n\r\n",
        ] {
            let problem = parts(body, 5).unwrap_err();
            assert_eq!(problem.kind, ProblemKind::MalformedForm, "{body:?}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        for content_type in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            &long,
        ] {
            let Err(problem) = Form::new(content_type, Body([].into())) else {
                panic!("{content_type}")
            };
            assert_eq!(problem.kind, ProblemKind::MalformedForm);
        }
    }

    #[test]
    fn lines_without_cr_are_called_that() {
        let form = part("Content-Disposition: form-data; name=\"width\"", "200") + "--XX--\r\n";
        let all = form.replace("\r\n", "\n");
        let header_alone = form.replacen("\r\n\r\n", "\n\n", 1);
        for body in [all, header_alone] {
            for step in [1, 2, 7, 1_000] {
                let problem = parts(&body, step).unwrap_err();
                assert!(problem.detail.contains("LF alone"), "{}", problem.detail);
            }
        }
        // In a value they are its own matter.
        let value = part("Content-Disposition: form-data; name=\"n\"", "a\n\nb") + "--XX--\r\n";
        assert_eq!(
            parts(&value, 7).unwrap(),
            [("field", "n".into(), "a\n\nb".into())]
        );
    }

    #[test]
    fn parts_are_counted() {
        let body = part("Content-Disposition: form-data; name=\"n\"", "").repeat(MAX_PARTS + 1)
            + "--XX--\r\n";
        assert_eq!(
            parts(&body, 999).unwrap_err().kind,
            ProblemKind::MalformedForm
        );
    }
}
