//! Uploads that come twice under one `Idempotency-Key`: what is remembered of a key, and every
//! decision about it, as pure functions.
//!
//! A key is claimed before anything is read, and again and again while its upload arrives. When the
//! sources are stored, the jobs to begin are committed together with the fingerprint of what was
//! sent; from then on whoever comes with the key begins the same jobs, which changes nothing where
//! they exist. The answer is kept last.

mod apply;
pub mod record;

pub use apply::{KeyCommand, KeyDecision, KeyVerdict, LEASE_SECS, apply};
pub use record::{Answer, CommittedFile, FileProblem, KeyRecord, KeyState};

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::api::params::ParsedOptions;
use crate::api::{Problem, UploadedFile};
use crate::job::NewJob;

/// The name of what remembers a key of an owner: a hash, so that no two owners share a key.
pub fn key_name(owner: &str, key: &str) -> String {
    hex(&[owner.as_bytes(), b"\0", key.as_bytes()].concat())
}

/// What an upload was: its files, their bytes and what was asked for.
pub fn fingerprint(files: &[UploadedFile<NewJob>], asked: &ParsedOptions) -> String {
    let file = |file: &UploadedFile<NewJob>| {
        let content = match &file.result {
            Ok(job) => job.source.sha256.clone(),
            // Nothing becomes of it, whatever its bytes were.
            Err(problem) => refused(problem),
        };
        json!([file.field, file.filename, content])
    };
    let files: Vec<_> = files.iter().map(file).collect();
    hex(json!([files, asked]).to_string().as_bytes())
}

/// What an upload was whose image is fetched: its address, and what was asked for.
pub fn fetched_fingerprint(source_url: &str, asked: &ParsedOptions) -> String {
    hex(json!([source_url, asked]).to_string().as_bytes())
}

fn refused(problem: &Problem) -> String {
    format!("{}: {}", problem.kind.slug(), problem.detail)
}

fn hex(bytes: &[u8]) -> String {
    crate::hex::encode(&Sha256::digest(bytes))
}
