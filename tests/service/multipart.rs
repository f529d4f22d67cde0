//! Forms as a parser of another hand reads them, and forms that are broken in every place.

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use thumbnail_core::api::multipart::{MAX_HEADER_BYTES, Multipart};
use thumbnail_core::ports::{ChunkError, Chunks};
use thumbnail_core::testing::Pieces;
use thumbnail_core::testing::random::Random;

const TYPE: &str = "multipart/form-data; boundary=XbX";

/// A part: its field, its file name, its content.
type Part = (Option<String>, Option<String>, Vec<u8>);

/// Nothing in a test ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the body is always ready")
}

fn ours(body: impl Chunks) -> Result<Vec<Part>, ChunkError> {
    let mut form = Multipart::new(TYPE, body)?;
    now(async {
        let mut parts = Vec::new();
        while let Some(header) = form.next_part().await? {
            let mut content = Vec::new();
            while let Some(chunk) = form.chunk().await? {
                content.extend(chunk);
            }
            parts.push((header.name, header.filename, content));
        }
        Ok(parts)
    })
}

fn theirs(body: &[u8]) -> Result<Vec<Part>, multer::Error> {
    let body = Ok::<_, multer::Error>(Bytes::copy_from_slice(body));
    let mut form = multer::Multipart::new(stream::iter([body]), "XbX");
    now(async {
        let mut parts = Vec::new();
        while let Some(field) = form.next_field().await? {
            let name = field.name().map(str::to_owned);
            let filename = field.file_name().map(str::to_owned);
            parts.push((name, filename, field.bytes().await?.to_vec()));
        }
        Ok(parts)
    })
}

/// Content that looks like the end of itself.
fn content(random: &mut Random) -> Vec<u8> {
    loop {
        let content = pieces(random);
        // That would be its end: the other parser reads a part without a header in its own way.
        if !format!("\r\n{}", String::from_utf8_lossy(&content)).contains("\r\n--XbX") {
            return content;
        }
    }
}

fn pieces(random: &mut Random) -> Vec<u8> {
    const PIECES: [&[u8]; 9] = [
        b"\r\n",
        b"\r",
        b"\n",
        b"--",
        b"\r\n--",
        b"\r\n--Xb",
        b"XbX",
        b"\0\xff",
        b"some text",
    ];
    let pieces = random.index(12);
    (0..pieces)
        .flat_map(|_| PIECES[random.index(PIECES.len())].to_vec())
        .collect()
}

fn form(random: &mut Random) -> Vec<u8> {
    const DISPOSITIONS: [&str; 8] = [
        "form-data; name=\"image\"; filename=\"a.png\"",
        "form-data; name=width",
        "form-data; name=\"a;b\"; filename=\"x=1; y.png\"",
        "form-data; name=\"\"; filename=\"\"",
        "form-data; filename=\"../../etc/passwd\"; name=\"file\"",
        "form-data; name=\"größe\"; filename=\"日本.jpg\"",
        "form-data; name=\"q\"; filename=\"a\\\"b.png\"",
        "form-data",
    ];
    let mut body = Vec::new();
    for _ in 0..random.index(4) {
        let disposition = DISPOSITIONS[random.index(DISPOSITIONS.len())];
        let more = ["", "\r\nContent-Type: image/png", "\r\nX-Other: a: b"][random.index(3)];
        let head = format!("--XbX\r\nContent-Disposition: {disposition}{more}\r\n\r\n");
        body.extend(head.into_bytes());
        body.extend(content(random));
        body.extend(b"\r\n");
    }
    body.extend(b"--XbX--\r\n");
    body
}

#[test]
fn two_parsers_read_the_same() {
    let random = &mut Random::new(7);
    let mut files = 0;
    for _ in 0..20_000 {
        let body = form(random);
        let step = 1 + random.index(40);
        let read = ours(Pieces::new(body.clone(), step));
        let shown = String::from_utf8_lossy(&body);
        assert_eq!(
            read.as_ref().ok(),
            theirs(&body).ok().as_ref(),
            "{step}: {shown:?}"
        );
        files += read
            .unwrap_or_default()
            .iter()
            .filter(|part| part.1.is_some())
            .count();
    }
    assert!(files > 10_000, "{files}");
}

#[test]
fn a_form_cut_or_flipped_anywhere_ends() {
    let random = &mut Random::new(9);
    for _ in 0..40 {
        let body = form(random);
        let end = body.len() - b"\r\n".len();
        for len in 0..end {
            let cut = ours(Pieces::new(body[..len].to_vec(), 7));
            assert!(matches!(cut, Err(ChunkError::Malformed(_))), "{len}");
        }
        for bit in 0..body.len() * 8 {
            let mut flipped = body.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let parts = ours(Pieces::new(flipped, 7)).unwrap_or_default();
            let contents: usize = parts.iter().map(|part| part.2.len()).sum();
            assert!(contents < body.len());
        }
    }
}

/// A body that never ends, and how much of it was taken.
struct Endless<'a> {
    begin: &'a [u8],
    taken: &'a std::cell::Cell<usize>,
}

impl Chunks for Endless<'_> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        let chunk = match std::mem::take(&mut self.begin) {
            [] => vec![b'x'; 1_000],
            begin => begin.to_vec(),
        };
        self.taken.set(self.taken.get() + chunk.len());
        Ok(Some(chunk))
    }
}

#[test]
fn a_header_that_never_ends_is_given_up() {
    for begin in ["--XbX\r\nX: ", "--XbX"] {
        let taken = std::cell::Cell::new(0);
        let (begin, taken) = (begin.as_bytes(), &taken);
        let Err(ChunkError::Malformed(detail)) = ours(Endless { begin, taken }) else {
            panic!("it was taken")
        };
        assert!(detail.contains("16384"), "{detail}");
        assert!(taken.get() < MAX_HEADER_BYTES + 2_000, "{}", taken.get());
    }
}
