//! Values of options as users write them: each is read whole, or refused with what it may be.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{self, IntoDeserializer};

use super::{MAX_SIDE, OptionsError};

/// How much of a wrong value is shown to whoever gave it, in characters.
const SHOWN_CHARS: usize = 60;

/// A width and a height: `200x150`.
///
/// `name` is what a refusal says must be one.
pub fn size(name: &str, value: &str) -> Result<(u32, u32), String> {
    let wrong = || {
        let shown = shown(value);
        format!(
            "{name} must be a width and a height from 1 to {MAX_SIDE} such as 200x150, not {shown:?}"
        )
    };
    let (width, height) = value.split_once('x').ok_or_else(wrong)?;
    let side = |text| side(name, text).map_err(|_| wrong());
    Ok((side(width)?, side(height)?))
}

/// A width or a height in pixels, 1 to [`MAX_SIDE`].
pub fn side(name: &str, value: &str) -> Result<u32, String> {
    whole(name, value, 1..=u64::from(MAX_SIDE))
}

/// A whole number in decimal digits.
pub fn whole<T: TryFrom<u64>>(
    name: &str,
    value: &str,
    range: RangeInclusive<u64>,
) -> Result<T, String> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value
        .parse()
        .ok()
        .filter(|n| digits && range.contains(n))
        .and_then(|n| T::try_from(n).ok());
    number.ok_or_else(|| {
        let (min, max, shown) = (range.start(), range.end(), shown(value));
        format!("{name} must be a whole number from {min} to {max}, not {shown:?}")
    })
}

/// Device pixels per CSS pixel, 1 to 4.
pub fn dpr(value: &str) -> Result<f64, String> {
    let number = value.parse().ok().filter(|n| (1.0..=4.0).contains(n));
    number.ok_or_else(|| format!("dpr must be a number from 1 to 4, not {:?}", shown(value)))
}

/// `true`, `1`, `false` or `0`.
pub fn flag(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!(
            "{name} must be true or false, not {:?}",
            shown(value)
        )),
    }
}

/// A value whose own type reads it.
pub fn written<T: FromStr<Err = OptionsError>>(value: &str) -> Result<T, String> {
    let shortened = shown(value);
    shortened
        .parse()
        .map_err(|error: OptionsError| error.to_string())
}

/// One of the names that the type has for serde; a refusal lists them.
pub fn choice<'a, T: Deserialize<'a>>(name: &str, value: &'a str) -> Result<T, String> {
    T::deserialize(value.into_deserializer()).map_err(|Choices(choices)| {
        let (choices, shown) = (choices.join(", "), shown(value));
        format!("{name} must be one of {choices}, not {shown:?}")
    })
}

/// What serde says could have been given.
#[derive(Debug)]
struct Choices(&'static [&'static str]);

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for Choices {}

impl de::Error for Choices {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(expected)
    }
}

/// A text of the client's, short enough to be repeated.
pub fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(SHOWN_CHARS).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}
