//! The chunks of a file (PNG, third edition, 5.3).

use super::super::output::Output;

/// Appends a whole chunk.
pub(super) fn push(output: &mut Output, name: [u8; 4], content: &[u8]) {
    let start = open(output, name);
    output.push(content);
    close(output, start);
}

/// Begins a chunk; what is appended until it is closed is its content.
pub(super) fn open(output: &mut Output, name: [u8; 4]) -> usize {
    let start = output.len();
    output.push(&[0; 4]);
    output.push(&name);
    start
}

/// Ends the chunk that began at `start`.
pub(super) fn close(output: &mut Output, start: usize) {
    // A file is never longer than the 2^31 - 1 bytes that a chunk may have.
    let crc = match output.written().get_mut(start..) {
        Some([a, b, c, d, checked @ ..]) if checked.len() >= 4 => {
            let len = u32::try_from(checked.len() - 4).unwrap_or(u32::MAX);
            [*a, *b, *c, *d] = len.to_be_bytes();
            crc32(checked)
        }
        // There was no room for it.
        _ => 0,
    };
    output.push(&crc.to_be_bytes());
}

/// CRC-32 of ISO 3309, half a byte at a time.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut index = 0;
        while index < 16 {
            let mut value = index;
            let mut bit = 0;
            while bit < 4 {
                value = (value >> 1) ^ (0xedb8_8320 * (value & 1));
                bit += 1;
            }
            table[index as usize] = value;
            index += 1;
        }
        table
    };
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        crc = (crc >> 4) ^ TABLE[(crc & 15) as usize];
        crc = (crc >> 4) ^ TABLE[(crc & 15) as usize];
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_matches_the_check_value_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
