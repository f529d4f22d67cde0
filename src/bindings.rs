//! The names of bindings and queues, as `wrangler.toml` and `wrangler.origin.toml` have them.

/// R2: sources and thumbnails.
pub const IMAGES: &str = "IMAGES";
/// KV: copies of status documents.
pub const STATUS: &str = "STATUS";
/// Static assets: the description of the API, its viewer, and pages.
pub const ASSETS: &str = "ASSETS";
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
/// Queue: asks for deliveries to webhooks.
pub const WEBHOOK_QUEUE: &str = "WEBHOOK_QUEUE";
/// The queue behind it, as its consumer sees it.
pub const WEBHOOKS: &str = "edge-thumbnails-webhooks";
/// The queue that holds what the webhook queue gave up.
pub const WEBHOOKS_DEAD: &str = "edge-thumbnails-webhooks-dead";

#[cfg(test)]
mod tests {
    use super::*;

    const EDGE: &str = include_str!("../wrangler.toml");
    const ORIGIN: &str = include_str!("../wrangler.origin.toml");

    #[test]
    fn every_name_stands_in_the_configuration() {
        for name in [IMAGES, STATUS, ASSETS, DB, RESIZE_QUEUE, WEBHOOK_QUEUE] {
            assert!(EDGE.contains(&format!("binding = \"{name}\"")), "{name}");
        }
        assert!(EDGE.contains(&format!("name = \"{IDEMPOTENCY_KEY}\"")));
        for config in [EDGE, ORIGIN] {
            assert!(config.contains(&format!("name = \"{JOB}\"")));
            assert!(config.contains(&format!("binding = \"{IMAGES}\"")));
        }
        for queue in [RESIZE_DEAD_QUEUE, WEBHOOKS, WEBHOOKS_DEAD] {
            assert!(ORIGIN.contains(&format!("queue = \"{queue}\"")));
        }
    }
}
