//! What `wrangler dev` keeps in its folder while it is stopped: SQLite files, one per object, bucket and namespace.

import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { deserialize, serialize } from "node:v8";

const ALARMS = "metadata.sqlite";

/** The records of all jobs, as their objects have them. */
export function records(state) {
  const kept = jobFiles(state).filter((file) => basename(file) !== ALARMS);
  return kept.flatMap((file) => rows(file, "_cf_KV")).map(({ value }) => JSON.parse(deserialize(value)));
}

/** The keys of all objects in R2. */
export const objectKeys = (state) => files(state, "r2").flatMap((file) => rows(file, "_mf_objects")).map(({ key }) => key);

/** The keys of all that is in KV. */
export const copies = (state) => files(state, "kv").flatMap((file) => rows(file, "_mf_entries")).map(({ key }) => key);

/** Removes the alarms of all jobs; returns how many there were. */
export function removeAlarms(state) {
  const alarms = jobFiles(state).filter((file) => basename(file) === ALARMS);
  return alarms.reduce((sum, file) => sum + using(file, (database) => database.prepare("DELETE FROM _cf_ALARM").run().changes), 0);
}

const jobFiles = (state) => files(state, "do").filter((file) => file.includes("edge-thumbnails-Job"));

function files(state, product) {
  const entries = readdirSync(join(state, "v3", product), { recursive: true, withFileTypes: true });
  return entries.filter(({ name }) => name.endsWith(".sqlite")).map(({ parentPath, name }) => join(parentPath, name));
}

/** The rows of a table, none where there is no such table. */
function rows(file, table) {
  return using(file, (database) => {
    const known = database.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(table);
    return known ? database.prepare(`SELECT * FROM ${table}`).all() : [];
  });
}

function using(file, work) {
  const database = new DatabaseSync(file);
  try {
    // A server that was stopped may still be closing its files.
    database.exec("PRAGMA busy_timeout = 10000");
    return work(database);
  } finally {
    database.close();
  }
}

/** Puts what `change` makes of it in place of the record of each job. */
export function rewriteRecords(state, change) {
  for (const file of jobFiles(state).filter((file) => basename(file) !== ALARMS)) {
    for (const { key, value } of rows(file, "_cf_KV")) {
      const record = serialize(JSON.stringify(change(JSON.parse(deserialize(value)))));
      using(file, (database) => database.prepare("UPDATE _cf_KV SET value = ? WHERE key = ?").run(record, key));
    }
  }
}
