//! The names of bindings and queues, as `wrangler.toml` and `wrangler.origin.toml` have them.

/// R2: sources and thumbnails.
pub const IMAGES: &str = "IMAGES";
/// KV: copies of status documents.
pub const STATUS: &str = "STATUS";
/// D1: the index of jobs.
pub const DB: &str = "DB";
/// Durable Objects: the jobs.
pub const JOB: &str = "JOB";
/// Durable Objects: the idempotency keys of uploads; only the edge has them.
pub const IDEMPOTENCY_KEY: &str = "IDEMPOTENCY_KEY";
/// Queue: asks for attempts.
pub const RESIZE_QUEUE: &str = "RESIZE_QUEUE";
/// The queue that holds what the resize queue gave up.
pub const RESIZE_DEAD_QUEUE: &str = "edge-thumbnails-resize-dead";

#[cfg(test)]
mod tests {
    use super::*;

    const EDGE: &str = include_str!("../wrangler.toml");
    const ORIGIN: &str = include_str!("../wrangler.origin.toml");

    #[test]
    fn every_name_stands_in_the_configuration() {
        for name in [IMAGES, STATUS, DB, RESIZE_QUEUE] {
            assert!(EDGE.contains(&format!("binding = \"{name}\"")), "{name}");
        }
        assert!(EDGE.contains(&format!("name = \"{IDEMPOTENCY_KEY}\"")));
        for config in [EDGE, ORIGIN] {
            assert!(config.contains(&format!("name = \"{JOB}\"")));
            assert!(config.contains(&format!("binding = \"{IMAGES}\"")));
        }
        assert!(ORIGIN.contains(&format!("queue = \"{RESIZE_DEAD_QUEUE}\"")));
    }
}
