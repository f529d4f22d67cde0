//! Pages and their parts, as they ship inside the Worker.

use thumbnail_core::api::route::Page;
use thumbnail_core::api::{Body, Reply};

/// Pages run and fetch what comes from here and nothing else.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `GET /`, `GET /upload.js`, `GET /upload.css`
pub fn page<B>(page: Page) -> Reply<B> {
    let (media_type, text) = match page {
        Page::Upload => ("text/html", include_str!("../web/pages/upload.html")),
        Page::UploadScript => ("text/javascript", include_str!("../web/pages/upload.js")),
        Page::UploadStyle => ("text/css", include_str!("../web/pages/upload.css")),
    };
    Reply::new(200, Body::Text(text.into()))
        .with("content-type", format!("{media_type}; charset=utf-8"))
        // Short: after a deployment the three have to fit together again.
        .with("cache-control", "public, max-age=60")
        .with("content-security-policy", CSP)
        .with("referrer-policy", "no-referrer")
}
