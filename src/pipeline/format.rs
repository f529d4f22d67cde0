//! Image formats, told apart by their first bytes only.

use std::fmt;

/// An image format that can be recognized by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// AV1 in HEIF: recognized, not decoded.
    Avif,
    /// HEVC in HEIF: decoded with the feature `heic`, else recognized only.
    Heic,
    /// JPEG XL, bare or boxed: recognized, not decoded.
    Jxl,
    /// SVG: recognized, never decoded.
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

/// How many bytes [`ImageFormat::sniff`] needs to see to be sure; more do not change its answer,
/// except for SVG behind a long comment.
pub const SNIFF_BYTES: usize = 32;

impl ImageFormat {
    /// Recognises a format by the first bytes of a file, never by its name.
    ///
    /// `None` also where the bytes are too few: call again with [`SNIFF_BYTES`].
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::WebP),
            // The two next bytes are a version: 42 is TIFF 6.0, 43 BigTIFF; both are named TIFF here.
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Self::Tiff),
            [0xff, 0x0a, ..]
            | [
                0,
                0,
                0,
                12,
                b'J',
                b'X',
                b'L',
                b' ',
                b'\r',
                b'\n',
                0x87,
                b'\n',
                ..,
            ] => Some(Self::Jxl),
            [b'B', b'M', ..] => sniff_bmp(bytes),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => sniff_heif(bytes),
            _ => sniff_svg(bytes),
        }
    }

    /// Why this format is refused, with what to do instead; `None` for the formats that are decoded.
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            #[cfg(not(feature = "heic"))]
            Self::Heic => Some(
                "HEIC is not supported: convert to JPEG, or set the camera to \"Most Compatible\"",
            ),
            Self::Avif => Some("AVIF is not supported: convert to JPEG, PNG or WebP"),
            Self::Jxl => Some("JPEG XL is not supported: convert to JPEG or PNG"),
            Self::Svg => {
                Some("SVG is not supported: it is a program rather than an image; export it as PNG")
            }
            _ => None,
        }
    }
}

/// "BM" alone also begins English text: the size of the second header must be one that exists.
fn sniff_bmp(bytes: &[u8]) -> Option<ImageFormat> {
    let size = u32::from_le_bytes(bytes.get(14..18)?.try_into().ok()?);
    matches!(size, 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124).then_some(ImageFormat::Bmp)
}

/// ISO/IEC 14496-12 file type box: the major brand first, then the compatible ones.
fn sniff_heif(bytes: &[u8]) -> Option<ImageFormat> {
    let length = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let end = length.clamp(16, 256).min(bytes.len());
    let brands = bytes.get(8..end)?.chunks_exact(4);
    let mut general = None;
    for brand in brands {
        match brand {
            b"avif" | b"avis" | b"avio" => return Some(ImageFormat::Avif),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
                return Some(ImageFormat::Heic);
            }
            // Brands of the container: what is coded in it is named by another brand, if at all.
            b"mif1" | b"msf1" | b"mif2" => general = Some(ImageFormat::Heic),
            _ => {}
        }
    }
    general
}

/// XML whose first element or document type is `svg`, behind a byte order mark, white space,
/// declarations and comments.
fn sniff_svg(bytes: &[u8]) -> Option<ImageFormat> {
    let mut text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    loop {
        text = text.trim_ascii_start();
        if text
            .get(..13)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"<!DOCTYPE svg"))
        {
            return Some(ImageFormat::Svg);
        }
        let end: &[u8] = if text.starts_with(b"<!--") {
            b"-->"
        } else if text.starts_with(b"<?") || text.starts_with(b"<!") {
            b">"
        } else {
            break;
        };
        let at = text.windows(end.len()).position(|window| window == end)?;
        text = text.get(at + end.len()..)?;
    }
    let name = text.get(..4)?;
    let after = text.get(4).copied().unwrap_or(b' ');
    (name.eq_ignore_ascii_case(b"<svg") && !after.is_ascii_alphanumeric())
        .then_some(ImageFormat::Svg)
}

/// A format that thumbnails are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OutputFormat {
    /// Without transparency: a background goes under it.
    Jpeg,
    /// Lossless.
    Png,
    /// Lossy or lossless, whichever the encoder has.
    WebP,
    /// 256 colors, transparency on or off.
    Gif,
}

impl OutputFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::WebP, Self::Gif];

    /// The same format as a format of files.
    pub const fn image_format(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::WebP => ImageFormat::WebP,
            Self::Gif => ImageFormat::Gif,
        }
    }

    /// Whether pixels can be transparent in it.
    pub const fn has_alpha(self) -> bool {
        !matches!(self, Self::Jpeg)
    }

    /// The longest side that the format can store.
    pub const fn max_side(self) -> u32 {
        match self {
            // VP8 and VP8L have 14 bits for each side.
            Self::WebP => 16_383,
            _ => 65_535,
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

#[cfg(test)]
mod tests;
