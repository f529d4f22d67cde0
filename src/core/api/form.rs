//! `multipart/form-data` as a stream: no part is ever held whole.

use bytes::Bytes;
use futures_util::Stream;

use super::params::MAX_VALUE_BYTES;
use super::problem::{Problem, ProblemKind};
use crate::ports::{ChunkError, Chunks};

/// The most parts that a form may have.
const MAX_PARTS: usize = 100;

/// What a form may have around its files: part headers, boundaries, small fields.
pub const FORM_OVERHEAD_BYTES: u64 = 64 << 10;

/// A form while it arrives.
pub struct Form {
    parts: multer::Multipart<'static>,
    seen: usize,
}

/// A part of a form.
pub enum Part {
    /// A file, which is still to be read.
    File(Box<FilePart>),
    /// A small field that is none.
    Field {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// A part that carries a file, while it arrives.
pub struct FilePart {
    field: multer::Field<'static>,
}

impl Form {
    /// A form from its content type and the body; `max_bytes` is the most that its files may have.
    pub fn new<S>(content_type: &str, body: S, max_bytes: u64) -> Result<Self, Problem>
    where
        S: Stream<Item = Result<Bytes, ChunkError>> + Send + 'static,
    {
        let boundary = multer::parse_boundary(content_type)
            .map_err(|e| Problem::new(ProblemKind::MalformedForm, e.to_string()))?;
        // A part's header is held until it ends, and nothing else bounds it.
        let limit = multer::SizeLimit::new().whole_stream(max_bytes + FORM_OVERHEAD_BYTES);
        let constraints = multer::Constraints::new().size_limit(limit);
        Ok(Self {
            parts: multer::Multipart::with_constraints(body, boundary, constraints),
            seen: 0,
        })
    }

    /// The next part. It is a file if it has a file name, or is in a field named `image` or `file`.
    pub async fn next_part(&mut self) -> Result<Option<Part>, Problem> {
        let Some(field) = self.parts.next_field().await.map_err(chunk_error)? else {
            return Ok(None);
        };
        self.seen += 1;
        if self.seen > MAX_PARTS {
            let detail = format!("the form has more than {MAX_PARTS} parts");
            return Err(Problem::new(ProblemKind::MalformedForm, detail));
        }
        if field.file_name().is_some() || matches!(field.name(), Some("image" | "file")) {
            return Ok(Some(Part::File(Box::new(FilePart { field }))));
        }
        small_field(field).await.map(Some)
    }
}

/// Reads a field that is no file; one byte more than allowed is enough to see that it is too long.
async fn small_field(mut field: multer::Field<'static>) -> Result<Part, Problem> {
    let name = field.name().unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(chunk_error)? {
        let room = (MAX_VALUE_BYTES + 1).saturating_sub(bytes.len());
        bytes.extend(chunk.iter().take(room));
        if bytes.len() > MAX_VALUE_BYTES {
            break;
        }
    }
    let value = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Part::Field { name, value })
}

impl FilePart {
    /// The name that the client gave the file.
    pub fn filename(&self) -> Option<&str> {
        self.field.file_name()
    }
}

impl Chunks for FilePart {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        Ok(self
            .field
            .chunk()
            .await
            .map_err(chunk_error)?
            .map(Vec::from))
    }
}

fn chunk_error(error: multer::Error) -> ChunkError {
    match error {
        multer::Error::StreamReadFailed(cause) => ChunkError::Aborted(cause.to_string()),
        other => ChunkError::Malformed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, stream};

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=XX";

    /// The parts of a form that arrives in chunks of `step` bytes: what it is, name and content.
    fn parts(body: &str, step: usize) -> Result<Vec<(&'static str, String, String)>, Problem> {
        let chunks: Vec<_> = body
            .as_bytes()
            .chunks(step)
            .map(|c| Ok(Bytes::copy_from_slice(c)))
            .collect();
        let mut form = Form::new(TYPE, stream::iter(chunks), 1 << 20)?;
        async {
            let mut parts = Vec::new();
            while let Some(part) = form.next_part().await? {
                parts.push(match part {
                    Part::Field { name, value } => ("field", name, value),
                    Part::File(mut file) => {
                        let name = file.filename().unwrap_or("nameless").to_owned();
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
        assert!(problem.detail.contains("size"), "{}", problem.detail);
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
        let Err(problem) = Form::new("multipart/form-data", stream::empty(), 9) else {
            panic!("no boundary")
        };
        assert_eq!(problem.status, 400);
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
