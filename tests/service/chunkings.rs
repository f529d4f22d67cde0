//! The same bytes give the same thumbnails or the same error, however they are cut into chunks.
//!
//! `CHUNKINGS=300 cargo test --release --test service chunkings` tries more damaged files of each format,
//! `CHUNKINGS_OF=a/folder` the files in a folder.

use crate::samples::damaged_files::{damaged, sources};
use futures_util::FutureExt;
use thumbnail_core::Config;
use thumbnail_core::api::{Params, Problem};
use thumbnail_core::job::{NewJob, Policy, Source};
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::{ChunkError, Chunks};
use thumbnail_core::service::render::{Pipeline, Render, RenderError};
use thumbnail_core::service::upload::{UploadRequest, Uploader};
use thumbnail_core::testing::World;
use thumbnail_core::testing::random::Random;
use thumbnail_core::timestamp::Timestamp;
use thumbnail_pipeline::decode::Progress;
use thumbnail_pipeline::options::{FormatChoice, Truncated};
use thumbnail_pipeline::probe::probe_file;
use thumbnail_pipeline::{Limits, Options, PipelineError, Rendered, Renderer, Variant, plan};

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

/// How many damaged files of each format are tried, unless the variable says otherwise.
const FILES: u64 = 12;

/// Nothing in a test ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the bytes are always ready")
}

/// A file in chunks of given lengths; the last one is repeated.
#[derive(Clone)]
struct Cut<'a> {
    rest: &'a [u8],
    lengths: Vec<usize>,
    index: usize,
}

impl<'a> Iterator for Cut<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let length = self.lengths[self.index.min(self.lengths.len() - 1)];
        self.index += 1;
        let (chunk, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        (!chunk.is_empty()).then_some(chunk)
    }
}

impl Chunks for Cut<'_> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        Ok(Iterator::next(self).map(<[u8]>::to_vec))
    }
}

/// Lengths of chunks, the whole file first.
fn chunkings(len: usize, random: &mut Random) -> [Vec<usize>; 7] {
    let some = (0..64).map(|_| {
        let most = 2 << random.index(14);
        1 + random.index(most)
    });
    let some = some.collect();
    [
        vec![len.max(1)],
        vec![1],
        vec![2],
        vec![7],
        vec![64 << 10],
        some,
        // What is often read first is about as long as a header.
        vec![8 + random.index(600), len.max(1)],
    ]
}

/// Thumbnails that show each pixel, or that let decoders leave out what does not show.
fn variants(random: &mut Random) -> Vec<Variant> {
    let side = [None, Some(16), Some(40), Some(400)][random.index(4)];
    let options = Options {
        width: side,
        height: side,
        format: FormatChoice::Png,
        truncated: [Truncated::Accept, Truncated::Refuse][usize::from(random.once_in(5))],
        page: [0, 0, 1, 2][random.index(4)],
        ..Options::default()
    };
    vec![Variant {
        name: "a".into(),
        options,
    }]
}

/// The pipeline alone.
fn fed(
    file: &[u8],
    cut: Cut<'_>,
    variants: &[Variant],
    limits: &Limits,
) -> Result<Rendered, PipelineError> {
    let info = probe_file(file, Variant::page_of(variants))?;
    let mut renderer = Renderer::new(plan(&info, variants, limits)?)?;
    for chunk in cut {
        if renderer.feed(chunk)? == Progress::Done {
            break;
        }
    }
    renderer.finish()
}

/// The pipeline as the origin runs it.
fn received(
    cut: Cut<'_>,
    variants: &[Variant],
    limits: &Limits,
) -> Result<Rendered, PipelineError> {
    now(Pipeline.render(cut, variants, limits, |_| Ok(()))).map_err(|error| match error {
        RenderError::Picture(error) => error,
        error => panic!("{error}"),
    })
}

/// What the edge says of an upload, where no place in memory depends on how it arrives.
fn taken(cut: Cut<'_>, variants: &[Variant], length: Option<u64>) -> Result<Source, Problem> {
    let world = World::new(NOW, Policy::default());
    let config = Config::parse(|_| None).unwrap();
    let uploader = Uploader {
        objects: &world,
        clock: &world,
        config: &config,
        new_id: || Ok(JobId::new(NOW, [7; 10])),
        base: "https://thumbs.example",
        admission: world.admission(),
    };
    let mut params = Params::default();
    params
        .add("page", &Variant::page_of(variants).to_string())
        .unwrap();
    let request = UploadRequest {
        source_url: None,
        content_type: "application/octet-stream".into(),
        length,
        params,
        body: cut,
    };
    let taken = now(uploader.take(request))?;
    let [file] = taken
        .files
        .try_into()
        .unwrap_or_else(|_| panic!("one file"));
    file.result.map(|job: NewJob| job.source)
}

/// A result in a few words, for the message of a failure.
fn short(result: &Result<Rendered, PipelineError>) -> String {
    match result {
        Ok(rendered) => format!("{:?}", rendered.completeness),
        Err(error) => error.to_string(),
    }
}

/// Says where a file gives another result in other chunks.
fn differences(file: &[u8], variants: &[Variant], random: &mut Random) -> Option<String> {
    let limits = Limits::default();
    let (mut first, mut first_taken) = (None, None);
    // The two paths hold different amounts until the header is known, and so have plans of their own.
    let mut peaks = [None; 2];
    for lengths in chunkings(file.len(), random) {
        let cut = Cut {
            rest: file,
            lengths,
            index: 0,
        };
        for ((path, mut result), peak) in [
            ("fed", fed(file, cut.clone(), variants, &limits)),
            ("received", received(cut.clone(), variants, &limits)),
        ]
        .into_iter()
        .zip(&mut peaks)
        {
            let planned = result
                .as_mut()
                .map_or(0, |rendered| std::mem::take(&mut rendered.peak_bytes));
            if *peak.get_or_insert(planned) != planned {
                let cuts = &cut.lengths[..cut.lengths.len().min(9)];
                return Some(format!(
                    "{path} in chunks of {cuts:?}: planned {planned} bytes, but in one piece: {peak:?}"
                ));
            }
            let first = first.get_or_insert_with(|| result.clone());
            if *first != result {
                let cuts = &cut.lengths[..cut.lengths.len().min(9)];
                let [result, first] = [&result, first].map(short);
                return Some(format!(
                    "{path} in chunks of {cuts:?}: {result}, but in one piece: {first}"
                ));
            }
        }
        for length in [None, Some(file.len() as u64)] {
            let result = taken(cut.clone(), variants, length);
            let first = first_taken.get_or_insert_with(|| result.clone());
            if *first != result {
                return Some(format!("the edge: {result:?}, but in one piece: {first:?}"));
            }
        }
    }
    None
}

fn check_format(format: &str) {
    let files = std::env::var("CHUNKINGS").map_or(FILES, |files| files.parse().unwrap());
    let sources = sources(format);
    let mut found = Vec::new();
    for seed in 0..sources.len() as u64 + files {
        let random = &mut Random::new(seed);
        // All whole files first, then damaged ones.
        let whole = usize::try_from(seed).unwrap();
        let (index, file) = if let Some(file) = sources.get(whole) {
            (whole, file.clone())
        } else {
            let index = random.index(sources.len());
            (index, damaged(&sources[index], random))
        };
        if let Some(difference) = differences(&file, &variants(random), random) {
            let kept = std::env::temp_dir().join(format!("chunkings-{format}-{seed}"));
            let _ = std::fs::write(&kept, &file);
            found.push(format!(
                "source {index}, seed {seed}, {}: {difference}",
                kept.display()
            ));
        }
    }
    found.truncate(9);
    assert!(found.is_empty(), "{format}:\n{}", found.join("\n"));
}

macro_rules! formats {
    ($($format:ident)*) => {
        $(#[test]
        fn $format() {
            check_format(stringify!($format));
        })*
    };
}

formats! { jpeg progressive png interlaced apng gif webp lossless bmp tiff heic }

#[test]
fn what_follows_a_picture_changes_nothing() {
    let limits = Limits::default();
    for (format, file) in crate::samples::damaged_files::FORMATS
        .iter()
        .flat_map(|format| sources(format).into_iter().map(move |file| (format, file)))
    {
        let variants = [Variant {
            name: "a".into(),
            options: Options::default(),
        }];
        let alone = Cut {
            rest: &file,
            lengths: vec![usize::MAX],
            index: 0,
        };
        let alone = fed(&file, alone, &variants, &limits);
        let info = probe_file(&file, 0).unwrap();
        let mut renderer = Renderer::new(plan(&info, &variants, &limits).unwrap()).unwrap();
        if renderer.feed(&file).unwrap() == Progress::NeedMore {
            continue;
        }
        for _ in 0..20 {
            renderer.feed(&[0; 1000]).unwrap();
        }
        assert_eq!(renderer.finish(), alone, "{format}");
    }
}

#[test]
fn a_folder_of_files() {
    let Ok(folder) = std::env::var("CHUNKINGS_OF") else {
        return;
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = std::fs::read(&path).unwrap();
        for seed in 0..20 {
            let random = &mut Random::new(seed);
            if let Some(difference) = differences(&file, &variants(random), random) {
                found.push(format!("{}, seed {seed}: {difference}", path.display()));
                break;
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
