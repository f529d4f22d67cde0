//! The query of a read. What means nothing is ignored, as what somebody adds to pass a cache; an
//! option means something that a read cannot do.

use super::params::table::named;
use super::problem::{FieldError, Problem};
use crate::keys::JobId;

/// Refuses options of an upload, and says how another thumbnail is had.
pub fn check<'a>(id: JobId, names: impl Iterator<Item = &'a str>) -> Result<(), Problem> {
    let errors: Vec<FieldError> = names
        .filter(|name| named(name).is_some())
        .map(|name| FieldError::new(name, format!("{name} is an option of an upload; a GET makes no thumbnail: POST /thumbnails/{id}?{name}=… makes another one")))
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_refused_and_all_else_is_ignored() {
        let id: JobId = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa".parse().unwrap();
        assert_eq!(
            check(id, ["v", "t", "utm_source", "Width"].into_iter()),
            Ok(())
        );
        let problem = check(id, ["width", "v", "fit"].into_iter()).unwrap_err();
        let pointers: Vec<&str> = problem.errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!((problem.status, pointers), (400, vec!["#/width", "#/fit"]));
        assert!(
            problem
                .detail
                .contains(&format!("POST /thumbnails/{id}?width=…"))
        );
    }
}
