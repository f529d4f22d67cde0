//! Options by chance.

use thumbnail_pipeline::options::{Background, Fit, FormatChoice, Gravity, Truncated};
use thumbnail_pipeline::{Options, Variant};

use super::random::Random;

/// The sizes that are asked for of one image.
pub fn variants(random: &mut Random) -> Vec<Variant> {
    let count = if random.one_in(3) {
        random.within(2, 16)
    } else {
        1
    };
    let page = if random.one_in(5) {
        random.within(1, 3)
    } else {
        0
    };
    let largest = random.pick(&[64, 300, 800, 1600]) / if count > 4 { 2 } else { 1 };
    let truncated = random.pick(&[Truncated::Accept, Truncated::Accept, Truncated::Refuse]);
    (0..count)
        .map(|index| Variant {
            name: format!("variant {index}"),
            options: Options {
                page,
                truncated,
                ..options(random, largest)
            },
        })
        .collect()
}

fn options(random: &mut Random, largest: u32) -> Options {
    let dpr = random.pick(&[1.0, 1.0, 1.0, 1.5, 2.0]);
    let mut side = || (!random.one_in(4)).then(|| random.scale(1, largest));
    let (width, height) = (side(), side());
    Options {
        width,
        height,
        dpr,
        fit: random.pick(&[
            Fit::Cover,
            Fit::Cover,
            Fit::Contain,
            Fit::Fill,
            Fit::Inside,
            Fit::Outside,
        ]),
        gravity: random.pick(&[
            Gravity::Entropy,
            Gravity::Entropy,
            Gravity::Attention,
            Gravity::Attention,
            Gravity::default(),
        ]),
        enlarge: !random.one_in(4),
        background: random.pick(&[Background::Transparent, Background::Color([9, 99, 199])]),
        format: random.pick(&[
            FormatChoice::Source,
            FormatChoice::Auto,
            FormatChoice::Jpeg,
            FormatChoice::Png,
            FormatChoice::WebP,
            FormatChoice::Gif,
        ]),
        quality: random.pick(&[1, 50, 80, 92, 100]),
        progressive: random.one_in(3),
        linear: random.one_in(4),
        ..Options::default()
    }
}
