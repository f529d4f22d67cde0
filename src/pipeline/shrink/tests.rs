//! Tests of `shrink`.

use super::*;

const WIDTH: usize = 41;
const HEIGHT: usize = 29;

/// Samples without any order, among which whole rows are opaque.
fn samples(channels: usize) -> Vec<u16> {
    let mut seed = 1_u32;
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u16::try_from(seed >> 16).expect("16 bits")
    };
    let mut samples: Vec<u16> = (0..WIDTH * HEIGHT * channels).map(|_| next()).collect();
    for opaque in samples.chunks_exact_mut(WIDTH * channels).step_by(3) {
        opaque.fill(u16::MAX);
    }
    samples
}

fn bins() -> [(Bins, Bins); 3] {
    [
        (Bins::new(0, 41, 1), Bins::new(0, 29, 1)),
        (Bins::new(3, 40, 5), Bins::new(2, 29, 4)),
        (Bins::new(0, 41, 41), Bins::new(7, 8, 3)),
    ]
}

fn bits(averages: &[f32]) -> Vec<u32> {
    averages.iter().map(|average| average.to_bits()).collect()
}

/// All averages, as bits, of rows in order.
fn in_order(channels: usize, (x, y): (Bins, Bins), rows: &[Samples<'_>]) -> Vec<u32> {
    let mut shrink = BoxShrink::new(channels, (x, y), Wanted::AVERAGES);
    let mut out = Vec::new();
    let mut give = |row: BoxRow<'_>| out.extend(bits(row.averages));
    for (y, row) in (0..).zip(rows) {
        shrink.row(y, *row, &mut give);
    }
    shrink.finish(give);
    out
}

/// All averages of the same rows, the odd columns after the even ones and from the last row up.
fn scattered(channels: usize, (x, y): (Bins, Bins), rows: &[Samples<'_>]) -> Vec<u32> {
    let mut shrink = ScatteredShrink::new(channels, (x, y), Wanted::AVERAGES);
    for x0 in [0_u8, 1] {
        for (y, row) in (0_u32..29).zip(rows).rev() {
            match row {
                Samples::U8(row) => {
                    let half = every_other(row, channels, x0);
                    shrink.pixels(y, x0.into(), 2, Samples::U8(&half));
                }
                Samples::U16(row) => {
                    let half = every_other(row, channels, x0);
                    shrink.pixels(y, x0.into(), 2, Samples::U16(&half));
                }
            }
        }
    }
    let mut out = Vec::new();
    while shrink.next_row(|row| out.extend(bits(row.averages))) {}
    out
}

fn every_other<T: Copy>(row: &[T], channels: usize, from: u8) -> Vec<T> {
    let pixels = row.chunks_exact(channels).skip(from.into()).step_by(2);
    pixels.flatten().copied().collect()
}

#[test]
fn the_order_of_pixels_does_not_change_a_bit() {
    for channels in 1..=4 {
        let deep = samples(channels);
        let shallow: Vec<u8> = deep.iter().map(|sample| sample.to_be_bytes()[0]).collect();
        let stride = WIDTH * channels;
        let deep: Vec<_> = deep.chunks_exact(stride).map(Samples::U16).collect();
        let shallow: Vec<_> = shallow.chunks_exact(stride).map(Samples::U8).collect();
        for bins in bins() {
            let count = bins.0.count() as usize * bins.1.count() as usize * channels;
            for rows in [&deep, &shallow] {
                let want = in_order(channels, bins, rows);
                assert_eq!(want.len(), count);
                assert_eq!(scattered(channels, bins, rows), want, "{channels} {bins:?}");
            }
        }
    }
}

#[test]
fn indices_are_averaged_as_their_colors_are() {
    let noise = samples(4).into_iter().map(|word| word.to_be_bytes()[0]);
    let noise: Vec<u8> = noise.collect();
    let mut colors = [[0; 4]; 256];
    for (color, &[r, g, b, a]) in colors.iter_mut().zip(noise.as_chunks::<4>().0) {
        *color = [r, g, b, a];
    }
    let rows: Vec<&[u8]> = noise.chunks_exact(WIDTH).take(HEIGHT).collect();
    for channels in [3, 4] {
        let table = ColorTable::new(&colors, channels);
        let channels = usize::from(channels);
        let expanded: Vec<_> = rows.iter().map(|row| table.expand(row)).collect();
        let samples: Vec<_> = expanded.iter().map(|row| Samples::U8(row)).collect();
        for bins in bins() {
            let want = in_order(channels, bins, &samples);
            let mut got = Vec::new();
            let mut give = |row: BoxRow<'_>| got.extend(bits(row.averages));
            let mut shrink = BoxShrink::new(channels, bins, Wanted::AVERAGES);
            let mut scattered = ScatteredShrink::new(channels, bins, Wanted::AVERAGES);
            for (y, row) in (0..).zip(&rows) {
                shrink.indices(y, row, &table, &mut give);
                scattered.indices(y, row, &table);
            }
            shrink.finish(&mut give);
            assert_eq!(got, want, "{channels} {bins:?}");
            let mut got = Vec::new();
            while scattered.next_row(|row| got.extend(bits(row.averages))) {}
            assert_eq!(got, want, "scattered, {channels} {bins:?}");
        }
    }
}

#[test]
fn high_boxes_do_not_overflow() {
    let (x, y) = (Bins::new(0, 3, 3), Bins::new(0, 20_000, 20_000));
    let mut got = Vec::new();
    let mut shrink = BoxShrink::new(1, (x, y), Wanted::AVERAGES);
    for row in 0..20_000 {
        shrink.row(row, Samples::U8(&[255; 3]), |row| {
            got.extend_from_slice(row.averages);
        });
    }
    let mut deep = BoxShrink::new(4, (x, y), Wanted::AVERAGES);
    for row in 0..20_000 {
        deep.row(row, Samples::U16(&[65_535; 12]), |row| {
            got.extend_from_slice(row.averages);
        });
    }
    let one = 1.0_f32.to_bits();
    assert!(
        got.len() == 5 && got.iter().all(|average| average.to_bits() == one),
        "{got:?}"
    );
}

#[test]
fn rows_that_are_left_out_do_not_shift_the_others() {
    let (x, y) = (Bins::new(0, 1, 1), Bins::new(0, 8, 2));
    let mut shrink = BoxShrink::new(1, (x, y), Wanted::AVERAGES);
    let mut got = Vec::new();
    for (row, sample) in [(0, 0), (1, 20), (6, 100)] {
        shrink.row(row, Samples::U8(&[sample]), |row| {
            got.push((row.averages[0] * 255.0).round());
        });
    }
    shrink.finish(|row| got.push((row.averages[0] * 255.0).round()));
    assert_eq!(format!("{got:?}"), "[10.0, 10.0, 10.0, 100.0]");
}
