//! What is written beside the bytes of an object in R2: its kind, and what a reader needs of it.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::timestamp::Timestamp;
use thumbnail_pipeline::{ImageFormat, OutputFormat};

/// The version of the stored form.
const VERSION: &str = "1";

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectMeta {
    /// An uploaded image.
    Source {
        /// The format that its bytes say.
        format: ImageFormat,
    },
    /// A thumbnail: what exists is done, whatever anything else says.
    Thumbnail {
        /// Its format.
        format: OutputFormat,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// When it will be deleted.
        expires_at: Option<Timestamp>,
        /// What is kept of the name of the uploaded file: [`crate::api::disposition::stem`].
        stem: Option<String>,
    },
    /// Stands where a thumbnail will never be, or is no longer. It has no bytes.
    Tombstone,
    /// How far the sweep has come. It has no bytes.
    Cursor {
        /// The last key that was looked at.
        after: String,
    },
    /// Of no kind that this build writes.
    Foreign,
}

impl ObjectMeta {
    /// The media type that the object is stored with.
    pub const fn media_type(&self) -> &'static str {
        match self {
            Self::Source { format } => format.media_type(),
            Self::Thumbnail { format, .. } => format.image_format().media_type(),
            Self::Tombstone | Self::Cursor { .. } | Self::Foreign => "application/octet-stream",
        }
    }

    /// The stored form: names and values.
    pub fn encode(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("v", VERSION.to_owned())];
        match self {
            Self::Source { format } => {
                pairs.extend([("kind", "source".into()), ("format", format.name().into())]);
            }
            Self::Thumbnail {
                format,
                width,
                height,
                expires_at,
                stem,
            } => {
                pairs.extend([
                    ("kind", "thumbnail".into()),
                    ("format", format.image_format().name().into()),
                    ("width", width.to_string()),
                    ("height", height.to_string()),
                ]);
                pairs.extend(expires_at.map(|at| ("expires-at", at.as_millis().to_string())));
                // Metadata are headers where R2 keeps them: ASCII.
                let stem = stem.as_deref();
                pairs.extend(
                    stem.map(|s| ("stem", utf8_percent_encode(s, NON_ALPHANUMERIC).to_string())),
                );
            }
            Self::Tombstone => pairs.push(("kind", "tombstone".into())),
            Self::Cursor { after } => {
                pairs.extend([("kind", "cursor".into()), ("after", after.clone())]);
            }
            Self::Foreign => pairs.push(("kind", "foreign".into())),
        }
        pairs
    }

    /// Reads what [`ObjectMeta::encode`] wrote.
    pub fn decode<'a>(pair: impl Fn(&str) -> Option<&'a str>) -> Self {
        Self::read(pair).unwrap_or(Self::Foreign)
    }

    fn read<'a>(pair: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        if pair("v")? != VERSION {
            return None;
        }
        Some(match pair("kind")? {
            "source" => Self::Source {
                format: named(pair("format")?)?,
            },
            "thumbnail" => Self::Thumbnail {
                format: named(pair("format")?)?,
                width: pair("width")?.parse().ok()?,
                height: pair("height")?.parse().ok()?,
                expires_at: match pair("expires-at") {
                    Some(millis) => Some(Timestamp::from_millis(millis.parse().ok()?)),
                    None => None,
                },
                stem: pair("stem").and_then(|text| {
                    let decoded = percent_decode_str(text).decode_utf8();
                    Some(decoded.ok()?.into_owned())
                }),
            },
            "tombstone" => Self::Tombstone,
            "cursor" => Self::Cursor {
                after: pair("after")?.to_owned(),
            },
            _ => return None,
        })
    }
}

/// A format by its name in lower case, as serde knows it.
fn named<T: serde::de::DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(meta: &ObjectMeta) -> String {
        meta.encode()
            .iter()
            .fold(String::new(), |text, (name, value)| {
                text + name + "=" + value + ";"
            })
    }

    fn read_back(meta: &ObjectMeta) -> ObjectMeta {
        let pairs = meta.encode();
        ObjectMeta::decode(|name| {
            pairs
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| v.as_str())
        })
    }

    #[test]
    fn the_stored_form_stays() {
        let thumbnail = ObjectMeta::Thumbnail {
            format: OutputFormat::WebP,
            width: 100,
            height: 80,
            expires_at: Some(Timestamp::from_millis(1_795_428_000_000)),
            stem: None,
        };
        let named = ObjectMeta::Thumbnail {
            format: OutputFormat::Jpeg,
            width: 1,
            height: 1,
            expires_at: None,
            stem: Some("Käse 1".into()),
        };
        for (meta, want) in [
            (
                ObjectMeta::Source {
                    format: ImageFormat::Jpeg,
                },
                "v=1;kind=source;format=jpeg;",
            ),
            (
                thumbnail,
                "v=1;kind=thumbnail;format=webp;width=100;height=80;expires-at=1795428000000;",
            ),
            (
                named,
                "v=1;kind=thumbnail;format=jpeg;width=1;height=1;stem=K%C3%A4se%201;",
            ),
            (ObjectMeta::Tombstone, "v=1;kind=tombstone;"),
            (
                ObjectMeta::Cursor {
                    after: "source/x".into(),
                },
                "v=1;kind=cursor;after=source/x;",
            ),
        ] {
            assert_eq!(stored(&meta), want);
            assert_eq!(read_back(&meta), meta);
        }
    }

    #[test]
    fn anything_else_is_foreign() {
        for pairs in [
            &[][..],
            &[("v", "2"), ("kind", "tombstone")],
            &[("v", "1"), ("kind", "x")],
        ] {
            let pair = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
            assert_eq!(ObjectMeta::decode(pair), ObjectMeta::Foreign);
        }
    }
}
