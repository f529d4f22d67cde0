//! The walk over the MCUs of a scan: chunks of input, restart markers, and what to do after damage.
//!
//! An MCU is decoded only when the longest possible MCU is buffered, or a marker or the end of the file.
//! So no MCU ever runs out of input half way, and nothing must be undone when a chunk ends.
//!
//! Damage is what it is to libjpeg: codes that do not exist are zeros, and decoding goes on
//! up to the next marker; what was not decoded then is gray.

use super::PipelineError;
use super::bits::{BitReader, BitState, find_marker};
use super::segments::{RST0, RST7, SOF0};

/// A block has at most 64 symbols of at most 16 + 15 bits, or 17 that are no code.
/// Each of its bytes may take three, with a zero that is stuffed and 0xFF that fills up: 753 bytes.
const MAX_BLOCK_BYTES: usize = 760;
/// What the bit reader may have taken before it needs it.
const MAX_READ_AHEAD: usize = 24;

/// The bytes at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) data: &'a [u8],
    /// The position of `data[0]` in the file.
    pub(super) base: u64,
    /// Whether the file ends with `data`.
    pub(super) eof: bool,
}

/// What blocks predict from the ones before; it is reset by restart markers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Memory {
    /// DC predictions, by position in the scan.
    pub(super) dc: [i32; 4],
    /// Blocks that are still to come in the current end-of-band run (T.81 G.1.2.2).
    pub(super) eob_run: u32,
}

/// Decodes MCUs into wherever they belong.
pub(super) trait McuDecoder {
    /// Called before any MCU of row `y` is decoded or passed over; maybe more than once.
    fn begin_row(&mut self, y: usize) -> Result<(), PipelineError>;
    /// Decodes the MCU in column `x` of the row that was begun.
    fn mcu(&mut self, reader: &mut BitReader<'_>, memory: &mut Memory, x: usize);
    /// Called after the last MCU of a row.
    fn end_row(&mut self);
}

/// Whether a scan goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanStatus {
    NeedMore,
    Finished,
}

/// Where a scan is.
#[derive(Debug)]
pub(super) struct Scan {
    cols: usize,
    rows: usize,
    x: usize,
    y: usize,
    /// MCUs between restart markers, or 0.
    interval: usize,
    /// MCUs to the next restart marker.
    left: usize,
    next_restart: u8,
    seeking: bool,
    max_mcu_bytes: usize,
    bits: BitState,
    memory: Memory,
    /// The file has no marker between the current position and this one.
    clean_until: u64,
    /// Whether an MCU was not decoded, or had a code that does not exist.
    pub(super) damaged: bool,
    /// MCUs that were decoded.
    pub(super) decoded: u64,
}

enum Seek {
    NeedMore,
    /// A restart marker, before which this many whole intervals are missing.
    Found(usize),
    Ended,
}

impl Scan {
    pub(super) fn new(cols: usize, rows: usize, blocks: usize, interval: u32) -> Self {
        let interval = interval as usize;
        Self {
            cols,
            rows,
            x: 0,
            y: 0,
            interval,
            // More MCUs than an image can have: never 0.
            left: if interval == 0 { usize::MAX } else { interval },
            next_restart: 0,
            seeking: false,
            max_mcu_bytes: blocks * MAX_BLOCK_BYTES + MAX_READ_AHEAD,
            bits: BitState::default(),
            memory: Memory::default(),
            clean_until: 0,
            damaged: false,
            decoded: 0,
        }
    }

    /// MCUs in the scan.
    pub(super) fn mcus(&self) -> u64 {
        self.cols as u64 * self.rows as u64
    }

    /// Decodes what `input` allows from `pos` on, and moves `pos` behind what was used.
    pub(super) fn run<D: McuDecoder>(
        &mut self,
        input: Input<'_>,
        pos: &mut usize,
        decoder: &mut D,
    ) -> Result<ScanStatus, PipelineError> {
        while self.y < self.rows {
            if self.seeking {
                match self.seek_restart(input, pos) {
                    Seek::NeedMore => return Ok(ScanStatus::NeedMore),
                    Seek::Found(lost) => self.restart(lost, decoder)?,
                    Seek::Ended => {
                        self.damaged = true;
                        return Ok(ScanStatus::Finished);
                    }
                }
                continue;
            }
            let Some(limit) = self.limit(input, *pos) else {
                return Ok(ScanStatus::NeedMore);
            };
            decoder.begin_row(self.y)?;
            let intact = self.run_row(input.data, pos, limit, decoder);
            if self.x == self.cols {
                self.next_row(decoder);
            }
            if !intact {
                self.damaged = true;
                // Nothing else in the data says where an MCU begins.
                if self.interval == 0 {
                    return Ok(ScanStatus::Finished);
                }
            }
            self.seeking = !intact || self.left == 0;
        }
        Ok(ScanStatus::Finished)
    }

    /// Decodes MCUs of the current row while an MCU may begin, that is up to position `limit`.
    ///
    /// Not inlined: engines swap in optimized code where a function is entered, so this one is entered often.
    #[inline(never)]
    fn run_row<D: McuDecoder>(
        &mut self,
        data: &[u8],
        pos: &mut usize,
        limit: usize,
        decoder: &mut D,
    ) -> bool {
        // Copies, so that both stay in registers; they are written back below.
        let mut reader = BitReader::resume(data, *pos, self.bits);
        let mut memory = self.memory;
        let start = self.x;
        let end = start + (self.cols - start).min(self.left);
        let mut x = start;
        let mut intact = true;
        // Behind `limit` the bytes for a whole MCU may not be there yet.
        while x < end && reader.pos() <= limit {
            decoder.mcu(&mut reader, &mut memory, x);
            // Made up bits were used: this MCU is not in the file, and what came out of it does not count.
            if reader.exhausted() {
                intact = false;
                break;
            }
            x += 1;
        }
        *pos = reader.pos();
        self.bits = reader.state();
        self.damaged |= self.bits.is_corrupt();
        self.memory = memory;
        self.x = x;
        self.left -= x - start;
        self.decoded += (x - start) as u64;
        intact
    }

    fn next_row<D: McuDecoder>(&mut self, decoder: &mut D) {
        decoder.end_row();
        self.x = 0;
        self.y += 1;
    }

    /// The last position at which an MCU may begin, or `None` if it takes more input to know.
    fn limit(&mut self, input: Input<'_>, pos: usize) -> Option<usize> {
        let len = input.data.len();
        if input.eof {
            return Some(usize::MAX);
        }
        // An MCU that begins here ends within the data, so that no marker has to be looked for.
        if len.saturating_sub(pos) > self.max_mcu_bytes {
            // An MCU that begins here ends before the data does.
            return Some(len - self.max_mcu_bytes);
        }
        // What earlier chunks have shown to be free of markers is not searched again.
        let clean = usize::try_from(self.clean_until.saturating_sub(input.base)).unwrap_or(len);
        let found = find_marker(input.data, pos.max(clean));
        let (Ok(at) | Err(at)) = found;
        self.clean_until = input.base + at as u64;
        // The bit reader stops at the marker by itself.
        found.ok().map(|_| usize::MAX)
    }

    /// Looks for the next restart marker. Data before it belongs to nothing.
    fn seek_restart(&mut self, input: Input<'_>, pos: &mut usize) -> Seek {
        loop {
            let at = match find_marker(input.data, *pos) {
                Ok(at) => at,
                Err(at) => {
                    *pos = at;
                    return if input.eof {
                        Seek::Ended
                    } else {
                        Seek::NeedMore
                    };
                }
            };
            match input.data.get(at + 1).copied().unwrap_or(0xFF) {
                marker @ RST0..=RST7 => {
                    *pos = at + 2;
                    // Numbers go from 0 to 7 and around (T.81 B.2.1).
                    let ahead = (marker - RST0).wrapping_sub(self.next_restart) & 7;
                    // As libjpeg does (`jpeg_resync_to_restart` in jdmarker.c): a number that is one or two
                    // too high means lost markers, one that is too low by that is a marker that should have
                    // come earlier, and any other is taken for the one that should be there.
                    let lost = match ahead {
                        1 | 2 => ahead,
                        6 | 7 => {
                            self.damaged = true;
                            continue;
                        }
                        _ => 0,
                    };
                    self.damaged |= lost != ahead;
                    self.next_restart = (self.next_restart + lost + 1) & 7;
                    return Seek::Found(usize::from(lost));
                }
                // Fill bytes (T.81 B.1.1.2).
                0xFF => *pos = at + 1,
                // Reserved markers are flipped bits.
                marker if marker < SOF0 => *pos = at + 2,
                // Any other marker belongs to what follows the scan.
                _ => {
                    *pos = at;
                    return Seek::Ended;
                }
            }
        }
    }

    /// Goes on at the beginning of a restart interval, `lost` intervals further than expected.
    fn restart<D: McuDecoder>(
        &mut self,
        lost: usize,
        decoder: &mut D,
    ) -> Result<(), PipelineError> {
        self.damaged |= lost > 0;
        // What the lost intervals would have had stays gray, or what an earlier scan left there.
        let mut missing = self.left + lost * self.interval;
        while missing > 0 && self.y < self.rows {
            let step = missing.min(self.cols - self.x);
            self.x += step;
            missing -= step;
            if self.x == self.cols {
                // A row without data must be begun all the same: `end_row` gives it out.
                decoder.begin_row(self.y)?;
                self.next_row(decoder);
            }
        }
        self.left = self.interval;
        // A restart begins at a byte, with predictions of 0 (T.81 F.1.1.5.1).
        self.bits = BitState::default();
        // Predictions and runs begin anew after a restart marker (T.81 F.1.1.5.1, G.1.2.2).
        self.memory = Memory::default();
        self.seeking = false;
        Ok(())
    }
}
