//! What encoders hold and how long their files get, known before they run.

use super::super::OutputFormat;
use super::super::geometry::Size;
use super::EncodeOptions;
use super::jpeg::{self, JpegColor, JpegRows};
use super::png::{self, PngColor, PngRows};

/// The Huffman tables of a progressive JPEG, and how often each symbol occurs.
const HUFFMAN_BYTES: u64 = 16 << 10;
/// A palette as it is found, sorted and written.
const PALETTE_BYTES: u64 = 8 << 10;
/// What makes the prefix codes of a WebP: heaps and trees of at most 280 symbols.
const PREFIX_BYTES: u64 = 24 << 10;
/// The network that learns a palette (256 colors of four numbers, and what they are sorted and found by).
const NETWORK_BYTES: u64 = 24 << 10;
/// What LZW of at most 12 bits knows of a string: where it goes on.
const STRING_BYTES: u64 = 64;
/// The most strings.
const MAX_STRINGS: u64 = 1 << 12;

/// The room of a file: no image makes a longer one, or a longer one is refused.
pub fn file_bytes(size: Size, channels: u64, options: &EncodeOptions) -> u64 {
    let pixels = size.pixels();
    let most = match options.format {
        OutputFormat::Jpeg => jpeg::max_bytes(
            size,
            JpegColor::new(false, size, options.quality),
            options.quality,
        ),
        OutputFormat::Png => png::longest(size, channels),
        // A prefix code is no worse than eight bits for each sample; green has 24 codes more.
        OutputFormat::WebP => pixels * channels * 17 / 16 + (8 << 10),
        // A code has 12 bits at the most, and stands for a pixel or more; 255 bytes have one before them.
        OutputFormat::Gif => pixels * 3 / 2 * 129 / 128 + (2 << 10),
    };
    most.min(options.max_bytes)
}

/// The most that is held while a whole image is encoded, besides the image; its file included.
pub fn encoder_bytes(size: Size, channels: u64, options: &EncodeOptions) -> u64 {
    let file = file_bytes(size, channels, options);
    let pixels = size.pixels();
    match options.format {
        OutputFormat::Jpeg if options.progressive => {
            // Samples of three components while their blocks are made, of 16 bits.
            let sides =
                [size.width(), size.height()].map(|side| u64::from(side).next_multiple_of(16));
            let blocks = sides[0] * sides[1] * 6;
            blocks + file.max(blocks / 2) + HUFFMAN_BYTES
        }
        // A row in RGB, where there was alpha.
        OutputFormat::Jpeg => {
            let row = 3 * u64::from(size.width());
            file + row + JpegRows::bytes(size, JpegColor::new(false, size, options.quality))
        }
        OutputFormat::Png => {
            // An index for each pixel, and the file with them; then another file that is no longer.
            let small = png::longest(size, 1).min(file);
            let indexed = small + pixels.max(small);
            let row = 4 * u64::from(size.width());
            indexed.max(file) + row + PngRows::bytes(size, PngColor::Rgba) + PALETTE_BYTES
        }
        OutputFormat::WebP => {
            // All pixels in RGBA while their codes are written into a buffer that doubles.
            let codes = file_bytes(size, channels, &unlimited(options)).next_power_of_two();
            (4 * pixels + codes + codes / 2).max(codes + file) + PREFIX_BYTES
        }
        OutputFormat::Gif => {
            // Pixels that the palette is trained with; then indices and codes in a buffer that doubles.
            let codes = pixels + (8 << 10);
            (4 * pixels)
                .max(pixels + 3 * codes)
                .max(pixels + 2 * codes + file)
                + NETWORK_BYTES
                + MAX_STRINGS.min(pixels) * STRING_BYTES
                + PALETTE_BYTES
        }
    }
}

const fn unlimited(options: &EncodeOptions) -> EncodeOptions {
    EncodeOptions {
        max_bytes: u64::MAX,
        ..*options
    }
}
