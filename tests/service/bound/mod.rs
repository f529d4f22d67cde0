//! A plan is an upper bound of the memory that rendering takes, whatever the file is and whatever is asked for.
//!
//! `PLAN_COMBINATIONS=20000 PLAN_SEED=7` asks for more,
//! `PLAN_FIRST=2273` leaves out the files before that one, `PLAN_FILES=folder` adds the files of a folder.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "files are small, and their samples wrap around"
)]

mod bmp;
mod choices;
mod gif;
mod heic;
mod jpeg;
mod png;
mod profiles;
mod random;
mod sources;
mod tiff;
mod webp;

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use random::Random;
use sources::{Area, Source};
use thumbnail_core::ports::{ChunkError, Chunks};
use thumbnail_core::service::header::HeaderReader;
use thumbnail_core::service::render::{Pipeline, Render};
use thumbnail_pipeline::decode::{HeaderStatus, Progress};
use thumbnail_pipeline::{Limits, PipelineError, Renderer, Variant, plan, probe_page};

/// What a file took, and what the plan had said.
#[derive(Debug, Clone, Copy)]
struct Measured {
    planned: u64,
    peak: u64,
    is_whole: bool,
}

/// The result of `run`, and the most bytes that it held. It counts this thread alone.
fn peak_of<T>(run: impl FnOnce() -> T) -> (T, u64) {
    let mut result = None;
    let allocations = allocation_counter::measure(|| result = Some(run()));
    (result.expect("it ran"), allocations.bytes_max)
}

/// Feeds slices to a renderer; `None` where nothing is planned.
fn by_slices(
    source: &[u8],
    variants: &[Variant],
    limits: &Limits,
    chunk: usize,
) -> Option<Measured> {
    let mut planned = None;
    let (result, peak) = peak_of(|| {
        let HeaderStatus::Ready(info) = probe_page(source, Variant::page_of(variants))? else {
            return Err(PipelineError::UnknownFormat);
        };
        let plan = plan(&info, variants, limits)?;
        planned = Some(plan.peak_bytes);
        let mut renderer = Renderer::new(plan)?;
        for part in source.chunks(chunk) {
            if renderer.feed(part)? == Progress::Done {
                break;
            }
        }
        renderer.finish()
    });
    let is_whole = result.is_ok();
    planned.map(|planned| Measured {
        planned,
        peak,
        is_whole,
    })
}

/// A body that is cut into chunks of one length.
struct Body<'a>(std::slice::Chunks<'a, u8>);

impl Chunks for Body<'_> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ChunkError> {
        Ok(self.0.next().map(<[u8]>::to_vec))
    }
}

/// The same through the service, which holds the beginning of the file until there is a plan.
fn by_service(
    source: &[u8],
    variants: &[Variant],
    limits: &Limits,
    chunk: usize,
) -> Option<Measured> {
    let mut reader = HeaderReader::new(limits.max_bytes as usize, Variant::page_of(variants));
    let mut info = None;
    let mut parts = source.chunks(chunk);
    while info.is_none() {
        let part = parts.next();
        reader.push(part.unwrap_or_default());
        info = reader.probe(part.is_none()).ok()?;
    }
    let planned = plan(&info?, variants, limits).ok()?.peak_bytes;
    drop(reader);
    let (result, peak) = peak_of(|| {
        let mut rendering =
            pin!(Pipeline.render(Body(source.chunks(chunk)), variants, limits, |_| Ok(())));
        match rendering
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("a body that is here never waits"),
        }
    });
    let is_whole = result.is_ok();
    // The chunk at hand is its sender's.
    let peak = peak.saturating_sub(chunk.min(source.len()) as u64);
    Some(Measured {
        planned,
        peak,
        is_whole,
    })
}

/// All that was measured, and what went over its plan.
#[derive(Default)]
struct Report {
    ratios: BTreeMap<String, Vec<f64>>,
    over: Vec<String>,
}

impl Report {
    fn add(&mut self, kind: &str, what: &str, measured: Measured) {
        let Measured {
            planned,
            peak,
            is_whole,
        } = measured;
        if peak > planned {
            self.over.push(format!("{what}: {peak} of {planned}"));
        }
        if is_whole {
            let ratio = planned as f64 / peak.max(1) as f64;
            self.ratios.entry(kind.into()).or_default().push(ratio);
        }
    }

    /// Prints the median and the largest of planned by taken, of each kind and of all, and gives the median of all.
    fn print(&self) -> f64 {
        let mut all: Vec<f64> = Vec::new();
        for (kind, ratios) in &self.ratios {
            print_ratios(kind, ratios.clone());
            all.extend(ratios);
        }
        print_ratios("all", all)
    }
}

fn print_ratios(kind: &str, mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().unwrap_or(1.0);
    let most = ratios.last().copied().unwrap_or(1.0);
    println!(
        "{kind:>18}: {:5} planned by taken {median:.2} in the median, {most:.2} at most",
        ratios.len()
    );
    median
}

fn try_source(random: &mut Random, number: u64, source: &Source, report: &mut Report) {
    let kind = source.name.split(',').next().unwrap_or_default();
    let variants = choices::variants(random);
    let roomy = Limits {
        max_memory_bytes: 1 << 30,
        ..Limits::default()
    };
    let limits = if random.one_in(2) {
        Limits::default()
    } else {
        roomy
    };
    let chunk = random
        .scale(1, 1 << 17)
        .max(source.bytes.len() as u32 / 5_000) as usize;
    let chunk = if random.one_in(8) {
        source.bytes.len().max(1)
    } else {
        chunk
    };
    let (through, measured) = if random.one_in(2) {
        (
            "slices",
            by_slices(&source.bytes, &variants, &limits, chunk),
        )
    } else {
        (
            "service",
            by_service(&source.bytes, &variants, &limits, chunk),
        )
    };
    if let Some(measured) = measured {
        let what = format!(
            "{} #{number} by {through} of {chunk}, {}",
            source.name,
            text(&variants)
        );
        report.add(kind, &what, measured);
    }
}

/// What is asked for, to be read.
fn text(variants: &[Variant]) -> String {
    let one = |variant: &Variant| {
        let options = &variant.options;
        format!(
            "{:?}x{:?}@{} {:?} {} {:?} q{}{}{} page {}",
            options.width,
            options.height,
            options.dpr,
            options.fit,
            options.gravity,
            options.format,
            options.quality,
            if options.progressive {
                " progressive"
            } else {
                ""
            },
            if options.linear { " linear" } else { "" },
            options.page
        )
    };
    let shown: Vec<_> = variants.iter().take(2).map(one).collect();
    format!("{} variants: {}", variants.len(), shown.join(", "))
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn plans_bound_the_memory_of_every_combination() {
    let (seed, count) = (number("PLAN_SEED", 1), number("PLAN_COMBINATIONS", 120));
    let mut report = Report::default();
    // A source serves four combinations; of those, one in ten has more than four megapixels.
    for index in number("PLAN_FIRST", 0)..count.div_ceil(4) {
        let mut random = Random::new(seed.wrapping_mul(1 << 32).wrapping_add(index));
        let area = if index % 10 == 9 {
            Area::Large
        } else {
            Area::Any
        };
        let source = sources::source(&mut random, area);
        for _ in 0..4 {
            try_source(&mut random, index, &source, &mut report);
        }
    }
    for file in std::env::var("PLAN_FILES")
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(folder).expect("a folder"))
    {
        let path = file.expect("a file").path();
        let name = format!("file {}", path.file_name().unwrap_or_default().display());
        let source = Source {
            name,
            bytes: std::fs::read(&path).expect("a file"),
        };
        for seed in 0..number("PLAN_TRIES", 200) {
            try_source(&mut Random::new(seed), seed, &source, &mut report);
        }
    }
    let median = report.print();
    let over = &report.over;
    assert!(
        over.is_empty(),
        "{} over their plans:\n{}",
        over.len(),
        over[..over.len().min(40)].join("\n")
    );
    assert!(
        median <= 1.5,
        "a plan that is {median:.2} times what is taken leaves room unused"
    );
}
