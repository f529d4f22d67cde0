//! Unpacks runs of palette indices (RLE4 and RLE8).

/// What a command does to the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// So many of the next pixels of the row have these two indices in turn.
    Pixels { count: u8, indices: [u8; 2] },
    /// So many pixels to the right and rows onward stay as they are.
    Move { columns: u8, rows: u8 },
    /// The row is over.
    EndOfRow,
    /// The image is over.
    EndOfPicture,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Command,
    /// The second byte of a run of this length, or of an escape if that is 0.
    Argument(u8),
    /// The two bytes of a move, of which the first may be known.
    Columns,
    Rows(u8),
    /// Pixels that are given one by one, and whether a byte of padding follows.
    Literal {
        left: u8,
        is_padded: bool,
    },
    Padding,
}

/// Turns bytes into events.
pub struct RunReader {
    is_four_bit: bool,
    state: State,
}

impl RunReader {
    pub fn new(bits: u16) -> Self {
        Self {
            is_four_bit: bits == 4,
            state: State::Command,
        }
    }

    fn pair(&self, byte: u8) -> [u8; 2] {
        if self.is_four_bit {
            // A run of 4 bits has two indices in turn.
            [byte >> 4, byte & 15]
        } else {
            [byte; 2]
        }
    }

    /// Takes the next byte.
    pub fn next(&mut self, byte: u8) -> Option<Event> {
        let (state, event) = match self.state {
            State::Command => (State::Argument(byte), None),
            State::Argument(0) => self.escape(byte),
            State::Argument(count) => {
                let indices = self.pair(byte);
                (State::Command, Some(Event::Pixels { count, indices }))
            }
            State::Columns => (State::Rows(byte), None),
            State::Rows(columns) => (
                State::Command,
                Some(Event::Move {
                    columns,
                    rows: byte,
                }),
            ),
            State::Literal { left, is_padded } => {
                // The last byte may have one index of four bits only.
                let count = left.min(if self.is_four_bit { 2 } else { 1 });
                let indices = self.pair(byte);
                let state = match (left - count, is_padded) {
                    (0, true) => State::Padding,
                    (0, false) => State::Command,
                    (left, _) => State::Literal { left, is_padded },
                };
                (state, Some(Event::Pixels { count, indices }))
            }
            State::Padding => (State::Command, None),
        };
        self.state = state;
        event
    }

    fn escape(&self, byte: u8) -> (State, Option<Event>) {
        match byte {
            0 => (State::Command, Some(Event::EndOfRow)),
            1 => (State::Command, Some(Event::EndOfPicture)),
            2 => (State::Columns, None),
            left => {
                let bytes = if self.is_four_bit {
                    left.div_ceil(2)
                } else {
                    left
                };
                // Literals fill words of 16 bits.
                let is_padded = bytes % 2 == 1;
                (State::Literal { left, is_padded }, None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bits: u16, bytes: &[u8]) -> Vec<Event> {
        let mut reader = RunReader::new(bits);
        bytes.iter().filter_map(|&byte| reader.next(byte)).collect()
    }

    #[test]
    fn commands_become_events() {
        let pixels = |count, indices| Event::Pixels { count, indices };
        assert_eq!(
            read(8, &[3, 9, 0, 3, 1, 2, 3, 99, 0, 0, 0, 2, 5, 6, 0, 1]),
            [
                pixels(3, [9, 9]),
                pixels(1, [1, 1]),
                pixels(1, [2, 2]),
                pixels(1, [3, 3]),
                Event::EndOfRow,
                Event::Move {
                    columns: 5,
                    rows: 6
                },
                Event::EndOfPicture,
            ]
        );
        assert_eq!(
            read(4, &[5, 0x12, 0, 5, 0x34, 0x56, 0x78, 0, 2, 0x9a]),
            [
                pixels(5, [1, 2]),
                pixels(2, [3, 4]),
                pixels(2, [5, 6]),
                pixels(1, [7, 8]),
                pixels(2, [9, 10]),
            ]
        );
    }
}
