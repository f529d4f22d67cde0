//! `multipart/form-data` as a stream: no part is ever held whole.

use bytes::Bytes;
use futures_util::Stream;

use super::problem::{Problem, ProblemKind};
use crate::ports::{ChunkError, Chunks};

/// The most parts that are looked at before the first file.
const MAX_PARTS: usize = 100;

/// A form while it arrives.
pub struct Form {
    parts: multer::Multipart<'static>,
    seen: usize,
}

/// A part that carries a file, while it arrives.
pub struct FilePart {
    field: multer::Field<'static>,
}

impl Form {
    /// A form from its content type and the body.
    pub fn new<S>(content_type: &str, body: S) -> Result<Self, Problem>
    where
        S: Stream<Item = Result<Bytes, ChunkError>> + Send + 'static,
    {
        let boundary = multer::parse_boundary(content_type)
            .map_err(|e| Problem::new(ProblemKind::MalformedForm, e.to_string()))?;
        Ok(Self {
            parts: multer::Multipart::new(body, boundary),
            seen: 0,
        })
    }

    /// The next part that carries a file: one with a file name, or in a field named `image` or `file`.
    pub async fn next_file(&mut self) -> Result<Option<FilePart>, Problem> {
        while let Some(field) = self.parts.next_field().await.map_err(chunk_error)? {
            self.seen += 1;
            if self.seen > MAX_PARTS {
                let detail = format!("the form has more than {MAX_PARTS} parts before its file");
                return Err(Problem::new(ProblemKind::MalformedForm, detail));
            }
            if field.file_name().is_some() || matches!(field.name(), Some("image" | "file")) {
                return Ok(Some(FilePart { field }));
            }
        }
        Ok(None)
    }
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

    type File = (Option<String>, Vec<u8>);

    /// The files of a form that arrives in chunks of `step` bytes: name and content.
    fn files(body: &str, step: usize) -> Result<Vec<File>, Problem> {
        let chunks: Vec<_> = body
            .as_bytes()
            .chunks(step)
            .map(|c| Ok(Bytes::copy_from_slice(c)))
            .collect();
        let mut form = Form::new(TYPE, stream::iter(chunks))?;
        async {
            let mut files = Vec::new();
            while let Some(mut part) = form.next_file().await? {
                let mut content = Vec::new();
                let name = part.filename().map(str::to_owned);
                while let Some(chunk) = part.next().await? {
                    content.extend(chunk);
                }
                files.push((name, content));
            }
            Ok(files)
        }
        .now_or_never()
        .expect("the stream is always ready")
    }

    fn part(headers: &str, content: &str) -> String {
        format!("--XX\r\n{headers}\r\n\r\n{content}\r\n")
    }

    #[test]
    fn a_file_is_found_in_any_field_and_any_chunking() {
        let body = part("Content-Disposition: form-data; name=\"note\"", "hi")
            + &part(
                "Content-Disposition: form-data; name=\"x\"; filename=\"a.png\"",
                "BYTES",
            )
            + &part("Content-Disposition: form-data; name=\"image\"", "RAW")
            + "--XX--\r\n";
        for step in [1, 2, 7, 1_000] {
            let want = vec![
                (Some("a.png".to_owned()), b"BYTES".to_vec()),
                (None, b"RAW".to_vec()),
            ];
            assert_eq!(files(&body, step).unwrap(), want, "{step}");
        }
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
            let problem = files(body, 5).unwrap_err();
            assert_eq!(problem.kind, ProblemKind::MalformedForm, "{body:?}");
        }
        let Err(problem) = Form::new("multipart/form-data", stream::empty()) else {
            panic!("no boundary")
        };
        assert_eq!(problem.status, 400);
    }

    #[test]
    fn parts_before_the_file_are_counted() {
        let body = part("Content-Disposition: form-data; name=\"n\"", "").repeat(MAX_PARTS + 1)
            + "--XX--\r\n";
        assert_eq!(
            files(&body, 999).unwrap_err().kind,
            ProblemKind::MalformedForm
        );
    }
}
