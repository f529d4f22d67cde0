//! Baseline JPEG, written as rows come: no more than one row of MCUs is held.

use super::super::super::PipelineError;
use super::super::super::geometry::Size;
use super::super::output::Output;
use super::super::{EncodeOptions, buffer};
use super::bits::{Bits, BlockCodes};
use super::fdct::fdct;
use super::tables::{Class, Quantizer, zigzag};
use super::{header, side};
use crate::OutputFormat;

/// From this quality on, chroma is not halved, as libvips does it.
const FULL_CHROMA_FROM: u8 = 90;
/// Nor is it up to this side, where a few hundred bytes buy colors that can be seen.
const FULL_CHROMA_TO: u32 = 200;

/// Which components a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JpegColor {
    /// Luma alone.
    Gray,
    /// Luma, and chroma of the same size.
    Full,
    /// Luma, and chroma that is halved on both axes.
    Halved,
}

impl JpegColor {
    /// What an image with colors, or without, is written with.
    pub const fn new(is_gray: bool, size: Size, quality: u8) -> Self {
        let is_small = size.width() <= FULL_CHROMA_TO && size.height() <= FULL_CHROMA_TO;
        match (is_gray, is_small || quality >= FULL_CHROMA_FROM) {
            (true, _) => Self::Gray,
            (false, true) => Self::Full,
            (false, false) => Self::Halved,
        }
    }

    /// The side of an MCU.
    pub(super) const fn mcu(self) -> usize {
        match self {
            Self::Gray | Self::Full => 8,
            Self::Halved => 16,
        }
    }

    pub(super) const fn components(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Full | Self::Halved => 3,
        }
    }
}

/// What blocks of a class are divided by and coded with.
#[derive(Debug)]
struct Coding {
    quantizer: Quantizer,
    codes: BlockCodes,
}

impl Coding {
    fn new(class: Class, quality: u8) -> Self {
        Self {
            quantizer: Quantizer::new(class, quality),
            codes: BlockCodes::new(class),
        }
    }
}

/// Where encoded blocks go.
#[derive(Debug)]
struct Scan {
    output: Output,
    bits: Bits,
    /// The last DC coefficient of each component.
    dc: [i16; 3],
}

/// A baseline file that grows with each row.
#[derive(Debug)]
pub struct JpegRows {
    size: Size,
    color: JpegColor,
    codings: [Box<Coding>; 2],
    scan: Scan,
    /// One row of MCUs of each component, all of the size of luma.
    planes: [Vec<u8>; 3],
    /// The length of a row in `planes`, in whole MCUs.
    stride: usize,
    /// Rows in `planes`.
    held: usize,
    /// Rows that are still to come.
    left: u32,
}

impl JpegRows {
    /// A file for rows of `size`, with room for `options.max_bytes`.
    pub fn new(
        size: Size,
        color: JpegColor,
        options: &EncodeOptions,
    ) -> Result<Self, PipelineError> {
        let (width, _) = (side(size, size.width())?, side(size, size.height())?);
        let mut output = Output::new(options.max_bytes);
        let codings =
            [Class::Luma, Class::Chroma].map(|class| Box::new(Coding::new(class, options.quality)));
        let tables = [0, 1].map(|class| codings[class].quantizer.divisors);
        header::write(&mut output, size, color, &tables);
        let stride = usize::from(width).next_multiple_of(color.mcu());
        let mut planes = [const { Vec::new() }; 3];
        for plane in planes.iter_mut().take(color.components()) {
            *plane = buffer(stride * color.mcu())?;
            plane.resize(stride * color.mcu(), 0);
        }
        Ok(Self {
            size,
            color,
            codings,
            scan: Scan {
                output,
                bits: Bits::default(),
                dc: [0; 3],
            },
            planes,
            stride,
            held: 0,
            left: size.height(),
        })
    }

    /// The bytes that it holds besides the file.
    pub fn bytes(size: Size, color: JpegColor) -> u64 {
        let stride = u64::from(size.width()).next_multiple_of(color.mcu() as u64);
        let planes = stride * (color.mcu() * color.components()) as u64;
        planes + 2 * size_of::<Coding>() as u64
    }

    /// Takes the next row, as RGB.
    pub fn push(&mut self, rgb: &[[u8; 3]]) -> Result<(), PipelineError> {
        let from = self.held * self.stride;
        let width = rgb.len().min(self.stride);
        let [luma, blue, red] = &mut self.planes;
        let luma = &mut luma[from..from + self.stride];
        if self.color == JpegColor::Gray {
            for (luma, [gray, ..]) in luma.iter_mut().zip(rgb) {
                *luma = *gray;
            }
            repeat_last(luma, width);
        } else {
            let blue = &mut blue[from..from + self.stride];
            let red = &mut red[from..from + self.stride];
            for (((luma, blue), red), pixel) in
                luma.iter_mut().zip(&mut *blue).zip(&mut *red).zip(rgb)
            {
                [*luma, *blue, *red] = ycbcr(*pixel);
            }
            for row in [luma, blue, red] {
                repeat_last(row, width);
            }
        }
        self.held += 1;
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.repeat_last_row();
        }
        if self.held == self.color.mcu() {
            self.write_mcus();
            self.held = 0;
        }
        self.scan.output.check(OutputFormat::Jpeg, self.size)
    }

    /// The whole file, once all rows were given.
    pub fn finish(self) -> Result<Vec<u8>, PipelineError> {
        let Scan {
            mut output, bits, ..
        } = self.scan;
        bits.finish(&mut output);
        output.push(&[0xff, 0xd9]);
        output.finish(OutputFormat::Jpeg, self.size)
    }

    /// The last row stands for those that complete the last MCUs.
    fn repeat_last_row(&mut self) {
        let last = (self.held - 1) * self.stride;
        for plane in self.planes.iter_mut().filter(|plane| !plane.is_empty()) {
            for row in self.held..self.color.mcu() {
                plane.copy_within(last..last + self.stride, row * self.stride);
            }
        }
        self.held = self.color.mcu();
    }

    fn write_mcus(&mut self) {
        let (mcu, stride) = (self.color.mcu(), self.stride);
        let [luma, chroma] = &self.codings;
        for x in (0..stride).step_by(mcu) {
            for (y, x) in (0..mcu)
                .step_by(8)
                .flat_map(|y| (x..x + mcu).step_by(8).map(move |x| (y, x)))
            {
                let block = block(&self.planes[0][y * stride + x..], stride);
                self.scan.write(0, luma, &block);
            }
            for component in 1..self.color.components() {
                let plane = &self.planes[component][x..];
                let block = match self.color {
                    JpegColor::Halved => halved_block(plane, stride),
                    _ => block(plane, stride),
                };
                self.scan.write(component, chroma, &block);
            }
        }
    }
}

impl Scan {
    /// Transforms, quantises and writes a block that is in columns.
    fn write(&mut self, component: usize, coding: &Coding, block: &[[i32; 8]; 8]) {
        let coefficients = fdct(block);
        let mut natural = [0; 64];
        natural.copy_from_slice(coefficients.as_flattened());
        let block = zigzag(&coding.quantizer.quantize(&natural));
        coding
            .codes
            .write(&block, self.dc[component], &mut self.bits, &mut self.output);
        self.dc[component] = block[0];
    }
}

/// Luma, Cb and Cr of T.871, section 7, in 16 bits behind the point.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "weights sum up to 1 or 0, so that results are bytes"
)]
fn ycbcr(rgb: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = rgb.map(i32::from);
    let luma = 19595 * r + 38470 * g + 7471 * b;
    let blue = -11059 * r - 21709 * g + 32768 * b + (128 << 16);
    let red = 32768 * r - 27439 * g - 5329 * b + (128 << 16);
    [luma, blue, red].map(|sum| ((sum + 0x7fff) >> 16) as u8)
}

/// The last pixel stands for those that complete the last MCU.
fn repeat_last(row: &mut [u8], width: usize) {
    let last = row[width - 1];
    row[width..].fill(last);
}

/// The block at the start of `samples`, in columns, around 0.
#[inline]
fn block(samples: &[u8], stride: usize) -> [[i32; 8]; 8] {
    let mut block = [[0; 8]; 8];
    for y in 0..8 {
        let row = &samples[y * stride..y * stride + 8];
        for (column, sample) in block.iter_mut().zip(row) {
            column[y] = i32::from(*sample) - 128;
        }
    }
    block
}

/// The same of 16 x 16 samples, of which four become one.
///
/// Halves are rounded down and up in turns, as in libjpeg, so that the mean stays.
#[inline]
fn halved_block(samples: &[u8], stride: usize) -> [[i32; 8]; 8] {
    let mut block = [[0; 8]; 8];
    for y in 0..8 {
        let upper = &samples[2 * y * stride..][..16];
        let lower = &samples[(2 * y + 1) * stride..][..16];
        let pairs = upper
            .as_chunks::<2>()
            .0
            .iter()
            .zip(lower.as_chunks::<2>().0);
        for ((column, bias), ([a, b], [c, d])) in
            block.iter_mut().zip([1, 2].into_iter().cycle()).zip(pairs)
        {
            let sum: i32 = [a, b, c, d]
                .into_iter()
                .map(|sample| i32::from(*sample))
                .sum();
            column[y] = ((sum + bias) >> 2) - 128;
        }
    }
    block
}
