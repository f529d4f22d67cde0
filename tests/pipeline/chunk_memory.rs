//! How a file is cut into chunks does not change what it takes.

use crate::samples::damaged_files::{FORMATS, damaged, sources};
use thumbnail_core::testing::random::Random;
use thumbnail_pipeline::decode::Progress;
use thumbnail_pipeline::probe::probe_file;
use thumbnail_pipeline::{Limits, Options, Plan, Renderer, Variant, plan};

/// The peak of rendering a file in chunks, in bytes. It counts this thread alone.
fn peak(plan: Plan, file: &[u8], chunk: usize) -> u64 {
    let allocations = allocation_counter::measure(|| {
        if let Ok(mut renderer) = Renderer::new(plan) {
            let mut chunks = file.chunks(chunk);
            while let Some(chunk) = chunks.next()
                && renderer.feed(chunk) == Ok(Progress::NeedMore)
            {}
            drop(renderer.finish());
        }
    });
    allocations.bytes_max
}

#[test]
fn chunks_of_any_size_take_the_same_memory() {
    for format in FORMATS {
        let sources = sources(format);
        for seed in 0..40 {
            let random = &mut Random::new(seed);
            let source = &sources[random.index(sources.len())];
            let file = match seed {
                0..20 => source.clone(),
                _ => damaged(source, random),
            };
            let options = Options {
                page: [0, 1][random.index(2)],
                ..Options::default()
            };
            let name = "a".into();
            let variants = [Variant { name, options }];
            let Ok(info) = probe_file(&file, options.page) else {
                continue;
            };
            let Ok(plan) = plan(&info, &variants, &Limits::default()) else {
                continue;
            };
            let whole = peak(plan.clone(), &file, file.len());
            let bytes = peak(plan, &file, 1);
            assert!(
                whole.abs_diff(bytes) <= file.len() as u64,
                "{format}, seed {seed}: {bytes} in chunks of a byte, {whole} in one of {}",
                file.len(),
            );
        }
    }
}
