//! The only string formats for names in R2, KV and Durable Objects.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::timestamp::Timestamp;

/// Identifies a job: a UUIDv7, sortable by time of creation and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// The length of an id as text.
    pub const TEXT_LEN: usize = uuid::fmt::Hyphenated::LENGTH;

    /// A new id from the time and 10 random bytes (RFC 9562, section 5.7).
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(now.as_millis(), &random).into_uuid())
    }

    /// When the id was made.
    pub fn created_at(self) -> Timestamp {
        let (secs, nanos) = self.0.get_timestamp().map_or((0, 0), |t| t.to_unix());
        Timestamp::from_millis(secs * 1_000 + u64::from(nanos) / 1_000_000)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// The text is not the id of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a job")]
pub struct InvalidJobId;

/// Reads the hyphenated lower-case form only, so that one job has one URL.
impl FromStr for JobId {
    type Err = InvalidJobId;

    fn from_str(text: &str) -> Result<Self, InvalidJobId> {
        let id = Uuid::try_parse(text).map_err(|_| InvalidJobId)?;
        let canonical = id.hyphenated().to_string() == text;
        let version_7 = id.get_version() == Some(uuid::Version::SortRand);
        if canonical && version_7 {
            Ok(Self(id))
        } else {
            Err(InvalidJobId)
        }
    }
}

/// The prefix of every uploaded source.
pub const SOURCE_PREFIX: &str = "source/";

/// Where the uploaded bytes of a job are in R2.
pub fn source_key(id: JobId) -> String {
    format!("{SOURCE_PREFIX}{id}")
}

/// The prefix of every thumbnail and tombstone.
pub const THUMBNAIL_PREFIX: &str = "thumbnail/";

/// Where the sweep writes down how far it has come.
pub const SWEEP_CURSOR_KEY: &str = "sweep/cursor";

/// The job that an object in R2 belongs to, from its key.
pub fn job_of_key(key: &str) -> Option<JobId> {
    let (_, name) = key.split_once('/')?;
    name.get(..JobId::TEXT_LEN)?.parse().ok()
}

/// Where a thumbnail is in R2: the file's name as its URL shows it.
pub fn thumbnail_key(file: &ThumbnailFile) -> String {
    format!("{THUMBNAIL_PREFIX}{file}")
}

/// The key of a job's status in KV.
pub fn status_key(id: JobId) -> String {
    format!("status/{id}")
}

/// The most characters of a variant's name.
pub const MAX_VARIANT_NAME_LEN: usize = 32;

/// The variant that a job has where its upload named none.
pub const DEFAULT_VARIANT: &str = "default";

/// The file name of a thumbnail in its URL: `<id>.<ext>`, or `<id>_<variant>.<ext>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThumbnailFile {
    /// The job.
    pub id: JobId,
    /// The variant's name.
    pub variant: String,
    /// The extension, which names the format.
    pub extension: String,
}

impl fmt::Display for ThumbnailFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            variant,
            extension,
        } = self;
        if variant == DEFAULT_VARIANT {
            write!(f, "{id}.{extension}")
        } else {
            write!(f, "{id}_{variant}.{extension}")
        }
    }
}

impl FromStr for ThumbnailFile {
    type Err = InvalidJobId;

    fn from_str(text: &str) -> Result<Self, InvalidJobId> {
        let (stem, extension) = text.rsplit_once('.').ok_or(InvalidJobId)?;
        let (id, variant) = stem.split_once('_').unwrap_or((stem, DEFAULT_VARIANT));
        let id = id.parse()?;
        let file = Self {
            id,
            variant: variant.into(),
            extension: extension.into(),
        };
        let canonical = file.to_string() == text && is_variant_name(variant);
        let extension_ok = matches!(extension, "jpg" | "png" | "gif" | "webp");
        if canonical && extension_ok {
            Ok(file)
        } else {
            Err(InvalidJobId)
        }
    }
}

/// Whether a text can name a variant: 1 to 32 of `a-z`, `0-9` and `-`.
pub fn is_variant_name(name: &str) -> bool {
    (1..=MAX_VARIANT_NAME_LEN).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa";

    fn id() -> JobId {
        ID.parse().unwrap()
    }

    #[test]
    fn ids_sort_by_time_and_tell_it() {
        let a = JobId::new(Timestamp::from_millis(1_000), [255; 10]);
        let b = JobId::new(Timestamp::from_millis(1_001), [0; 10]);
        assert!(a < b);
        assert_eq!(b.created_at(), Timestamp::from_millis(1_001));
        assert_eq!(b.to_string().parse(), Ok(b));
    }

    #[test]
    fn only_the_canonical_spelling_of_a_version_7_id_is_read() {
        for text in [
            "",
            "x",
            "01997C1E-0000-7AAA-8AAA-AAAAAAAAAAAA",
            "01997c1e00007aaa8aaaaaaaaaaaaaaa",
            "{01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa}",
            "01997c1e-0000-4aaa-8aaa-aaaaaaaaaaaa",
            "../../01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa",
        ] {
            assert_eq!(text.parse::<JobId>(), Err(InvalidJobId), "{text}");
        }
    }

    #[test]
    fn stored_names_keep_their_form() {
        let file: ThumbnailFile = format!("{ID}.jpg").parse().unwrap();
        assert_eq!(thumbnail_key(&file), format!("thumbnail/{ID}.jpg"));
        let file: ThumbnailFile = format!("{ID}_800x600.webp").parse().unwrap();
        assert_eq!(
            (file.variant.as_str(), file.extension.as_str()),
            ("800x600", "webp")
        );
        assert_eq!(thumbnail_key(&file), format!("thumbnail/{ID}_800x600.webp"));
        assert_eq!(source_key(id()), format!("source/{ID}"));
        assert_eq!(job_of_key(&source_key(id())), Some(id()));
        assert_eq!(job_of_key(&thumbnail_key(&file)), Some(id()));
        for key in ["", "source/", "source/x", ID] {
            assert_eq!(job_of_key(key), None, "{key}");
        }
        assert_eq!(status_key(id()), format!("status/{ID}"));
    }

    #[test]
    fn names_that_are_no_thumbnail_are_refused() {
        for name in [
            "",
            ".jpg",
            "x.jpg",
            ID,
            &format!("{ID}.exe"),
            &format!("{ID}_.jpg"),
            &format!("{ID}_default.jpg"),
            &format!("{ID}_A.jpg"),
            &format!("{ID}_a/b.jpg"),
            &format!("{ID}.jpg.png"),
        ] {
            assert!(name.parse::<ThumbnailFile>().is_err(), "{name}");
        }
    }
}
