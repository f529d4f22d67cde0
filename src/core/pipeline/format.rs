//! Picture formats, told apart by their first bytes only.

use std::fmt;

/// A picture format that can be recognised by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageFormat {
    /// ISO/IEC 10918-1.
    Jpeg,
    /// W3C PNG, also animated.
    Png,
    /// GIF87a and GIF89a.
    Gif,
    /// RIFF WebP: lossy, lossless, animated.
    WebP,
    /// Windows bitmap.
    Bmp,
    /// TIFF 6.0, both byte orders.
    Tiff,
    /// AV1 in HEIF: recognised, not decoded.
    Avif,
    /// HEVC in HEIF: recognised, not decoded.
    Heic,
    /// JPEG XL, bare or boxed: recognised, not decoded.
    Jxl,
    /// SVG: recognised, never decoded.
    Svg,
}

impl ImageFormat {
    /// The IANA media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::Avif => "image/avif",
            Self::Heic => "image/heic",
            Self::Jxl => "image/jxl",
            Self::Svg => "image/svg+xml",
        }
    }

    /// The usual file extension, without a dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::WebP => "webp",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
            Self::Avif => "avif",
            Self::Heic => "heic",
            Self::Jxl => "jxl",
            Self::Svg => "svg",
        }
    }

    /// The name as users write it, in lower case: what the status document says.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            other => other.extension(),
        }
    }
}

impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Avif => "AVIF",
            Self::Heic => "HEIC",
            Self::Jxl => "JPEG XL",
            Self::Svg => "SVG",
        })
    }
}
