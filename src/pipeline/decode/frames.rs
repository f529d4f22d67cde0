//! Frames of an animation, painted one over another on a canvas that is held whole.
//!
//! Only frames that leave something behind are painted before the one that is asked for,
//! so that one canvas does for every way of disposal: nobody ever sees what "previous" restores.

use super::buffer::try_filled;
use super::canvas::Size;
use super::{ColorTable, Plane, RowSink, Samples};
use crate::options::OptionsError;
use crate::{ImageFormat, LimitError, PipelineError, work};

/// What a frame, or the hole that it leaves, covers of the canvas. It may reach out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub origin: (u32, u32),
    pub size: Size,
}

impl Area {
    pub fn pixels(self) -> u64 {
        u64::from(self.size.0) * u64::from(self.size.1)
    }
}

/// What becomes of the canvas under a frame's pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blend {
    /// They replace it, with their transparency.
    Source,
    /// They lie over it.
    Over,
}

/// The canvas: gray and alpha, or red, green, blue and alpha, of 8 bits, not premultiplied.
pub(super) struct FrameCanvas {
    size: Size,
    channels: usize,
    pixels: Vec<u8>,
}

impl FrameCanvas {
    /// A canvas that is transparent, of 2 or 4 channels.
    pub fn new(size: Size, channels: u8) -> Result<Self, PipelineError> {
        let bytes = Self::bytes(size, channels);
        let len = usize::try_from(bytes).map_err(|_| LimitError::Allocation { bytes })?;
        Ok(Self {
            size,
            channels: usize::from(channels),
            pixels: try_filled(len, 0)?,
        })
    }

    /// What a canvas takes, in bytes.
    pub fn bytes((width, height): Size, channels: u8) -> u64 {
        u64::from(width) * u64::from(height) * u64::from(channels)
    }

    /// The plane that its rows are of.
    pub fn plane((width, height): Size, channels: u8) -> Plane {
        Plane {
            width,
            height,
            channels,
            pixels_per_sample_x: 1.0,
            pixels_per_sample_y: 1.0,
        }
    }

    /// The row `y`, from the column `x` on; nothing outside of the canvas.
    fn row_from(&mut self, x: u32, y: u32) -> &mut [u8] {
        let (x, y) = (x as usize, y as usize);
        let row_bytes = self.size.0 as usize * self.channels;
        let row = self.pixels.chunks_exact_mut(row_bytes).nth(y);
        row.and_then(|row| row.get_mut(x * self.channels..))
            .unwrap_or_default()
    }

    /// Makes an area transparent.
    pub fn clear(&mut self, area: Area) {
        let (x, top) = area.origin;
        let bytes = area.size.0 as usize * self.channels;
        let bottom = top.saturating_add(area.size.1).min(self.size.1);
        for y in top..bottom {
            let row = self.row_from(x, y);
            let len = bytes.min(row.len());
            row[..len].fill(0);
        }
    }

    /// What paints the rows of a frame.
    pub fn painter(&mut self, area: Area, blend: Blend) -> Painter<'_> {
        Painter {
            canvas: self,
            area,
            blend,
        }
    }

    /// Gives all rows.
    pub fn emit(&self, sink: &mut dyn RowSink) {
        let rows = self
            .pixels
            .chunks_exact(self.size.0 as usize * self.channels);
        for (row, y) in rows.zip(0..) {
            sink.row(0, y, Samples::U8(row));
        }
    }
}

/// Takes the rows of one frame: of as many channels as the canvas, or one less, then opaque.
pub(super) struct Painter<'a> {
    canvas: &'a mut FrameCanvas,
    area: Area,
    blend: Blend,
}

impl Painter<'_> {
    /// Paints pixels of row `y` in the columns `x0`, `x0 + dx`, …
    fn paint(&mut self, y: u32, (x0, dx): (u32, u32), has_alpha: bool, samples: Samples<'_>) {
        let (x, y) = (
            self.area.origin.0.saturating_add(x0),
            self.area.origin.1.saturating_add(y),
        );
        let channels = self.canvas.channels;
        let step = dx as usize * channels;
        let row = self.canvas.row_from(x, y);
        let stored = channels - usize::from(!has_alpha);
        let targets = row.chunks_mut(step);
        match samples {
            Samples::U8(samples) if channels == 4 && dx == 1 => {
                paint_rgba(row, samples, has_alpha, self.blend);
            }
            Samples::U8(samples) => {
                for (target, pixel) in targets.zip(samples.chunks_exact(stored)) {
                    let mut color = [255; 4];
                    color[..stored].copy_from_slice(pixel);
                    put(&mut target[..channels], &color[..channels], self.blend);
                }
            }
            Samples::U16(samples) => {
                for (target, pixel) in targets.zip(samples.chunks_exact(stored)) {
                    let mut color = [255; 4];
                    for (to, &sample) in color.iter_mut().zip(pixel) {
                        *to = to_u8(sample);
                    }
                    put(&mut target[..channels], &color[..channels], self.blend);
                }
            }
        }
    }
}

/// Paints a row of RGB or RGBA, which most frames have.
fn paint_rgba(row: &mut [u8], samples: &[u8], has_alpha: bool, blend: Blend) {
    let targets = row.as_chunks_mut::<4>().0.iter_mut();
    if !has_alpha {
        for (target, &[r, g, b]) in targets.zip(samples.as_chunks::<3>().0) {
            *target = [r, g, b, 255];
        }
        return;
    }
    for (target, &pixel) in targets.zip(samples.as_chunks::<4>().0) {
        paint_pixel(target, pixel, blend);
    }
}

/// The usual cases of [`put`], of which there are many.
fn paint_pixel(target: &mut [u8; 4], pixel: [u8; 4], blend: Blend) {
    match (blend, pixel[3]) {
        (Blend::Source, _) | (_, 255) => *target = pixel,
        (Blend::Over, 0) => {}
        _ => put(target, &pixel, blend),
    }
}

fn sample_count(samples: Samples<'_>) -> usize {
    match samples {
        Samples::U8(samples) => samples.len(),
        Samples::U16(samples) => samples.len(),
    }
}

impl RowSink for Painter<'_> {
    fn row(&mut self, _: usize, y: u32, samples: Samples<'_>) {
        let width = self.area.size.0 as usize;
        let has_alpha = sample_count(samples) == width * self.canvas.channels;
        self.paint(y, (0, 1), has_alpha, samples);
    }

    fn indices(&mut self, plane: usize, y: u32, indices: &[u8], table: &ColorTable) {
        if self.canvas.channels != table.channels() {
            self.row(plane, y, Samples::U8(&table.expand(indices)));
            return;
        }
        let (x, top) = self.area.origin;
        let row = self.canvas.row_from(x, top.saturating_add(y));
        for (target, &index) in row.as_chunks_mut::<4>().0.iter_mut().zip(indices) {
            paint_pixel(target, table.color(index), self.blend);
        }
    }

    fn pixels(&mut self, _: usize, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        let columns = self.area.size.0.saturating_sub(x0).div_ceil(dx) as usize;
        let has_alpha = sample_count(samples) == columns * self.canvas.channels;
        self.paint(y, (x0, dx), has_alpha, samples);
    }
}

/// 16 bits to 8, rounded.
#[expect(
    clippy::cast_possible_truncation,
    reason = "at most 65535 * 255 / 65535"
)]
fn to_u8(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32_767) / 65_535) as u8
}

/// Puts a pixel, whose last channel is alpha, on another.
#[expect(
    clippy::cast_possible_truncation,
    reason = "means of bytes, and at most 255 * 255 / 255"
)]
fn put(target: &mut [u8], pixel: &[u8], blend: Blend) {
    let (Some((target_alpha, target_colors)), Some((&alpha, colors))) =
        (target.split_last_mut(), pixel.split_last())
    else {
        return;
    };
    if blend == Blend::Source || alpha == 255 || (*target_alpha == 0 && alpha > 0) {
        target_colors.copy_from_slice(colors);
        *target_alpha = alpha;
        return;
    }
    // Both weights times 255: what the pixel covers, and what shows through it.
    let over = u32::from(alpha) * 255;
    let under = (255 - u32::from(alpha)) * u32::from(*target_alpha);
    let sum = over + under;
    if alpha == 0 || sum == 0 {
        return;
    }
    for (to, &color) in target_colors.iter_mut().zip(colors) {
        *to = ((u32::from(color) * over + u32::from(*to) * under + sum / 2) / sum) as u8;
    }
    *target_alpha = ((sum + 127) / 255) as u8;
}

/// Counts the frames of a file up to the one that is asked for, and the pixels that they cost.
#[derive(Debug)]
pub(super) struct FrameCounter {
    format: ImageFormat,
    /// The frame that is asked for.
    page: u32,
    /// Frames that have begun.
    begun: u32,
    pixels: u64,
    max_pixels: u64,
}

impl FrameCounter {
    pub fn new(format: ImageFormat, page: u32, max_pixels: u64) -> Self {
        Self {
            format,
            page,
            begun: 0,
            pixels: 0,
            max_pixels,
        }
    }

    /// Counts a frame, and says whether it is the one that is asked for.
    pub fn begin(&mut self) -> bool {
        self.begun += 1;
        self.begun > self.page
    }

    /// Whether there was a frame.
    pub fn has_begun(&self) -> bool {
        self.begun > 0
    }

    /// Whether the frame that is asked for has begun.
    pub fn has_arrived(&self) -> bool {
        self.begun > self.page
    }

    /// Pays for painting or clearing an area: frames are cheap to write and may all be as large as the canvas.
    pub fn pay(&mut self, area: Area) -> Result<(), PipelineError> {
        self.pixels = self.pixels.saturating_add(area.pixels());
        if self.pixels > self.max_pixels {
            return Err(LimitError::Count {
                what: "pixels in its frames up to the page",
                max: self.max_pixels,
            }
            .into());
        }
        Ok(())
    }

    /// The work of what was paid for.
    pub fn work(&self) -> u64 {
        work::of_frames(self.format, self.pixels)
    }

    /// The file has no more frames.
    pub fn missing(&self) -> PipelineError {
        OptionsError::NoPage {
            page: self.page,
            format: self.format,
            pages: self.begun,
        }
        .into()
    }

    /// The file breaks off before the frame that is asked for.
    pub fn cut(&self) -> PipelineError {
        PipelineError::truncated(
            self.format,
            format!(
                "{} of its frames begin before it breaks off, and page {} is not among them",
                self.begun, self.page
            ),
        )
    }
}

#[cfg(test)]
mod tests;
