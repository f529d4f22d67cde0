//! Paths and methods to routes. A dozen of them: a match is clearer than a router.

mod spelling;

use crate::api::problem::{Problem, ProblemKind};
use crate::keys::{JobId, ThumbnailFile, is_variant_name};

/// The methods that the service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Read without the body.
    Head,
    /// Create.
    Post,
    /// Call off, delete.
    Delete,
    /// Ask what a URL takes; what browsers send before a request to another origin.
    Options,
    /// Any other.
    Other,
}

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `POST /thumbnails`, `POST /thumbnails/`
    Upload,
    /// `GET /thumbnails`, `GET /thumbnails/`
    List,
    /// `GET /thumbnails/{id}.{ext}`
    Thumbnail(ThumbnailFile),
    /// `GET /thumbnails/{id}`
    Status(JobId),
    /// `GET /thumbnails/{id}_{name}`: the thumbnail in the format that the client likes
    Negotiated(JobId, String),
    /// `GET /thumbnails/{id}/events`
    Events(JobId),
    /// `GET /events`
    EventsOfJobs,
    /// `POST /thumbnails/{id}`
    Extend(JobId),
    /// `DELETE /thumbnails/{id}`
    Delete(JobId),
    /// `POST /thumbnails/{id}/retry`
    Retry(JobId),
    /// `POST /thumbnails/{id}/webhook/retry`
    RetryWebhook(JobId),
    /// `GET /thumbnail/{name}`, which the replaced service's README shows: moved to `/thumbnails/{name}`
    OldThumbnail(String),
    /// `GET /problems/{slug}`
    ProblemPage(ProblemKind),
    /// `GET /` and what the page needs
    Page(Page),
    /// `GET /docs`, `GET /docs/…`, `GET /openapi.json`: a file that is served as it is
    Asset,
    /// Another spelling of a URL: moved to the path that is its own
    Moved(String),
    /// `GET /healthz`
    Health,
    /// `GET /readyz`
    Ready,
    /// `OPTIONS` of any URL that exists: the methods that it takes.
    Options(&'static str),
}

/// A page, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// `GET /`
    Upload,
    /// `GET /upload.js`
    UploadScript,
    /// `GET /upload.css`
    UploadStyle,
}

/// What a URL is of.
enum Place {
    Uploads,
    Thumbnail(ThumbnailFile),
    Negotiated(JobId, String),
    Job(JobId),
    Retry(JobId),
    RetryWebhook(JobId),
    Page(Route),
}

impl Route {
    /// The route of a request, or the problem to answer with.
    pub fn parse(method: Method, path: &str) -> Result<Self, Problem> {
        let Some(place) = place(path) else {
            return Self::respelled(method, path).ok_or_else(|| nothing_at(path));
        };
        let allow = place.allow();
        match method {
            Method::Options => return Ok(Self::Options(allow)),
            // HEAD is GET without the body, everywhere.
            Method::Head => place.route(Method::Get),
            method => place.route(method),
        }
        .ok_or_else(|| Problem {
            allow: Some(allow),
            ..Problem::new(
                ProblemKind::MethodNotAllowed,
                format!("this URL takes {allow}"),
            )
        })
    }
}

impl Route {
    /// The way to the URL that this one is another spelling of.
    fn respelled(method: Method, path: &str) -> Option<Self> {
        let path = spelling::canonical(path)?;
        let place = place(&path)?;
        Some(match method {
            // A preflight is not redirected.
            Method::Options => Self::Options(place.allow()),
            _ => Self::Moved(path),
        })
    }
}

fn nothing_at(path: &str) -> Problem {
    let name = path.strip_prefix("/thumbnails/").unwrap_or_default();
    let id: Option<JobId> = name.get(..JobId::TEXT_LEN).and_then(|id| id.parse().ok());
    let detail = match id {
        Some(id) => format!(
            "there is nothing at this URL; /thumbnails/{id} says where the thumbnails of this job are"
        ),
        None => "there is nothing at this URL".into(),
    };
    Problem::new(ProblemKind::NotFound, detail)
}

impl Place {
    /// The methods that it takes; those that [`Place::route`] knows, HEAD with GET, and OPTIONS.
    const fn allow(&self) -> &'static str {
        match self {
            Self::Uploads => "GET, HEAD, POST, OPTIONS",
            Self::Retry(_) | Self::RetryWebhook(_) => "POST, OPTIONS",
            Self::Job(_) => "GET, HEAD, POST, DELETE, OPTIONS",
            Self::Thumbnail(_) | Self::Negotiated(..) | Self::Page(_) => "GET, HEAD, OPTIONS",
        }
    }

    /// What a method does here.
    fn route(self, method: Method) -> Option<Route> {
        match (self, method) {
            (Self::Uploads, Method::Post) => Some(Route::Upload),
            (Self::Uploads, Method::Get) => Some(Route::List),
            (Self::Thumbnail(file), Method::Get) => Some(Route::Thumbnail(file)),
            (Self::Negotiated(id, name), Method::Get) => Some(Route::Negotiated(id, name)),
            (Self::Job(id), Method::Get) => Some(Route::Status(id)),
            (Self::Job(id), Method::Post) => Some(Route::Extend(id)),
            (Self::Job(id), Method::Delete) => Some(Route::Delete(id)),
            (Self::Retry(id), Method::Post) => Some(Route::Retry(id)),
            (Self::RetryWebhook(id), Method::Post) => Some(Route::RetryWebhook(id)),
            (Self::Page(route), Method::Get) => Some(route),
            _ => None,
        }
    }
}

fn place(path: &str) -> Option<Place> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments[..] {
        ["thumbnails"] | ["thumbnails", ""] => Some(Place::Uploads),
        ["thumbnails", name] => match name.parse() {
            Ok(id) => Some(Place::Job(id)),
            Err(_) => match name.parse() {
                Ok(file) => Some(Place::Thumbnail(file)),
                Err(_) => negotiated(name),
            },
        },
        ["thumbnails", id, "events"] => {
            let id = id.parse().ok()?;
            Some(Place::Page(Route::Events(id)))
        }
        ["events"] => Some(Place::Page(Route::EventsOfJobs)),
        ["thumbnails", id, "retry"] => id.parse().ok().map(Place::Retry),
        ["thumbnails", id, "webhook", "retry"] => id.parse().ok().map(Place::RetryWebhook),
        ["thumbnail", name] if !name.is_empty() => {
            Some(Place::Page(Route::OldThumbnail(name.into())))
        }
        ["problems", slug] => {
            ProblemKind::from_slug(slug).map(|kind| Place::Page(Route::ProblemPage(kind)))
        }
        ["docs" | "docs.html" | "openapi.json"] | ["docs", _] => Some(Place::Page(Route::Asset)),
        ["healthz"] => Some(Place::Page(Route::Health)),
        ["readyz"] => Some(Place::Page(Route::Ready)),
        [""] => Some(Place::Page(Route::Page(Page::Upload))),
        ["upload.js"] => Some(Place::Page(Route::Page(Page::UploadScript))),
        ["upload.css"] => Some(Place::Page(Route::Page(Page::UploadStyle))),
        _ => None,
    }
}

/// `{id}_{name}`
fn negotiated(text: &str) -> Option<Place> {
    let (id, name) = text.split_once('_')?;
    let id = id.parse().ok()?;
    is_variant_name(name).then(|| Place::Negotiated(id, name.into()))
}

#[cfg(test)]
mod tests;
