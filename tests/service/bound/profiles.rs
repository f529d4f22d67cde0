//! Color profiles of every kind that is read.

use super::random::Random;

/// A profile for images of so many channels: curves and a matrix, or tables of any size.
pub fn profile(random: &mut Random, channels: u8) -> Vec<u8> {
    let mut tags: Vec<([u8; 4], Vec<u8>)> = Vec::new();
    let space = if channels == 4 || (channels == 3 && random.one_in(2)) {
        let sides: &[u8] = if channels == 4 {
            &[5, 9, 17]
        } else {
            &[9, 17, 33]
        };
        tags.push((*b"A2B0", table(channels, 3, random.pick(sides))));
        if random.one_in(2) {
            tags.push((*b"B2A0", table(3, channels, random.pick(&[9, 17, 33]))));
        }
        *b"Lab "
    } else {
        for name in [b"rXYZ", b"gXYZ", b"bXYZ"] {
            let third = [0x5245_u32, 0x5555, 0x4666].map(u32::to_be_bytes).concat();
            tags.push((*name, [b"XYZ \0\0\0\0".to_vec(), third].concat()));
        }
        for name in [b"rTRC", b"gTRC", b"bTRC", b"kTRC"] {
            tags.push((*name, curve(random.pick(&[1, 256, 4096]))));
        }
        *b"XYZ "
    };
    if random.one_in(4) {
        tags.push((*b"desc", vec![b'x'; random.scale(1, 400_000) as usize]));
    }
    let model = match channels {
        1 => *b"GRAY",
        3 => *b"RGB ",
        _ => *b"CMYK",
    };
    file(model, space, &tags)
}

fn file(model: [u8; 4], space: [u8; 4], tags: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![0; 128];
    bytes[8] = 2;
    bytes[12..16].copy_from_slice(b"prtr");
    bytes[16..20].copy_from_slice(&model);
    bytes[20..24].copy_from_slice(&space);
    bytes[36..40].copy_from_slice(b"acsp");
    bytes.extend(length(tags.len()));
    let mut at = 132 + 12 * tags.len();
    for (name, tag) in tags {
        bytes.extend(name);
        bytes.extend(length(at));
        bytes.extend(length(tag.len()));
        at += tag.len();
    }
    bytes.extend(tags.iter().flat_map(|(_, tag)| tag.iter().copied()));
    let total = length(bytes.len());
    bytes[..4].copy_from_slice(&total);
    bytes
}

fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).expect("small").to_be_bytes()
}

/// A `curv` of so many samples.
fn curve(count: u16) -> Vec<u8> {
    let mut tag = b"curv\0\0\0\0".to_vec();
    tag.extend(u32::from(count).to_be_bytes());
    tag.extend((0..count).flat_map(|at| (at.wrapping_mul(13) | 0x100).to_be_bytes()));
    tag
}

/// An `mft1` with a grid of `side` points on each axis.
fn table(inputs: u8, outputs: u8, side: u8) -> Vec<u8> {
    let mut tag = vec![0; 48];
    tag[..4].copy_from_slice(b"mft1");
    tag[8..11].copy_from_slice(&[inputs, outputs, side]);
    let grid = usize::from(side).pow(inputs.into()) * usize::from(outputs);
    let tables = 256 * (usize::from(inputs) + usize::from(outputs));
    tag.extend((0..grid + tables).map(|at| (at % 251) as u8));
    tag
}

/// Exif that says how the image is turned, with so many bytes behind that.
pub fn exif(random: &mut Random) -> Vec<u8> {
    let orientation = random.within(1, 8) as u8;
    let mut bytes = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let padding = random.scale(1, 60_000) as usize;
    bytes.resize(bytes.len() + padding, 7);
    bytes
}
