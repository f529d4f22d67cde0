//! From rows of tiles to rows of samples.

use heifer_hevc_dec::recon::Frame;

use super::header::HeicHeader;
use super::layer::Layer;
use super::properties::Crop;
use crate::color_model::{SampleModel, SampleRange};
use crate::decode::{Plane, RowSink, Samples};

/// The samples that come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Three planes of one channel, those of chroma with their own resolution.
    Planes,
    /// One plane of luma.
    Gray,
    /// One plane: alpha needs the colors next to it.
    Rgba,
}

impl Output {
    pub fn planes(self, header: &HeicHeader) -> Vec<Plane> {
        let plane = |channels, (x, y): (u32, u32)| Plane {
            width: header.width.div_ceil(x),
            height: header.height.div_ceil(y),
            channels,
            pixels_per_sample_x: f64::from(x),
            pixels_per_sample_y: f64::from(y),
        };
        let chroma = header.color.shape.chroma.pixels_per_sample();
        match self {
            Self::Planes => vec![plane(1, (1, 1)), plane(1, chroma), plane(1, chroma)],
            Self::Gray => vec![plane(1, (1, 1))],
            Self::Rgba => vec![plane(4, (1, 1))],
        }
    }
}

/// A row of tiles; those that are missing are gray.
pub struct Band {
    /// The first row of the image that it covers.
    pub top: u32,
    pub frames: Vec<Option<Frame>>,
}

impl Band {
    /// Reads the part of a component that lies in row `y` of `crop`, in its own resolution.
    fn gather(
        &self,
        layer: &Layer,
        component: usize,
        y: u32,
        crop: Crop,
        missing: u16,
        row: &mut Vec<u16>,
    ) {
        let shape = &layer.shape;
        let (step_x, step_y) = match component {
            0 => (1, 1),
            _ => shape.chroma.pixels_per_sample(),
        };
        let width = (shape.size.0 / step_x) as usize;
        // Rows and columns of what is coded begin at its window.
        let y = ((shape.window.top + crop.top + y - self.top) / step_y) as usize;
        let x = (shape.window.left / step_x) as usize;
        row.clear();
        for frame in &self.frames {
            let end = row.len() + width;
            if let Some(frame) = frame {
                let stride = frame.widths[component] as usize;
                let samples = frame.planes[component].get(y * stride + x..);
                // A damaged tile may be shorter.
                let samples = samples.unwrap_or_default();
                row.extend_from_slice(&samples[..width.min(samples.len())]);
            }
            row.resize(end, missing);
        }
        row.drain(..(crop.left / step_x) as usize);
        row.truncate(crop.width.div_ceil(step_x) as usize);
    }
}

/// Gives rows of bands to a sink.
pub struct Rows {
    output: Output,
    model: SampleModel,
    luma: Scale,
    chroma: Scale,
    alpha: Scale,
    is_premultiplied: bool,
    crop: Crop,
    components: [Vec<u16>; 4],
    narrow: Vec<u8>,
    wide: Vec<u16>,
}

impl Rows {
    pub fn new(header: &HeicHeader) -> Self {
        let [luma_bits, chroma_bits] = header.color.shape.bits;
        let is_ycbcr = matches!(header.model, SampleModel::YCbCr(..));
        let alpha_bits = header.alpha.as_ref().map_or(8, |alpha| alpha.shape.bits[0]);
        Self {
            output: header.output(),
            model: header.model,
            luma: Scale::luma(luma_bits, header.range, is_ycbcr),
            chroma: if is_ycbcr {
                Scale::chroma(chroma_bits, header.range)
            } else {
                Scale::luma(chroma_bits, header.range, false)
            },
            alpha: Scale::luma(alpha_bits, SampleRange::Full, false),
            is_premultiplied: header.is_premultiplied,
            crop: header.crop,
            components: Default::default(),
            narrow: Vec::new(),
            wide: Vec::new(),
        }
    }

    /// Gives row `y` of the image, which the bands cover.
    pub fn emit(
        &mut self,
        header: &HeicHeader,
        bands: &[Option<Band>; 2],
        y: u32,
        sink: &mut dyn RowSink,
    ) {
        let [Some(color), alpha] = bands else {
            return;
        };
        let layer = &header.color;
        let gray = layer.shape.bits.map(|bits| 1_u16 << (bits - 1));
        let (_, step_y) = layer.shape.chroma.pixels_per_sample();
        // Chroma has fewer rows: each comes with the first row of luma that it covers.
        let is_whole = self.output == Output::Rgba || y.is_multiple_of(step_y);
        let components = if is_whole { self.color_components() } else { 1 };
        for component in 0..components {
            let row = &mut self.components[component];
            color.gather(layer, component, y, self.crop, gray[component.min(1)], row);
        }
        if let (Output::Rgba, Some(alpha), Some(layer)) = (self.output, alpha, &header.alpha) {
            let row = &mut self.components[3];
            // Missing alpha is opaque, whatever its bits are: it is cut to 1.
            alpha.gather(layer, 0, y, self.crop, u16::MAX, row);
            self.emit_rgba(header, y, sink);
            return;
        }
        for component in 0..components {
            let (scale, own_y) = match component {
                0 => (self.luma, y),
                _ => (self.chroma, y / step_y),
            };
            let plane = self.plane(component);
            let row = &self.components[component];
            let samples = scale.apply(row, &mut self.narrow, &mut self.wide);
            sink.row(plane, own_y, samples);
        }
    }

    const fn color_components(&self) -> usize {
        match self.model {
            SampleModel::Gray => 1,
            _ => 3,
        }
    }

    /// The plane of a component: those of RGB are coded as green, blue, red.
    const fn plane(&self, component: usize) -> usize {
        match self.model {
            SampleModel::Rgb => (component + 1) % 3,
            _ => component,
        }
    }

    fn emit_rgba(&mut self, header: &HeicHeader, y: u32, sink: &mut dyn RowSink) {
        let (step, _) = header.color.shape.chroma.pixels_per_sample();
        let [first, second, third, alpha] = &self.components;
        self.wide.clear();
        for (x, (&first, &alpha)) in first.iter().zip(alpha).enumerate() {
            let beside = |row: &[u16]| row.get(x / step as usize).copied().unwrap_or(0);
            let first = self.luma.unit(first);
            let [second, third] = [second, third].map(|row| self.chroma.unit(beside(row)));
            let color = match self.model {
                SampleModel::Gray => [first; 3],
                SampleModel::Rgb => [third, first, second],
                model => {
                    let (color, _) = model.device([first, second, third, 0.0]);
                    [color[0], color[1], color[2]]
                }
            };
            let alpha = self.alpha.unit(alpha);
            let divisor = if self.is_premultiplied && alpha > 0.0 {
                alpha
            } else {
                1.0
            };
            self.wide
                .extend(color.map(|value| to_sample(value / divisor)));
            self.wide.push(to_sample(alpha));
        }
        sink.row(0, y, Samples::U16(&self.wide));
    }
}

/// From 0…1; what is beyond is cut off.
fn to_sample(value: f32) -> u16 {
    // The cast cuts at 0 and 65535.
    (value * 65535.0).round() as u16
}

/// From samples as they are coded to those of a plane.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Bytes go through as they are.
    is_identity: bool,
    factor: f32,
    offset: f32,
}

impl Scale {
    /// `keeps_range` leaves a limited range to who knows of it, as that of 8 bits, whatever the bits are.
    fn luma(bits: u8, range: SampleRange, keeps_range: bool) -> Self {
        // HEVC has at least 8 bits.
        let unit = f32::from(1_u16 << (bits - 8));
        let (is_identity, factor, offset) = match (range, keeps_range) {
            (SampleRange::Full, _) => (true, 1.0 / (256.0 * unit - 1.0), 0.0),
            (SampleRange::Limited, true) => (true, 1.0 / (255.0 * unit), 0.0),
            // From 16 to 235, with 8 bits.
            (SampleRange::Limited, false) => (false, 1.0 / (219.0 * unit), -16.0 / 219.0),
        };
        Self {
            is_identity: is_identity && bits == 8,
            factor,
            offset,
        }
    }

    /// Its middle is at 128/255.
    fn chroma(bits: u8, range: SampleRange) -> Self {
        let scale = Self::luma(bits, range, true);
        let middle = f32::from(1_u16 << (bits - 1));
        Self {
            offset: 128.0 / 255.0 - middle * scale.factor,
            ..scale
        }
    }

    fn unit(self, sample: u16) -> f32 {
        (f32::from(sample) * self.factor + self.offset).clamp(0.0, 1.0)
    }

    fn apply<'a>(
        self,
        row: &[u16],
        narrow: &'a mut Vec<u8>,
        wide: &'a mut Vec<u16>,
    ) -> Samples<'a> {
        if self.is_identity {
            narrow.clear();
            narrow.extend(row.iter().map(|&sample| sample as u8));
            return Samples::U8(narrow);
        }
        wide.clear();
        wide.extend(row.iter().map(|&sample| to_sample(self.unit(sample))));
        Samples::U16(wide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_at_black_and_white_and_gray_stays_gray() {
        for bits in [8, 10, 12, 16] {
            let unit = 1_u16 << (bits - 8);
            let full = Scale::luma(bits, SampleRange::Full, false);
            let white = u16::try_from((256 * u32::from(unit)) - 1).unwrap();
            assert_eq!(to_sample(full.unit(white)), 65535, "{bits} bits");
            let limited = Scale::luma(bits, SampleRange::Limited, false);
            assert_eq!(to_sample(limited.unit(16 * unit)), 0, "{bits} bits");
            assert_eq!(to_sample(limited.unit(235 * unit)), 65535, "{bits} bits");
            let kept = Scale::luma(bits, SampleRange::Limited, true);
            assert_eq!(to_sample(kept.unit(235 * unit)), 235 * 257, "{bits} bits");
            for range in [SampleRange::Full, SampleRange::Limited] {
                let chroma = Scale::chroma(bits, range);
                assert_eq!(to_sample(chroma.unit(128 * unit)), 128 * 257, "{bits} bits");
            }
        }
    }
}
