//! What a user asks for: sizes, fit, format and the rest, each checked once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod table;
pub mod text;

pub use crate::gravity::Gravity;
use crate::{ImageFormat, OutputFormat};
pub use table::{OPTIONS, OptionRow, Values};

/// The longest side of a thumbnail that can be asked for, in pixels.
pub const MAX_SIDE: u32 = 4096;
/// The side of a thumbnail where neither width nor height is asked for: what the old service made.
pub const DEFAULT_SIDE: u32 = 100;
/// The last page or frame that can be asked for, counted from 0: all those before it are read.
pub const MAX_PAGE: u32 = 9_999;
/// The most thumbnails made of one image.
pub const MAX_VARIANTS: usize = 16;

/// One thumbnail that is asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Variant {
    /// What its owner calls it; unique among the variants of one image.
    pub name: String,
    /// How it is made.
    #[serde(flatten)]
    pub options: Options,
}

/// How a thumbnail is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Width in CSS pixels, 1…4096. Default: from `height` and the image's aspect ratio; 100 if neither is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in CSS pixels, 1…4096. Default: as for `width`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Device pixels per CSS pixel, 1…4. Default: 1.
    pub dpr: f64,
    /// How an image of another aspect ratio gets into the box. Default: cover.
    pub fit: Fit,
    /// What stays of a cropped image. Default: its middle.
    #[serde(with = "as_text")]
    pub gravity: Gravity,
    /// Whether an image that is smaller than the box is enlarged. Default: true.
    pub enlarge: bool,
    /// What is put under and around the image. Default: transparent, which becomes white in a JPEG.
    #[serde(with = "as_text")]
    pub background: Background,
    /// The format of the thumbnail. Default: the one of the source.
    pub format: FormatChoice,
    /// Quality of lossy formats, 1…100. Default: 80.
    pub quality: u8,
    /// Whether a JPEG is written so that it can be shown before all of it has arrived. Default: false.
    pub progressive: bool,
    /// Whether the last halving of the image is done in linear light. Default: false, as browsers do it.
    pub linear: bool,
    /// What happens to a file that is cut or damaged. Default: accept.
    pub truncated: Truncated,
    /// Which frame or page of the source, 0…9999. Default: 0. The same in all variants of one image.
    pub page: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: None,
            height: None,
            dpr: 1.0,
            fit: Fit::default(),
            gravity: Gravity::default(),
            enlarge: true,
            background: Background::default(),
            format: FormatChoice::default(),
            quality: 80,
            progressive: false,
            linear: false,
            truncated: Truncated::default(),
            page: 0,
        }
    }
}

/// How an image gets into a box of another aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Fit {
    /// Fills the box and loses what sticks out.
    #[default]
    Cover,
    /// Is shown whole, with background around it.
    Contain,
    /// Is stretched.
    Fill,
    /// Is shown whole; the thumbnail is smaller than the box on one side.
    Inside,
    /// Covers the box; the thumbnail is larger than the box on one side.
    Outside,
}

/// A format that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FormatChoice {
    /// The source's family: JPEG, PNG, GIF and WebP stay what they are, the others become PNG.
    #[default]
    Source,
    /// The source's family, and another format beside it for clients that like that better.
    Auto,
    /// JPEG.
    #[serde(alias = "jpg")]
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
}

impl FormatChoice {
    /// The format, where it does not depend on the source.
    pub const fn fixed(self) -> Option<OutputFormat> {
        match self {
            Self::Source | Self::Auto => None,
            Self::Jpeg => Some(OutputFormat::Jpeg),
            Self::Png => Some(OutputFormat::Png),
            Self::WebP => Some(OutputFormat::WebP),
            Self::Gif => Some(OutputFormat::Gif),
        }
    }
}

/// What happens to a file that is cut or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Truncated {
    /// The thumbnail shows what there is.
    #[default]
    Accept,
    /// It is an error.
    Refuse,
}

/// What is under transparent pixels and around a padded image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Background {
    /// Nothing; white in formats without transparency.
    #[default]
    Transparent,
    /// A color, sRGB.
    Color([u8; 3]),
}

impl FromStr for Background {
    type Err = OptionsError;

    /// Takes `transparent`, `rrggbb` or `rgb`, the last two with or without `#`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("transparent") {
            return Ok(Self::Transparent);
        }
        let wrong = || OptionsError::Background { given: text.into() };
        let digits = text.strip_prefix('#').unwrap_or(text);
        let value = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
        match (digits.starts_with('+'), digits.len()) {
            (false, 6) => {
                let [_, r, g, b] = value.to_be_bytes();
                Ok(Self::Color([r, g, b]))
            }
            (false, 3) => {
                let [_, _, r, gb] = value.to_be_bytes();
                Ok(Self::Color([r, gb >> 4, gb & 15].map(|digit| digit * 17)))
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transparent => f.write_str("transparent"),
            Self::Color([r, g, b]) => write!(f, "#{r:02x}{g:02x}{b:02x}"),
        }
    }
}

/// An option that cannot be, with what it may be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// Width or height.
    #[error("{field} must be 1 to {MAX_SIDE}, not {given}")]
    Side {
        /// `width` or `height`.
        field: &'static str,
        /// What was given.
        given: u32,
    },
    /// Device pixels per CSS pixel.
    #[error("dpr must be 1 to 4, not {given}")]
    Dpr {
        /// What was given.
        given: f64,
    },
    /// Width or height, times `dpr`.
    #[error("{field} {given} times dpr {dpr} is more than {MAX_SIDE}")]
    DeviceSide {
        /// `width` or `height`.
        field: &'static str,
        /// What was given.
        given: u32,
        /// What was given as `dpr`.
        dpr: f64,
    },
    /// Quality.
    #[error("quality must be 1 to 100, not {given}")]
    Quality {
        /// What was given.
        given: u8,
    },
    /// Gravity.
    #[error(
        "gravity must be center, a compass point such as northeast, entropy, attention, \
         or a point x,y with both from 0 to 1, not {given:?}"
    )]
    Gravity {
        /// What was given.
        given: String,
    },
    /// Background.
    #[error("background must be transparent or a color such as #ff8800, not {given:?}")]
    Background {
        /// What was given.
        given: String,
    },
    /// No variants, or too many.
    #[error("1 to {MAX_VARIANTS} variants can be made of one image, not {given}")]
    Variants {
        /// How many were given.
        given: usize,
    },
    /// Two variants of one name.
    #[error("two variants have the name {name:?}")]
    Name {
        /// The name.
        name: String,
    },
    /// Variants of different pages.
    #[error("all variants of one image must have the same page, not {first} and {second}")]
    Pages {
        /// One of them.
        first: u32,
        /// Another one.
        second: u32,
    },
    /// A page beyond those that are looked for.
    #[error("page must be 0 to {MAX_PAGE}, not {given}")]
    Page {
        /// What was given.
        given: u32,
    },
    /// A page that the image does not have.
    #[error(
        "there is no page {page}: pages of this {format} file count from 0, and it has {pages}"
    )]
    NoPage {
        /// What was given.
        page: u32,
        /// The format of the file.
        format: ImageFormat,
        /// How many there are.
        pages: u32,
    },
}

impl OptionsError {
    /// The option that is at fault.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Side { field, .. } | Self::DeviceSide { field, .. } => field,
            Self::Dpr { .. } => "dpr",
            Self::Quality { .. } => "quality",
            Self::Gravity { .. } => "gravity",
            Self::Background { .. } => "background",
            Self::Variants { .. } | Self::Name { .. } => "sizes",
            Self::Pages { .. } | Self::Page { .. } | Self::NoPage { .. } => "page",
        }
    }
}

impl Options {
    /// Checks every number.
    pub fn validate(&self) -> Result<(), OptionsError> {
        if !(1.0..=4.0).contains(&self.dpr) {
            return Err(OptionsError::Dpr { given: self.dpr });
        }
        for (field, side) in [("width", self.width), ("height", self.height)] {
            let Some(given) = side else { continue };
            if !(1..=MAX_SIDE).contains(&given) {
                return Err(OptionsError::Side { field, given });
            }
            if f64::from(given) * self.dpr > f64::from(MAX_SIDE) {
                return Err(OptionsError::DeviceSide {
                    field,
                    given,
                    dpr: self.dpr,
                });
            }
        }
        if self.page > MAX_PAGE {
            return Err(OptionsError::Page { given: self.page });
        }
        if !(1..=100).contains(&self.quality) {
            return Err(OptionsError::Quality {
                given: self.quality,
            });
        }
        Ok(())
    }
}

impl Variant {
    /// The page that all variants of one image show.
    pub fn page_of(variants: &[Self]) -> u32 {
        variants.first().map_or(0, |variant| variant.options.page)
    }

    /// Checks what is asked for of one image.
    pub fn validate_all(variants: &[Self]) -> Result<(), OptionsError> {
        if !(1..=MAX_VARIANTS).contains(&variants.len()) {
            return Err(OptionsError::Variants {
                given: variants.len(),
            });
        }
        for (index, variant) in variants.iter().enumerate() {
            variant.options.validate()?;
            for earlier in variants.iter().take(index) {
                if earlier.name == variant.name {
                    return Err(OptionsError::Name {
                        name: variant.name.clone(),
                    });
                }
                if earlier.options.page != variant.options.page {
                    return Err(OptionsError::Pages {
                        first: earlier.options.page,
                        second: variant.options.page,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Values that are stored as the text that users write.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
