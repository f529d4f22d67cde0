//! The answers that carry a thumbnail, or say that the client has it.

use crate::api::conditional::Validators;
use crate::api::disposition::inline;
use crate::api::link::links;
use crate::api::{Body, Problem, ProblemKind, Reply};
use crate::keys::{DEFAULT_VARIANT, ThumbnailFile};
use crate::object::ObjectMeta;
use crate::ports::ObjectInfo;
use crate::range::ByteRange;
use crate::timestamp::Timestamp;

/// Nothing in a thumbnail is ever run, framed or fetched.
const CSP: &str = "default-src 'none'; sandbox";

/// A stored thumbnail as clients see it.
pub(super) struct ThumbnailReply<'a> {
    pub file: &'a ThumbnailFile,
    pub info: &'a ObjectInfo,
    /// The longest that caches may keep it.
    pub cache_secs: u64,
    pub now: Timestamp,
}

impl ThumbnailReply<'_> {
    pub fn validators(&self) -> Validators<'_> {
        Validators {
            etag: &self.info.etag,
            modified: self.info.modified,
        }
    }

    /// 304: the client has it.
    pub fn not_modified<B>(&self) -> Reply<B> {
        self.described(304, Body::Empty)
    }

    /// 200 with all bytes, or with none for HEAD.
    pub fn whole<B>(&self, body: Body<B>) -> Reply<B> {
        self.with_content(200, body, self.info.bytes)
    }

    /// 206 with some bytes.
    pub fn part<B>(&self, range: ByteRange, body: Body<B>) -> Reply<B> {
        self.with_content(206, body, range.len())
            .with("content-range", range.content_range(self.info.bytes))
    }

    /// 412: the client goes by another one.
    pub fn another(&self) -> Problem {
        let current = self.validators();
        let detail = format!(
            "the thumbnail is {} of {}",
            current.etag(),
            current.last_modified()
        );
        Problem::new(ProblemKind::PreconditionFailed, detail)
    }

    /// 416: it has no such bytes.
    pub fn no_such_bytes(&self) -> Problem {
        let len = self.info.bytes;
        let detail = format!("the thumbnail has {len} bytes, and none where the range begins");
        Problem {
            complete_len: Some(len),
            ..Problem::new(ProblemKind::RangeNotSatisfiable, detail)
        }
    }

    fn with_content<B>(&self, status: u16, body: Body<B>, len: u64) -> Reply<B> {
        self.described(status, body)
            .with("content-type", self.info.meta.media_type())
            .with("content-length", len.to_string())
            .with("content-disposition", inline(&self.name()))
    }

    /// What 200, 206 and 304 say alike.
    fn described<B>(&self, status: u16, body: Body<B>) -> Reply<B> {
        let current = self.validators();
        let path = format!("/thumbnails/{}", self.file);
        Reply::new(status, body)
            .with("etag", current.etag())
            .with("last-modified", current.last_modified())
            .with("accept-ranges", "bytes")
            .with("cache-control", self.cache_control())
            .with("link", links(path, self.file.id))
            .with("content-security-policy", CSP)
            .with("cross-origin-resource-policy", "cross-origin")
    }

    /// Not `immutable`, though the bytes never change: a reload asks again, and sees a deletion.
    fn cache_control(&self) -> String {
        let left_secs = match self.info.meta {
            ObjectMeta::Thumbnail {
                expires_at: Some(at),
                ..
            } => at.millis_since(self.now) / 1_000,
            _ => u64::MAX,
        };
        format!("public, max-age={}", left_secs.min(self.cache_secs))
    }

    /// The name of the uploaded file with the thumbnail's extension, or else the thumbnail's own.
    fn name(&self) -> String {
        let ThumbnailFile {
            variant, extension, ..
        } = self.file;
        match &self.info.meta {
            ObjectMeta::Thumbnail {
                stem: Some(stem), ..
            } if variant == DEFAULT_VARIANT => format!("{stem}.{extension}"),
            ObjectMeta::Thumbnail {
                stem: Some(stem), ..
            } => format!("{stem}_{variant}.{extension}"),
            _ => self.file.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thumbnail_pipeline::OutputFormat;

    fn reply(file: &str, expires_at: Option<Timestamp>, stem: Option<&str>) -> Reply<()> {
        let info = ObjectInfo {
            bytes: 9,
            etag: "abc".into(),
            modified: Timestamp::from_millis(0),
            meta: ObjectMeta::Thumbnail {
                format: OutputFormat::Jpeg,
                width: 1,
                height: 1,
                expires_at,
                stem: stem.map(str::to_owned),
            },
        };
        let image = ThumbnailReply {
            file: &file.parse().unwrap(),
            info: &info,
            cache_secs: 1_000,
            now: Timestamp::from_millis(5_000),
        };
        image.whole(Body::Empty)
    }

    const ID: &str = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa";

    #[test]
    fn no_cache_keeps_it_beyond_its_life() {
        for (expires_secs, want) in [
            (None, "public, max-age=1000"),
            (Some(5_000), "public, max-age=1000"),
            (Some(65), "public, max-age=60"),
            (Some(5), "public, max-age=0"),
            (Some(1), "public, max-age=0"),
        ] {
            let expires_at = expires_secs.map(|secs| Timestamp::from_millis(secs * 1_000));
            let reply = reply(&format!("{ID}.jpg"), expires_at, None);
            assert_eq!(
                reply.header("cache-control"),
                Some(want),
                "{expires_secs:?}"
            );
        }
    }

    #[test]
    fn it_is_saved_under_the_name_of_what_was_uploaded() {
        for (file, stem, want) in [
            (format!("{ID}.jpg"), Some("cat"), "cat.jpg"),
            (format!("{ID}_large.webp"), Some("cat"), "cat_large.webp"),
            (format!("{ID}.jpg"), None, &format!("{ID}.jpg")),
            (format!("{ID}_large.jpg"), None, &format!("{ID}_large.jpg")),
        ] {
            let reply = reply(&file, None, stem);
            let wanted = format!("inline; filename=\"{want}\"");
            assert_eq!(reply.header("content-disposition"), Some(wanted.as_str()));
        }
    }
}
