//! `Link`: where else to look. RFC 8288; `status`, `service-desc` and `service-doc` are of RFC 8631.

use std::fmt::Display;

/// The members for something of a job, with paths relative to the service.
pub fn links(own_path: impl Display, job: impl Display) -> String {
    format!(
        "<{own_path}>; rel=\"self\", </thumbnails/{job}>; rel=\"status\", \
         </openapi.json>; rel=\"service-desc\", </docs>; rel=\"service-doc\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_relation_is_there_once() {
        assert_eq!(
            links("/thumbnails/7.jpg", 7),
            "</thumbnails/7.jpg>; rel=\"self\", </thumbnails/7>; rel=\"status\", \
             </openapi.json>; rel=\"service-desc\", </docs>; rel=\"service-doc\""
        );
    }
}
