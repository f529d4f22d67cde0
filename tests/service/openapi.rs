//! The description and the code say the same.

use std::path::Path;

use thumbnail_core::api::openapi::{OPERATIONS, description};
use thumbnail_core::api::{Method, Problem, Route};

const PATH: &str = "src/web/assets/openapi.json";

/// `BLESS=1 cargo test --test service openapi` writes the file anew, and fails for that.
#[test]
fn what_is_served_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    let served = std::fs::read_to_string(&path).unwrap_or_default();
    let current = description();
    if served != current && std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    assert!(
        served == current,
        "{PATH} is out of date: run `BLESS=1 cargo test --test service openapi` and look at what changed"
    );
}

/// Each kind of route. A new one does not compile here until it is added, and then has to be described.
fn route_name(route: &Route) -> &'static str {
    match route {
        Route::Upload => "upload",
        Route::List => "list",
        Route::Thumbnail(_) => "thumbnail",
        Route::Negotiated(..) => "negotiated",
        Route::Status(_) => "status",
        Route::Events(_) => "events",
        Route::EventsOfJobs => "events of jobs",
        Route::Page(_) => "page",
        Route::Extend(_) => "extend",
        Route::Delete(_) => "delete",
        Route::Retry(_) => "retry",
        Route::RetryWebhook(_) => "retry of a webhook",
        Route::OldThumbnail(_) => "old thumbnail",
        Route::ProblemPage(_) => "problem page",
        Route::Health => "health",
        Route::Ready => "ready",
        Route::Asset => "file",
        Route::Moved(_) => "moved",
        Route::Options(_) => "options of everything",
    }
}

const ROUTES: usize = 16;

/// The route that an operation leads to, with examples in place of the names in braces.
fn route(method: Method, path: &str) -> Result<Route, Problem> {
    let path = path
        .replace("{id}", "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa")
        .replace("{name}", "200x200")
        .replace("{extension}", "jpg")
        .replace("{file}", "cat.jpg")
        .replace("{slug}", "gone");
    Route::parse(method, &path)
}

#[test]
fn every_operation_leads_to_a_route_and_every_route_is_described() {
    let mut described: Vec<&str> = OPERATIONS
        .iter()
        .map(|operation| match route(operation.method, operation.path) {
            Ok(route) => route_name(&route),
            Err(problem) => panic!("{}: {problem}", operation.path),
        })
        .collect();
    described.sort_unstable();
    described.dedup();
    assert_eq!(described.len(), ROUTES, "{described:?}");
}

#[test]
fn nothing_points_nowhere() {
    let api: serde_json::Value = serde_json::from_str(&description()).unwrap();
    assert_eq!(api["openapi"], "3.1.0");
    let mut open = vec![&api];
    let mut references = 0;
    while let Some(value) = open.pop() {
        if let Some(reference) = value.get("$ref").and_then(|r| r.as_str()) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(api.pointer(pointer).is_some(), "{reference} is nowhere");
            references += 1;
        }
        match value {
            serde_json::Value::Object(map) => open.extend(map.values()),
            serde_json::Value::Array(array) => open.extend(array),
            _ => {}
        }
    }
    assert!(references > 20, "{references}");
}
