//! Tests of `vp8`.

use std::io::Cursor;

use super::testing::{Random, random_frame};
use super::*;
use crate::decode::Samples;
use crate::decode::canvas::{CanvasRows, Placement};
use crate::decode::webp::alpha::AlphaRows;
use crate::decode::webp::yuv::YuvToRgba;

/// Collects rows of RGBA as RGB, and all rows in the order in which they came.
#[derive(Default)]
struct Rows {
    rgb: Vec<u8>,
    order: Vec<(usize, u32)>,
}

impl RowSink for Rows {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        self.order.push((plane, y));
        if let Samples::U8(samples) = samples {
            let pixels = samples.as_chunks::<4>().0.iter();
            self.rgb.extend(pixels.flat_map(|pixel| &pixel[..3]));
        }
    }

    fn pixels(&mut self, _: usize, _: u32, _: u32, _: u32, _: Samples<'_>) {}
}

fn whole_canvas(size: (u32, u32)) -> CanvasRows {
    CanvasRows::new(Placement::new(size, (0, 0), size).unwrap()).unwrap()
}

fn decode_to_rgb(frame: &[u8], size: (u32, u32)) -> (Vec<u8>, Completeness) {
    let mut rows = Rows::default();
    let canvas = whole_canvas(size);
    let mut rgba = YuvToRgba::new(canvas, AlphaRows::opaque(size.0), size.1, &mut rows);
    let completeness = decode(frame, LoopFilter::Exact, &mut rgba).unwrap();
    (rows.rgb, completeness)
}

fn reference(frame: &[u8], size: (u32, u32)) -> Vec<u8> {
    let mut file = b"RIFF....WEBPVP8 ".to_vec();
    file.extend((frame.len() as u32).to_le_bytes());
    file.extend(frame);
    let mut rgb = vec![0; (size.0 * size.1 * 3) as usize];
    image_webp::WebPDecoder::new(Cursor::new(file))
        .unwrap()
        .read_image(&mut rgb)
        .unwrap();
    rgb
}

#[test]
fn every_feature_decodes_as_the_reference_does() {
    let mut random = Random(1);
    for round in 0..60 {
        let size = (1 + random.below(70), 1 + random.below(70));
        let frame = random_frame(&mut random, size.0 as u16, size.1 as u16);
        let (rgb, completeness) = decode_to_rgb(&frame, size);
        assert_eq!(completeness, Completeness::Whole);
        assert!(rgb == reference(&frame, size), "round {round}, {size:?}");
    }
}

#[test]
fn a_cut_frame_keeps_its_beginning_and_ends_in_gray() {
    let mut random = Random(7);
    // Sixteen rows of macroblocks share one to eight partitions.
    let size = (48, 256);
    for _ in 0..10 {
        let frame = random_frame(&mut random, 48, 256);
        let (whole, _) = decode_to_rgb(&frame, size);
        let mut longest = 0;
        for cut in (frame.len() / 8..frame.len()).step_by(frame.len() / 50) {
            let mut rows = Rows::default();
            let canvas = whole_canvas(size);
            let mut rgba = YuvToRgba::new(canvas, AlphaRows::opaque(48), 256, &mut rows);
            if decode(&frame[..cut], LoopFilter::Exact, &mut rgba).is_err() {
                continue;
            }
            assert_eq!(rows.rgb.len(), whole.len());
            let same = rows.rgb.iter().zip(&whole).take_while(|(a, b)| a == b);
            let same = same.count();
            assert!(same >= longest, "{same} of {longest} bytes at {cut}");
            longest = same;
        }
        assert!(longest > 0);
    }
}

#[test]
fn rows_come_once_in_order_and_in_step() {
    let frame = random_frame(&mut Random(3), 33, 37);
    for filter in [LoopFilter::Exact, LoopFilter::Skip] {
        let mut rows = Rows::default();
        decode(&frame, filter, &mut rows).unwrap();
        let expected: Vec<_> = (0..19)
            .flat_map(|y| [(0, 2 * y), (0, 2 * y + 1), (1, y), (2, y)])
            .filter(|&(_, y)| y < 37)
            .collect();
        assert_eq!(rows.order, expected);
    }
}
