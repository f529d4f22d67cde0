//! In which order tiles are decoded, and which bytes have to wait until then.
//!
//! The bytes of a file come in their order, tiles are needed in that of the image's rows.
//! Where both agree, as in the files of phones, no more than one tile's bytes are held.

use super::header::HeicHeader;
use crate::PipelineError;
use crate::decode::buffer::try_reserved;

/// A tile that is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// 0 for colors, 1 for alpha.
    pub layer: usize,
    /// The tile's number in its layer.
    pub tile: usize,
    /// Where its last byte ends in the file.
    pub end: u64,
    /// Where its first byte lies in the file.
    start: u64,
    /// Its bytes in the file.
    len: u64,
}

/// A piece of a tile.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: u64,
    end: u64,
    /// The step that decodes the tile.
    step: usize,
}

/// The tiles of an image, in the order in which they are decoded.
#[derive(Debug)]
pub struct Schedule {
    pub steps: Vec<Step>,
    /// By where they begin in the file.
    pieces: Vec<Piece>,
}

impl Schedule {
    pub fn new(header: &HeicHeader) -> Self {
        let bottom = header.crop.top + header.crop.height;
        let mut steps: Vec<(u32, Step)> = Vec::new();
        let mut pieces = Vec::new();
        for (number, layer) in header.layers().enumerate() {
            let height = layer.shape.size.1;
            for (index, tile) in (0_u32..).zip(&layer.tiles) {
                // A grid has no more than 256 rows.
                let top = (index / layer.columns).saturating_mul(height);
                if top >= bottom {
                    break;
                }
                let spans = || tile.spans.iter();
                let step = Step {
                    layer: number,
                    tile: index as usize,
                    end: spans().map(|span| span.end()).max().unwrap_or(0),
                    start: spans().map(|span| span.start).min().unwrap_or(0),
                    len: tile.len(),
                };
                steps.push((top, step));
            }
        }
        // Stable: of those at one height, colors come before alpha, and from left to right.
        steps.sort_by_key(|(top, _)| *top);
        let steps: Vec<Step> = steps.into_iter().map(|(_, step)| step).collect();
        let layers: Vec<_> = header.layers().collect();
        for (number, step) in steps.iter().enumerate() {
            let tile = &layers[step.layer].tiles[step.tile];
            pieces.extend(tile.spans.iter().map(|span| Piece {
                start: span.start,
                end: span.end(),
                step: number,
            }));
        }
        pieces.sort_by_key(|piece| piece.start);
        Self { steps, pieces }
    }

    /// The most bytes of tiles that are held at a time: a tile is from its first byte on until it is decoded.
    pub fn held_bytes(&self) -> u64 {
        let mut by_start: Vec<&Step> = self.steps.iter().collect();
        by_start.sort_by_key(|step| step.start);
        let mut coming = by_start.into_iter().peekable();
        let (mut position, mut held, mut most) = (0, 0_u64, 0);
        for step in &self.steps {
            // All bytes up to the end of this tile are read, and those of later tiles among them are held.
            position = step.end.max(position);
            while let Some(next) = coming.next_if(|next| next.start < position) {
                held += next.len;
            }
            most = held.max(most);
            held -= step.len;
        }
        most
    }

    /// Bytes that the schedule itself takes, with a buffer's handle for each step.
    pub fn heap_bytes(&self) -> u64 {
        let of_step = size_of::<Step>() + size_of::<Vec<u8>>();
        (self.steps.len() * of_step + self.pieces.len() * size_of::<Piece>()) as u64
    }
}

/// The bytes of tiles that wait for their turn.
pub struct Held {
    schedule: Schedule,
    /// By step; empty before the first byte and after the tile was decoded.
    buffers: Vec<Vec<u8>>,
    /// Pieces before this one have been fed.
    first: usize,
    position: u64,
}

impl Held {
    pub fn new(schedule: Schedule) -> Self {
        Self {
            buffers: vec![Vec::new(); schedule.steps.len()],
            schedule,
            first: 0,
            position: 0,
        }
    }

    /// A step by its number.
    pub fn step(&self, number: usize) -> Option<Step> {
        self.schedule.steps.get(number).copied()
    }

    pub fn steps(&self) -> usize {
        self.schedule.steps.len()
    }

    /// Takes bytes up to the end of a step, and returns the rest and whether the step has all of its bytes.
    pub fn take<'a>(
        &mut self,
        bytes: &'a [u8],
        step: Step,
    ) -> Result<(&'a [u8], bool), PipelineError> {
        let wanted = step.end.saturating_sub(self.position);
        let len = usize::try_from(wanted).map_or(bytes.len(), |len| len.min(bytes.len()));
        let (bytes, rest) = bytes.split_at(len);
        self.keep(bytes)?;
        self.position += len as u64;
        Ok((rest, self.position >= step.end))
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), PipelineError> {
        let (from, to) = (self.position, self.position + bytes.len() as u64);
        // Only from the front: a long piece keeps those after it in the list, which are then passed over below.
        while (self.schedule.pieces.get(self.first)).is_some_and(|piece| piece.end <= from) {
            self.first += 1;
        }
        for piece in &self.schedule.pieces[self.first..] {
            if piece.start >= to {
                break;
            }
            let clamp = |at: u64| (at.clamp(from, to) - from) as usize;
            let part = &bytes[clamp(piece.start)..clamp(piece.end)];
            if part.is_empty() {
                continue;
            }
            let buffer = &mut self.buffers[piece.step];
            if buffer.capacity() == 0 {
                let len = self.schedule.steps[piece.step].len;
                *buffer = try_reserved(usize::try_from(len).unwrap_or(usize::MAX))?;
            }
            buffer.extend_from_slice(part);
        }
        Ok(())
    }

    /// Gives the bytes of a step away.
    pub fn release(&mut self, number: usize) -> Vec<u8> {
        self.buffers
            .get_mut(number)
            .map(std::mem::take)
            .unwrap_or_default()
    }
}
