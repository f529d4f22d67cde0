//! The finished pixels of one thumbnail.

use super::PipelineError;
use super::geometry::Size;

/// Pixels of eight bits, rows from top to bottom, three channels (RGB) or four (RGBA, not premultiplied).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixmap {
    size: Size,
    channels: usize,
    data: Vec<u8>,
}

impl Pixmap {
    /// Makes an RGB pixmap of one color.
    pub fn rgb(size: Size, color: [u8; 3]) -> Result<Self, PipelineError> {
        Self::filled(size, &color)
    }

    /// Makes an RGBA pixmap of one color.
    pub fn rgba(size: Size, color: [u8; 4]) -> Result<Self, PipelineError> {
        Self::filled(size, &color)
    }

    fn filled(size: Size, pixel: &[u8]) -> Result<Self, PipelineError> {
        let bytes = usize::try_from(size.pixels())
            .ok()
            .and_then(|pixels| pixels.checked_mul(pixel.len()));
        let mut data = Vec::new();
        let reserved = bytes.map(|bytes| data.try_reserve_exact(bytes));
        let (Some(bytes), Some(Ok(()))) = (bytes, reserved) else {
            return Err(PipelineError::Bug(
                format!("no memory for a planned thumbnail of {size}").into(),
            ));
        };
        data.extend(pixel.iter().copied().cycle().take(bytes));
        Ok(Self {
            size,
            channels: pixel.len(),
            data,
        })
    }

    /// Width and height.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Width in pixels.
    pub const fn width(&self) -> u32 {
        self.size.width()
    }

    /// Height in pixels.
    pub const fn height(&self) -> u32 {
        self.size.height()
    }

    /// 3 or 4.
    pub const fn channels(&self) -> usize {
        self.channels
    }

    /// Whether there is an alpha channel.
    pub const fn has_alpha(&self) -> bool {
        self.channels == 4
    }

    /// All samples: `width * height * channels` bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// All samples, to be changed.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// Cuts out the part of `size` that begins at (`left`, `top`); it is moved inside where it would reach out.
    #[must_use]
    pub fn crop(mut self, left: u32, top: u32, size: Size) -> Self {
        let size = Size::new(
            size.width().min(self.width()),
            size.height().min(self.height()),
        );
        let left = left.min(self.width() - size.width()) as usize;
        let top = top.min(self.height() - size.height()) as usize;
        let stride = self.width() as usize * self.channels;
        let row = size.width() as usize * self.channels;
        for y in 0..size.height() as usize {
            let from = (top + y) * stride + left * self.channels;
            self.data.copy_within(from..from + row, y * row);
        }
        self.data.truncate(row * size.height() as usize);
        self.size = size;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crop_keeps_the_asked_part_and_stays_inside() {
        let mut pixmap = Pixmap::rgb(Size::new(4, 3), [0; 3]).expect("small");
        for (value, sample) in (0_u8..).zip(pixmap.data_mut()) {
            *sample = value;
        }
        let part = pixmap.clone().crop(1, 1, Size::new(2, 2));
        assert_eq!(
            part.data(),
            [15, 16, 17, 18, 19, 20, 27, 28, 29, 30, 31, 32]
        );
        let moved = pixmap.crop(9, 9, Size::new(1, 9));
        assert_eq!(moved.size(), Size::new(1, 3));
        assert_eq!(moved.data()[..3], [9, 10, 11]);
    }
}
