//! What happens to files on their way, at random.

use thumbnail_core::testing::random::Random;

use crate::samples::png_files;

/// A copy of a file with one to three damages.
pub fn damaged(file: &[u8], random: &mut Random) -> Vec<u8> {
    let mut copy = file.to_vec();
    for _ in 0..=random.index(3) {
        damage(&mut copy, random);
    }
    // Else most damages end at a CRC in the header.
    if random.once_in(2) {
        png_files::correct_crcs(&mut copy);
    }
    copy
}

fn damage(file: &mut Vec<u8>, random: &mut Random) {
    match random.index(8) {
        0 => file.truncate(random.index(file.len())),
        1 | 2 => {
            for _ in 0..=random.index(8) {
                flip_bit(file, random);
            }
        }
        3 => {
            let (start, end) = run(file, random);
            file[start..end].fill_with(|| random.below(256) as u8);
        }
        4 => {
            let (start, end) = run(file, random);
            file[start..end].fill([0, 0xFF][random.index(2)]);
        }
        5 => {
            let (start, end) = piece(file, random);
            let copy = file[start..end].to_vec();
            let at = piece(file, random).0;
            file.splice(at..at, copy);
        }
        6 => {
            let (start, end) = piece(file, random);
            file.drain(start..end);
        }
        _ => change_length(file, random),
    }
}

fn flip_bit(file: &mut [u8], random: &mut Random) {
    let at = random.index(file.len());
    if let Some(byte) = file.get_mut(at) {
        *byte ^= 1 << random.index(8);
    }
}

/// Up to 40 bytes.
fn run(file: &[u8], random: &mut Random) -> (usize, usize) {
    let start = random.index(file.len());
    (start, (start + random.index(40)).min(file.len()))
}

/// One of the chunks, segments or blocks that a file consists of, or any part of it.
fn piece(file: &[u8], random: &mut Random) -> (usize, usize) {
    let starts = starts(file);
    if starts.is_empty() || random.once_in(4) {
        let start = random.index(file.len());
        return (start, start + random.index(file.len() - start));
    }
    let index = random.index(starts.len());
    let end = starts.get(index + 1).copied().unwrap_or(file.len());
    (starts[index], end)
}

/// Where a number stands that tells how long something is, or one that looks like it.
fn change_length(file: &mut [u8], random: &mut Random) {
    let starts = starts(file);
    let at = match file {
        [0x89 | b'R' | 0xFF, ..] if !starts.is_empty() => {
            // A length stands in front of a PNG chunk's name, and behind that of the others.
            starts[random.index(starts.len())] + [0, 2, 4][random.index(3)]
        }
        _ => random.index(file.len().min(200)),
    };
    let value = match random.index(3) {
        0 => random.below(300) as u32,
        1 => u32::MAX,
        _ => random.below(1 << 32) as u32,
    };
    let bytes = if random.once_in(2) {
        value.to_be_bytes()
    } else {
        value.to_le_bytes()
    };
    for (to, byte) in file.iter_mut().skip(at).zip(bytes).take(random.index(5)) {
        *to = byte;
    }
}

/// Where the chunks of a PNG, the segments of a JPEG or the chunks of a RIFF begin.
fn starts(file: &[u8]) -> Vec<usize> {
    let word = |at: usize| {
        let bytes = file.get(at..).and_then(<[u8]>::first_chunk::<4>);
        bytes.copied()
    };
    let mut starts = Vec::new();
    match file {
        [0x89, b'P', ..] => {
            let mut at = 8;
            while let Some(length) = word(at) {
                starts.push(at);
                at = at.saturating_add(u32::from_be_bytes(length) as usize + 12);
            }
        }
        [b'R', b'I', ..] => {
            let mut at = 12;
            while let Some(length) = word(at + 4) {
                starts.push(at);
                let length = u32::from_le_bytes(length) as usize;
                at = at.saturating_add(length.next_multiple_of(2) + 8);
            }
        }
        [0xFF, 0xD8, ..] => {
            let markers = file.windows(2).enumerate();
            let markers = markers.filter(|(_, pair)| pair[0] == 0xFF && pair[1] != 0);
            starts.extend(markers.map(|(at, _)| at));
        }
        _ => {}
    }
    starts
}
