//! Tests of `route`.

use super::*;

const ID: &str = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa";

#[test]
fn every_route_is_reached() {
    for (method, path, want) in [
        (Method::Post, "/thumbnails".to_owned(), Route::Upload),
        (Method::Post, "/thumbnails/".to_owned(), Route::Upload),
        (Method::Get, "/thumbnails".to_owned(), Route::List),
        (Method::Head, "/thumbnails/".to_owned(), Route::List),
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
            format!("/thumbnails/{ID}/events"),
            Route::Events(ID.parse().unwrap()),
        ),
        (Method::Get, "/events".to_owned(), Route::EventsOfJobs),
        (
            Method::Get,
            format!("/thumbnails/{ID}_large"),
            Route::Negotiated(ID.parse().unwrap(), "large".into()),
        ),
        (
            Method::Post,
            format!("/thumbnails/{ID}"),
            Route::Extend(ID.parse().unwrap()),
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
            Method::Post,
            format!("/thumbnails/{ID}/webhook/retry"),
            Route::RetryWebhook(ID.parse().unwrap()),
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
        (Method::Get, "/readyz".to_owned(), Route::Ready),
        (Method::Get, "/".to_owned(), Route::Page(Page::Upload)),
        (
            Method::Get,
            "/upload.js".to_owned(),
            Route::Page(Page::UploadScript),
        ),
        (
            Method::Get,
            "/upload.css".to_owned(),
            Route::Page(Page::UploadStyle),
        ),
    ] {
        assert_eq!(Route::parse(method, &path).unwrap(), want, "{path}");
    }
}

#[test]
fn another_spelling_leads_to_the_url_itself() {
    let upper = ID.to_uppercase();
    let encoded = ID.replace('-', "%2D");
    for (path, want) in [
        (format!("/thumbnails/{ID}.jpeg"), format!("{ID}.jpg")),
        (format!("/thumbnails/{ID}.JPG"), format!("{ID}.jpg")),
        (
            format!("/thumbnails/{ID}_large.JPEG/"),
            format!("{ID}_large.jpg"),
        ),
        (format!("/thumbnails/{upper}"), ID.into()),
        (format!("/thumbnails/{ID}/"), ID.into()),
        (
            format!("/thumbnails/{upper}/events"),
            format!("{ID}/events"),
        ),
        (format!("/thumbnails/{ID}%2Ejpg"), format!("{ID}.jpg")),
        (format!("/thumbnails/{encoded}.png"), format!("{ID}.png")),
        (format!("/%74humbnails/{ID}"), ID.into()),
    ] {
        let want = Route::Moved(format!("/thumbnails/{want}"));
        for method in [Method::Get, Method::Head, Method::Post, Method::Other] {
            assert_eq!(Route::parse(method, &path).unwrap(), want, "{path}");
        }
        let preflight = Route::parse(Method::Options, &path).unwrap();
        assert!(matches!(preflight, Route::Options(_)), "{path}");
    }
    assert_eq!(
        Route::parse(Method::Get, "/healthz/").unwrap(),
        Route::Moved("/healthz".into())
    );
}

#[test]
fn an_extension_that_no_thumbnail_has_is_told_where_to_look() {
    let path = format!("/thumbnails/{ID}.bmp");
    let problem = Route::parse(Method::Get, &path).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::NotFound);
    assert!(problem.detail.contains(&format!("/thumbnails/{ID} says")));
}

#[test]
fn names_that_never_existed_are_not_found() {
    for path in [
        "",
        "/x",
        "/thumbnails/x",
        "/thumbnails/x.jpg",
        "/thumbnails/x_default",
        "/thumbnails/01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa_",
        "/thumbnails/01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa_a.b",
        "/thumbnails/../../etc/passwd",
        "/thumbnails//",
        "/thumbnails/x/events",
        "/problems/x",
        "/thumbnail/",
        "//thumbnails",
        "/thumbnails/01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa//",
        "/thumbnails/01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa%252Ejpg",
        "/thumbnails/01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa%0d%0a",
        "/thumbnails/01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa%ff",
        "/docs/a/b",
    ] {
        let problem = Route::parse(Method::Get, path).unwrap_err();
        assert_eq!(problem.kind, ProblemKind::NotFound, "{path}");
    }
}

const METHODS: [(Method, &str); 5] = [
    (Method::Get, "GET"),
    (Method::Head, "HEAD"),
    (Method::Post, "POST"),
    (Method::Delete, "DELETE"),
    (Method::Options, "OPTIONS"),
];

#[test]
fn every_url_takes_what_its_allow_lists_and_nothing_else() {
    for path in [
        "/thumbnails".to_owned(),
        "/thumbnails/".to_owned(),
        format!("/thumbnails/{ID}"),
        format!("/thumbnails/{ID}.png"),
        format!("/thumbnails/{ID}_default"),
        format!("/thumbnails/{ID}/retry"),
        format!("/thumbnails/{ID}/events"),
        "/events".to_owned(),
        "/".to_owned(),
        "/thumbnail/x.jpg".to_owned(),
        "/problems/gone".to_owned(),
        "/healthz".to_owned(),
        "/readyz".to_owned(),
        "/docs".to_owned(),
        "/docs/clients".to_owned(),
        "/openapi.json".to_owned(),
    ] {
        let Ok(Route::Options(allow)) = Route::parse(Method::Options, &path) else {
            panic!("no OPTIONS at {path}")
        };
        for (method, name) in METHODS {
            let listed = allow.split(", ").any(|listed| listed == name);
            assert_eq!(Route::parse(method, &path).is_ok(), listed, "{name} {path}");
        }
        let problem = Route::parse(Method::Other, &path).unwrap_err();
        assert_eq!(
            (problem.kind, problem.allow),
            (ProblemKind::MethodNotAllowed, Some(allow))
        );
    }
}

#[test]
fn what_is_not_there_has_no_options() {
    let problem = Route::parse(Method::Options, "/x").unwrap_err();
    assert_eq!(problem.kind, ProblemKind::NotFound);
}
