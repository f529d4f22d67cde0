//! What encoders hold and how long their files get, known before they run.

use super::super::OutputFormat;
use super::super::geometry::Size;
use super::EncodeOptions;
use super::jpeg::{self, JpegColor, JpegRows};
use super::png::{self, PngColor, PngRows};

/// Palettes, tables of codes and hashes, and the pixels that a palette is trained with.
const TABLES: u64 = 256 << 10;

/// The room of a file: no picture makes a longer one, or a longer one is refused.
pub fn file_bytes(size: Size, channels: u64, options: &EncodeOptions) -> u64 {
    let pixels = size.pixels();
    let most = match options.format {
        OutputFormat::Jpeg => jpeg::max_bytes(
            size,
            JpegColor::new(false, options.quality),
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

/// The most that is held while a whole picture is encoded, besides the picture; its file included.
pub fn encoder_bytes(size: Size, channels: u64, options: &EncodeOptions) -> u64 {
    let file = file_bytes(size, channels, options);
    let pixels = size.pixels();
    let held = match options.format {
        OutputFormat::Jpeg if options.progressive => {
            // Samples of three components while their blocks are made, of 16 bits.
            let sides =
                [size.width(), size.height()].map(|side| u64::from(side).next_multiple_of(16));
            let blocks = sides[0] * sides[1] * 6;
            blocks + file.max(blocks / 2)
        }
        OutputFormat::Jpeg => file + JpegRows::bytes(size, JpegColor::new(false, options.quality)),
        OutputFormat::Png => {
            // An index for each pixel, and the file with them; then another file that is no longer.
            let small = png::longest(size, 1).min(file);
            let indexed = small + pixels.max(small);
            indexed.max(file) + PngRows::bytes(size, PngColor::Rgba)
        }
        OutputFormat::WebP => {
            // All pixels in RGBA while their codes are written into a buffer that doubles.
            let codes = file_bytes(size, channels, &unlimited(options)).next_power_of_two();
            (4 * pixels + codes + codes / 2).max(codes + file)
        }
        OutputFormat::Gif => {
            // Pixels that the palette is trained with; then indices and codes in a buffer that doubles.
            let codes = pixels + (8 << 10);
            (4 * pixels)
                .max(pixels + 3 * codes)
                .max(pixels + 2 * codes + file)
        }
    };
    held + TABLES
}

const fn unlimited(options: &EncodeOptions) -> EncodeOptions {
    EncodeOptions {
        max_bytes: u64::MAX,
        ..*options
    }
}
