//! Makes PNG files of every kind, and decodes them with this project and with the `png` crate.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "test images are small, and their samples wrap around"
)]

use thumbnail_pipeline::PipelineError;
use thumbnail_pipeline::decode::png::{PngDecoder, read_header};
use thumbnail_pipeline::decode::{Completeness, Decode, HeaderStatus, Progress, RowSink, Samples};

/// The kind of a file; the pixels are noise on a gradient.
#[derive(Debug, Clone, Copy)]
pub struct File {
    pub width: u32,
    pub height: u32,
    pub color: u8,
    pub depth: u8,
    pub interlaced: bool,
    pub transparent: bool,
    /// 0…4, or a mix of all.
    pub filter: u8,
}

const PASSES: [[u32; 4]; 7] = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
];

impl File {
    pub fn new(width: u32, height: u32, color: u8, depth: u8, interlaced: bool) -> Self {
        Self {
            width,
            height,
            color,
            depth,
            interlaced,
            transparent: false,
            filter: 5,
        }
    }

    /// The whole file.
    pub fn encode(&self) -> Vec<u8> {
        self.wrap(&self.filtered())
    }

    fn bits(&self) -> u32 {
        u32::from(self.depth) * [1, 0, 3, 1, 2, 0, 4][usize::from(self.color)]
    }

    /// Filtered rows of all passes.
    pub fn filtered(&self) -> Vec<u8> {
        let in_order = [[0, 0, 1, 1]];
        let passes = if self.interlaced {
            &PASSES[..]
        } else {
            &in_order
        };
        let mut out = Vec::new();
        let mut seed = 7;
        for &[x0, y0, dx, dy] in passes {
            let width = self.width.saturating_sub(x0).div_ceil(dx);
            let height = self.height.saturating_sub(y0).div_ceil(dy);
            if width > 0 {
                self.filter_pass(width, height, &mut seed, &mut out);
            }
        }
        out
    }

    fn filter_pass(&self, width: u32, height: u32, seed: &mut u32, out: &mut Vec<u8>) {
        let length = (width * self.bits()).div_ceil(8) as usize;
        let step = (self.bits() as usize).div_ceil(8);
        let mut prior = vec![0; length];
        for y in 0..height {
            let row: Vec<u8> = (0..length).map(|x| byte(x, y, seed)).collect();
            let filter = match self.filter {
                5.. => ((*seed >> 20) % 5) as u8,
                filter => filter,
            };
            out.push(filter);
            for (i, &byte) in row.iter().enumerate() {
                let a = i.checked_sub(step).map_or(0, |j| i32::from(row[j]));
                let c = i.checked_sub(step).map_or(0, |j| i32::from(prior[j]));
                let b = i32::from(prior[i]);
                let p = a + b - c;
                let predicted = match filter {
                    0 => 0,
                    1 => a,
                    2 => b,
                    3 => i32::midpoint(a, b),
                    // `min_by_key` takes the first of equals, as PNG 9.4 wants it.
                    _ => [a, b, c].into_iter().min_by_key(|n| (p - n).abs()).unwrap(),
                };
                out.push(byte.wrapping_sub(predicted as u8));
            }
            prior = row;
        }
    }

    /// A file around filtered rows.
    pub fn wrap(&self, filtered: &[u8]) -> Vec<u8> {
        self.wrap_stream(&miniz_oxide::deflate::compress_to_vec_zlib(filtered, 6))
    }

    /// A file around a zlib stream.
    pub fn wrap_stream(&self, stream: &[u8]) -> Vec<u8> {
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut ihdr = Vec::new();
        ihdr.extend(self.width.to_be_bytes());
        ihdr.extend(self.height.to_be_bytes());
        ihdr.extend([self.depth, self.color, 0, 0, u8::from(self.interlaced)]);
        chunk(&mut file, *b"IHDR", &ihdr);
        if self.color == 3 {
            let palette: Vec<u8> = (0..3 << self.depth).map(|i| (i * 5) as u8).collect();
            chunk(&mut file, *b"PLTE", &palette);
        }
        if self.transparent {
            let data: &[u8] = match self.color {
                0 => &[0, 0],
                2 => &[0; 6],
                _ => &[17, 200],
            };
            chunk(&mut file, *b"tRNS", data);
        }
        for data in stream.chunks(1000.max(stream.len() / 9)) {
            chunk(&mut file, *b"IDAT", data);
        }
        chunk(&mut file, *b"IEND", &[]);
        file
    }
}

/// Noise on a gradient.
fn byte(x: usize, y: u32, seed: &mut u32) -> u8 {
    *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    match *seed >> 29 {
        // Zero is the transparent color.
        0 => 0,
        1 => 255,
        2 | 3 => (*seed >> 16) as u8,
        _ => (x as u32 * 3 + y * 2) as u8,
    }
}

/// Appends a chunk.
pub fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(kind);
    file.extend(data);
    file.extend(crc(kind.iter().chain(data)).to_be_bytes());
}

/// Writes the CRCs of a damaged file's chunks as they must be, as far as its lengths lead.
pub fn correct_crcs(file: &mut [u8]) {
    let mut start = 8;
    while let Some(&length) = file.get(start..).and_then(|rest| rest.first_chunk()) {
        let Some(end) = start.checked_add(8 + u32::from_be_bytes(length) as usize) else {
            return;
        };
        let Some(crc) = file.get(start + 4..end).map(crc) else {
            return;
        };
        if let Some(place) = file.get_mut(end..end + 4) {
            place.copy_from_slice(&crc.to_be_bytes());
        }
        start = end + 4;
    }
}

fn crc<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u32 {
    !bytes.into_iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    })
}

/// An image put together from rows or pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    width: usize,
    channels: usize,
    pub samples: Vec<u16>,
    times: Vec<u8>,
    pub rows: usize,
    next_row: u32,
}

impl Collected {
    fn new(width: u32, height: u32, channels: u8) -> Self {
        let pixels = width as usize * height as usize;
        Self {
            width: width as usize,
            channels: usize::from(channels),
            samples: vec![0; pixels * usize::from(channels)],
            times: vec![0; pixels],
            rows: 0,
            next_row: 0,
        }
    }

    /// Keeps nothing but the number of rows.
    pub fn nothing() -> Self {
        Self::new(0, 0, 1)
    }

    /// Every pixel came once.
    pub fn assert_complete(&self) {
        assert!(self.times.iter().all(|&times| times == 1));
    }

    /// How many samples are the same.
    pub fn equal_samples(&self, other: &Self) -> usize {
        let pairs = self.samples.iter().zip(&other.samples);
        pairs.filter(|(a, b)| a == b).count()
    }

    fn put(&mut self, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        self.rows += 1;
        if self.width == 0 {
            return;
        }
        let samples: Vec<u16> = match samples {
            Samples::U8(samples) => samples.iter().map(|&sample| sample.into()).collect(),
            Samples::U16(samples) => samples.to_vec(),
        };
        for (i, pixel) in samples.chunks_exact(self.channels).enumerate() {
            let x = x0 as usize + i * dx as usize;
            assert!(x < self.width);
            let at = y as usize * self.width + x;
            self.times[at] += 1;
            self.samples[at * self.channels..][..self.channels].copy_from_slice(pixel);
        }
    }
}

impl RowSink for Collected {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        assert_eq!((plane, y), (0, self.next_row));
        self.next_row += 1;
        self.put(y, 0, 1, samples);
    }

    fn pixels(&mut self, plane: usize, y: u32, x0: u32, dx: u32, samples: Samples<'_>) {
        assert_eq!(plane, 0);
        self.put(y, x0, dx, samples);
    }
}

/// Decodes a file in one piece.
pub fn decode(bytes: &[u8]) -> Result<(Collected, Completeness), PipelineError> {
    decode_in_pieces(bytes, usize::MAX)
}

/// Decodes a file in pieces of a size.
pub fn decode_in_pieces(
    bytes: &[u8],
    piece: usize,
) -> Result<(Collected, Completeness), PipelineError> {
    let HeaderStatus::Ready(header) = read_header(bytes)? else {
        return Err(PipelineError::UnknownFormat);
    };
    let mut picture = Collected::new(
        header.width.min(9999),
        header.height.min(9999),
        header.channels_out(),
    );
    let mut decoder = PngDecoder::new(&header)?;
    for piece in bytes.chunks(piece) {
        if decoder.feed(piece, &mut picture)? == Progress::Done {
            break;
        }
    }
    let completeness = decoder.finish(&mut picture)?;
    Ok((picture, completeness))
}

/// The samples that the `png` crate gives.
pub fn oracle(bytes: &[u8]) -> Vec<u16> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a valid header");
    let mut buffer = vec![0; reader.output_buffer_size().expect("a small image")];
    let info = reader.next_frame(&mut buffer).expect("a valid image");
    buffer.truncate(info.buffer_size());
    match info.bit_depth {
        png::BitDepth::Sixteen => buffer
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect(),
        _ => buffer.into_iter().map(u16::from).collect(),
    }
}
