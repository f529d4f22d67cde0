//! Chooses the part of a picture to keep by looking at its pixels.
//!
//! Both ways give every pixel a score and keep the window with the most of it.
//! As only one side of a picture is cropped, windows slide along one axis.

use super::geometry::Size;
use super::gravity::Gravity;
use super::pixmap::Pixmap;

/// Levels of brightness that entropy tells apart.
const LEVELS: usize = 64;

/// How much an edge counts, and saturation, and skin, as libvips weighs them.
const EDGE_WEIGHT: f64 = 5.0;

/// The upper left corner of the part of `size` to keep.
///
/// [`Gravity::Entropy`]: the window whose brightness, in 64 levels, has the most Shannon entropy.
///
/// [`Gravity::Attention`]: the window with the highest sum of
/// `5 * edge + saturation + skin` over its pixels, each 0 to 1 and not counted where it is transparent:
/// - edge: the difference to the mean of the four neighbours in luma;
/// - saturation: (max - min) / max of the channels, where it is bright enough to be seen;
/// - skin: how near the direction of the colour is to (0.78, 0.57, 0.44).
///
/// Of windows that are equally good the one nearest to the middle is kept.
pub fn choose(pixmap: &Pixmap, gravity: Gravity, size: Size) -> (u32, u32) {
    let room = (
        pixmap.width().saturating_sub(size.width()),
        pixmap.height().saturating_sub(size.height()),
    );
    let along_x = room.0 >= room.1;
    let room_here = room.0.max(room.1) as usize;
    let window = if along_x { size.width() } else { size.height() } as usize;
    let best = if gravity == Gravity::Entropy {
        let lines = histograms(pixmap, along_x);
        best_window(&lines, window, room_here, entropy)
    } else {
        let lines = attention(pixmap, along_x);
        best_window(&lines, window, room_here, |sum: &[f64; 1]| sum[0])
    };
    let best = u32::try_from(best).unwrap_or(0);
    if along_x {
        (best, room.1 / 2)
    } else {
        (room.0 / 2, best)
    }
}

/// Where the window of `length` lines begins whose sum has the highest score.
fn best_window<const N: usize>(
    lines: &[[f64; N]],
    length: usize,
    room: usize,
    score: impl Fn(&[f64; N]) -> f64,
) -> usize {
    let mut sum = [0.0; N];
    for line in lines.iter().take(length) {
        add(&mut sum, line, 1.0);
    }
    let mut best = (score(&sum), 0_usize);
    let middle = room / 2;
    for start in 1..=room {
        let (Some(out), Some(entered)) = (lines.get(start - 1), lines.get(start - 1 + length))
        else {
            break;
        };
        add(&mut sum, out, -1.0);
        add(&mut sum, entered, 1.0);
        let now = score(&sum);
        // Sums that slide are exact for counts only: what differs by less than this is equal.
        let margin = 1e-9 * best.0.abs();
        let nearer = start.abs_diff(middle) < best.1.abs_diff(middle);
        if now > best.0 + margin || (nearer && now >= best.0 - margin) {
            best = (now, start);
        }
    }
    best.1
}

fn add<const N: usize>(sum: &mut [f64; N], line: &[f64; N], times: f64) {
    for (sum, value) in sum.iter_mut().zip(line) {
        *sum += value * times;
    }
}

/// Shannon entropy of a histogram, in bits.
fn entropy(counts: &[f64; LEVELS]) -> f64 {
    let total: f64 = counts.iter().sum();
    let terms = counts.iter().filter(|count| **count > 0.0).map(|count| {
        let share = count / total;
        -share * share.log2()
    });
    terms.sum()
}

/// For each column, or each row, how many pixels there are of each level.
fn histograms(pixmap: &Pixmap, along_x: bool) -> Vec<[f64; LEVELS]> {
    let mut lines = vec![[0.0; LEVELS]; lines(pixmap, along_x)];
    let width = pixmap.width() as usize;
    for (index, pixel) in pixmap.data().chunks_exact(pixmap.channels()).enumerate() {
        let line = if along_x {
            index % width
        } else {
            index / width
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "luma is 0 to 255"
        )]
        let level = luma(pixel) as usize * LEVELS / 256;
        if let Some(count) = lines.get_mut(line).and_then(|line| line.get_mut(level)) {
            *count += 1.0;
        }
    }
    lines
}

/// For each column, or each row, the sum of the scores of its pixels.
fn attention(pixmap: &Pixmap, along_x: bool) -> Vec<[f64; 1]> {
    let mut lines = vec![[0.0]; lines(pixmap, along_x)];
    let (width, channels) = (pixmap.width() as usize, pixmap.channels());
    let pixels: Vec<&[u8]> = pixmap.data().chunks_exact(channels).collect();
    for (index, pixel) in pixels.iter().enumerate() {
        let (x, y) = (index % width, index / width);
        let here = luma(pixel);
        let neighbours = [
            (x > 0).then(|| index - 1),
            (x + 1 < width).then_some(index + 1),
            index.checked_sub(width),
            Some(index + width),
        ];
        let sum: f64 = neighbours
            .into_iter()
            .map(|at| {
                at.and_then(|at| pixels.get(at))
                    .map_or(here, |pixel| luma(pixel))
            })
            .sum();
        let edge = (here - sum / 4.0).abs() / 255.0;
        let alpha = pixel.get(3).map_or(1.0, |alpha| f64::from(*alpha) / 255.0);
        let score = alpha * (EDGE_WEIGHT * edge + saturation(pixel, here) + skin(pixel, here));
        if let Some(line) = lines.get_mut(if along_x { x } else { y }) {
            line[0] += score;
        }
    }
    lines
}

const fn lines(pixmap: &Pixmap, along_x: bool) -> usize {
    if along_x {
        pixmap.width() as usize
    } else {
        pixmap.height() as usize
    }
}

/// BT.601 luma, 0 to 255.
fn luma(pixel: &[u8]) -> f64 {
    let [r, g, b] = rgb(pixel);
    0.299 * r + 0.587 * g + 0.114 * b
}

fn rgb(pixel: &[u8]) -> [f64; 3] {
    match pixel {
        [r, g, b, ..] => [*r, *g, *b].map(f64::from),
        _ => [0.0; 3],
    }
}

/// What is darker than this shows neither saturation nor skin.
const MIN_LUMA: f64 = 40.0;

fn saturation(pixel: &[u8], luma: f64) -> f64 {
    let [r, g, b] = rgb(pixel);
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    if luma < MIN_LUMA {
        0.0
    } else {
        (max - min) / max
    }
}

fn skin(pixel: &[u8], luma: f64) -> f64 {
    let [r, g, b] = rgb(pixel);
    let length = (r * r + g * g + b * b).sqrt();
    if luma < MIN_LUMA || length <= 0.0 {
        return 0.0;
    }
    let [dr, dg, db] = [r / length - 0.78, g / length - 0.57, b / length - 0.44];
    // A colour this far from skin's direction is no skin at all.
    (1.0 - (dr * dr + dg * dg + db * db).sqrt() / 0.2).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grey with a textured, skin-coloured square at `left`.
    fn picture(left: u32) -> Pixmap {
        let size = Size::new(300, 100);
        let mut pixmap = Pixmap::rgb(size, [128; 3]).expect("small");
        for (index, pixel) in (0_u32..).zip(pixmap.data_mut().chunks_exact_mut(3)) {
            let (x, y) = (index % 300, index / 300);
            if (left..left + 60).contains(&x) && (20..80).contains(&y) {
                let shade = u8::try_from((x * 7 + y * 13) % 60).expect("below 60");
                pixel.copy_from_slice(&[190 + shade, 140 + shade, 100 + shade]);
            }
        }
        pixmap
    }

    #[test]
    fn the_part_with_something_in_it_is_kept() {
        for gravity in [Gravity::Entropy, Gravity::Attention] {
            for left in [0, 120, 235] {
                let (x, y) = choose(&picture(left), gravity, Size::new(100, 100));
                assert!(
                    x <= left && left + 60 <= x + 100,
                    "{gravity}: {x} for {left}"
                );
                assert_eq!(y, 0);
            }
        }
    }

    #[test]
    fn a_picture_of_nothing_keeps_its_middle() {
        let flat = Pixmap::rgba(Size::new(60, 200), [9, 9, 9, 255]).expect("small");
        for gravity in [Gravity::Entropy, Gravity::Attention] {
            assert_eq!(
                choose(&flat, gravity, Size::new(60, 60)),
                (0, 70),
                "{gravity}"
            );
        }
    }
}
