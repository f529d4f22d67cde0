//! The first frame of a GIF, by rows.

use super::header::GifHeader;
use super::lzw::{Lzw, Stop};
use super::rows::FrameRows;
use crate::decode::{Completeness, Decode, Plane, Progress, RowSink};
use crate::{ImageFormat, PipelineError};

/// Decodes the first frame of a GIF.
pub struct GifDecoder {
    planes: [Plane; 1],
    rows: FrameRows,
    is_interlaced: bool,
    /// Bytes before the pixels that were not fed yet.
    to_skip: u64,
    lzw: Option<Lzw>,
    /// Bytes of the current sub-block that were not fed yet.
    block_left: usize,
    is_over: bool,
}

impl GifDecoder {
    /// Prepares to decode the file whose header was read.
    pub fn new(header: &GifHeader) -> Result<Self, PipelineError> {
        Ok(Self {
            planes: [Plane::whole(header.width, header.height, header.channels())],
            rows: FrameRows::new(header)?,
            is_interlaced: header.is_interlaced,
            to_skip: header.data_start,
            lzw: None,
            block_left: 0,
            is_over: false,
        })
    }

    /// Unpacks a part of a sub-block.
    fn unpack(&mut self, mut codes: &[u8], sink: &mut dyn RowSink) {
        let Some(lzw) = &mut self.lzw else {
            return;
        };
        while !self.is_over {
            let (pixels, stop) = lzw.unpack(&mut codes);
            self.rows.put(pixels, sink);
            // Some encoders write more pixels than there are: they are ignored.
            self.is_over = stop == Stop::Over || self.rows.is_complete();
            if stop == Stop::NeedMore {
                return;
            }
        }
    }

    /// Takes the byte that gives the size of codes.
    fn start_lzw(&mut self, code_size: u8) -> Result<(), PipelineError> {
        // Appendix F asks for 2 bits at least, but 1 can be decoded as well.
        if !(1..=8).contains(&code_size) {
            return Err(PipelineError::malformed(
                ImageFormat::Gif,
                format!("its codes have {code_size} bits"),
            ));
        }
        self.lzw = Some(Lzw::new(code_size));
        Ok(())
    }
}

impl Decode for GifDecoder {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn scattered(&self) -> bool {
        self.is_interlaced
    }

    fn feed(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Progress, PipelineError> {
        let skipped = usize::try_from(self.to_skip).map_or(bytes.len(), |len| len.min(bytes.len()));
        self.to_skip -= skipped as u64;
        let mut rest = &bytes[skipped..];
        while !self.is_over && !rest.is_empty() {
            if self.block_left > 0 {
                let (codes, after) = rest.split_at(self.block_left.min(rest.len()));
                self.block_left -= codes.len();
                self.unpack(codes, sink);
                rest = after;
                continue;
            }
            let (byte, after) = (rest[0], &rest[1..]);
            rest = after;
            if self.lzw.is_none() {
                self.start_lzw(byte)?;
            } else {
                self.block_left = usize::from(byte);
                // An empty sub-block ends the pixels (section 16).
                self.is_over = byte == 0;
            }
        }
        Ok(if self.is_over {
            Progress::Done
        } else {
            Progress::NeedMore
        })
    }

    fn finish(&mut self, sink: &mut dyn RowSink) -> Result<Completeness, PipelineError> {
        self.rows.finish(sink)
    }
}
