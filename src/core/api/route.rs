//! Paths and methods to routes. A dozen of them: a match is clearer than a router.

use crate::api::problem::{Problem, ProblemKind};
use crate::keys::{JobId, ThumbnailFile};

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
    /// Any other.
    Other,
}

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `POST /thumbnails`, `POST /thumbnails/`
    Upload,
    /// `GET /thumbnails/{id}.{ext}`
    Thumbnail(ThumbnailFile),
    /// `GET /thumbnails/{id}`
    Status(JobId),
    /// `DELETE /thumbnails/{id}`
    Delete(JobId),
    /// `POST /thumbnails/{id}/retry`
    Retry(JobId),
    /// `GET /thumbnail/{name}`, which the replaced service's README shows: moved to `/thumbnails/{name}`
    OldThumbnail(String),
    /// `GET /problems/{slug}`
    ProblemPage(ProblemKind),
    /// `GET /healthz`
    Health,
}

/// What a URL is of, and the methods that it takes.
enum Place {
    Uploads,
    Thumbnail(ThumbnailFile),
    Job(JobId),
    Retry(JobId),
    Page(Route),
}

const READ: &str = "GET, HEAD";

impl Route {
    /// The route of a request, or the problem to answer with.
    pub fn parse(method: Method, path: &str) -> Result<Self, Problem> {
        let nothing = || Problem::new(ProblemKind::NotFound, "there is nothing at this URL");
        let place = place(path).ok_or_else(nothing)?;
        let read = matches!(method, Method::Get | Method::Head);
        let allow = match (place, method) {
            (Place::Uploads, Method::Post) => return Ok(Self::Upload),
            (Place::Thumbnail(file), _) if read => return Ok(Self::Thumbnail(file)),
            (Place::Job(id), _) if read => return Ok(Self::Status(id)),
            (Place::Job(id), Method::Delete) => return Ok(Self::Delete(id)),
            (Place::Retry(id), Method::Post) => return Ok(Self::Retry(id)),
            (Place::Page(route), _) if read => return Ok(route),
            (Place::Uploads | Place::Retry(_), _) => "POST",
            (Place::Job(_), _) => "GET, HEAD, DELETE",
            (Place::Thumbnail(_) | Place::Page(_), _) => READ,
        };
        let problem = Problem::new(
            ProblemKind::MethodNotAllowed,
            format!("this URL takes {allow}"),
        );
        Err(Problem {
            allow: Some(allow),
            ..problem
        })
    }
}

fn place(path: &str) -> Option<Place> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments[..] {
        ["thumbnails"] | ["thumbnails", ""] => Some(Place::Uploads),
        ["thumbnails", name] => match name.parse() {
            Ok(id) => Some(Place::Job(id)),
            Err(_) => name.parse().ok().map(Place::Thumbnail),
        },
        ["thumbnails", id, "retry"] => id.parse().ok().map(Place::Retry),
        ["thumbnail", name] if !name.is_empty() => {
            Some(Place::Page(Route::OldThumbnail(name.into())))
        }
        ["problems", slug] => {
            ProblemKind::from_slug(slug).map(|kind| Place::Page(Route::ProblemPage(kind)))
        }
        ["healthz"] => Some(Place::Page(Route::Health)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa";

    #[test]
    fn every_route_is_reached() {
        for (method, path, want) in [
            (Method::Post, "/thumbnails".to_owned(), Route::Upload),
            (Method::Post, "/thumbnails/".to_owned(), Route::Upload),
            (
                Method::Get,
                format!("/thumbnails/{ID}"),
                Route::Status(ID.parse().unwrap()),
            ),
            (
                Method::Head,
                format!("/thumbnails/{ID}.png"),
                Route::Thumbnail(format!("{ID}.png").parse().unwrap()),
            ),
            (
                Method::Delete,
                format!("/thumbnails/{ID}"),
                Route::Delete(ID.parse().unwrap()),
            ),
            (
                Method::Post,
                format!("/thumbnails/{ID}/retry"),
                Route::Retry(ID.parse().unwrap()),
            ),
            (
                Method::Get,
                "/thumbnail/x.jpg".to_owned(),
                Route::OldThumbnail("x.jpg".into()),
            ),
            (
                Method::Get,
                "/problems/gone".to_owned(),
                Route::ProblemPage(ProblemKind::Gone),
            ),
            (Method::Get, "/healthz".to_owned(), Route::Health),
        ] {
            assert_eq!(Route::parse(method, &path).unwrap(), want, "{path}");
        }
    }

    #[test]
    fn names_that_never_existed_are_not_found() {
        for path in [
            "",
            "/",
            "/x",
            "/thumbnails/x",
            "/thumbnails/x.jpg",
            "/thumbnails/../../etc/passwd",
            "/thumbnails//",
            "/problems/x",
            "/thumbnail/",
        ] {
            let problem = Route::parse(Method::Get, path).unwrap_err();
            assert_eq!(problem.kind, ProblemKind::NotFound, "{path}");
        }
    }

    #[test]
    fn a_wrong_method_says_which_are_right() {
        for (method, path, allow) in [
            (Method::Get, "/thumbnails", "POST"),
            (Method::Post, "/healthz", READ),
            (Method::Other, "/thumbnails", "POST"),
        ] {
            let problem = Route::parse(method, path).unwrap_err();
            assert_eq!(
                (problem.kind, problem.allow),
                (ProblemKind::MethodNotAllowed, Some(allow))
            );
        }
    }
}
