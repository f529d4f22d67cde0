//! Reads of thumbnails and of their status.

use thumbnail_core::api::{Problem, Reply};
use thumbnail_core::keys::{JobId, ThumbnailFile};

use super::{Call, header};
use crate::platform::R2Body;

/// `GET /thumbnails/{id}.{ext}`
pub async fn thumbnail(call: &Call, file: &ThumbnailFile) -> Result<Reply<R2Body>, Problem> {
    let if_none_match = header(&call.request, "if-none-match");
    call.reader()
        .thumbnail(file, if_none_match.as_deref())
        .await
}

/// `GET /thumbnails/{id}`
pub async fn status(call: &Call, id: JobId) -> Result<Reply<R2Body>, Problem> {
    call.reader().status(id).await
}
