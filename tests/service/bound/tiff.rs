//! TIFF: strips, tiles and planes, every compression, every kind of sample, the directory before or behind the pixels.

use miniz_oxide::deflate::compress_to_vec_zlib;

use super::random::Random;
use super::sources::Shape;

pub fn file(random: &mut Random, shape: &Shape) -> (&'static str, Vec<u8>) {
    // Photometric interpretation, samples and bits.
    let (photometric, samples, bits) = random.pick(&[
        (0, 1, 1),
        (1, 1, 4),
        (1, 1, 8),
        (1, 1, 16),
        (1, 2, 8),
        (2, 3, 8),
        (2, 3, 16),
        (2, 4, 8),
        (2, 4, 16),
        (3, 1, 4),
        (3, 1, 8),
        (5, 4, 8),
        (5, 4, 16),
    ]);
    let planar = samples > 1 && random.one_in(3);
    let compression = random.pick(&[1, 1, 5, 8, 32_773]);
    let is_tiled = random.one_in(3);
    let mut entries: Vec<(u16, u16, Vec<u32>)> = vec![
        (256, 4, vec![shape.width]),
        (257, 4, vec![shape.height]),
        (258, 3, vec![bits; samples as usize]),
        (259, 3, vec![compression]),
        (262, 3, vec![photometric]),
        (277, 3, vec![samples]),
        (284, 3, vec![if planar { 2 } else { 1 }]),
    ];
    if shape.has_exif {
        entries.push((274, 3, vec![random.within(1, 8)]));
    }
    if photometric == 2 && samples == 4 || photometric == 1 && samples == 2 {
        entries.push((338, 3, vec![random.pick(&[1, 2])]));
    }
    if photometric == 3 {
        entries.push((320, 3, vec![9_000; 3 << bits]));
    }
    if compression == 5 && bits >= 8 && random.one_in(2) {
        entries.push((317, 3, vec![2]));
    }
    let (chunk_size, down) = if is_tiled {
        let side = random.pick(&[16, 64, 256]);
        entries.extend([(322, 4, vec![side]), (323, 4, vec![side])]);
        ((side, side), shape.height.div_ceil(side))
    } else {
        let rows = random.scale(1, shape.height.max(2)).min(shape.height);
        entries.push((278, 4, vec![rows]));
        ((shape.width, rows), shape.height.div_ceil(rows))
    };
    let planes = if planar { samples } else { 1 };
    let row_bits = u64::from(chunk_size.0) * u64::from(samples / planes) * u64::from(bits);
    let stride = row_bits.div_ceil(8) as usize;
    let across = shape.width.div_ceil(chunk_size.0);
    let shared = packed(compression, &random.samples(stride, chunk_size.1 as usize));
    // Many small tiles may all be the same one.
    let chunks = vec![shared; (across * down * planes) as usize];
    let icc = shape.profile(
        random,
        if samples >= 4 && photometric == 5 {
            4
        } else if samples >= 3 {
            3
        } else {
            1
        },
    );
    let name = match (is_tiled, planar) {
        (true, _) => "tiled tiff",
        (_, true) => "planar tiff",
        _ => "tiff",
    };
    (
        name,
        write(entries, is_tiled, &chunks, icc, random.one_in(2)),
    )
}

fn packed(compression: u32, bytes: &[u8]) -> Vec<u8> {
    match compression {
        5 => lzw(bytes),
        8 => compress_to_vec_zlib(bytes, 1),
        // Literals of up to 128 bytes.
        32_773 => bytes
            .chunks(128)
            .flat_map(|part| [&[(part.len() - 1) as u8], part].concat())
            .collect(),
        _ => bytes.to_vec(),
    }
}

/// A table that never grows beyond codes of nine bits: it is cleared before.
fn lzw(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    let mut put = |code: u32| {
        held = held << 9 | code;
        bits += 9;
        while bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
        }
    };
    for part in bytes.chunks(200) {
        put(256);
        for byte in part {
            put(u32::from(*byte));
        }
    }
    put(257);
    put(0);
    out
}

/// The file, with its directory before or behind its chunks.
fn write(
    mut entries: Vec<(u16, u16, Vec<u32>)>,
    is_tiled: bool,
    chunks: &[Vec<u8>],
    icc: Option<Vec<u8>>,
    first: bool,
) -> Vec<u8> {
    let lengths: Vec<u32> = chunks
        .iter()
        .map(|chunk| u32::try_from(chunk.len()).expect("short"))
        .collect();
    let tags = if is_tiled { [324, 325] } else { [273, 279] };
    entries.push((tags[0], 4, vec![0; chunks.len()]));
    entries.push((tags[1], 4, lengths.clone()));
    if let Some(icc) = icc {
        entries.push((34_675, 7, icc.into_iter().map(u32::from).collect()));
    }
    entries.sort_by_key(|entry| entry.0);
    let data: usize = lengths.iter().map(|len| *len as usize).sum();
    let directory_at = if first { 8 } else { 8 + data };
    let mut data_at = 8;
    if first {
        data_at += directory(&entries, 0).len();
    }
    if let Some((_, _, offsets)) = entries.iter_mut().find(|entry| entry.0 == tags[0]) {
        let mut at = data_at;
        for (offset, len) in offsets.iter_mut().zip(&lengths) {
            *offset = u32::try_from(at).expect("short");
            at += *len as usize;
        }
    }
    let directory = directory(&entries, directory_at);
    let mut file = b"II*\0".to_vec();
    file.extend(u32::try_from(directory_at).expect("short").to_le_bytes());
    if first {
        file.extend(&directory);
    }
    for chunk in chunks {
        file.extend(chunk);
    }
    if !first {
        file.extend(&directory);
    }
    file
}

/// A directory at a place, and the values that do not fit into it.
fn directory(entries: &[(u16, u16, Vec<u32>)], at: usize) -> Vec<u8> {
    let mut out = (entries.len() as u16).to_le_bytes().to_vec();
    let mut values = Vec::new();
    let values_at = at + 2 + 12 * entries.len() + 4;
    for (tag, kind, numbers) in entries {
        let len = [0, 0, 0, 2, 4, 0, 0, 1][usize::from(*kind)];
        let bytes: Vec<u8> = numbers
            .iter()
            .flat_map(|number| number.to_le_bytes()[..len].to_vec())
            .collect();
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend((numbers.len() as u32).to_le_bytes());
        if bytes.len() <= 4 {
            out.extend(&bytes);
            out.resize(out.len() + 4 - bytes.len(), 0);
        } else {
            out.extend(((values_at + values.len()) as u32).to_le_bytes());
            values.extend(bytes);
        }
    }
    out.extend([0; 4]);
    out.extend(values);
    out
}
