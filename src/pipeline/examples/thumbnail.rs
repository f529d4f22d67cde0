//! Makes a thumbnail of a file, with the options of the service.
//!
//! `cargo run --release -p thumbnail-pipeline --example thumbnail -- cat.jpg thumbnail.jpg --size 300x200 --fit inside`

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::process::ExitCode;

use thumbnail_pipeline::decode::{HeaderStatus, Progress};
use thumbnail_pipeline::options::OPTIONS;
use thumbnail_pipeline::{ImageInfo, Limits, Options, Renderer, Variant, plan, probe_page};

const CHUNK_BYTES: usize = 64 << 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    let [input, output, options @ ..] = arguments else {
        return Err("usage: thumbnail IN OUT [--OPTION VALUE]…, such as --size 300x200".into());
    };
    let variants = [Variant {
        name: "thumbnail".into(),
        options: parse(options)?,
    }];
    let mut file = File::open(input).map_err(|error| format!("{input}: {error}"))?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let (info, prefix) = read_header(&mut file, &mut chunk, Variant::page_of(&variants))?;
    let plan = plan(&info, &variants, &Limits::default())?;
    let mut renderer = Renderer::new(plan)?;
    let mut progress = renderer.feed(&prefix)?;
    drop(prefix);
    while progress == Progress::NeedMore {
        let len = file.read(&mut chunk)?;
        if len == 0 {
            break;
        }
        progress = renderer.feed(&chunk[..len])?;
    }
    let rendered = renderer.finish()?;
    let thumbnail = rendered.thumbnails.first().ok_or("there is no thumbnail")?;
    let encoded = &thumbnail.encoded;
    fs::write(output, &encoded.bytes).map_err(|error| format!("{output}: {error}"))?;
    Ok(format!(
        "{output}: {} of {}x{} pixels, {} bytes; planned memory: {} KiB",
        encoded.format.image_format(),
        encoded.width,
        encoded.height,
        encoded.bytes.len(),
        rendered.peak_bytes >> 10,
    ))
}

/// `--size 300x200 --fit inside`
fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let (pairs, rest) = arguments.as_chunks::<2>();
    if let [lone] = rest {
        return Err(format!("{lone} has no value"));
    }
    for [name, value] in pairs {
        let row = OPTIONS
            .iter()
            .find(|row| name.strip_prefix("--") == Some(row.name));
        let Some(row) = row else {
            let names: Vec<_> = OPTIONS.iter().map(|row| row.name).collect();
            return Err(format!(
                "there is no option {name}; the options are {}",
                names.join(", ")
            ));
        };
        (row.set)(&mut options, value)?;
    }
    Ok(options)
}

/// Reads as much of the file as its header takes, and returns both.
fn read_header(
    file: &mut File,
    chunk: &mut [u8],
    page: u32,
) -> Result<(ImageInfo, Vec<u8>), Box<dyn Error>> {
    let mut prefix = Vec::new();
    loop {
        let len = file.read(chunk)?;
        prefix.extend_from_slice(&chunk[..len]);
        match probe_page(&prefix, page)? {
            HeaderStatus::Ready(info) => return Ok((info, prefix)),
            HeaderStatus::NeedMore if len == 0 => return Err("its header is not complete".into()),
            HeaderStatus::NeedMore => {}
        }
    }
}
