//! The index of jobs in D1.
//!
//! Its one table is derived from the jobs, and the sweep fills it again. So it needs no migrations,
//! nor anybody who applies them: it is created where it is missing, and its name has the version
//! of its columns. A record is stored as in KV, with columns beside it for what is searched by.

use thumbnail_core::Timestamp;
use thumbnail_core::job::record::VERSION;
use thumbnail_core::job::{Record, State};
use thumbnail_core::keys::JobId;
use thumbnail_core::ports::{IndexEntry, JobIndex, StoreError};
use thumbnail_core::version::read;
use wasm_bindgen::JsValue;
use worker::D1Database;

use super::store_error;
use super::time_box::time_boxed;

/// Without a rowid a row is stored once, under its id; ids sort by time.
const SCHEMA: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS jobs_v1 (id TEXT PRIMARY KEY, owner TEXT NOT NULL, state TEXT NOT NULL, \
     revision INTEGER NOT NULL, check_at INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS jobs_v1_by_owner ON jobs_v1 (owner, id)",
    "CREATE INDEX IF NOT EXISTS jobs_v1_by_state ON jobs_v1 (owner, state, id)",
    "CREATE INDEX IF NOT EXISTS jobs_v1_by_check ON jobs_v1 (check_at)",
];

/// An older state never takes the place of a newer one, in whatever order they arrive.
const PUT: &str = "INSERT INTO jobs_v1 (id, owner, state, revision, check_at, record) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET state = excluded.state, \
     revision = excluded.revision, check_at = excluded.check_at, record = excluded.record \
     WHERE excluded.revision >= jobs_v1.revision";

const DELETE: &str = "DELETE FROM jobs_v1 WHERE id = ?1";

const PAGE: &str =
    "SELECT id, record FROM jobs_v1 WHERE owner = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";

const PAGE_OF_STATE: &str = "SELECT id, record FROM jobs_v1 WHERE owner = ?1 AND id < ?2 \
     AND state = ?4 ORDER BY id DESC LIMIT ?3";

const DUE: &str = "SELECT id FROM jobs_v1 WHERE check_at <= ?1 ORDER BY check_at LIMIT ?2";

const POSTPONE: &str = "UPDATE jobs_v1 SET check_at = ?2 \
     WHERE id IN (SELECT value FROM json_each(?1))";

const MISSING: &str = "SELECT value AS id FROM json_each(?1) \
     WHERE NOT EXISTS (SELECT 1 FROM jobs_v1 WHERE jobs_v1.id = json_each.value)";

/// Greater than every id.
const BEHIND_ALL: &str = "g";

/// The index of jobs.
pub struct D1Index {
    database: D1Database,
}

/// The columns of a row, each as text.
type Row = Vec<String>;

impl D1Index {
    /// Over a database.
    pub fn new(database: D1Database) -> Self {
        Self { database }
    }

    /// Runs a statement and returns its rows.
    async fn run(&self, statement: &str, values: &[JsValue]) -> Result<Vec<Row>, StoreError> {
        let work = async {
            match self.try_run(statement, values).await {
                Err(error) if error.to_string().contains("no such table") => {
                    self.create().await?;
                    self.try_run(statement, values).await
                }
                done => done,
            }
        };
        time_boxed(async { work.await.map_err(|e| store_error(&e)) }).await
    }

    async fn try_run(&self, statement: &str, values: &[JsValue]) -> worker::Result<Vec<Row>> {
        let statement = self.database.prepare(statement).bind(values)?;
        statement.raw().await
    }

    async fn create(&self) -> worker::Result<()> {
        let statements = SCHEMA.map(|statement| self.database.prepare(statement));
        self.database.batch(statements.into()).await.map(|_| ())
    }
}

impl JobIndex for D1Index {
    async fn put(&self, record: &Record, check_at: Timestamp) -> Result<(), StoreError> {
        let text =
            serde_json::to_string(record).map_err(|e| StoreError::Permanent(e.to_string()))?;
        let values = [
            record.id.to_string().into(),
            record.owner.as_str().into(),
            record.state.name().into(),
            number(record.revision),
            number(check_at.as_millis()),
            text.into(),
        ];
        self.run(PUT, &values).await.map(|_| ())
    }

    async fn delete(&self, id: JobId) -> Result<(), StoreError> {
        let values = [id.to_string().into()];
        self.run(DELETE, &values).await.map(|_| ())
    }

    async fn page(
        &self,
        owner: &str,
        state: Option<State>,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<IndexEntry>, StoreError> {
        let before = before.map_or_else(|| BEHIND_ALL.to_owned(), |id| id.to_string());
        let mut values = vec![owner.into(), before.into(), number(limit as u64)];
        values.extend(state.map(|state| state.name().into()));
        let statement = state.map_or(PAGE, |_| PAGE_OF_STATE);
        let rows = self.run(statement, &values).await?;
        Ok(rows.into_iter().filter_map(entry).collect())
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<JobId>, StoreError> {
        let values = [number(now.as_millis()), number(limit as u64)];
        self.ids(DUE, &values).await
    }

    async fn postpone(&self, ids: &[JobId], check_at: Timestamp) -> Result<(), StoreError> {
        let list = serde_json::to_string(ids).map_err(|e| StoreError::Permanent(e.to_string()))?;
        let values = [list.into(), number(check_at.as_millis())];
        self.run(POSTPONE, &values).await.map(|_| ())
    }

    async fn missing(&self, ids: &[JobId]) -> Result<Vec<JobId>, StoreError> {
        let list = serde_json::to_string(ids).map_err(|e| StoreError::Permanent(e.to_string()))?;
        self.ids(MISSING, &[list.into()]).await
    }
}

impl D1Index {
    async fn ids(&self, statement: &str, values: &[JsValue]) -> Result<Vec<JobId>, StoreError> {
        let rows = self.run(statement, values).await?;
        Ok(rows
            .iter()
            .filter_map(|row| row.first()?.parse().ok())
            .collect())
    }
}

fn entry(row: Row) -> Option<IndexEntry> {
    let [id, record]: [String; 2] = row.try_into().ok()?;
    Some(IndexEntry {
        id: id.parse().ok()?,
        record: read(&record, VERSION).ok(),
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "revisions, limits and milliseconds since 1970 are far below 2^53"
)]
fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}
