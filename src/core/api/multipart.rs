//! The envelope of a form as it arrives (RFC 2046, section 5.1; RFC 7578).
//!
//! Whatever is sent, no more is held than one chunk, one boundary and one part's header: libraries
//! for this hold a header until it ends, and search it anew with each chunk.

use memchr::memmem;
use percent_encoding::percent_decode_str;

use crate::transfer::{ChunkError, Chunks};

/// The longest boundary (RFC 2046, section 5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;

/// The longest header of a part. A file name and a media type fit in many times.
pub const MAX_HEADER_BYTES: usize = 16 << 10;

/// What ends the header of a part.
const HEADER_END: &[u8] = b"\r\n\r\n";

/// What ends it where a client writes lines as its own system does.
const BARE_HEADER_END: &[u8] = b"\n\n";

/// A multipart body while it arrives.
pub struct Multipart<C> {
    body: C,
    /// What has arrived and was not given out.
    held: Vec<u8>,
    delimiter: memmem::Finder<'static>,
    /// Whether a part's content is being read, or what comes before the first part.
    inside: bool,
    closed: bool,
    /// The fault that ended it, told again to whoever asks.
    fault: Option<ChunkError>,
}

/// What the header of a part says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PartHeader {
    /// The name of the field.
    pub name: Option<String>,
    /// The name of the file, where the part is one.
    pub filename: Option<String>,
}

impl<C: Chunks> Multipart<C> {
    /// A body with the boundary that its content type names.
    pub fn new(content_type: &str, body: C) -> Result<Self, ChunkError> {
        let boundary = parameters(content_type)
            .into_iter()
            .find(|(name, _)| name == "boundary")
            .map(|(_, value)| value);
        let Some(boundary) = boundary else {
            return Err(malformed("the content type names no boundary"));
        };
        if !(1..=MAX_BOUNDARY_BYTES).contains(&boundary.len()) {
            let detail = format!("a boundary has 1 to {MAX_BOUNDARY_BYTES} bytes");
            return Err(ChunkError::Malformed(detail));
        }
        let delimiter = format!("\r\n--{boundary}");
        Ok(Self {
            body,
            // The first boundary needs no line before it.
            held: b"\r\n".to_vec(),
            delimiter: memmem::Finder::new(&delimiter).into_owned(),
            inside: true,
            closed: false,
            fault: None,
        })
    }

    /// The header of the next part, whether the one before was read to its end or not.
    /// `None` behind the last boundary.
    pub async fn next_part(&mut self) -> Result<Option<PartHeader>, ChunkError> {
        if self.closed {
            return Ok(None);
        }
        while self.chunk().await?.is_some() {}
        while self.held.len() < 2 {
            self.pull().await?;
        }
        if self.held.starts_with(b"--") {
            self.closed = true;
            return Ok(None);
        }
        if self.held.starts_with(b"\n") {
            return Err(self.fail(bare_lines()));
        }
        let end = self.header_end().await?;
        let mut header = self.split(end + HEADER_END.len())?;
        header.truncate(end);
        self.inside = true;
        let header = part_header(&String::from_utf8_lossy(&header));
        header.map(Some).map_err(|fault| self.fail(fault))
    }

    /// More of the part's content, or `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        while self.inside {
            if let Some(at) = self.delimiter.find(&self.held) {
                let mut content = self.split(at + self.delimiter.needle().len())?;
                content.truncate(at);
                self.inside = false;
                return Ok((!content.is_empty()).then_some(content));
            }
            // What may be the beginning of a boundary stays.
            let kept = self.delimiter.needle().len() - 1;
            if self.held.len() > kept {
                return self.split(self.held.len() - kept).map(Some);
            }
            self.pull().await?;
        }
        Ok(None)
    }

    /// Where the header ends that is being read.
    async fn header_end(&mut self) -> Result<usize, ChunkError> {
        loop {
            let end = memmem::find(&self.held, HEADER_END);
            let bare = memmem::find(&self.held, BARE_HEADER_END);
            if bare.is_some_and(|at| at < end.unwrap_or(MAX_HEADER_BYTES)) {
                return Err(self.fail(bare_lines()));
            }
            // All but the last byte of its end may be here: what is too long never depends on the chunk.
            let least = self.held.len().saturating_sub(HEADER_END.len() - 1);
            if end.unwrap_or(least) > MAX_HEADER_BYTES {
                let detail = format!("a part's header has more than {MAX_HEADER_BYTES} bytes");
                return Err(self.fail(ChunkError::Malformed(detail)));
            }
            if let Some(end) = end {
                return Ok(end);
            }
            self.pull().await?;
        }
    }

    /// Takes the first bytes of what is held.
    fn split(&mut self, at: usize) -> Result<Vec<u8>, ChunkError> {
        let mut rest = Vec::new();
        self.reserve(&mut rest, self.held.len() - at)?;
        rest.extend_from_slice(&self.held[at..]);
        self.held.truncate(at);
        Ok(std::mem::replace(&mut self.held, rest))
    }

    fn reserve(&mut self, vec: &mut Vec<u8>, bytes: usize) -> Result<(), ChunkError> {
        let reserved = vec.try_reserve_exact(bytes);
        reserved.map_err(|_| self.fail(ChunkError::NoMemory { bytes }))
    }

    async fn pull(&mut self) -> Result<(), ChunkError> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        match self.body.next().await {
            Ok(Some(chunk)) => {
                let mut held = std::mem::take(&mut self.held);
                self.reserve(&mut held, chunk.len())?;
                held.extend_from_slice(&chunk);
                self.held = held;
                Ok(())
            }
            Ok(None) => Err(self.fail(malformed("the form ends before its last boundary"))),
            Err(fault) => Err(self.fail(fault)),
        }
    }

    fn fail(&mut self, fault: ChunkError) -> ChunkError {
        self.fault = Some(fault.clone());
        fault
    }
}

/// Reads what stands between a boundary and the empty line.
fn part_header(text: &str) -> Result<PartHeader, ChunkError> {
    let mut lines = text.split("\r\n");
    // Blanks may follow a boundary, and nothing else.
    if !lines.next().unwrap_or_default().trim().is_empty() {
        return Err(malformed("a boundary does not end its line"));
    }
    let mut header = PartHeader::default();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed("a part's header has a line without a name"));
        }
        if name.eq_ignore_ascii_case("content-disposition") {
            header = disposition(value);
        }
    }
    Ok(header)
}

fn disposition(value: &str) -> PartHeader {
    let mut header = PartHeader::default();
    for (name, value) in parameters(value) {
        match name.as_str() {
            "name" => header.name = Some(value),
            "filename" if header.filename.is_none() => header.filename = Some(value),
            // RFC 7578 forbids it, and some clients send it: it says the same with its encoding.
            "filename*" => header.filename = extended(&value).or(header.filename),
            _ => {}
        }
    }
    header
}

/// `UTF-8''na%C3%AFve.png` (RFC 5987).
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_, text) = rest.split_once('\'')?;
    let utf8 = charset.eq_ignore_ascii_case("utf-8");
    utf8.then(|| percent_decode_str(text).decode_utf8_lossy().into_owned())
}

/// What follows the first `;`: names in lower case, and values without their quotes.
fn parameters(header: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, value)) = rest.split_once('=') {
        let name = name.trim_matches([' ', '\t', ';']).to_ascii_lowercase();
        let value = value.trim_start();
        let (value, behind) = if let Some(quoted) = value.strip_prefix('"') {
            unquoted(quoted)
        } else {
            let (value, behind) = value.split_once(';').unwrap_or((value, ""));
            (value.trim_end().to_owned(), behind)
        };
        found.push((name, value));
        rest = behind;
    }
    found
}

/// The text up to the closing quote, and what follows. Only a quote is ever escaped:
/// browsers of old send `C:\pictures\cat.jpg`.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        let (before, behind) = (&rest[..at], &rest[at + 1..]);
        match before.strip_suffix('\\') {
            Some(before) => {
                value.push_str(before);
                value.push('"');
                rest = behind;
            }
            None => return (value + before, behind),
        }
    }
    (value + rest, "")
}

fn bare_lines() -> ChunkError {
    malformed(
        "its lines end with LF alone; those of multipart end with CR and LF (RFC 2046, section 4.1.1)",
    )
}

fn malformed(detail: &str) -> ChunkError {
    ChunkError::Malformed(detail.into())
}
