//! 4096x4096 of 12 megapixels: done within the plan, or refused for the length of its file.

use image::metadata::Orientation;
use thumbnail_pipeline::decode::HeaderStatus;
use thumbnail_pipeline::options::FormatChoice;
use thumbnail_pipeline::{
    LimitError, Limits, Options, PipelineError, Rendered, Renderer, Variant, plan, probe,
};

const WIDTH: u16 = 4000;
const HEIGHT: u16 = 3000;

/// What an image shows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scene {
    /// Large shapes with smooth shades, and a little noise.
    Photo,
    /// Samples that have nothing to do with each other.
    Noise,
}

fn pixels(scene: Scene, channels: usize) -> Vec<u8> {
    let mut seed = 1_u32;
    let mut pixels = Vec::with_capacity(usize::from(WIDTH) * usize::from(HEIGHT) * channels);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            for channel in 0..channels {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let [noise, ..] = seed.to_be_bytes();
                let [shade, _] = (x / (2 + y / 1000) + y / 16).to_le_bytes();
                pixels.push(match (scene, channel) {
                    (Scene::Noise, _) => noise,
                    (Scene::Photo, 0) => shade ^ (noise & 1),
                    (Scene::Photo, 1) => shade / 2,
                    (Scene::Photo, 2) => 255 - shade,
                    (Scene::Photo, _) => shade | 3,
                });
            }
        }
    }
    pixels
}

fn jpeg(scene: Scene) -> Vec<u8> {
    let mut out = Vec::new();
    jpeg_encoder::Encoder::new(&mut out, 75)
        .encode(
            &pixels(scene, 3),
            WIDTH,
            HEIGHT,
            jpeg_encoder::ColorType::Rgb,
        )
        .expect("writes");
    out
}

fn png(scene: Scene, channels: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, WIDTH.into(), HEIGHT.into());
    encoder.set_color(if channels == 4 {
        png::ColorType::Rgba
    } else {
        png::ColorType::Rgb
    });
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().expect("writes");
    writer
        .write_image_data(&pixels(scene, channels))
        .expect("writes");
    writer.finish().expect("writes");
    out
}

/// Renders, asserts that no more memory was taken than planned, and says how much was.
fn render(
    name: &str,
    source: &[u8],
    orientation: Orientation,
    options: Options,
) -> Result<Rendered, PipelineError> {
    let limits = Limits {
        // Noise is longer than uploads may be.
        max_bytes: 64 << 20,
        ..Limits::default()
    };
    let HeaderStatus::Ready(mut info) = probe(source).expect("a header") else {
        panic!("{name}: the whole file has its header");
    };
    info.orientation = orientation;
    let variants = [Variant {
        name: name.into(),
        options,
    }];
    let mut planned = 0;
    let mut result = Err(PipelineError::UnknownFormat);
    let peak = allocation_counter::measure(|| {
        result = plan(&info, &variants, &limits).and_then(|plan| {
            planned = plan.peak_bytes;
            let mut renderer = Renderer::new(plan)?;
            for chunk in source.chunks(64 << 10) {
                renderer.feed(chunk)?;
            }
            renderer.finish()
        });
    })
    .bytes_max;
    println!(
        "{name}: peak {peak} of {planned} planned, {:?}",
        result.as_ref().err()
    );
    assert!(peak <= planned, "{name}: {peak} of {planned}");
    assert!(planned <= limits.max_memory_bytes, "{name}: {planned}");
    result
}

fn size(width: u32, height: u32, format: FormatChoice) -> Options {
    Options {
        width: Some(width),
        height: Some(height),
        format,
        ..Options::default()
    }
}

#[test]
fn the_largest_thumbnails_stay_within_their_plan() {
    use FormatChoice::{Gif, Jpeg, Png, WebP};
    use Orientation::{NoTransforms, Rotate90};
    let photo = jpeg(Scene::Photo);
    let noise = jpeg(Scene::Noise);
    let best = Options {
        quality: 100,
        ..size(4096, 4096, Jpeg)
    };
    let progressive = Options {
        progressive: true,
        ..size(2000, 2000, Jpeg)
    };
    for (name, source, orientation, options, done) in [
        (
            "photo to JPEG",
            &photo,
            NoTransforms,
            size(4096, 4096, Jpeg),
            true,
        ),
        (
            "noise to JPEG",
            &noise,
            NoTransforms,
            size(4096, 4096, Jpeg),
            true,
        ),
        (
            "noise to JPEG at quality 100",
            &noise,
            NoTransforms,
            best,
            false,
        ),
        (
            "photo to PNG",
            &photo,
            NoTransforms,
            size(4096, 4096, Png),
            true,
        ),
        (
            "noise to PNG",
            &noise,
            NoTransforms,
            size(4096, 4096, Png),
            false,
        ),
        (
            "noise on its side to JPEG",
            &noise,
            Rotate90,
            size(3072, 4096, Jpeg),
            true,
        ),
        (
            "noise to progressive JPEG",
            &noise,
            NoTransforms,
            progressive,
            true,
        ),
        (
            "noise to WebP",
            &noise,
            NoTransforms,
            size(2000, 2000, WebP),
            true,
        ),
        (
            "noise to GIF",
            &noise,
            NoTransforms,
            size(2400, 2400, Gif),
            true,
        ),
    ] {
        check(render(name, source, orientation, options), done, name);
    }
    drop((photo, noise));
    for (scene, channels, done) in [
        (Scene::Photo, 3, true),
        (Scene::Photo, 4, true),
        (Scene::Noise, 4, false),
    ] {
        let source = png(scene, channels);
        for (format, done) in [(Png, done), (Jpeg, true)] {
            let name = format!("{scene:?} of {channels} channels to {format:?}");
            let result = render(&name, &source, NoTransforms, size(4096, 4096, format));
            check(result, done, &name);
        }
    }
}

fn check(result: Result<Rendered, PipelineError>, done: bool, name: &str) {
    match result {
        Ok(rendered) => {
            assert!(done, "{name} is done");
            let file = &rendered.thumbnails[0].encoded;
            let info = probe(&file.bytes).expect("a header");
            assert!(matches!(info, HeaderStatus::Ready(info) if info.width == file.width));
            assert!(!rendered.thumbhash.is_empty());
        }
        Err(PipelineError::Limit(LimitError::OutputBytes { max_bytes, .. })) => {
            assert!(!done, "{name} is refused");
            assert_eq!(max_bytes, 24 << 20);
        }
        Err(error) => panic!("{name}: {error}"),
    }
}
