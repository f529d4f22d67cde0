//! The service on a platform in memory that fails on command, and what it says of itself.

#[path = "../samples/mod.rs"]
mod samples;

mod attempts;
mod bound;
mod chunkings;
mod ends;
mod extend;
mod faults;
mod listing;
mod multipart;
mod once;
mod openapi;
mod readiness;
mod reads;
mod reference;
mod simulation;
mod sweep;
mod upload;
mod uploads;
mod versions;
mod webhook_verify;
mod webhooks;
mod world;
