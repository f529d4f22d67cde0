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
    /// `GET /thumbnail/{name}`, which the replaced service's README shows: moved to `/thumbnails/{name}`
    OldThumbnail(String),
    /// `GET /problems/{slug}`
    ProblemPage(ProblemKind),
    /// `GET /healthz`
    Health,
}

const READ: &str = "GET, HEAD";

impl Route {
    /// The route of a request, or the problem to answer with.
    pub fn parse(method: Method, path: &str) -> Result<Self, Problem> {
        let route = Self::of_path(path)
            .ok_or_else(|| Problem::new(ProblemKind::NotFound, "there is nothing at this URL"))?;
        let allow = route.allow();
        let fits = match method {
            Method::Get | Method::Head => allow == READ,
            Method::Post => allow == "POST",
            Method::Other => false,
        };
        if fits {
            return Ok(route);
        }
        let detail = format!("this URL takes {allow}");
        Err(Problem {
            allow: Some(allow),
            ..Problem::new(ProblemKind::MethodNotAllowed, detail)
        })
    }

    /// The methods of the route, as the Allow header lists them.
    pub const fn allow(&self) -> &'static str {
        match self {
            Self::Upload => "POST",
            _ => READ,
        }
    }

    fn of_path(path: &str) -> Option<Self> {
        match path.strip_prefix('/')?.split_once('/') {
            None if path == "/thumbnails" => Some(Self::Upload),
            None if path == "/healthz" => Some(Self::Health),
            Some(("thumbnails", "")) => Some(Self::Upload),
            Some(("thumbnails", name)) => match name.parse() {
                Ok(id) => Some(Self::Status(id)),
                Err(_) => name.parse().ok().map(Self::Thumbnail),
            },
            Some(("thumbnail", name)) if !name.is_empty() && !name.contains('/') => {
                Some(Self::OldThumbnail(name.into()))
            }
            Some(("problems", slug)) => ProblemKind::from_slug(slug).map(Self::ProblemPage),
            _ => None,
        }
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
