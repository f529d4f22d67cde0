//! The file that an encoder writes: its room is reserved once and never outgrown.

use std::io::{self, Write};

use super::super::geometry::Size;
use super::super::{LimitError, OutputFormat, PipelineError};

/// What a file begins with: most thumbnails never need more, and encoders that work on a whole
/// image first need no more meanwhile.
const FIRST_ROOM: usize = 4096;

/// A file that grows up to the room that was planned for it.
#[derive(Debug)]
pub(super) struct Output {
    bytes: Vec<u8>,
    room: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Fits,
    /// Something was left out because there was no room for it.
    TooLong,
    /// The room that was planned could not be reserved.
    NoMemory,
}

impl Output {
    /// An empty file of at most `room` bytes.
    pub(super) fn new(room: u64) -> Self {
        Self {
            bytes: Vec::new(),
            room: usize::try_from(room).unwrap_or(usize::MAX),
            state: State::Fits,
        }
    }

    /// Appends a part, or notes that there is no room for it.
    #[inline]
    pub(super) fn push(&mut self, part: &[u8]) {
        if part.len() > self.bytes.capacity() - self.bytes.len() {
            self.reserve(part.len());
        }
        if self.state == State::Fits {
            self.bytes.extend_from_slice(part);
        }
    }

    /// Makes room for a part: a little at first, then all at once, so that nothing is copied twice.
    #[cold]
    fn reserve(&mut self, part: usize) {
        let len = self.bytes.len();
        let needed = len.saturating_add(part);
        let room = if needed <= FIRST_ROOM {
            FIRST_ROOM.min(self.room)
        } else {
            self.room
        };
        if self.state != State::Fits {
            return;
        }
        if needed > self.room {
            self.state = State::TooLong;
        } else if self.bytes.try_reserve_exact(room - len).is_err() {
            self.state = State::NoMemory;
        }
    }

    /// Whether something was left out.
    pub(super) fn has_failed(&self) -> bool {
        self.state != State::Fits
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What was written, to be changed.
    pub(super) fn written(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Says why something was left out of a thumbnail of `size` in `format`.
    pub(super) fn check(&self, format: OutputFormat, size: Size) -> Result<(), PipelineError> {
        match self.state {
            State::Fits => Ok(()),
            State::TooLong => Err(LimitError::OutputBytes {
                format,
                width: size.width(),
                height: size.height(),
                max_bytes: self.room as u64,
            }
            .into()),
            State::NoMemory => Err(PipelineError::Bug(
                format!("no memory for a planned file of {} bytes", self.room).into(),
            )),
        }
    }

    /// The whole file.
    pub(super) fn finish(self, format: OutputFormat, size: Size) -> Result<Vec<u8>, PipelineError> {
        self.check(format, size)?;
        Ok(self.bytes)
    }
}

impl Write for Output {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.push(part);
        if self.has_failed() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_filled_to_its_last_byte_and_no_further() {
        let size = Size::new(3, 2);
        for room in [5, 4095, 4096, 4097, 10_000] {
            let mut output = Output::new(room);
            for _ in 0..room {
                output.push(b"a");
            }
            let file = output.finish(OutputFormat::Png, size).expect("fits");
            assert_eq!(file.len() as u64, room);
            let mut output = Output::new(room);
            output.push(&file);
            output.push(b"b");
            output.push(b"");
            let error = output
                .finish(OutputFormat::Png, size)
                .expect_err("too long");
            let want = LimitError::OutputBytes {
                format: OutputFormat::Png,
                width: 3,
                height: 2,
                max_bytes: room,
            };
            assert_eq!(error, want.into());
        }
    }
}
